"""Caption pairs by fact set."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from catalog.pairs import masked, pairs, relation
from catalog.records import Caption, ManifestEntry


def _caption(text: str, facts: Mapping[str, str]) -> Caption:
    return Caption(id=None, text=text, lang="en", template="t", facts=facts)


RED = _caption("a red mug", {"noun": "mug", "colour": "red"})
RED_AGAIN = _caption("a mug in red", {"noun": "mug", "colour": "red"})
MUG = _caption("a mug", {"noun": "mug"})
BLUE = _caption("a blue mug", {"noun": "mug", "colour": "blue"})
BLUE_PLATE = _caption("a blue plate", {"noun": "plate", "colour": "blue"})
HUMAN = _caption("lovely", {})


def _entry(
    product: str, captions: tuple[Caption, ...], group: str = "", sha256: str = "0", variants: tuple[str, ...] = ()
) -> ManifestEntry:
    return ManifestEntry(
        image=Path("x.png"), sha256=sha256, product=product, product_id=1, category="", split="train",
        captions=captions, group=group or product, variants=variants,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (RED, RED_AGAIN, "paraphrase"),
        (RED, MUG, "entails"),
        (MUG, RED, None),
        (RED, BLUE, "hard_negative"),
        (RED, BLUE_PLATE, None),
        (RED, HUMAN, None),
        (HUMAN, HUMAN, None),
    ],
)
def test_relation_follows_the_fact_sets(first: Caption, second: Caption, kind: str | None) -> None:
    assert relation(first, second) == kind


@pytest.mark.parametrize(
    ("name", "first", "second", "kind"),
    [
        ("colour", "red", "dark red", None),
        ("colour", "blue, pink", "blue", None),
        ("colour", "dark red", "dark blue", "hard_negative"),
        ("material", "cotton, polyester", "cotton", None),
        ("material", "cotton", "nylon, wool", "hard_negative"),
        ("name", "teton", "chaz", None),
        ("kind", "yoga", "running", None),
    ],
)
def test_hard_negatives_contradict_each_other(name: str, first: str, second: str, kind: str | None) -> None:
    ones, others = (_caption(value, {"noun": "shirt", name: value}) for value in (first, second))
    assert relation(ones, others) == relation(others, ones) == kind
    entries = [_entry("a", (ones,)), _entry("b", (others,), sha256="1")]
    assert len(list(pairs(entries, "hard_negative"))) == (kind == "hard_negative")


def test_shoe_of_a_kind_is_no_negative_of_a_shoe() -> None:
    shoe, running = _caption("a shoe", {"noun": "shoe"}), _caption("a running shoe", {"noun": "running shoe"})
    assert relation(shoe, running) is None


def test_pairs_stay_inside_a_picture_but_for_hard_negatives() -> None:
    entries = [
        _entry("a", (RED, RED_AGAIN, MUG)),
        _entry("a", (RED, RED_AGAIN, MUG)),
        _entry("b", (BLUE, BLUE_PLATE, HUMAN)),
    ]
    assert [(p.first, p.second, p.first_entry) for p in pairs(entries, "paraphrase")] == [(RED, RED_AGAIN, 0)]
    assert [(p.first, p.second) for p in pairs(entries, "entails")] == [(RED, MUG), (RED_AGAIN, MUG)]
    swapped = [(p.first, p.second, p.first_entry, p.second_entry) for p in pairs(entries, "hard_negative")]
    assert swapped == [(RED, BLUE, 0, 2), (RED_AGAIN, BLUE, 0, 2)]


def test_hard_negatives_leave_out_the_same_group() -> None:
    entries = [_entry("a", (RED,), group="g"), _entry("b", (BLUE,), group="g")]
    assert masked(*entries)
    assert list(pairs(entries, "hard_negative")) == []


def test_hard_negatives_take_the_same_shape_in_another_colour() -> None:
    entries = [
        _entry("a", (RED,), sha256="1"),
        _entry("a", (RED,), sha256="2", variants=("3",)),
        _entry("a", (BLUE,), sha256="3", variants=("2",)),
        _entry("b", (BLUE, BLUE_PLATE), group="a", sha256="4"),
        _entry("c", (BLUE_PLATE,), group="a", sha256="5", variants=("2",)),
    ]
    # Random negatives are masked all the same; a copy under another product ("4") is no contrast, nor are two facts.
    assert masked(entries[1], entries[2])
    found = [(p.first, p.second, p.first_entry, p.second_entry) for p in pairs(entries, "hard_negative")]
    assert found == [(RED, BLUE, 1, 2)]


def test_pairs_refuses_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="use one of paraphrase, entails, hard_negative"):
        list(pairs([], "twin"))
