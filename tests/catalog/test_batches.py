"""Batches: what waits in each run, and a person's own pace."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from catalog import batches, people, review
from catalog.schema import GenerationRow, ReviewItemRow
from catalog.store import Catalog

START = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, queued: Callable[..., Path]) -> Iterator[Catalog]:
    """Six candidates of two runs: 1 to 4 of `mugs`, 5 and 6 of `late`."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with Catalog.open(queued(6, url=url), url=url) as opened:
        people.sign_in(opened, "ada", role="admin")
        with opened.write() as session:
            session.execute(update(GenerationRow).where(GenerationRow.id > 4).values(run="late"))
            for number in range(1, 7):
                waits = START + timedelta(minutes=number)
                session.execute(update(ReviewItemRow).where(ReviewItemRow.id == number).values(created_at=waits))
        yield opened


def test_batches_count_what_is_in_each_run(catalog: Catalog) -> None:
    review.decide_item(catalog, "aki", 1, "approve")
    review.decide_item(catalog, "aki", 2, "reject", reasons=("blurred",))
    review.decide_item(catalog, "ben", 5, "approve")
    review.decide_item(catalog, "aki", 6, "approve")
    review.undo_item(catalog, "aki", 6)
    late, mugs = batches.batches(catalog, "aki")
    assert (mugs.run, mugs.total, mugs.pending, mugs.approved, mugs.rejected, mugs.mine) == ("mugs", 4, 2, 1, 1, 2)
    assert (late.run, late.total, late.pending, late.approved, late.mine) == ("late", 2, 1, 1, 0)
    assert mugs.oldest_pending == START + timedelta(minutes=3)
    assert late.oldest_pending == START + timedelta(minutes=6)


def test_batches_come_newest_first_a_page_at_a_time(catalog: Catalog) -> None:
    assert [batch.run for batch in batches.batches(catalog, limit=1)] == ["late"]
    assert [batch.run for batch in batches.batches(catalog, limit=1, offset=1)] == ["mugs"]
    assert batches.batches(catalog, limit=1, offset=2) == []
    assert batches.count(catalog) == 2 and batches.runs(catalog) == ["late", "mugs"]


def test_batches_of_an_empty_queue_are_none(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(0)) as empty:
        assert batches.batches(empty, "aki") == [] and batches.count(empty) == 0
        assert batches.pace_s(empty, "aki") is None


def test_pace_is_the_median_without_breaks(queued: Callable[..., Path]) -> None:
    moment = START
    with Catalog.open(queued(8)) as catalog:
        people.sign_in(catalog, "ada", role="admin")
        for number, pause_s in enumerate((10, 12, 14, 3600, 12, 12, 100, 12), start=1):
            moment += timedelta(seconds=pause_s)
            item = review.claim(catalog, "aki", item_id=number, clock=at(moment))
            assert item is not None and item.lease_token is not None
            review.mark_shown(catalog, number, item.lease_token, clock=at(moment - timedelta(seconds=1)))
            review.decide(catalog, number, item.lease_token, "approve", clock=at(moment))
            if number == 5:
                assert batches.pace_s(catalog, "aki") is None, "four gaps say nothing yet"
        assert batches.pace_s(catalog, "aki") == 12.0
        assert batches.pace_s(catalog, "nobody") is None


def test_pace_leaves_scripts_out(catalog: Catalog) -> None:
    for number in range(1, 7):
        review.decide_item(catalog, "aki", number, "approve")
    assert batches.pace_s(catalog, "aki") is None
