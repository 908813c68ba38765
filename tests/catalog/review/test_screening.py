"""Rejection by threshold: never an approval, never all of them, and what the preview said."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog import people, policies, queue, review, thresholds
from catalog.generation import enqueue
from catalog.policy import Policy
from catalog.records import Candidate
from catalog.roles import NotAllowed
from catalog.store import Catalog


def candidates(picture: Path, count: int, first_seed: int = 0) -> list[Candidate]:
    return [
        Candidate(
            image=picture,
            product_id=1,
            caption_id=None,
            prompt="p",
            seed=first_seed + number,
            scores={"text_match": number / count},
        )
        for number in range(count)
    ]


@pytest.fixture
def scored(queued: Callable[..., Path], picture: Path) -> Iterator[Catalog]:
    """A queue of 40 pictures with scores from 0 to 1, beside one mug; aki is admin."""
    with Catalog.open(queued(1)) as catalog:
        people.sign_in(catalog, "aki")
        enqueue(catalog, "scored", candidates(picture, 40))
        yield catalog


def test_screening_rejects_what_is_under_the_threshold_but_for_the_audit_share(scored: Catalog) -> None:
    said = thresholds.preview(scored, "text_match", 0.5, audit_share=0.2)
    rules = policies.save(scored, "aki", Policy(auto_reject={"text_match": 0.5}, audit_share=0.2), "")
    assert review.screen(scored, "aki") == said.rejected
    assert queue.progress(scored).pending == said.queue
    low = [item for item in queue.items(scored, limit=100) if item.scores["text_match"] < 0.5]
    assert {item.id for item in low if item.state == "pending"} == {
        item.id for item in low if rules.audited(item.generation_id)
    }
    assert 0 < said.audited < len(low) == said.audited + said.rejected
    assert review.screen(scored, "aki") == 0
    assert queue.progress(scored).approved == 0
    assert review.replay(scored).differences == ()


def test_screening_leaves_what_people_have_taken_up(scored: Catalog) -> None:
    policies.save(scored, "aki", Policy(quorum=2, auto_reject={"text_match": 9.0}, audit_share=0.05), "")
    held = review.claim(scored, "ben", item_id=2)
    review.decide_item(scored, "chen", 3, "approve")
    review.screen(scored, "aki")
    assert held is not None
    assert [queue.item(scored, number).state for number in (2, 3)] == ["pending", "pending"]


def test_new_pictures_are_screened_as_they_come(scored: Catalog, picture: Path) -> None:
    policies.save(scored, "aki", Policy(auto_reject={"text_match": 0.5}, audit_share=0.05), "")
    enqueue(scored, "later", candidates(picture, 20, first_seed=100))
    later = queue.items(scored, run="later", limit=100)
    assert all(item.state == "pending" for item in later if item.scores["text_match"] >= 0.5)
    (made, *_) = queue.decisions(scored, item_id=next(item.id for item in later if item.state == "rejected"))
    assert (made.origin, made.reviewer, made.reasons) == ("auto", people.RULES, ("low_score",))
    assert made.note.endswith("< 0.5")


def test_a_lead_may_overrule_a_threshold(scored: Catalog) -> None:
    policies.save(scored, "aki", Policy(auto_reject={"text_match": 0.5}, audit_share=0.05), "")
    review.screen(scored, "aki")
    rejected = queue.items(scored, state="rejected")[0].id
    review.adjudicate(scored, "aki", rejected, "approve", note="it is fine")
    assert queue.item(scored, rejected).state == "approved"
    assert review.replay(scored).differences == ()


def test_only_leads_screen(scored: Catalog) -> None:
    people.sign_in(scored, "ben")
    with pytest.raises(NotAllowed, match="may not change the rules"):
        review.screen(scored, "ben")
