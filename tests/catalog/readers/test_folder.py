"""Folders without a table: what the names of pictures, folders and texts say."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.paths import Dump
from catalog.readers import picture_names, read_dump
from catalog.readers.draft import DraftCatalogue


def read(root: Path, names: Iterable[str], texts: dict[str, str] | None = None) -> DraftCatalogue:
    contents = {**{name: name for name in names}, **(texts or {})}
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, "utf-8")
    return read_dump(Dump(root))


def pictures(catalogue: DraftCatalogue) -> dict[str, list[str]]:
    return {product.sku: [shown.path for shown in product.pictures] for product in catalogue.products}


@pytest.mark.parametrize(
    ("names", "products"),
    [
        # GS1: type, facing, angle; the front of type A comes first
        (
            [
                "04912345678904_B1N1.jpg",
                "04912345678904_A7N1.jpg",
                "04912345678904_A1C1.jpg",
                "04900000000009_A1N1.jpg",
            ],
            {
                "04900000000009": ["04900000000009_A1N1.jpg"],
                "04912345678904": [
                    "04912345678904_A1C1.jpg",
                    "04912345678904_A7N1.jpg",
                    "04912345678904_B1N1.jpg",
                ],
            },
        ),
        # planogram faces
        (
            ["4912345678904.7.jpg", "4912345678904.1.jpg", "4912345678904.3.jpg"],
            {"4912345678904": ["4912345678904.1.jpg", "4912345678904.3.jpg", "4912345678904.7.jpg"]},
        ),
        # marketplace
        (
            ["4912345678904.PT01.jpg", "4912345678904.MAIN.jpg", "4900000000009.MAIN.jpg"],
            {
                "4900000000009": ["4900000000009.MAIN.jpg"],
                "4912345678904": ["4912345678904.MAIN.jpg", "4912345678904.PT01.jpg"],
            },
        ),
        # Yahoo: up to twenty, in the order of their numbers
        (
            ["mug.jpg", "mug_10.jpg", "mug_2.jpg", "mug_20.jpg", "cup.jpg"],
            {"cup": ["cup.jpg"], "mug": ["mug.jpg", "mug_2.jpg", "mug_10.jpg", "mug_20.jpg"]},
        ),
        (
            [f"A1_{number}.jpg" for number in range(1, 13)] + ["B1_1.jpg"],
            {"A1": [f"A1_{number}.jpg" for number in range(1, 13)], "B1_1": ["B1_1.jpg"]},
        ),
        # letters behind a number
        (
            ["ABC00123B.jpg", "ABC00123A.jpg", "ABC00124A.jpg"],
            {"ABC00123": ["ABC00123A.jpg", "ABC00123B.jpg"], "ABC00124A": ["ABC00124A.jpg"]},
        ),
        # a dot and a number are a view only behind a GTIN
        (["AB.12.jpg", "AB.13.jpg"], {"AB.12": ["AB.12.jpg"], "AB.13": ["AB.13.jpg"]}),
        (["pump-200.jpg", "pump-300.jpg"], {"pump-200": ["pump-200.jpg"], "pump-300": ["pump-300.jpg"]}),
        # numbers that run far count products
        ([f"item_{n:03d}.jpg" for n in range(1, 26)], {f"item_{n:03d}": [f"item_{n:03d}.jpg"] for n in range(1, 26)}),
        (["mug-back.jpg", "mug-front.jpg", "cup.jpg"], {"cup": ["cup.jpg"], "mug": ["mug-front.jpg", "mug-back.jpg"]}),
        # keys of digits only: trade numbers, with or without leading zeros
        (
            ["4012345010008_back.jpg", "4012345010008_front.jpg", "4012345010008_1.jpg", "4012345010015-main.jpg"],
            {
                "4012345010008": ["4012345010008_front.jpg", "4012345010008_1.jpg", "4012345010008_back.jpg"],
                "4012345010015": ["4012345010015-main.jpg"],
            },
        ),
        (
            [
                "bilder/96385074.jpg",
                "bilder/96385074 (2).jpg",
                "bilder/036000291452.jpg",
                "bilder/00036000291452_b.jpg",
            ],
            {
                "036000291452": ["bilder/036000291452.jpg", "bilder/00036000291452_b.jpg"],
                "96385074": ["bilder/96385074.jpg", "bilder/96385074 (2).jpg"],
            },
        ),
        # … and numbers of one length with views
        (
            ["10023_back.jpg", "10023_front.jpg", "10024_front.jpg", "10025_1.jpg", "10025_2.jpg"],
            {
                "10023": ["10023_front.jpg", "10023_back.jpg"],
                "10024": ["10024_front.jpg"],
                "10025": ["10025_1.jpg", "10025_2.jpg"],
            },
        ),
        (["10023_front.jpg", "10024_front.jpg"], {"10023": ["10023_front.jpg"], "10024": ["10024_front.jpg"]}),
        (["100_0001.jpg", "100_0002.jpg"], {"100_0001": ["100_0001.jpg"], "100_0002": ["100_0002.jpg"]}),
        # the GS1 view also behind a key that is no trade number
        (["AB-7_A7N1.jpg", "AB-7_A1N1.jpg"], {"AB-7": ["AB-7_A1N1.jpg", "AB-7_A7N1.jpg"]}),
        (["IMG_0001.jpg", "IMG_0002.jpg"], {"IMG_0001": ["IMG_0001.jpg"], "IMG_0002": ["IMG_0002.jpg"]}),
        # one folder a product
        (
            ["A-1/back.jpg", "A-1/front.jpg", "A-2/1.jpg", "A-2/2.jpg"],
            {"A-1": ["A-1/front.jpg", "A-1/back.jpg"], "A-2": ["A-2/1.jpg", "A-2/2.jpg"]},
        ),
    ],
)
def test_names_say_whose_picture_it_is_and_in_what_order(
    tmp_path: Path, names: list[str], products: dict[str, list[str]]
) -> None:
    assert pictures(read(tmp_path, names)) == products


@pytest.mark.parametrize(
    "stems",
    [
        ["IMG_0001", "IMG_0002"],
        ["DSC01234", "DSC01235", "DSC01234_1"],
        ["20240101_120000", "20240101_120001", "20240101_120002"],
        ["20240103_1", "20240103_2"],  # its check digit fits
        ["20240101120000_1", "20240101120000_2"],
        ["96385074_120000", "96385074_120001"],
        ["1", "2", "3"],
        ["01_front", "02_back", "03_side"],
    ],
)
def test_names_that_cameras_give_are_not_grouped(stems: list[str]) -> None:
    assert {stem: found.key for stem, found in picture_names.group(stems).items()} == {stem: stem for stem in stems}


@pytest.mark.parametrize("shown", ["4012345010008", "04012345010008"])
@pytest.mark.parametrize("told", ["4012345010008", "04012345010008"])
@pytest.mark.parametrize("place", ["{}", "texts/{}", "texts/{}_datasheet", "{}_datasheet", "spec {}"])
def test_texts_join_trade_numbers_with_and_without_leading_zeros(
    tmp_path: Path, shown: str, told: str, place: str
) -> None:
    text = place.format(told) + ".txt"
    names = [f"{shown}_back.jpg", f"{shown}_front.jpg", "4012345010015_front.jpg"]
    catalogue = read(tmp_path, names, {text: "Colour: red\nProduct: Kettle\n"})
    product = next(product for product in catalogue.products if product.sku == shown)
    assert (product.name, [fact.value for fact in product.attributes if fact.kind == "fact"]) == ("Kettle", ["red"])
    assert len(catalogue.products) == 2 and catalogue.documents == {text}


@pytest.mark.parametrize("line", ["Product: Oak chair", "Name: Oak chair", "品名：Oak chair", "商品名: Oak chair"])
def test_text_names_the_product_whose_file_name_is_a_code(tmp_path: Path, line: str) -> None:
    texts = {"AB-1200.txt": f"{line}\nColour: red\n", "stool.txt": f"{line}\nColour: blue\n"}
    catalogue = read(tmp_path, ["AB-1200.jpg", "stool.jpg"], texts)
    assert [product.name for product in catalogue.products] == ["Oak chair", "stool"]


def test_pictures_of_a_table_have_their_front_first(tmp_path: Path) -> None:
    names = ["4012345010008_back.jpg", "4012345010008_front.jpg", "AB1_back.jpg", "AB1_main.jpg"]
    catalogue = read(tmp_path, names, {"list.csv": "sku,name\n4012345010008,Kettle\nAB1,Stool\n"})
    assert catalogue.reader == "table"
    assert [[(shown.path, shown.role) for shown in product.pictures] for product in catalogue.products] == [
        [("4012345010008_front.jpg", "main"), ("4012345010008_back.jpg", "extra")],
        [("AB1_main.jpg", "main"), ("AB1_back.jpg", "extra")],
    ]


def test_texts_join_by_key_folder_or_exact_name(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        ["04912345678904_A1N1.jpg", "04912345678904_A7N1.jpg", "S-1/front.jpg", "S-2/front.jpg", "img/K9.jpg"],
        {
            "04912345678904.txt": "Material: oak\nLegs: 4\n",
            "S-1/spec.txt": "Colour: red\nHeight: 40 cm\n",
            "S-2.md": "A quiet stool.",
            "text/K9.json": '{"name": "Kettle", "colour": "blue"}',
            "README.txt": "Colour: none\nOf: these\n",
            "お読みください.txt": "説明",
        },
    )
    products = {product.sku: product for product in catalogue.products}
    facts = {
        sku: {fact.name: fact.value for fact in product.attributes if fact.kind == "fact"}
        for sku, product in products.items()
    }
    assert facts == {
        "04912345678904": {"material": "oak", "legs": "4"},
        "S-1": {"colour": "red", "height": "40 cm"},
        "S-2": {},
        "K9": {"colour": "blue"},
    }
    assert products["S-2"].description == "A quiet stool." and products["K9"].name == "Kettle"
    assert catalogue.documents == {"04912345678904.txt", "S-1/spec.txt", "S-2.md", "text/K9.json"}


def test_archives_of_pictures_read_as_folders_of_their_name(tmp_path: Path) -> None:
    for name, inside in {"chair.zip": ["front.jpg", "back.jpg"], "img.zip": ["A1.jpg", "A2.jpg"]}.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for entry in inside:
                archive.writestr(entry, name + entry)
    catalogue = read_dump(Dump(tmp_path))
    assert pictures(catalogue) == {
        "chair": ["chair.zip/front.jpg", "chair.zip/back.jpg"],
        "A1": ["img.zip/A1.jpg"],
        "A2": ["img.zip/A2.jpg"],
    }


@settings(max_examples=200, deadline=None)
@given(stems=st.lists(st.text(alphabet="AB12_-. ()é", min_size=1, max_size=16), unique=True, max_size=6))
def test_any_names_are_grouped_without_losing_one(stems: list[str]) -> None:
    found = picture_names.group(stems)
    assert set(found) == set(stems) and all(name.key for name in found.values())
