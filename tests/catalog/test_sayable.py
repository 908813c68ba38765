"""What captions may say of a record: general words that hold for every picture they go with."""

import pytest

from catalog import glossary
from catalog.facts import facts_of
from catalog.glossary import Glossary
from catalog.records import Attribute, Product, Variant
from catalog.sayable import sayable, varying_slots


@pytest.fixture(scope="module")
def terms() -> Glossary:
    return glossary.load()


def product(name: str, category: str = "", text: str = "", variants: tuple[Variant, ...] = (), **facts: str) -> Product:
    attributes = tuple(Attribute(name=key.replace("_", " "), value=value) for key, value in facts.items())
    return Product(
        id=1, source="shop", sku="1", name=name, category=category, lang="en", status="active", description=text,
        attributes=attributes, variants=variants,
    )  # fmt: skip


def variants(slot: str, *values: str) -> tuple[Variant, ...]:
    return tuple(
        Variant(id=n, key=value, sku=value, attributes=(Attribute(name=slot, value=value, variant_id=n),))
        for n, value in enumerate(values, 1)
    )


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        (
            product("Teton Pullover Hoodie", text="The Teton Pullover Hoodie is soft. Black pullover hoodie."),
            {"noun": "hoodie", "kind": "pullover", "name": "teton"},
        ),
        (product("Golden-Delicious", "Apple"), {"noun": "apple", "kind": "golden delicious"}),
        (
            product("Golden-Delicious", "Apple", color="Yellow"),
            {"noun": "apple", "colour": "yellow", "name": "golden delicious"},
        ),
        (
            product("Tropicana-Golden-Grapefruit", "Juice", "Tropicana Golden is a ready to drink juice."),
            {"noun": "juice", "kind": "golden grapefruit", "name": "tropicana"},
        ),
        (
            product("Aeon Running Tank", "Women > Bras & Tanks", style_general="Running"),
            {"noun": "tank top", "kind": "running", "name": "aeon"},
        ),
        (product("Aloe Vera", "Plants", "Aloe vera is easy."), {"noun": "aloe vera"}),
        (product("Mug", material="LumaTech™, Cotton", pattern="Solid"), {"noun": "mug", "material": "cotton"}),
        (product("Helios EverCool™ Mug"), {"noun": "mug", "name": "helios evercool"}),
        (product("Shirt", material="Cocona® performance fabric, Cotton"), {"noun": "shirt", "material": "cotton"}),
        (product("Sofa", material="Fabric"), {"noun": "sofa", "material": "fabric"}),
        (product("Table", material="Massivholz Eiche"), {"noun": "table", "material": "oak"}),
        (product("Table", material="Wood, Steel"), {"noun": "table", "material": "wood, steel"}),
        (product("Bag", strap_bags="Adjustable, Double, Padded"), {"noun": "bag", "strap finish": "padded"}),
        (product("Jacket", text="Deep pockets. Full-length mesh top. An orange interior."), {"noun": "jacket"}),
        (product("Stasis Ball 65 cm"), {"noun": "ball", "kind": "stasis"}),
    ],
)  # fmt: skip
def test_facts_keep_general_words_and_set_names_apart(terms: Glossary, record: Product, facts: dict[str, str]) -> None:
    assert sayable(facts_of(record, terms), record, terms).facts == facts


def test_shared_text_and_name_state_no_colour_of_one_variant(terms: Glossary) -> None:
    forms = variants("color", "White", "Black")
    kettle = product("Black Kettle", text="A black kettle with red handles.", variants=forms)
    assert varying_slots(kettle, terms) == {"colour"}
    assert sayable(facts_of(kettle, terms), kettle, terms).facts == {"noun": "kettle"}
    for form, colour in zip(forms, ("white", "black"), strict=True):
        facts = sayable(facts_of(kettle, terms, variant=form), kettle, terms, variant=form).facts
        assert {name: value for name, value in facts.items() if "colour" in name} == {"colour": colour}
        assert "black" not in facts.get("kind", "") + facts.get("name", "")


def test_part_that_the_record_itself_states_holds_for_all_variants(terms: Glossary) -> None:
    mug = product("Mug", variants=variants("color", "White", "Red"), handle_colour="Blue")
    assert sayable(facts_of(mug, terms), mug, terms).facts == {"noun": "mug", "handle colour": "blue"}


def test_size_of_variants_leaves_the_colour_of_the_text(terms: Glossary) -> None:
    mug = product("Mug", text="A red mug.", variants=variants("size", "S", "M"))
    assert sayable(facts_of(mug, terms), mug, terms).facts == {"noun": "mug", "colour": "red"}


def test_unknown_terms_are_the_few_worth_a_row(terms: Glossary) -> None:
    record = product(
        "Quest Band", material="LumaTech™, Zorbium", eco="Yes", recommended_by_us="1", strap_bags="Adjustable, Double",
        pattern="Solid", season_look="Autumn",
    )  # fmt: skip
    unknown = sayable(facts_of(record, terms), record, terms).unknown
    assert {(term.term, term.attribute, term.used) for term in unknown} == {
        ("LumaTech", "material", False), ("Zorbium", "material", True), ("strap bags", "strap bags", False),
        ("band", "name", True),
    }  # fmt: skip


def test_noun_that_is_the_concept_of_a_term_is_no_unknown_term() -> None:
    row = dict.fromkeys(glossary.COLUMNS, "") | {
        "term": "yoga brick", "lang": "en", "concept": "yoga block", "en": "yoga block", "kind": "category",
    }  # fmt: skip
    own, record = Glossary([row]), product("Sprite Yoga Brick")
    sheet = sayable(facts_of(record, own), record, own)
    assert (sheet.facts, sheet.unknown) == ({"noun": "yoga block", "kind": "sprite"}, [])
