"""JSON files beside pictures: what is read of them, and what is said of the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue

KEY = "4012345010008"


def read(root: Path, content: Any, name: str = f"{KEY}.json") -> DraftCatalogue:
    for picture in (f"{KEY}_front.jpg", f"{KEY}_back.jpg", "4012345010015_front.jpg"):
        (root / picture).write_text(picture)
    text = content if isinstance(content, str) else json.dumps(content)
    (root / name).write_text(text, "utf-8")
    return read_dump(Dump(root))


def facts(catalogue: DraftCatalogue) -> dict[str, tuple[str, str | None]]:
    return {fact.name: (fact.value, fact.unit) for fact in catalogue.products[0].attributes if fact.kind == "fact"}


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        ({"fit": "wide", "width": {"value": 35, "unit": "cm"}}, {"fit": ("wide", None), "width": ("35 cm", "cm")}),
        ({"width": {"value": 35, "unit": "CMT"}, "legs": 4}, {"width": ("35 cm", "cm"), "legs": ("4", None)}),
        ([{"name": "Width", "value": 3.5, "unit": "m"}], {"width": ("3.5 m", "m")}),
        ([{"colour": "red"}], {"colour": ("red", None)}),
        (
            {"attributes": [{"name": "Width", "value": 35, "unit": "cm"}, {"key": "Foldable", "value": True}]},
            {"width": ("35 cm", "cm"), "foldable": ("yes", None)},
        ),
        ({"specs": {"material": ["oak", "steel"], "dimensions": {"height": "40 cm"}}},
         {"material": ("oak, steel", None), "height": ("40 cm", None)}),
        ({"packaging": {"width": {"value": 40, "unit": "cm"}}}, {"packaging width": ("40 cm", "cm")}),
        ({"product": {"data": {"colour": {"de": "weiß", "en": "white"}}}}, {"colour": ("white", None)}),
        ({"use": {"care": "wipe"}, "data": {"colour": "red"}}, {"use care": ("wipe", None), "colour": ("red", None)}),
        ({"colours": [{"value": "red"}], "price": 12}, {"colours": ("red", None)}),
    ],
)  # fmt: skip
def test_facts_are_read_in_every_form(tmp_path: Path, content: Any, stated: dict[str, tuple[str, str | None]]) -> None:
    catalogue = read(tmp_path, content)
    assert facts(catalogue) == stated
    assert catalogue.documents == {f"{KEY}.json"} and not catalogue.issues


def test_names_and_texts_are_english_first_and_keep_their_translations(tmp_path: Path) -> None:
    content = {
        "gtin": KEY,
        "name": {"de": "Kessel", "en": "Kettle"},
        "description": [{"lang": "en", "value": "A quiet kettle."}, {"lang": "de", "value": "Ein leiser Kessel."}],
        "category": {"id": 7, "name": "Kitchen"},
    }
    product = read(tmp_path, content).products[0]
    assert (product.name, product.description, product.category) == ("Kettle", "A quiet kettle.", "Kitchen")
    texts = {fact.name: fact.value for fact in product.attributes if fact.kind == "text"}
    assert texts == {
        "name [de]": "Kessel",
        "description": "A quiet kettle.",
        "description [de]": "Ein leiser Kessel.",
    }


def test_what_is_not_understood_is_said_once_a_file(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"colour": "red", "parts": [{"size": 1}, {"size": 2}], "name": {"x": {}}})
    [issue] = catalogue.issues
    assert (issue.source, issue.reason, issue.severity) == (f"{KEY}.json", "FILE_NOT_UNDERSTOOD", "warning")
    assert issue.detail == "not understood: parts[0], parts[1], name (3 in all)"
    assert facts(catalogue) == {"colour": ("red", None)} and catalogue.documents == {f"{KEY}.json"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"sku": "A1", "price": 3}, "FILE_NOT_UNDERSTOOD"),
        ({"parts": [{"size": 1}]}, "FILE_NOT_UNDERSTOOD"),
        ({}, "FILE_NOT_UNDERSTOOD"),
        ("{not json", "FILE_UNREADABLE"),
        ("3", "FILE_UNREADABLE"),
        (["a", "b"], "FILE_UNREADABLE"),
        ('{"a":' * 60 + "1" + "}" * 60, "FILE_NOT_UNDERSTOOD"),
    ],
)
def test_files_of_which_nothing_was_used_are_not_read(tmp_path: Path, content: Any, reason: str) -> None:
    catalogue = read(tmp_path, content)
    assert [(issue.source, issue.reason, issue.severity) for issue in catalogue.issues] == [
        (f"{KEY}.json", reason, "error")
    ]
    assert catalogue.documents == set() and len(catalogue.products) == 2


def test_json_of_several_products_is_a_table_though_a_picture_has_its_name(tmp_path: Path) -> None:
    rows = [{"sku": key, "name": f"Cup {key}", "image": f"{key}.jpg"} for key in ("A1", "B2")]
    for picture in ("A1.jpg", "B2.jpg", "products.jpg"):
        (tmp_path / picture).write_text(picture)
    (tmp_path / "products.json").write_text(json.dumps(rows), "utf-8")
    catalogue = read_dump(Dump(tmp_path))
    assert catalogue.reader == "table" and [product.name for product in catalogue.products] == ["Cup A1", "Cup B2"]
