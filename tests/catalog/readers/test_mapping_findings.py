"""What a person who wrote mappings for five dumps stumbled over, each in the smallest dump that shows it."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from catalog.errors import IngestRefused
from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue, DraftProduct
from catalog.records import Issue

# ruff: noqa: E501 - mappings and rows are one fact a line
Read = Callable[..., DraftCatalogue]
PIM = """<?xml version="1.0"?>
<export><products>
 <product no="P-1" state="released">
  <text lang="de" type="name">Stuhl</text><text lang="en" type="name">Chair</text>
  <text lang="de" type="long">Ein Stuhl.</text><text lang="en" type="long">A chair.</text>
  <attr name="Farbe" src="x">Eiche</attr><attr name="Breite" unit="cm">45</attr>
  <finish lang="de">matt</finish><finish lang="en">dull</finish>
  <variant no="P-1.1"><attr name="Farbe">Buche</attr></variant>
 </product>
 <product no="P-2" state="draft">
  <text lang="de" type="name">Tisch</text><attr name="Farbe">Esche</attr><variant no="P-2.1"/>
 </product>
</products></export>"""
PIM_MAPPING = """
[tables]
p = { file = "e.xml", rows = "export/products/product", where = { "@state" = "released" } }
v = { file = "e.xml", rows = "export/products/product/variant" }
a = { file = "e.xml", rows = "export/products/product/attr" }
[product]
table = "p"
key = "@no"
name = "text[type=name]"
text = "text[type=long]"
attributes = { farbe = "attr[name=Farbe]", breite = "attr[name=Breite]", finish = "finish" }
files = "pictures"
[variant]
table = "v"
product = "^.@no"
key = "@no"
attributes = { farbe = "attr[name=Farbe]" }
[[attributes]]
table = "a"
product = "^.@no"
name = "@name"
value = "{#text} {@unit}"
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that writes files and pictures into a dump and reads it; the books must balance."""

    def run(files: dict[str, str | bytes], *pictures: str) -> DraftCatalogue:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        for name in pictures:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(tmp_path / name)
        catalogue = read_dump(Dump(tmp_path))
        rows = catalogue.rows
        assert rows.read == rows.accepted + rows.duplicate + rows.quarantined
        return catalogue

    return run


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[[list[tuple[object, ...]]], None]:
    """Return a function that writes one sheet into the dump."""

    def write(rows: list[tuple[object, ...]]) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "食器"
        for row in rows:
            sheet.append(row)
        book.save(tmp_path / "shop.xlsx")

    return write


def only(catalogue: DraftCatalogue) -> DraftProduct:
    (product,) = catalogue.products
    return product


def facts(product: DraftProduct) -> dict[str, tuple[str, str | None]]:
    return {fact.name: (fact.value, fact.unit) for fact in product.attributes if fact.kind == "fact"}


def reasons(catalogue: DraftCatalogue) -> list[tuple[str, str, str]]:
    return [(issue.reason, issue.severity, issue.detail) for issue in catalogue.issues]


# --- templates with blank parts ------------------------------------------------------------------


def test_template_keeps_what_is_there_when_a_part_is_blank(read: Read) -> None:
    mapping = """
