"""Catalogues in German, French and Spanish: their words are read or left out, never put into English as they stand."""

import pytest

from catalog import glossary
from catalog.attribute_slots import slot_of
from catalog.facts import facts_of
from catalog.foreign_words import is_foreign_name, is_foreign_value
from catalog.glossary import Glossary
from catalog.records import Attribute, Product


@pytest.fixture(scope="module")
def terms() -> Glossary:
    return glossary.load()


def product(name: str, category: str = "", text: str = "", **attributes: str) -> Product:
    listed = tuple(Attribute(name=name, value=value) for name, value in attributes.items())
    return Product(
        id=1, source="shop", sku="1", name=name, category=category, lang="en", status="active", description=text,
        attributes=listed,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        (
            product("Kochtopf Alster", "Töpfe", Material="Gusseisen emailliert"),
            {"noun": "pot", "material": "cast iron, enamel"},
        ),
        (product("Rote Tasse mit Henkel"), {"noun": "cup", "colour": "red"}),
        (
            product("Stuhl Lönneberga", "Stühle", Farbe="weiß matt", Material="Buche massiv", Höhe="82,5 cm"),
            {"noun": "chair", "colour": "white", "finish": "matte", "material": "beech wood"},
        ),
        (product("Topf", Material="Edelstahl 18/10"), {"noun": "pot", "material": "stainless steel"}),
        (product("Chaise en bois", "Chaises", couleur="rouge"), {"noun": "chair", "colour": "red"}),
        (product("Silla", color="azul", material="madera"), {"noun": "chair", "colour": "blue", "material": "wood"}),
        (product("Küchenwaage Modell 5", Farbe="Senfgelb"), {"noun": "kitchen scale", "colour": "mustard yellow"}),
        (product("Wärmflasche", Farbe="rot"), {"colour": "red"}),
    ],
)  # fmt: skip
def test_foreign_records_are_read_in_general_english(terms: Glossary, record: Product, facts: dict[str, str]) -> None:
    assert facts_of(record, terms).facts == facts


def test_foreign_value_that_no_term_covers_is_left_out_and_listed(terms: Glossary) -> None:
    sheet = facts_of(product("Cooking pot", text="A sturdy pot.", material="Aluminium, beschichtet"), terms)
    assert sheet.facts == {"noun": "pot", "material": "aluminium"}
    assert [(term.term, term.used) for term in sheet.unknown] == [("beschichtet", False)]
    sheet = facts_of(product("Vase", Farbe="seidig", Material="Glas mundgeblasen"), terms)
    assert sheet.facts == {"noun": "vase", "material": "glass"}
    assert [(term.term, term.used) for term in sheet.unknown] == [("seidig", False), ("mundgeblasen", False)]


def test_foreign_name_that_no_term_covers_is_left_out_and_listed(terms: Glossary) -> None:
    sheet = facts_of(product("Wärmflasche"), terms)
    assert sheet.facts == {}
    assert [(term.term, term.attribute) for term in sheet.unknown] == [("wärmflasche", "name")]


@pytest.mark.parametrize(
    ("value", "attribute", "foreign"),
    [
        ("beschichtet", "material", True),
        ("nachtgrau", "color", True),
        ("seidig", "Farbe", True),
        ("crème", "color", True),
        ("glacier", "color", False),
        ("zorbium", "material", False),
    ],
)
def test_is_foreign_value_goes_by_name_letters_and_endings(
    terms: Glossary, value: str, attribute: str, foreign: bool
) -> None:
    assert is_foreign_value(value, attribute, product("Mug"), terms) is foreign


def test_is_foreign_value_goes_by_the_text_of_the_record(terms: Glossary) -> None:
    german = product("Mug", text="Schöner Becher mit Griff und Deckel.")
    assert is_foreign_value("seidig", "color", german, terms)


@pytest.mark.parametrize("name", ["Regal box", "Savings bank", "Mesa Lamp", "Kitchen scale", "La Mer Mug", "Rot8"])
def test_is_foreign_name_leaves_english_names_alone(terms: Glossary, name: str) -> None:
    assert not is_foreign_name(product(name, text="A fine thing for the kitchen."), terms)


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("Farbe", "colour"), ("Material", "material"), ("Form", "shape"), ("Muster", "pattern"),
        ("Oberfläche", "finish"), ("Breite", ""), ("Höhe (cm)", ""), ("Tiefe", ""), ("Länge", ""),
        ("Durchmesser", ""), ("Gewicht", ""), ("Größe", "size"), ("couleur", "colour"), ("厚さ", ""), ("深さ", ""),
        ("thickness", ""), ("バーコード", ""),
    ],
)  # fmt: skip
def test_slot_of_knows_names_of_other_languages(name: str, slot: str) -> None:
    assert slot_of(name) == slot


def test_in_english_leaves_english_words_as_they_are(terms: Glossary) -> None:
    assert terms.in_english("Rote Tasse") == "red cup"
    assert terms.in_english("Red glass table") == "red glass table"
    assert not terms.parse("garden rot and a regal bank").matches


def test_shipped_glossary_reads_german(terms: Glossary) -> None:
    words = "rot blau schwarz weiß grau Eiche Edelstahl Gusseisen Keramik Leinen Tisch Stuhl Topf Schüssel Kommode"
    assert [word for word in words.split() if terms.in_english(word) == glossary.normalise(word)] == []


def test_own_glossary_may_say_it_in_another_language() -> None:
    row = dict.fromkeys(glossary.COLUMNS, "") | {
        "term": "Schietgrau", "lang": "de", "concept": "storm grey", "en": "storm grey", "kind": "colour",
    }  # fmt: skip
    own = Glossary([row])
    assert facts_of(product("Topf", Farbe="Schietgrau"), own).facts.get("colour") == "storm grey"
    assert not Glossary([row, row | {"status": "off"}]).foreign_kinds("schietgrau")
