"""Articles, plurals and lists."""

import pytest

from catalog import grammar


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("red mug", "a red mug"),
        ("orange bag", "an orange bag"),
        ("SLR camera", "an SLR camera"),
        ("USB cable", "a USB cable"),
        ("LED lamp", "an LED lamp"),
        ("TV stand", "a TV stand"),
        ("L-shaped sofa", "an L-shaped sofa"),
        ("V-necked sweater", "a V-necked sweater"),
        ("T-shirt", "a T-shirt"),
        ("hour glass", "an hour glass"),
        ("unglazed clay pot", "an unglazed clay pot"),
        ("unicorn lamp", "a unicorn lamp"),
        ("8-sided table", "an 8-sided table"),
        ("32-inch monitor", "a 32-inch monitor"),
        ("leather boots", "leather boots"),
        ("oat milk", "oat milk"),
        ("white cabbage", "a white cabbage"),
        ("cactus", "a cactus"),
        ("asparagus", "asparagus"),
        ("camera lens", "a camera lens"),
        ("", ""),
    ],
)
def test_indefinite_puts_the_right_article(phrase: str, expected: str) -> None:
    assert grammar.indefinite(phrase) == expected


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("chair", "chairs"),
        ("wine glass", "wine glasses"),
        ("box", "boxes"),
        ("tomato", "tomatoes"),
        ("knife", "knives"),
        ("berry", "berries"),
        ("tray", "trays"),
        ("bench", "benches"),
    ],
)
def test_plural_and_singular_undo_each_other(one: str, many: str) -> None:
    assert grammar.plural(one) == many
    assert grammar.plural(many) == many
    assert grammar.singular(many) == one
    assert grammar.singular(one) == one


def test_listing_joins_with_commas_and_and() -> None:
    assert grammar.listing([]) == ""
    assert grammar.listing(["a lid", ""]) == "a lid"
    assert grammar.listing(["a lid", "a spout", "two handles"]) == "a lid, a spout and two handles"