[tables]
product = "p.csv"
[product]
key = "{a}-{b}"
name = "{name} ({colour})"
category = "{room} > {kind}"
attributes = { size = "{w} {unit}", depth = "{d} cm" }
images = "{a}_{view}.jpg"
"""
    rows = "a,b,name,colour,room,kind,w,unit,d,view\n1,x,Cup,,Kitchen,,9,,,v\n2,y,Mug,red,,Mug,,cm,7,\n3,,Jar,,,,,,,\n"
    catalogue = read({"p.csv": rows, "mapping.toml": mapping}, "1_v.jpg", "2_.jpg")
    cup, mug = catalogue.products
    assert (cup.sku, cup.name, cup.category, facts(cup)) == ("1-x", "Cup", "Kitchen", {"size": ("9", None)})
    assert (mug.name, mug.category) == ("Mug (red)", "Mug")
    assert facts(mug) == {"size": ("cm", None), "depth": ("7 cm", None)}
    # Half a key is none, and half a path names no picture.
    assert [code for code, _, _ in reasons(catalogue)] == ["ROW_NO_KEY"]
    assert [picture.path for picture in cup.pictures] == ["1_v.jpg"] and not mug.pictures


# --- workbooks -----------------------------------------------------------------------------------


def test_sheet_is_read_from_the_row_a_mapping_says(read: Read, workbook: Callable[..., None]) -> None:
    workbook(
        [
            ("商品名", "品番", "一覧"),
            ("2026年", "", ""),
            ("品番", "商品名", "色"),
            ("# x", "", ""),
            ("K-1", "大皿", "白"),
        ]
    )
    mapping = '[tables]\np = { file = "shop.xlsx", sheet = "食器", skip = 2, comment = "#" }\n[product]\ntable = "p"\nkey = "品番"\nname = "商品名"\nattributes = ["色"]\nfiles = "pictures"\n'
    catalogue = read({"mapping.toml": mapping}, "K-1.jpg")
    product = only(catalogue)
    assert (product.sku, product.name, product.line, len(product.pictures)) == ("K-1", "大皿", 5, 1)
    assert catalogue.rows.read == 1 and not catalogue.issues


def test_sheet_without_header_is_named_by_a_mapping(read: Read, workbook: Callable[..., None]) -> None:
    workbook([("K-1", "Plate", "white", "x"), ("K-2", "Bowl", "blue", "y")])
    mapping = '[tables]\np = { file = "shop.xlsx", header = ["id", "title", "colour"] }\n[product]\ntable = "p"\nkey = "id"\nname = "title"\nattributes = ["colour"]\nfiles = "pictures"\n'
    catalogue = read({"mapping.toml": mapping}, "K-1.jpg")
    assert [(product.sku, product.line) for product in catalogue.products] == [("K-1", 1), ("K-2", 2)]
    assert facts(catalogue.products[0]) == {"colour": ("white", None)} and not catalogue.issues


def test_workbook_is_not_read_as_text(read: Read, workbook: Callable[..., None]) -> None:
    workbook([("sku", "name"), ("1", "Cup")])
    mapping = '[tables]\np = { file = "shop.xlsx", SETTING }\n[product]\ntable = "p"\nkey = "sku"\nname = "name"\n'
    for setting in ('separator = ";"', 'separator = ";", quotes = false', 'encoding = "cp932"'):
        with pytest.raises(
            IngestRefused, match=r"^shop\.xlsx is a workbook, which has no (separator|encoding)"
        ) as refused:
            read({"mapping.toml": mapping.replace("SETTING", setting)}, "1.jpg")
        assert len(str(refused.value).splitlines()) == 1


def test_messages_hold_nothing_a_terminal_would_act_on() -> None:
    assert str(IngestRefused("no column 'a\x1b[2J\x00b　c'")) == "no column 'a\ufffd[2J\ufffdb　c'"
    assert Issue(source="a", reason="X", detail="PK\x03\x04é").detail == "PK\ufffd\ufffdé"


# --- remarks below a table -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "footer",
    [
        "※サイズは実測のため多少の誤差があります。,,,",
        "* prices incl. tax,,,",
        "All prices in Euro including tax,,,",
        "Summe,,,",
        "合計,,,12",
    ],
)
@pytest.mark.parametrize("mapped", [True, False])
def test_remark_below_a_table_is_no_variant(read: Read, footer: str, mapped: bool) -> None:
    rows = "sku,name,colour,stock\nA-1,Cup,red,1\nA-2,,blue,2\nB-1,Mug,,3\n" + footer + "\n"
    mapping = '[tables]\nproduct = "p.csv"\n[product]\nkey = "sku"\nname = "name"\nfiles = "pictures"\n[variant]\nkey = "sku"\nattributes = ["colour"]\n'
    if not mapped:
        rows = "\n".join(
            f"{line},{'image' if not number else 'a.jpg' if number < 4 else ''}"
            for number, line in enumerate(rows.splitlines())
        )
    catalogue = read({"p.csv": rows, **({"mapping.toml": mapping} if mapped else {})}, "a.jpg", "A-1.jpg")
    cup, mug = catalogue.products
    assert [variant.sku for variant in cup.variants] == ["A-1", "A-2"]
    assert [variant.sku for variant in mug.variants] == ["B-1"]
    assert catalogue.rows.read == 3
    ((severity, detail),) = [found[1:] for found in reasons(catalogue) if found[0] == "ROW_EMPTY"]
    assert severity == "warning" and footer.split(",")[0] in detail


def test_remark_does_not_make_rows_of_a_plain_table_variants(read: Read) -> None:
    rows = "品番,商品名,色,画像\nK-1,大皿,白,a.jpg\nK-2,小鉢,青,a.jpg\n※色は画面と異なる場合があります。,,,\n"
    catalogue = read({"p.csv": rows}, "a.jpg")
    assert [(product.sku, product.variants) for product in catalogue.products] == [("K-1", []), ("K-2", [])]
    assert [(code, severity) for code, severity, _ in reasons(catalogue)] == [("ROW_EMPTY", "warning")]


def test_short_row_of_a_variant_is_no_remark(read: Read) -> None:
    rows = "colour,sku,name\nred,A,Cup\nDark blue matt,,\n"
    mapping = '[tables]\nproduct = "p.csv"\n[product]\nkey = "sku"\nname = "name"\n[variant]\nattributes = ["colour"]\n'
    catalogue = read({"p.csv": rows, "mapping.toml": mapping}, "A.jpg")
    assert [variant.key for variant in only(catalogue).variants] == ["red", "Dark blue matt"]


# --- XML -----------------------------------------------------------------------------------------


def test_way_to_an_element_with_attributes_means_its_text(read: Read) -> None:
    catalogue = read({"e.xml": PIM, "mapping.toml": PIM_MAPPING}, "P-1.jpg")
    product = only(catalogue)
    stated = [(fact.name, fact.value, fact.unit) for fact in product.attributes if fact.kind == "fact"]
    assert ("farbe", "Eiche", None) in stated and ("breite", "45", "cm") in stated
    # A table of facts may state one without unit.
    assert ("breite", "45 cm", None) in stated and ("farbe", "Eiche", None) in stated
    assert [(fact.name, fact.value) for fact in product.variants[0].attributes] == [("farbe", "Buche")]


def test_english_is_preferred_among_texts_that_differ_by_language(read: Read) -> None:
    catalogue = read({"e.xml": PIM, "mapping.toml": PIM_MAPPING}, "P-1.jpg")
    product = only(catalogue)
    assert (product.name, product.description) == ("Chair", "A chair.")
    assert [fact.value for fact in product.attributes if fact.name == "finish"] == ["dull"]
    german = PIM_MAPPING.replace("[type=name]", "[type=name][lang=de]")
    assert only(read({"e.xml": PIM, "mapping.toml": german})).name == "Stuhl"


def test_children_of_products_left_out_are_not_read(read: Read) -> None:
    catalogue = read({"e.xml": PIM, "mapping.toml": PIM_MAPPING}, "P-1.jpg")
    assert not catalogue.issues
    assert catalogue.rows.read == 1 + 1 + 2
    assert "table v: 1 rows belong to products that where leaves out" in catalogue.evidence
    assert "table a: 1 rows belong to products that where leaves out" in catalogue.evidence
    assert "mapping.toml" in catalogue.documents


def test_where_may_ask_what_a_record_is_inside(read: Read) -> None:
    mapping = PIM_MAPPING.replace('product/variant" }', 'product/variant", where = { "^.@state" = "released" } }')
    catalogue = read({"e.xml": PIM, "mapping.toml": mapping}, "P-1.jpg")
    assert not catalogue.issues
    assert any(line.startswith("table v: 1 records in e.xml; 1 left out by where") for line in catalogue.evidence)
    with pytest.raises(IngestRefused, match=r"no column '\^\.@stat'"):
        read({"mapping.toml": mapping.replace("^.@state", "^.@stat")})


def test_rows_joined_to_products_left_out_are_not_read(read: Read) -> None:
    mapping = '[tables]\nproduct = { file = "p.csv", where = { live = "1" } }\nshot = "s.csv"\n[join]\n"shot.pid" = "product.id"\n[product]\nkey = "sku"\nname = "name"\n[[images]]\ntable = "shot"\nproduct = "pid"\npath = "file"\n'
    files = {"p.csv": "id,sku,name,live\n1,A,Cup,1\n2,B,Mug,0\n", "s.csv": "pid,file\n1,a.jpg\n2,b.jpg\n9,c.jpg\n"}
    catalogue = read({**files, "mapping.toml": mapping}, "a.jpg")
    assert [code for code, _, _ in reasons(catalogue)] == ["ROW_UNKNOWN_KEY"]
    assert catalogue.rows.read == 3
    assert "table shot: 1 rows belong to products that where leaves out" in catalogue.evidence


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("join", ["", '[join]\n"shot.artnr" = "art.artnr"\n'])
def test_pictures_of_a_variants_key_are_linked_to_the_variant(read: Read, join: str) -> None:
    mapping = f'[tables]\nart = "a.csv"\nshot = "s.csv"\n{join}[product]\ntable = "art"\nkey = ["stamm", "artnr"]\nname = "name"\n[variant]\nkey = "artnr"\nattributes = ["colour"]\n[[images]]\ntable = "shot"\nproduct = "artnr"\npath = "datei"\n'
    rows = "artnr,stamm,name,colour\nS1,,Chair,\nS1-01,S1,Chair,red\nS1-02,S1,Chair,blue\n"
    shots = "artnr,datei\nS1,s.jpg\nS1-01,r.jpg\nS1-02,b.jpg\nS9,s.jpg\n"
    catalogue = read({"a.csv": rows, "s.csv": shots, "mapping.toml": mapping}, "s.jpg", "r.jpg", "b.jpg")
    shown = {picture.path: picture.variant_key for picture in only(catalogue).pictures}
    assert shown == {"s.jpg": None, "r.jpg": "S1-01", "b.jpg": "S1-02"}
    assert [code for code, _, _ in reasons(catalogue)] == ["ROW_UNKNOWN_KEY"]


def test_pictures_meet_keys_however_wide_they_are_written(read: Read) -> None:
    mapping = '[tables]\nproduct = "p.csv"\n[product]\nkey = "品番"\nname = "name"\nfiles = "pictures"\n'
    rows = "品番,name\nＴＢ－１０３,Bench\nTB-106,Table\nTB-106 (L),Large table\n"
    pictures = ("TB-103.jpg", "TB-106.jpg", "TB-106（側面）.jpg", "TB-106（L）.jpg")
    catalogue = read({"p.csv": rows, "mapping.toml": mapping}, *pictures)
    found = {product.sku: {picture.path for picture in product.pictures} for product in catalogue.products}
    assert found == {
        "ＴＢ－１０３": {"TB-103.jpg"},
        "TB-106": {"TB-106.jpg", "TB-106（側面）.jpg"},
        "TB-106 (L)": {"TB-106（L）.jpg"},
    }


# --- exports without header ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ARTIKEL.TXT", "artikel.txt"])
def test_export_without_header_is_reported_though_it_is_called_txt(read: Read, name: str) -> None:
    rows = "STU10010;;Stuhl;45,5;A\nSTU10020;STU10010;Stuhl;46,0;2\nTIS1;;Tisch;90;3\n"
    prose = "A chair, a table.\nMade of oak, oiled, and proud of it.\nSince 1957.\n"
    catalogue = read({name: rows, "about us.txt": prose}, "STU10010.jpg", "TIS1.jpg")
    assert catalogue.reader == "folder"
    ((severity, detail),) = [
        (severity, detail) for code, severity, detail in reasons(catalogue) if code == "TABLE_UNUSED"
    ]
    assert severity == "warning" and "STU10010" in detail
    assert f'name its 5 columns in mapping.toml with {{ file = "{name}", header = ["id", "name", …] }}' in detail
