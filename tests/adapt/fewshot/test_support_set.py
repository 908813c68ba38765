"""Shots are seeded, spread over categories and products, and never counted twice."""

from collections import Counter
from pathlib import Path

import pytest

from adapt.errors import AdaptError
from adapt.fewshot.support_set import choose_support_set
from catalog.records import Caption, ManifestEntry


def entries(sizes: dict[str, int], *, pictures: int = 1) -> list[ManifestEntry]:
    caption = (Caption(1, "a thing", "en", "t", {}),)
    return [
        ManifestEntry(Path("x"), f"{category}{n}{p}", f"s/{category}{n}", n, category, "train", caption, "g")
        for category, size in sizes.items()
        for n in range(size)
        for p in range(pictures)
    ]


def test_shots_are_spread_over_categories() -> None:
    chosen = choose_support_set(entries({"a": 40, "b": 3, "c": 40}), shots=12, seed=0)
    assert Counter(entry.category for entry in chosen.shots) == {"a": 5, "b": 3, "c": 4} or Counter(
        entry.category for entry in chosen.shots
    ) == {"a": 4, "b": 3, "c": 5}


def test_products_give_a_second_picture_only_after_all_gave_one() -> None:
    chosen = choose_support_set(entries({"a": 4}, pictures=5), shots=6, seed=1)
    counts = Counter(entry.product for entry in chosen.shots)
    assert len(counts) == 4 and max(counts.values()) == 2


def test_same_seed_gives_the_same_shots_and_split() -> None:
    pool = entries({"a": 30, "b": 30})
    assert choose_support_set(pool, shots=20, seed=3) == choose_support_set(pool, shots=20, seed=3)
    assert choose_support_set(pool, shots=20, seed=3) != choose_support_set(pool, shots=20, seed=4)


def test_more_shots_than_pictures_takes_all() -> None:
    chosen = choose_support_set(entries({"a": 7}), shots=50, seed=0)
    assert len(chosen.shots) == 7 and chosen.requested == 50 and len(chosen.held_out) == 2
    assert not {entry.sha256 for entry in chosen.train} & {entry.sha256 for entry in chosen.held_out}


def test_equal_pictures_count_once_and_few_shots_are_all_learned_from() -> None:
    pool = entries({"a": 3})
    chosen = choose_support_set(pool + pool, shots=10, seed=0)
    assert len(chosen.shots) == 3 and not chosen.held_out


def test_too_few_are_refused_in_one_line() -> None:
    with pytest.raises(AdaptError, match=r"--shots 1: two pictures are the least"):
        choose_support_set(entries({"a": 3}), shots=1, seed=0)
    with pytest.raises(AdaptError, match=r"adapt ingest DUMP"):
        choose_support_set([], shots=5, seed=0)
