"""Colour test: which captions are asked, what is counted, and what chance means."""

from pathlib import Path

import pytest
import torch

from adapt.data.cub import read_cub
from adapt.metrics.colour import dominant_colours
from adapt.metrics.recolour import TARGETS, ColourPrompt, agreement, colour_prompts, main_colour_rank, recolour
from catalog.records import Caption, ManifestEntry

RGB = {
    "black": (10, 10, 10),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
    "brown": (110, 70, 35),
    "red": (200, 30, 35),
    "yellow": (245, 220, 40),
    "blue": (40, 70, 200),
    "green": (40, 140, 50),
}


def _pictures(colours: list[str]) -> torch.Tensor:
    rows = [torch.tensor(RGB[colour]).float() / 127.5 - 1 for colour in colours]
    return torch.stack(rows)[:, :, None, None].expand(-1, 3, 8, 8)


def _entry(number: int, *texts: str) -> ManifestEntry:
    captions = tuple(Caption(id=None, text=text, lang="en", template="", facts={}) for text in texts)
    return ManifestEntry(
        image=Path("/x"),
        sha256=str(number),
        product=f"p/{number}",
        product_id=number,
        category="",
        split="test",
        captions=captions,
        group=str(number),
    )


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("this bird is blue.", 0),
        ("a small gray bird with a grey belly", 0),
        ("A Red mug of stoneware", 0),
        ("this bird has a black crown", 1),
        ("this bird has a black crown and black wings", 0),
        ("a bird with a red bill", None),
        ("this bird has a bill that is black", None),
        ("a black and white bird", None),
        ("an olive bird with black wings", None),
        ("a bird with long legs", None),
    ],
)
def test_main_colour_rank_keeps_captions_with_one_main_colour(text: str, rank: int | None) -> None:
    assert main_colour_rank(text) == rank


def test_colour_prompts_change_every_mention_to_an_even_choice_of_targets() -> None:
    entries = [_entry(i, f"a grey bird number {i} with gray wings", "a red and blue bird") for i in range(14)]
    prompts = colour_prompts(entries, count=12, seed=0)
    assert len(prompts) == 12
    for prompt in prompts:
        assert prompt.old == "grey"
        assert prompt.changed == prompt.text.replace("grey", prompt.new).replace("gray", prompt.new)
    counts = [sum(prompt.new == target for prompt in prompts) for target in TARGETS if target != "grey"]
    assert counts == [2] * 6
    assert prompts == colour_prompts(entries, count=12, seed=0)
    assert prompts != colour_prompts(entries, count=12, seed=1)


def test_colour_prompts_take_one_a_picture_first_and_no_text_twice() -> None:
    entries = [_entry(0, "a red bird", "the red bird", "one red bird"), _entry(1, "a blue bird", "a red bird")]
    texts = [prompt.text for prompt in colour_prompts(entries, count=9, seed=0)]
    assert len(texts) == len(set(texts)) == 4
    assert "blue" in texts[0] + texts[1] or "a red bird" in texts[:2]


def _prompts(pairs: list[tuple[str, str]]) -> list[ColourPrompt]:
    return [ColourPrompt(text=f"a {old} mug", changed=f"a {new} mug", old=old, new=new) for old, new in pairs]


def test_recolour_counts_moves_and_measures_chance() -> None:
    prompts = _prompts([("red", "blue"), ("red", "yellow"), ("grey", "white"), ("black", "blue")])
    before = _pictures(["red", "red", "grey", "blue"])  # the last had its new colour already
    after = _pictures(["blue", "yellow", "grey", "blue"])
    metrics = recolour(before, after, prompts, seed=5)
    moved = metrics["colour_moved"]
    assert (moved.value, moved.n, moved.seed, moved.extractor) == (0.5, 4, 5, "dominant colour")
    # Others' targets hit by a real move: picture 0 (blue) against prompt 3; 12 pairs of picture and other prompt.
    assert moved.chance == pytest.approx(1 / 12)
    assert moved.note == "1 pictures had the new colour before"
    assert metrics["colour_agreement"].value == pytest.approx(3 / 4)
    assert metrics["colour_gained"].value == pytest.approx(0.5)


def test_recolour_scores_zero_when_the_text_is_ignored() -> None:
    prompts = _prompts([("red", "black"), ("red", "blue"), ("red", "white")])
    same = _pictures(["green", "red", "black"])
    metrics = recolour(same, same, prompts, seed=0)
    assert metrics["colour_moved"].value == metrics["colour_moved"].chance == 0
    assert metrics["colour_gained"].value == 0


def test_recolour_scores_chance_when_colours_change_at_random() -> None:
    generator = torch.Generator().manual_seed(0)
    words = list(RGB)[:7]
    pick = torch.randint(7, (3, 600), generator=generator).tolist()
    pairs = [(words[old], words[new]) for old, new in zip(pick[0], pick[1], strict=True) if old != new]
    after = _pictures([words[i] for i in pick[2][: len(pairs)]])
    moved = recolour(_pictures([old for old, _ in pairs]), after, _prompts(pairs), seed=0)["colour_moved"]
    assert moved.chance is not None and moved.low is not None and moved.high is not None
    assert moved.low < moved.chance < moved.high


def test_recolour_scores_one_when_colours_follow_the_text() -> None:
    pairs = [("red", "blue"), ("white", "black"), ("grey", "yellow")]
    metrics = recolour(_pictures([a for a, _ in pairs]), _pictures([b for _, b in pairs]), _prompts(pairs), seed=0)
    assert [metric.value for metric in metrics.values()] == [1, 1, 1]


def test_swatches_are_measured_as_named() -> None:
    assert dominant_colours(_pictures(list(RGB))) == list(RGB)
    assert agreement(_pictures(["red", "blue"]), ["red", "white"], seed=0).value == 0.5


def test_recolour_refuses_unequal_numbers() -> None:
    with pytest.raises(ValueError, match="expected equal"):
        recolour(_pictures(["red"]), _pictures(["red"]), _prompts([("red", "blue")]), seed=0)


def test_bird_captions_give_two_hundred_prompts(shared_data: Path) -> None:
    held_out = [entry for entry in read_cub(shared_data / "cub") if entry.split == "test"]
    prompts = colour_prompts(held_out, count=200, seed=0)
    assert len(prompts) == 200
    assert {prompt.new for prompt in prompts} == set(TARGETS)
    assert sum(main_colour_rank(prompt.text) == 0 for prompt in prompts) >= 180
