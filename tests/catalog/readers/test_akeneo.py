"""Akeneo exports: locales, channels, units, models and their variants."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue
from catalog.records import RowBooks

PRODUCTS = """\
sku;family;parent;groups;categories;enabled;name-en_US;name-de_DE;description-en_US-ecommerce;description-en_US-print;\
color;size;material;weight;weight-unit;price-EUR;picture;X_SELL-products;ean
10001;mugs;;;kitchen,mugs;1;Harbour mug;Hafenbecher;<p>A mug with a <b>wide</b> handle.</p>;A mug.;\
light_blue;;stoneware,cork;0.4;KILOGRAM;12.00;files/10001/picture/mug.jpg;20001-s;
20001-s;shirts;shirt_red;;;1;;;;;;s;;;;;;;
20001-m;shirts;shirt_red;;;1;;;;;;m;;;;;files/20001-m/picture/m.jpg;;
20002-s;shirts;shirt_blue;;;1;;;;;;s;;;;;;;
;shirts;;;;1;Nameless key;;;;;;;;;;;;
10001;mugs;;;;1;Harbour mug again;;;;;;;;;;;;
"""
MODELS = """\
code;family_variant;parent;categories;name-en_US;material;color;picture
shirt;shirts_by_colour_size;;clothes;Crew shirt;cotton;;
shirt_red;shirts_by_colour_size;shirt;;;;red;files/shirt_red/picture/red.jpg
shirt_blue;shirts_by_colour_size;shirt;;;;blue;
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., DraftCatalogue]:
    def reader(**tables: str) -> DraftCatalogue:
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        for path in ("10001/picture/mug.jpg", "20001-m/picture/m.jpg", "shirt_red/picture/red.jpg"):
            (tmp_path / "files" / path).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (32, 32), "white").save(tmp_path / "files" / path)
        return read_dump(Dump(tmp_path))

    return reader


def test_akeneo_columns_are_attribute_locale_and_channel(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(product=PRODUCTS, product_model=MODELS)
    mug = next(product for product in catalogue.products if product.sku == "10001")
    assert catalogue.reader == "akeneo"
    assert (mug.name, mug.category) == ("Harbour mug", "kitchen")
    assert mug.description == "A mug with a wide handle."
    facts = {(fact.name, fact.value) for fact in mug.attributes if fact.kind == "fact"}
    assert facts == {("color", "light blue"), ("material", "stoneware, cork"), ("weight", "0.4 kilogram")}
    texts = {text.name: text.value for text in mug.attributes if text.kind == "text"}
    assert texts["name de_DE"] == "Hafenbecher"
    assert [picture.path for picture in mug.pictures] == ["files/10001/picture/mug.jpg"]


def test_akeneo_models_of_two_levels_become_one_product(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(product=PRODUCTS, product_model=MODELS)
    shirt = next(product for product in catalogue.products if product.sku == "shirt")
    assert (shirt.name, shirt.category) == ("Crew shirt", "clothes")
    assert [(fact.name, fact.value) for fact in shirt.attributes] == [("material", "cotton")]
    variants = {variant.sku: {(fact.name, fact.value) for fact in variant.attributes} for variant in shirt.variants}
    assert variants == {
        "20001-s": {("color", "red"), ("size", "s")},
        "20001-m": {("color", "red"), ("size", "m")},
        "20002-s": {("color", "blue"), ("size", "s")},
    }
    assert {picture.path: picture.variant_key for picture in shirt.pictures}["files/20001-m/picture/m.jpg"] == "20001-m"


def test_akeneo_books_balance_and_name_what_is_left_out(read: Callable[..., DraftCatalogue]) -> None:
    catalogue = read(product=PRODUCTS, product_model=MODELS)
    assert catalogue.rows == RowBooks(read=9, accepted=7, duplicate=1, quarantined=1)
    assert [(issue.reason, issue.line) for issue in catalogue.issues] == [("ROW_NO_KEY", 6), ("ROW_DUP_KEY", 7)]


def test_akeneo_variants_without_their_model_keep_what_they_share(read: Callable[..., DraftCatalogue]) -> None:
    rows = "sku;family;parent;categories;name-en_US;color;material\n" + "".join(
        f"cap-{colour};caps;cap;hats;Field cap;{colour};wool\n" for colour in ("green", "grey")
    )
    catalogue = read(product=rows)
    (cap,) = catalogue.products
    assert (cap.sku, cap.name) == ("cap", "Field cap")
    assert [(fact.name, fact.value) for fact in cap.attributes] == [("material", "wool")]
    assert [variant.attributes[0].value for variant in cap.variants] == ["green", "grey"]
