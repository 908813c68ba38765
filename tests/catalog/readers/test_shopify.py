"""Shopify exports: title on one row of a handle, rows of pictures only, both generations of the header."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import select

from catalog.ingest import ingest
from catalog.readers.draft import DraftCatalogue
from catalog.records import RowBooks
from catalog.schema import CaptionRow, VariantRow
from catalog.store import Catalog

Read = Callable[..., DraftCatalogue]
Whole = Callable[[DraftCatalogue], dict[str, dict[str, object]]]
Reasons = Callable[[DraftCatalogue], list[tuple[str, str, int | None]]]

CLASSIC = (
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Option1 Name", "Option1 Value", "Option2 Name",
    "Option2 Value", "Variant SKU", "Variant Grams", "Variant Price", "Image Src", "Image Position", "Image Alt Text",
    "Variant Image", "Color (product.metafields.shopify.color-pattern)",
    "Care guide (product.metafields.custom.care_guide)", "Lining (variant.metafields.custom.lining)",
    "Depth (product.metafields.custom.depth)", "Story (product.metafields.custom.story)",
    "Related products (product.metafields.shopify--discovery--product_recommendation.related_products)",
)  # fmt: skip
CDN = "https://cdn.example.com/s/files/1/0001/files/"


def table(header: Sequence[str], *rows: dict[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def classic() -> str:
    coat = {"Handle": "rain-coat"}
    return table(
        CLASSIC,
        # The export was sorted by SKU: the row with the title is not the first, and rows of other handles lie between.
        coat
        | {"Option1 Value": "Blue", "Option2 Value": "S", "Variant SKU": "RC-BS", "Variant Image": CDN + "blue.jpg"},
        {"Handle": "mug", "Title": "Stoneware mug", "Body (HTML)": "Plain mug", "Vendor": "Kilnworks", "Type": "Mugs",
         "Option1 Name": "Title", "Option1 Value": "Default Title", "Image Src": CDN + "mug.jpg?v=7",
         "Image Position": "1", "Image Alt Text": "Mug from the side"},
        coat
        | {"Title": "Rain coat", "Body (HTML)": "<p>Dry in <b>any</b> rain.</p><ul><li>Hood</li></ul>",
           "Vendor": "Wetherby", "Type": "Coats", "Tags": "sale, blue, red", "Option1 Name": "Colour",
           "Option1 Value": "Red", "Option2 Name": "Size", "Option2 Value": "S", "Variant SKU": "RC-RS",
           "Variant Grams": "800", "Variant Price": "99", "Image Src": CDN + "blue.jpg", "Image Position": "2",
           "Image Alt Text": "Blue coat", "Variant Image": CDN + "red.jpg",
           "Color (product.metafields.shopify.color-pattern)": "red; blue",
           "Care guide (product.metafields.custom.care_guide)": '["cold wash","no dryer"]',
           "Lining (variant.metafields.custom.lining)": "Mesh",
           "Depth (product.metafields.custom.depth)": '{"value": 2.50, "unit": "CM"}',
           "Story (product.metafields.custom.story)": '{"type": "root", "children": []}',
           "Related products (product.metafields.shopify--discovery--product_recommendation.related_products)": "mug"},
        coat
        | {"Option1 Value": "Red", "Option2 Value": "L", "Variant SKU": "RC-RL", "Image Src": CDN + "red.jpg",
           "Image Position": "1", "Variant Image": CDN + "red.jpg"},
        {"Handle": "mug", "Image Src": CDN + "mug-top.jpg", "Image Position": "2", "Image Alt Text": "Mug from above"},
        coat | {"Image Src": CDN + "both.jpg", "Image Position": "3", "Image Alt Text": "Both colours"},
        coat | {"Option1 Value": "Red", "Option2 Value": "L", "Variant SKU": "RC-RL", "Variant Image": CDN + "red.jpg"},
        coat | {"Image Position": "9"},
        {"Title": "Lost"},
        {"Handle": "no-title", "Option1 Value": "x", "Variant SKU": "N1"},
        {"Handle": "no-title", "Option1 Value": "y", "Variant SKU": "N2"},
        # Another product that has the same handle, as in two exports put together.
        {"Handle": "mug", "Title": "Enamel mug", "Image Src": CDN + "blue.jpg"},
        {"Handle": "mug", "Image Src": CDN + "red.jpg"},
    )  # fmt: skip


PICTURES = ("files/red.jpg", "files/blue.jpg", "files/mug.jpg", "files/both.jpg")
COAT = {
    "name": "Rain coat",
    "category": "Coats",
    "description": "Dry in any rain.\nHood",
    "line": 4,
    "facts": {"brand": "Wetherby", "type": "Coats", "care guide": "cold wash, no dryer", "depth": "2.50 cm"},
    "texts": {"description": "Dry in any rain.\nHood"},
    "variants": {
        "RC-BS": ("RC-BS", "", {"colour": "Blue", "size": "S"}),
        "RC-RS": ("RC-RS", "", {"colour": "Red", "size": "S", "lining": "Mesh"}),
        "RC-RL": ("RC-RL", "", {"colour": "Red", "size": "L"}),
    },
    # `Image Src` beside a variant says nothing about it; two sizes name the red picture.
    "pictures": [("files/red.jpg", "RC-RS"), ("files/blue.jpg", "RC-BS"), ("files/both.jpg", None)],
}
MUG = {
    "name": "Stoneware mug",
    "category": "Mugs",
    "description": "Plain mug",
    "line": 3,
    "facts": {"brand": "Kilnworks", "type": "Mugs"},
    "texts": {"description": "Plain mug", "image alt text": "Mug from the side\nMug from above"},
    "variants": {},
    "pictures": [("files/mug.jpg", None)],
}


def test_classic_export_is_read_whatever_the_order_of_its_rows(
    read_files: Read, whole: Whole, reasons: Reasons
) -> None:
    catalogue = read_files({"products_export.csv": classic()}, PICTURES)
    assert catalogue.reader == "shopify"
    assert whole(catalogue) == {"rain-coat": COAT, "mug": MUG}
    name = "products_export.csv"
    assert reasons(catalogue) == [
        ("ROW_NO_KEY", name, 10),
        ("ROW_DUP_KEY", name, 8),
        ("ROW_EMPTY", name, 9),
        ("ROW_DUP_KEY", name, 13),
        ("ROW_DUP_KEY", name, 14),
        ("URL_NOT_FETCHED", name, 6),
        ("ROW_NO_NAME", name, 11),
        ("ROW_UNKNOWN_KEY", name, 12),
    ]
    assert catalogue.rows == RowBooks(read=13, accepted=6, duplicate=3, quarantined=4)


NEW = (
    "Title", "URL handle", "Description", "Vendor", "Product category", "Type", "Option1 name", "Option1 value",
    "Option1 Linked To", "SKU", "Weight value (grams)", "Product image URL", "Image position", "Image alt text",
    "Variant image URL",
)  # fmt: skip


def test_header_of_2025_alone_and_mixed_with_the_classic_one(read_files: Read, whole: Whole, reasons: Reasons) -> None:
    lamp = {"Title": "Desk lamp", "Product category": "Home > Lighting > Lamps", "Option1 name": "Shade"}
    lamp |= {
        "Option1 value": "Green",
        "SKU": "L-G",
        "Variant image URL": CDN + "green.jpg",
        "Description": "<p>Warm</p>",
    }
    black = {"Option1 value": "Black", "SKU": "L-B", "Product image URL": CDN + "black.jpg"}
    new = table(NEW, {"URL handle": "desk-lamp"} | lamp, {"URL handle": "desk-lamp"} | black)
    mixed_header = ["Handle" if name == "URL handle" else name for name in NEW]
    mixed_header += ["Variant SKU", "Image Src"]
    stool = {"Handle": "stool", "Title": "Stool", "Variant SKU": "ST-1", "Image Src": CDN + "stool.jpg"}
    stool |= {"Option1 name": "Title", "Option1 value": "Default Title"}
    mixed = table(mixed_header, stool, {"Handle": "stool", "Product image URL": CDN + "stool-2.jpg"})
    pictures = ("green.jpg", "black.jpg", "stool.jpg", "stool-2.jpg")
    catalogue = read_files({"a.csv": new, "b.csv": mixed}, pictures)
    assert catalogue.reader == "shopify" and not reasons(catalogue)
    assert whole(catalogue) == {
        "desk-lamp": {
            "name": "Desk lamp",
            "category": "Home > Lighting > Lamps",
            "description": "Warm",
            "line": 2,
            "facts": {},
            "texts": {"description": "Warm"},
            "variants": {"L-G": ("L-G", "", {"shade": "Green"}), "L-B": ("L-B", "", {"shade": "Black"})},
            "pictures": [("black.jpg", None), ("green.jpg", "L-G")],
        },
        "stool": {
            "name": "Stool",
            "category": "",
            "description": "",
            "line": 2,
            "facts": {},
            "texts": {},
            "variants": {"ST-1": ("ST-1", "", {})},
            "pictures": [("stool.jpg", None), ("stool-2.jpg", None)],
        },
    }
    assert catalogue.rows == RowBooks(read=4, accepted=4)


def test_shared_variant_image_of_two_colours_shows_neither(read_files: Read, whole: Whole) -> None:
    rows = [
        {"Handle": "cup", "Title": "Cup", "Option1 Name": "Color", "Option1 Value": "Red", "Variant SKU": "R",
         "Variant Image": CDN + "cup.jpg?v=1"},
        {"Handle": "cup", "Option1 Value": "Blue", "Variant SKU": "B", "Variant Image": CDN + "cup.jpg?v=2"},
        {"Handle": "cup", "Option1 Value": "Red", "Variant SKU": "R2", "Variant Image": CDN + "cup.jpg?v=2"},
    ]  # fmt: skip
    catalogue = read_files({"products_export.csv": table(CLASSIC, *rows)}, ("cup.jpg",))
    assert whole(catalogue)["cup"]["pictures"] == [("cup.jpg", None)]


def test_export_is_ingested_with_captions_true_of_each_variant_and_again_changes_nothing(
    tmp_path: Path, picture: Path, workspace: Path
) -> None:
    dump = tmp_path / "dump"
    (dump / "files").mkdir(parents=True)
    (dump / "products_export.csv").write_text(classic())
    for number, name in enumerate(PICTURES):
        # Each picture has bytes of its own, or they would be one picture.
        (dump / name).write_bytes(picture.read_bytes() + bytes([number]))
    with Catalog.open(workspace) as catalog:
        first = ingest(catalog, dump)
        again = ingest(catalog, dump)
        with catalog.read() as session:
            query = select(VariantRow.sku, CaptionRow.text).select_from(CaptionRow).outerjoin(VariantRow)
            captions = [(sku, set(text.lower().split())) for sku, text in session.execute(query)]
    assert (first.products_added, first.variants, first.images_linked) == (2, 3, 4)
    assert (again.products_added, again.products_updated, again.products_unchanged, again.images_added) == (0, 0, 2, 0)
    colours = {(sku, colour) for sku, words in captions for colour in words & {"red", "blue"}}
    # Nothing is said of a colour where the picture shows both.
    assert colours == {("RC-RS", "red"), ("RC-BS", "blue")}
    assert any(variant is None and {"rain", "coat"} <= words for variant, words in captions)
