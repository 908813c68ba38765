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
