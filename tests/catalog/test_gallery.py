"""The gallery: filters, which items take one verdict, which product to compare next."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from catalog import gallery, people, review
from catalog.errors import ReviewRefused
from catalog.gallery import Filters
from catalog.schema import GenerationRow, ProductRow, ReviewItemRow
from catalog.store import Catalog


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, queued: Callable[..., Path]) -> Iterator[Catalog]:
    """Six candidates of one product with text_match 0.31 to 0.36; the last is of another product and run."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with Catalog.open(queued(6, url=url), url=url) as opened:
        for name, role in (("ada", "admin"), ("lea", "lead"), ("ben", "reviewer")):
            people.sign_in(opened, name, role=role)
        with opened.write() as session:
            source = session.get_one(ProductRow, 1).source_id
            session.add(ProductRow(source_id=source, sku="CUP_2", name="Tasse 50% =A1"))
            session.flush()
            session.execute(
                update(GenerationRow)
                .where(GenerationRow.id == 6)
                .values(product_id=2, run="late", nearest_similarity=0.99)
            )
        yield opened


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [1, 2, 3, 4, 5, 6]),
        (Filters(run="late"), [6]),
        (Filters(run="none"), []),
        (Filters(product="enamel MUG"), [1, 2, 3, 4, 5]),
        (Filters(product="cup_2"), [6]),
        (Filters(product="50% =a"), [6]),
        (Filters(product="%"), [6]),
        (Filters(product="'; DROP TABLE product; --"), []),
        (Filters(copy_risk=True), [6]),
        (Filters(copy_risk=False), [1, 2, 3, 4, 5]),
        (Filters(score="text_match", least=0.325, most=0.345), [3, 4]),
        (Filters(score="text_match", least=0.355), [6]),
        (Filters(score="other", least=0.0), []),
        (Filters(score="no bound"), [1, 2, 3, 4, 5, 6]),
        (Filters(state="approved"), []),
        (Filters(state="pending", run="mugs", product="mug", copy_risk=False, score="text_match", most=0.315), [1]),
    ],
)
def test_filters_find_what_they_say(catalog: Catalog, filters: Filters, expected: list[int]) -> None:
    assert [item.id for item in gallery.items(catalog, filters)] == expected
    assert gallery.count(catalog, filters) == len(expected)
    assert gallery.ids(catalog, filters, limit=2) == expected[:2]


def test_items_come_a_page_at_a_time_in_queue_order(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 4).values(priority=-1))
    assert [item.id for item in gallery.items(catalog, Filters(), limit=2)] == [4, 1]
    assert [item.id for item in gallery.items(catalog, Filters(), limit=2, offset=4)] == [5, 6]
    assert [item.id for item in gallery.records(catalog, [3, 99, 2**70, 1])] == [3, 1]


def test_score_names_leave_out_what_no_path_can_hold(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.execute(update(GenerationRow).where(GenerationRow.id == 1).values(scores={'a"b': 1, "kid": 2}))
    assert gallery.score_names(catalog) == ["kid", "text_match"]
    assert gallery.count(catalog, Filters(score='a"b', least=0)) == 6


def test_sort_says_what_bulk_takes_and_why_not_the_rest(catalog: Catalog) -> None:
    review.claim(catalog, "ben", item_id=2)
    review.decide_item(catalog, "ben", 3, "approve")
    with catalog.write() as session:
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 4).values(quorum=2))
    review.decide_item(catalog, "lea", 4, "approve")
    found = gallery.sort(catalog, "lea", [1, 2, 3, 4, 5, 6, 99, 2**70, 1], "approve")
    assert found.fit == (1, 5)
    assert dict(found.refused) == {2: "held", 3: "decided", 4: "mine", 6: "copy", 99: "unknown", 2**70: "unknown"}
    assert gallery.sort(catalog, "lea", [1, 2, 3, 4, 5, 6], "reject").fit == (1, 5, 6)
    later = gallery.sort(catalog, "lea", [2], "approve", clock=lambda: review.utc_now() + timedelta(hours=1))
    assert later.fit == (2,)


def test_sort_agrees_with_bulk(catalog: Catalog) -> None:
    review.claim(catalog, "ben", item_id=2)
    with catalog.write() as session:
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 4).values(flagged=True))
    everything = [1, 2, 3, 4, 5, 6]
    for verdict in ("approve", "reject"):
        for number in gallery.sort(catalog, "lea", everything, verdict).refused:
            with pytest.raises(ReviewRefused):
                review.bulk(catalog, "lea", [number], verdict, reasons=_reasons(verdict), seen=[number], typed_count=1)
        fit = gallery.sort(catalog, "lea", everything, verdict).fit
        done = review.bulk(catalog, "lea", fit, verdict, reasons=_reasons(verdict), seen=fit, typed_count=len(fit))
        assert len(done) == len(fit) > 0


def test_next_to_compare_needs_two_that_the_person_may_decide(catalog: Catalog) -> None:
    assert gallery.next_to_compare(catalog, "aki") == 1
    assert gallery.next_to_compare(catalog, "aki", passed=(1,)) is None
    with catalog.write() as session:
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id.in_((1, 2, 3))).values(state="rejected"))
    assert gallery.next_to_compare(catalog, "aki") == 1
    review.claim(catalog, "ben", item_id=4)
    assert gallery.next_to_compare(catalog, "aki") is None and gallery.next_to_compare(catalog, "ben") == 1


def test_next_to_compare_leaves_out_what_one_has_judged(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.execute(update(ReviewItemRow).values(quorum=2))
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id > 2).values(state="rejected"))
    review.decide_item(catalog, "ben", 1, "approve")
    assert gallery.next_to_compare(catalog, "ben") is None and gallery.next_to_compare(catalog, "aki") == 1


def test_gallery_of_an_empty_queue_is_empty(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(0)) as empty:
        assert gallery.items(empty, Filters()) == [] and gallery.count(empty, Filters(product="x")) == 0
        assert gallery.score_names(empty) == [] and gallery.next_to_compare(empty, "aki") is None
        assert gallery.sort(empty, "aki", [], "approve").fit == ()


def _reasons(verdict: str) -> tuple[str, ...]:
    return ("blurred",) if verdict == "reject" else ()
