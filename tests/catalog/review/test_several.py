"""Bulk verdicts and choices among candidates: all or nothing, and nothing unseen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import decision_log, queue, review
from catalog.errors import ReviewRefused
from catalog.roles import NotAllowed
from catalog.store import Catalog


def bulk(desk: Any, ids: list[int], verdict: str = "approve", actor: str = "lea", **options: Any) -> list[Any]:
    given = {"seen": ids[:5], "typed_count": len(ids), "clock": desk.clock} | options
    return review.bulk(desk.catalog, actor, ids, verdict, **given)


def test_bulk_writes_one_decision_an_item(either_desk: Any) -> None:
    desk = either_desk
    made = bulk(desk, [1, 3], "reject", reasons=("background",), note="grey")
    assert [(row.item_id, row.origin, row.reasons, row.note) for row in made] == [
        (1, "bulk", ("background",), "grey"),
        (3, "bulk", ("background",), "grey"),
    ]
    assert [desk.state(item) for item in (1, 2, 3)] == ["rejected", "pending", "rejected"]
    assert review.replay(desk.catalog).differences == ()
    review.undo_item(desk.catalog, "lea", 1)
    assert [desk.state(item) for item in (1, 3)] == ["pending", "rejected"]


@pytest.mark.parametrize("actor", ["aki", "olga"])
def test_bulk_is_for_leads(desk: Any, actor: str) -> None:
    desk.say("aki", "skip")
    with pytest.raises(NotAllowed, match="may not decide in bulk; lead or admin may"):
        bulk(desk, [1, 2], actor=actor)


@pytest.mark.parametrize(
    ("ids", "options", "message"),
    [
        ([1, 2], {"typed_count": 3}, "these are 2 items, typed was 3"),
        ([1, 2], {"seen": [1]}, "1 of these 2 pictures were opened; look at 2 or more"),
        ([1, 2], {"seen": [1, 77]}, "1 of these 2 pictures were opened"),
        ([], {}, "no items to decide"),
        ([1, 99], {}, "no item 99"),
        ([1, 2], {"verdict": "skip"}, "no verdict 'skip' for many items"),
        ([1, 2], {"verdict": "reject"}, "a rejection needs a reason"),
    ],
)
def test_bulk_is_refused_whole(desk: Any, ids: list[int], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ReviewRefused, match=message) as caught:
        bulk(desk, ids, **options)
    assert "\n" not in str(caught.value)
    assert queue.decisions(desk.catalog) == []


def test_bulk_needs_five_seen_of_many(queued: Callable[..., Path], clock: Any) -> None:
    with Catalog.open(queued(8)) as catalog:
        ids = list(range(1, 9))
        options: dict[str, Any] = {"typed_count": 8, "clock": clock}
        with pytest.raises(ReviewRefused, match="look at 5 or more"):
            review.claim(catalog, "ada", clock=clock)
            review.bulk(catalog, "ada", ids, "approve", seen=ids[:4], **options)
        assert len(review.bulk(catalog, "ada", ids, "approve", seen=ids[:5], **options)) == 8


def test_bulk_leaves_held_and_decided_items_alone(desk: Any) -> None:
    desk.claim("aki", 2)
    with pytest.raises(ReviewRefused, match="item 2 is held by aki, nothing was decided"):
        bulk(desk, [1, 2])
    desk.clock.forward(400)
    desk.say("aki", "approve", 3)
    with pytest.raises(ReviewRefused, match="item 3 is approved already"):
        bulk(desk, [1, 3])
    assert desk.state(1) == "pending"


def test_bulk_approves_no_possible_copy(copies: Any) -> None:
    with pytest.raises(ReviewRefused, match="item 1 may be a copy of a real photo and is approved one by one"):
        bulk(copies, [1, 2])
    assert len(bulk(copies, [1, 2], "reject", reasons=("copy",))) == 2


def compared(desk: Any, name: str = "aki") -> list[Any]:
    items = review.claim_candidates(desk.catalog, name, 1, clock=desk.clock)
    for item in items:
        review.mark_shown(desk.catalog, item.id, item.lease_token or "", clock=desk.clock)
    desk.clock.forward(1)
    return items


def test_choose_approves_one_and_passes_over_the_others(either_desk: Any) -> None:
    desk = either_desk
    assert [item.id for item in compared(desk)] == [1, 2, 3]
    made = review.choose(desk.catalog, "aki", 2, [1, 3], clock=desk.clock)
    assert [(row.item_id, row.verdict, row.origin) for row in made] == [
        (2, "approve", "compare"),
        (1, "not_chosen", "compare"),
        (3, "not_chosen", "compare"),
    ]
    assert [desk.state(item) for item in (1, 2, 3)] == ["not_chosen", "approved", "not_chosen"]
    counts = queue.progress(desk.catalog, "aki")
    assert (counts.not_chosen, counts.approved, counts.decided_by_me) == (2, 1, 3)
    assert review.replay(desk.catalog).differences == ()


def test_undo_takes_a_choice_back_whole(either_desk: Any) -> None:
    desk = either_desk
    compared(desk)
    review.choose(desk.catalog, "aki", 2, [1, 3], clock=desk.clock)
    undone = review.undo(desk.catalog, "aki", clock=desk.clock)
    assert undone.claimed is not None
    assert [desk.state(item) for item in (1, 2, 3)] == ["pending"] * 3
    with pytest.raises(review.NothingToUndo):
        review.undo(desk.catalog, "aki", clock=desk.clock)


def test_a_script_that_chooses_and_takes_it_back_says_so_in_the_log(desk: Any) -> None:
    review.choose(desk.catalog, "aki", 2, [1, 3], scripted=True, clock=desk.clock)
    review.undo_item(desk.catalog, "aki", 2, scripted=True, clock=desk.clock)
    log = queue.decisions(desk.catalog)
    assert len(log) == 6 and {made.origin for made in log} == {"script"}
    assert [desk.state(item) for item in (1, 2, 3)] == ["pending"] * 3
    assert decision_log.first_broken_decision(desk.catalog) is None


def test_choose_needs_every_candidate_held_and_seen(desk: Any) -> None:
    with pytest.raises(review.LeaseLost, match="item 1 is not held by aki"):
        review.choose(desk.catalog, "aki", 1, [2, 3], clock=desk.clock)
    review.claim_candidates(desk.catalog, "aki", 1, clock=desk.clock)
    with pytest.raises(review.TooFast, match="item 1 must be on screen"):
        review.choose(desk.catalog, "aki", 1, [2, 3], clock=desk.clock)
    with pytest.raises(ReviewRefused, match="needs others to choose from"):
        review.choose(desk.catalog, "aki", 1, [1], clock=desk.clock)
    assert queue.decisions(desk.catalog) == []


def test_candidates_that_a_colleague_holds_are_left_to_them(desk: Any) -> None:
    desk.claim("ben", 2)
    assert [item.id for item in review.claim_candidates(desk.catalog, "aki", 1, clock=desk.clock)] == [1, 3]
    with pytest.raises(ReviewRefused, match="item 2 is held by ben"):
        review.choose(desk.catalog, "aki", 2, [1], scripted=True, clock=desk.clock)
    again = review.claim_candidates(desk.catalog, "aki", 1, limit=2, clock=desk.clock)
    assert [item.id for item in again] == [1, 3], "what one holds oneself is offered again"


def test_a_chosen_copy_waits_for_a_second_person(copies: Any) -> None:
    compared(copies)
    review.choose(copies.catalog, "aki", 1, [2, 3], clock=copies.clock)
    assert [copies.state(item) for item in (1, 2, 3)] == ["pending", "not_chosen", "not_chosen"]
