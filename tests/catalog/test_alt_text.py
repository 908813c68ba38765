"""Alternative texts say what the record says, in both languages, in one plain line."""

from dataclasses import replace
from pathlib import Path

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


@pytest.mark.parametrize("number", range(30))
def test_alt_text_calls_no_generated_picture_a_photo(texts: AltTexts, number: int) -> None:
    mug = product("Mug", Attribute(name="colour", value="blue"), Attribute(name="material", value="ceramic"))
    said = texts.of(replace(mug, sku=f"M-{number}"))
    assert not any(word in said["en"].lower() for word in ("photo", "picture", "image", "shown", "catalogue"))
    assert not any(word in said["ja"] for word in ("写", "画像", "カタログ"))
    assert "blue" in said["en"] and "ceramic" in said["en"] and "マグ" in said["ja"]


def test_alt_text_of_a_workspace_whose_templates_all_say_photo_uses_those_that_ship(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    own = '[[template]]\nid = "own"\nlength = "medium"\ntext = "our photo of {{ [looks, named] | words | a }}"\n'
    (tmp_path / "templates" / "en.toml").write_text(own, encoding="utf-8")
    assert "photo" not in AltTexts(tmp_path).of(product("Mug", Attribute(name="colour", value="blue")))["en"]
