"""The chosen checkpoint is no early blob and no copy."""

import pytest

from adapt.fewshot.selection import Judgement, choose


def judged(step: int, distance: float, *, error: float | None = 0.1, copies: float = 0.0) -> Judgement:
    return Judgement(step=step, kernel_distance=distance, standard_error=error, copy_rate=copies)


def test_clearly_nearest_checkpoint_is_chosen() -> None:
    judgements = [judged(50, 0.9), judged(100, 0.2), judged(150, 0.5)]
    assert choose(judgements, copy_limit=0.5).step == 100


def test_blob_that_cannot_be_told_from_later_checkpoints_is_not_chosen() -> None:
    """Distances of a real run: after 40 steps one blob in the mean colours, after 200 products in sight."""
    distances = {40: 0.575, 80: 0.86, 120: 0.72, 160: 0.66, 200: 0.649}
    judgements = [judged(step, distance, error=0.08) for step, distance in distances.items()]
    assert choose(judgements, copy_limit=0.5).step == 200


def test_copies_are_chosen_only_when_there_is_nothing_else() -> None:
    copies = [judged(50, 0.3, copies=0.6), judged(100, 0.1, copies=0.9)]
    assert choose([judged(10, 0.8), *copies], copy_limit=0.5).step == 10
    assert choose(copies, copy_limit=0.5).step == 100


def test_latest_is_chosen_where_too_few_pictures_measure() -> None:
    assert choose([judged(50, 0.1, error=None), judged(100, 0.9, error=None)], copy_limit=0.5).step == 100


def test_newer_judgement_is_chosen_or_changes_nothing() -> None:
    """Only the chosen checkpoint's weights are kept, so an older one must never come back."""
    distances = [0.5, 0.7, 0.55, 0.3, 0.38, 0.45, 0.29, 0.4]
    judgements = [judged(step, distance) for step, distance in enumerate(distances, start=1)]
    kept = judgements[0]
    for count in range(1, len(judgements) + 1):
        now = choose(judgements[:count], copy_limit=0.5)
        assert now in (kept, judgements[count - 1])
        kept = now
    assert kept.step == 7


def test_nothing_judged_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        choose([], copy_limit=0.5)
