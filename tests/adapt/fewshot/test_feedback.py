"""Which decided pictures an adaptation learns from, and how many of them a step sees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from frozen_tiles import tile_entries
from letter_batches import LetterEncoder, batches, entry

from adapt.errors import AdaptError
from adapt.fewshot.feedback import BatchesWithRejected, choose_feedback
from adapt.models.text_cache import TextFeatureCache
from catalog.feedback_folder import Feedback, FeedbackDecision, FeedbackEntry


def judged(number: int, verdict: str, *reasons: str, product: str = "s/0") -> FeedbackEntry:
    """A picture of product 0, the red tile, which one person decided."""
    made = FeedbackDecision(reviewer=1, verdict=verdict, reasons=reasons, checks={}, origin="review", policy_version=0)
    return FeedbackEntry(
        image=Path(f"{number}.png"),
        sha256=f"{number:064d}",
        product=product,
        product_id=99,  # of another workspace
        category="",
        run="finetune-1",
        prompt="a red tile",
        seed=number,
        scores={},
        nearest_sha256="f" * 64,
        nearest_similarity=0.5,
        copy_risk=False,
        state={"approve": "approved", "reject": "rejected", "changes": "changes"}[verdict],
        quorum=1,
        decisions=(made,),
    )


def feedback(*entries: FeedbackEntry) -> Feedback:
    return Feedback(folder=Path("datasets/feedback-12345678"), content_hash="0" * 64, entries=entries)


def test_approved_and_rejected_pictures_become_entries_of_their_product(tmp_path: Path) -> None:
    photos = tile_entries(tmp_path, count=4)
    chosen = choose_feedback(feedback(judged(1, "approve"), judged(2, "reject", "blurred")), photos, batch_size=8)
    (approved,), (rejected,) = chosen.approved, chosen.rejected
    assert (approved.product, approved.product_id, approved.group, approved.split) == ("s/0", 0, "0", "train")
    assert [caption.text for caption in approved.captions] == ["a red tile", "a tile that is red"]
    assert [caption.text for caption in rejected.captions] == ["a red tile"]
    corrected = replace(judged(3, "approve"), prompt="a red tile on grass")
    (approved,) = choose_feedback(feedback(corrected), photos, batch_size=8).approved
    assert [caption.text for caption in approved.captions] == ["a red tile on grass"]


def test_only_pictures_whose_judgement_says_what_they_are_good_for_are_used(tmp_path: Path) -> None:
    decided = (
        judged(1, "approve"),
        replace(judged(2, "approve"), copy_risk=True),
        replace(judged(3, "approve"), nearest_similarity=None, nearest_sha256=None),
        replace(judged(4, "approve"), quorum=2),
        replace(judged(5, "approve"), state="conflict"),
        judged(6, "changes"),
        judged(7, "reject", "copy"),
        judged(8, "reject", "distorted", "copy"),
        judged(9, "reject", "wrong_colour"),
        judged(10, "approve", product="s/77"),
        judged(11, "reject", "other", product="s/77"),
        judged(12, "approve"),
        judged(12, "reject", "blurred"),
    )
    chosen = choose_feedback(feedback(*decided), tile_entries(tmp_path, count=4), batch_size=8)
    assert [int(entry.sha256) for entry in chosen.approved] == [1]
    assert [int(entry.sha256) for entry in chosen.rejected] == [9]
    assert chosen.left_out == {
        "contradictory": 1, "copy_reason": 2, "copy_risk": 1, "not_compared": 1, "other_product": 2, "undecided": 3,
    }  # fmt: skip


def test_nothing_to_learn_from_is_one_line(tmp_path: Path) -> None:
    photos = tile_entries(tmp_path, count=4)
    with pytest.raises(AdaptError, match=r"feedback-12345678 has nothing to learn from \(1 undecided\).*adapt review$"):
        choose_feedback(feedback(judged(1, "changes")), photos, batch_size=8)
    with pytest.raises(AdaptError, match=r"a batch of 3 has no room for feedback.*--set data.batch_size=8$"):
        choose_feedback(feedback(judged(1, "approve")), photos, batch_size=3)
    assert choose_feedback(feedback(judged(1, "reject", "other")), photos, batch_size=3).extra_fakes(3) == 1


def test_rejected_pictures_are_at_most_half_as_many_as_generated_ones(tmp_path: Path) -> None:
    photos = tile_entries(tmp_path, count=4)
    many = choose_feedback(feedback(*(judged(i, "reject", "other") for i in range(20))), photos, batch_size=8)
    assert many.extra_fakes(8) == 4 and many.extra_fakes(5) == 2 and many.rejected_share(8) == pytest.approx(1 / 3)
    few = choose_feedback(feedback(judged(1, "reject", "other")), photos, batch_size=8)
    assert few.extra_fakes(8) == 1 and few.rejected_share(8) == pytest.approx(1 / 9)


def test_batches_bring_rejected_pictures_by_seed_and_step_and_use_all_alike() -> None:
    inner = batches([entry(i, f"a {chr(97 + i)}") for i in range(8)])
    pictures = np.stack([np.full((8, 8, 3), number * 20, dtype=np.uint8) for number in range(5)])
    source = BatchesWithRejected(
        inner, pictures, [f"p{chr(97 + i)}" for i in range(5)], TextFeatureCache(LetterEncoder()), count=2, seed=1
    )
    seen = []
    for step in range(10):
        batch = source.batch(step)
        extra, again = batch.extra_fakes, source.batch(step).extra_fakes
        assert extra is not None and again is not None and torch.equal(extra.images, again.images)
        assert torch.equal(batch.images, inner.batch(step).images) and extra.beside.tolist() == [0, 2]
        numbers = ((extra.images[:, 0, 0, 0] + 1) * 127.5 / 20).round().int().tolist()
        assert [int(row[:8].argmax()) for row in extra.sentences] == numbers
        seen += numbers
    assert sorted(seen) == sorted(list(range(5)) * 4)
