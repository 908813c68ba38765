"""WooCommerce exports: variations before their parent, escaped commas, units in headers, a German header."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

from catalog.paths import Dump
from catalog.readers.draft import DraftCatalogue
from catalog.readers.table_set import TableSet
from catalog.readers.woo_columns import column_name, find_columns
from catalog.records import RowBooks

Read = Callable[..., DraftCatalogue]
Whole = Callable[[DraftCatalogue], dict[str, dict[str, object]]]
Reasons = Callable[[DraftCatalogue], list[tuple[str, str, int | None]]]

URL = "https://shop.example.com/wp-content/uploads/2026/01/"
HEADER = (
    "ID,Type,SKU,Name,Published,Short description,Description,Weight (lbs),Length (in),Regular price,Categories,Tags,"
    "Images,Parent,Grouped products,External URL,Attribute 1 name,Attribute 1 value(s),Attribute 1 visible,"
    "Attribute 1 global,Attribute 2 name,Attribute 2 value(s),Attribute 2 visible,Attribute 2 global,Meta: weave,"
    "Meta: _wp_page_template,Brands"
).split(",")


def table(header: list[str], *rows: dict[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def export() -> str:
    def pair(number: int, name: str, value: str) -> dict[str, str]:
        return {f"Attribute {number} name": name, f"Attribute {number} value(s)": value}

    red = {"ID": "46", "Type": "variation", "SKU": "", "Name": "Scarf - Red", "Parent": "id:44"}
    return table(
        HEADER,
        # Variations stand before their parent, which they name by SKU or by id.
        {"ID": "45", "Type": "variation", "SKU": "SC-B", "Name": "Scarf - Blue", "Parent": "SC",
         "Weight (lbs)": "0.5", "Images": f"{URL}blue.jpg"} | pair(1, "Color", "Blue") | pair(2, "Edge", "Fringe"),
        red
        | {"Images": f"{URL}red.jpg, {URL}w_10,h_10/red-2.jpg"} | pair(1, "Color", "Red") | pair(2, "Edge", "Fringe"),
        {"ID": "44", "Type": "variable", "SKU": "SC", "Name": "Scarf", "Short description": "Soft &amp; warm<br>",
         "Description": "<p>Knitted.</p>", "Weight (lbs)": "0.5", "Length (in)": "60",
         "Categories": "Accessories > Scarves, Sale, Gifts\\, cards > Wool > Warm", "Tags": "winter",
         "Images": f"{URL}blue.jpg, {URL}both.jpg", "Meta: weave": "Twill", "Meta: _wp_page_template": "wide",
         "Brands": "Wetherby"}
        | pair(1, "Color", "Blue, Red") | pair(2, "Material", "Wool, Silk\\, raw"),
        {"ID": "50", "Type": "simple, virtual", "SKU": "MUG", "Name": "Mug", "Images": f"{URL}mug.jpg"}
        | pair(1, "Color", "White"),
        {"ID": "51", "Type": "grouped", "SKU": "SET", "Name": "Set of mugs", "Grouped products": "MUG",
         "Images": f"{URL}set.jpg"},
        {"ID": "52", "Type": "external", "Name": "Tray", "External URL": "https://example.com/tray",
         "Images": f"{URL}gone.jpg"},
        {"ID": "53", "Type": "variable", "SKU": "HAT", "Name": "Hat", "Images": f"{URL}hat.jpg"}
        | pair(1, "Color", "Black, White") | pair(2, "Material", "Felt"),
        {"ID": "60", "Type": "variation", "SKU": "X", "Name": "Lost", "Parent": "id:99"},
        red,
        {"ID": "70", "Type": "simple", "SKU": "MUG", "Name": "Mug again"},
        {"ID": "71", "Type": "simple", "SKU": "NAMELESS"},
    )  # fmt: skip


PICTURES = tuple(f"uploads/{name}.jpg" for name in ("blue", "red", "red-2", "both", "mug", "set", "hat"))


def product(name: str, line: int, **more: object) -> dict[str, object]:
    empty: dict[str, object] = {"category": "", "description": "", "facts": {}, "texts": {}, "variants": {}}
    return {"name": name, "line": line, **empty, "pictures": [], **more}


def test_export_with_variations_before_their_parent(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    catalogue = read_files({"wc-export.csv": export()}, PICTURES)
    assert catalogue.reader == "woocommerce"
    assert whole(catalogue) == {
        "SC": product(
            "Scarf",
            4,
            category="Gifts, cards > Wool > Warm",
            description="Knitted.",
            facts={
                "material": "Wool, Silk, raw",
                "weight": "0.5 lbs",
                "length": "60 in",
                "brand": "Wetherby",
                "weave": "Twill",
                "edge": "Fringe",
            },
            texts={"description": "Knitted.", "short description": "Soft & warm"},
            variants={
                "SC-B": ("SC-B", "Scarf - Blue", {"color": "Blue"}),
                "Red": ("", "Scarf - Red", {"color": "Red"}),
            },
            # The parent's first picture is the blue one's.
            pictures=[
                ("uploads/blue.jpg", "SC-B"),
                ("uploads/both.jpg", None),
                ("uploads/red.jpg", "Red"),
                ("uploads/red-2.jpg", "Red"),
            ],
        ),
        "MUG": product("Mug", 5, facts={"color": "White"}, pictures=[("uploads/mug.jpg", None)]),
        "SET": product("Set of mugs", 6, pictures=[("uploads/set.jpg", None)]),
        "id:52": product("Tray", 7),
        # Its variations were not exported: which colour its picture shows is not known.
        "HAT": product("Hat", 8, facts={"material": "Felt"}, pictures=[("uploads/hat.jpg", None)]),
    }
    name = "wc-export.csv"
    assert reasons(catalogue) == [
        ("ROW_UNKNOWN_KEY", name, 9),
        ("ROW_DUP_KEY", name, 10),
        ("URL_NOT_FETCHED", name, 7),
        ("ROW_DUP_KEY", name, 11),
        ("ROW_NO_NAME", name, 12),
    ]
    assert catalogue.rows == RowBooks(read=11, accepted=7, duplicate=2, quarantined=2)


GERMAN = (
    "ID,Typ,Artikelnummer,Name,Veröffentlicht,Kurzbeschreibung,Beschreibung,Gewicht (kg),Länge (cm),Kategorien,Bilder,"
    "Übergeordnetes Produkt,Attribut 1 Name,Attribut 1 Wert(e),Attribut 1 Sichtbar,Attribut 1 Global\n"
    '7,variation,V-R,"Vase - Rot",1,,,,,,https://laden.example.com/rot.jpg,V,Farbe,Rot,,1\n'
    '8,variation,V-B,"Vase - Blau",1,,,,,,https://laden.example.com/blau.jpg,id:6,Farbe,Blau,,1\n'
    '6,variable,V,Vase,1,,<p>Aus Glas.</p>,"1,2",30,Wohnen > Vasen,https://laden.example.com/rot.jpg,,Farbe,'
    '"Rot, Blau",1,1\n'
)


def test_german_header_is_known_by_its_numbered_pairs(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    catalogue = read_files({"export.csv": GERMAN}, ("rot.jpg", "blau.jpg"))
    assert catalogue.reader == "woocommerce" and not reasons(catalogue)
    assert whole(catalogue) == {
        "V": product(
            "Vase",
            4,
            category="Wohnen > Vasen",
            description="Aus Glas.",
            facts={"weight": "1,2 kg", "length": "30 cm"},
            texts={"description": "Aus Glas."},
            variants={
                "V-R": ("V-R", "Vase - Rot", {"farbe": "Rot"}),
                "V-B": ("V-B", "Vase - Blau", {"farbe": "Blau"}),
            },
            pictures=[("rot.jpg", "V-R"), ("blau.jpg", "V-B")],
        )
    }
    assert catalogue.rows == RowBooks(read=3, accepted=3)


def test_pairs_are_found_in_other_languages_and_not_in_other_tables(tmp_path: Path) -> None:
    headers = {
        "fr.csv": "ID,Type,UGS,Nom,Images,Parent,Nom de l’attribut 1,Valeur(s) de l’attribut 1 ,Attribut 1 visible",
        "es.csv": "ID,Tipo,SKU,Nombre,Imágenes,Superior,Nombre del atributo 1,Valor(es) del atributo 1,Atributo 1",
        "ja.csv": "ID,タイプ,SKU,名前,画像,親,属性1の名前,属性1の値,属性1の表示",
        "other.csv": "ID,Kind,SKU,Name,Image,Parent,Attribute 1,Attribute 2,Attribute 3",
    }
    for name, header in headers.items():
        (tmp_path / name).write_text(header + "\n1,simple,A,Cup,a.jpg,,Color,Red,1\n")
    found = {}
    for headed in (parsed.with_header() for parsed in TableSet(Dump(tmp_path))):
        columns = find_columns(headed)
        names = [column_name(name) for name in headed.header]
        found[headed.file.path] = columns and [tuple(map(names.index, pair)) for pair in columns.pairs]
    assert found == {"es.csv": [(6, 7)], "fr.csv": [(6, 7)], "ja.csv": [(6, 7)], "other.csv": None}
