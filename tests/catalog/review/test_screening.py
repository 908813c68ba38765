"""Rejection by threshold: never an approval, never all of them, and what the preview said."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog import gallery, people, policies, queue, regeneration, review, thresholds
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


def test_under_thresholds_counts_what_screening_rejects_and_what_is_held(scored: Catalog) -> None:
    rules = policies.save(scored, "aki", Policy(auto_reject={"text_match": 0.5}, audit_share=0.05), "")
    low = [
        item
        for item in queue.items(scored, limit=100)
        if item.scores["text_match"] < 0.5 and not rules.audited(item.generation_id)
    ]
    review.claim(scored, "ben", item_id=low[0].id)
    review.decide_item(scored, "chen", low[1].id, "approve")
    found = review.under_thresholds(scored)
    assert (found.free, found.held) == (len(low) - 2, 1)
    assert review.screen(scored, "aki") == found.free
    found = review.under_thresholds(scored)
    assert (found.free, found.held) == (0, 1)


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


BROKEN = {"text_match": math.nan, "sharp": math.inf, "count": True, "word": "high"}


def drawn(picture: Path, **scores: object) -> Candidate:
    return Candidate(image=picture, product_id=1, caption_id=None, prompt="p", seed=900, scores=scores)  # type: ignore[arg-type]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_scores_that_are_no_numbers_count_as_missing(
    request: pytest.FixtureRequest, queued: Callable[..., Path], picture: Path, database: str
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    with Catalog.open(queued(1, url=url), url=url) as catalog:
        people.sign_in(catalog, "aki")
        policies.save(catalog, "aki", Policy(auto_reject=dict.fromkeys(("text_match", "sharp"), 2.0)), "")
        broken = replace(drawn(picture, **BROKEN), nearest_similarity=math.nan)
        assert enqueue(catalog, "broken", [broken]) == 1
        item = queue.items(catalog, run="broken")[0]
        assert (item.scores, item.nearest_similarity, item.state) == ({}, None, "pending")
        review.screen(catalog, "aki")
        assert queue.item(catalog, item.id).state == "pending"


@pytest.mark.parametrize("scores", [{"text_match": math.nan}, {"text_match": "high"}, {"text_match": None}, {}])
def test_a_score_that_is_missing_or_no_number_is_under_no_threshold(scores: dict[str, float]) -> None:
    assert Policy(auto_reject={"text_match": 0.5}).under_threshold(scores) is None
    assert Policy(auto_reject={"text_match": 0.5}).under_threshold({"text_match": 0.4}) == ("text_match", 0.4, 0.5)


def test_scores_that_an_earlier_release_stored_spoil_no_preview(scored: Catalog) -> None:
    with scored.write() as session:
        session.execute(text("""UPDATE generation SET scores = '{"text_match": NaN, "q\\"": 1}' WHERE id = 5"""))
    low, high = thresholds.names(scored)["text_match"]
    assert math.isfinite(low) and math.isfinite(high) and 'q"' not in thresholds.names(scored)
    assert thresholds.preview(scored, "text_match", 0.5).rejected > 0
    assert thresholds.preview(scored, 'q"', 0.5).rejected == 0
    wanted = gallery.Filters(score="text_match", least=0.0)
    assert 5 not in gallery.ids(scored, wanted, limit=100) and gallery.count(scored, wanted) == 40
    policies.save(scored, "aki", Policy(auto_reject={"text_match": 0.5}), "")
    review.screen(scored, "aki")
    assert queue.item(scored, 5).state == "pending"
    with pytest.raises(ValueError, match="a threshold must be a number"):
        thresholds.preview(scored, "text_match", math.nan)


def test_a_picture_that_a_person_asked_for_is_rejected_by_no_threshold(scored: Catalog, picture: Path) -> None:
    policies.save(scored, "aki", Policy(auto_reject={"text_match": 5.0}, audit_share=0.05), "")
    wish = regeneration.request(scored, review.decide_item(scored, "aki", 1, "changes", note="thinner").id)
    rules = policies.current(scored)
    # Of the pictures that are drawn none falls into the audit share, so that only the wish keeps it.
    wished = Candidate(
        image=picture, product_id=1, caption_id=None, prompt=wish.prompt, seed=wish.seed, scores={"text_match": 0.1}
    )
    enqueue(scored, "again", [wished, drawn(picture, text_match=0.1)], priority=regeneration.PRIORITY)
    states = {item.seed: (item.state, rules.audited(item.generation_id)) for item in queue.items(scored, run="again")}
    assert states == {wish.seed: ("pending", False), 900: ("rejected", False)}
    before = thresholds.preview(scored, "text_match", 5.0, audit_share=0.05)
    policies.save(scored, "aki", replace(rules, version=0), "again")
    assert review.screen(scored, "aki") == before.rejected
    assert regeneration.served(scored, wish.id, "again").state == "served"
    assert queue.items(scored, run="again")[0].state == "pending" and review.screen(scored, "aki") == 0
    taken = review.claim(scored, "ben")
    assert taken is not None and taken.seed == wish.seed
