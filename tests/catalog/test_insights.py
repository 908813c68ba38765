"""Figures of the review against a recount by hand, and previews of thresholds against brute force."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from catalog import insights, people, policies, queue, review, thresholds
from catalog.generation import enqueue
from catalog.insights import Window
from catalog.policy import Policy
from catalog.records import Candidate
from catalog.statistics import kappa, share
from catalog.store import Catalog

START = datetime(2026, 5, 1, 23, 59, tzinfo=UTC)


class Clock:
    """A clock that goes on two minutes at each look."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        self.moment += timedelta(minutes=2)
        return self.moment


def judge(catalog: Catalog, name: str, item_id: int, verdict: str, clock: Clock, seen_ms: int | None = None) -> None:
    reasons = ("blurred",) if verdict == "reject" else ()
    if seen_ms is None:
        review.decide_item(catalog, name, item_id, verdict, reasons=reasons, clock=clock)
        return
    item = review.claim(catalog, name, item_id=item_id, clock=clock)
    assert item is not None and item.lease_token is not None
    shown = review.mark_shown(catalog, item_id, item.lease_token, clock=clock)
    later = shown + timedelta(milliseconds=seen_ms)
    review.decide(catalog, item_id, item.lease_token, verdict, reasons=reasons, clock=lambda: later)


@pytest.fixture
def judged(queued: Callable[..., Path]) -> Iterator[Catalog]:
    """Six mugs that need two people: four judged twice, one with an undone verdict, one ruled on."""
    clock = Clock()
    with Catalog.open(queued(6)) as catalog:
        people.sign_in(catalog, "ada")
        policies.save(catalog, "ada", Policy(quorum=2), "", clock=clock)
        judge(catalog, "aki", 6, "skip", clock, 500)
        for number, (first, second) in enumerate(
            [("approve", "approve"), ("approve", "reject"), ("approve", "approve")], start=1
        ):
            judge(catalog, "aki", number, first, clock, 1000 * number)
            judge(catalog, "ben", number, second, clock, 4000)
        judge(catalog, "aki", 5, "reject", clock)
        review.undo_item(catalog, "aki", 5, clock=clock)
        review.adjudicate(catalog, "ada", 2, "reject", note="soft", reasons=("blurred", "other"), clock=clock)
        yield catalog


def test_throughput_counts_what_stands_by_day_and_person(judged: Catalog) -> None:
    paces = insights.throughput(judged)
    assert {(pace.reviewer, pace.decisions, pace.skips) for pace in paces} == {
        ("aki", 3, 1),
        ("ben", 3, 0),
        ("ada", 1, 0),
    }
    assert {pace.day for pace in paces} == {date(2026, 5, 2)}
    assert insights.throughput(judged, Window(until=START)) == []


def test_dwell_is_of_pictures_that_a_screen_showed(judged: Catalog) -> None:
    assert [(found.reviewer, found.n, found.median_ms, found.p90_ms) for found in insights.dwell(judged)] == [
        ("aki", 3, 2000, pytest.approx(2800)),
        ("ben", 3, 4000, 4000),
    ]


def test_reasons_are_counted_by_product_and_by_run(judged: Catalog) -> None:
    assert [(found.reason, found.of, found.count) for found in insights.reasons_by_product(judged)] == [
        ("blurred", "shop/MUG-1", 2),
        ("other", "shop/MUG-1", 1),
    ]
    assert [(found.reason, found.of) for found in insights.reasons_by_run(judged, limit=1)] == [("blurred", "mugs")]


def test_agreement_is_of_blind_opinions_not_of_rulings(judged: Catalog) -> None:
    said = [("approve", "approve"), ("approve", "reject"), ("approve", "approve")]
    assert insights.agreement(judged) == kappa(said)
    (pair,) = insights.agreement_by_pair(judged)
    assert (pair.first, pair.second, pair.kappa) == ("aki", "ben", kappa(said))


@pytest.fixture
def scored(queued: Callable[..., Path], picture: Path) -> Iterator[tuple[Catalog, dict[int, float]]]:
    """Sixty pictures with drawn scores, a third of them decided by people, one without the score."""
    draw, clock = random.Random(1), Clock()
    drawn = [
        Candidate(
            image=picture,
            product_id=1,
            caption_id=None,
            prompt="p",
            seed=number,
            scores={"realism": round(draw.random(), 2)} if number else {},
        )
        for number in range(60)
    ]
    with Catalog.open(queued(1)) as catalog:
        people.sign_in(catalog, "ada")
        enqueue(catalog, "scored", drawn)
        items = queue.items(catalog, run="scored", limit=100)
        values = {item.id: item.scores["realism"] for item in items if "realism" in item.scores}
        for item in items[::3]:
            good = draw.random() < values.get(item.id, 0.5)
            judge(catalog, "aki", item.id, "approve" if good else "reject", clock)
        yield catalog, values


@pytest.mark.parametrize("threshold", [-1.0, 0.2, 0.5, 2.0])
def test_preview_equals_a_recount(scored: tuple[Catalog, dict[int, float]], threshold: float) -> None:
    catalog, values = scored
    found = thresholds.preview(catalog, "realism", threshold, audit_share=0.25)
    items = queue.items(catalog, limit=100)
    rules = Policy(version=1, audit_share=0.25)
    waiting = [item for item in items if item.state == "pending"]
    under = [item for item in waiting if values.get(item.id, 9) < threshold]
    audited = [item for item in under if rules.audited(item.generation_id)]
    past = [item for item in items if item.state in ("approved", "rejected") and values.get(item.id, 9) < threshold]
    assert (found.pending, found.rejected, found.audited) == (len(waiting), len(under) - len(audited), len(audited))
    assert found.queue == len(waiting) - len(under) + len(audited)
    assert found.error == share(sum(item.state == "approved" for item in past), len(past))
    nearest = sorted((abs(value - threshold), item_id) for item_id, value in values.items())
    assert found.borderline == tuple(item_id for _, item_id in nearest[: thresholds.BORDERLINE])
    assert [item.id for item in thresholds.borderline_items(catalog, found)] == list(found.borderline)


def test_preview_forgets_what_a_threshold_rejected(scored: tuple[Catalog, dict[int, float]]) -> None:
    catalog, _ = scored
    before = thresholds.preview(catalog, "realism", 0.5)
    policies.save(catalog, "ada", Policy(auto_reject={"realism": 0.4}), "")
    assert review.screen(catalog, "ada") > 0
    after = thresholds.preview(catalog, "realism", 0.5)
    assert after.error == before.error
    assert thresholds.preview(catalog, "realism", 0.5, run="mugs").pending == 1, "the mug, whose score is another"


def test_names_give_the_scores_there_are(scored: tuple[Catalog, dict[int, float]]) -> None:
    catalog, values = scored
    assert thresholds.names(catalog)["realism"] == (min(values.values()), max(values.values()))
