"""Alternative texts say what the record says, in both languages, in one plain line."""

from dataclasses import replace

import pytest

from catalog.alt_text import MAX_CHARS, AltTexts, one_line, shortened
from catalog.records import Attribute, Product, Variant


def product(name: str, *attributes: Attribute, variants: tuple[Variant, ...] = ()) -> Product:
    return Product(
        id=1, source="shop", sku="M-1", name=name, category="Kitchen / Mugs", lang="en", status="active",
        attributes=attributes, variants=variants,
    )  # fmt: skip


@pytest.fixture(scope="module")
def texts() -> AltTexts:
    return AltTexts()


def test_alt_text_states_the_facts_in_both_languages(texts: AltTexts) -> None:
    mug = product("Mug", Attribute(name="colour", value="blue"), Attribute(name="material", value="ceramic"))
    said = texts.of(mug)
    assert "blue" in said["en"] and "mug" in said["en"] and "ceramic" in said["en"]
    assert "ブルー" in said["ja"] or "青" in said["ja"]
    assert said == texts.of(mug)


def test_alt_text_of_a_variant_states_its_own_facts(texts: AltTexts) -> None:
    red = Variant(id=7, key="red", sku="M-1-R", attributes=(Attribute(name="colour", value="red", variant_id=7),))
    assert "red" in texts.of(product("Mug", variants=(red,)), red)["en"]


def test_alt_text_falls_back_to_the_name_without_markup(texts: AltTexts) -> None:
    said = texts.of(product("<b>Zorblax</b> \u202e9000\n<script>alert(1)</script>"))
    assert all("<" not in text and "alert" not in text for text in said.values())
    assert all(text.isprintable() and text for text in said.values())


def test_alt_text_of_a_product_without_a_name_is_its_number(texts: AltTexts) -> None:
    nameless = replace(product("<script>alert(1)</script>"), category="")
    assert texts.of(nameless) == {"en": "M-1", "ja": "M-1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\u2028b", "a b"), ("a\x00\x1bb", "a b"), ("\ufeffa\u200db", "ab"), ("  a \t b ", "a b")],
)
def test_one_line_holds_what_is_seen(text: str, expected: str) -> None:
    assert one_line(text) == expected


@pytest.mark.parametrize("text", ["word " * 60, "あ" * 300, "x" * MAX_CHARS])
def test_shortened_never_exceeds_the_limit(text: str) -> None:
    assert len(shortened(text)) <= MAX_CHARS
    assert shortened(text).rstrip("…") in text
