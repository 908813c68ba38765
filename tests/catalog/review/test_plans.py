"""What happens at every key press walks no table: with a hundred thousand items in the queue it would be felt."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from catalog import gallery, queue, review

BIG = ("review_item", "decision", "generation")


def plans(desk: Any, act: Callable[[], object]) -> list[str]:
    """Return SQLite's plan for each statement that `act` runs."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        # The newest row of the log is looked up from its end: SQLite calls that a scan, and stops at the first row.
        if statement.startswith(("SELECT", "UPDATE")) and not statement.startswith("SELECT decision.hash"):
            seen.append((statement, parameters))

    event.listen(desk.catalog.engine, "before_cursor_execute", note)
    act()
    event.remove(desk.catalog.engine, "before_cursor_execute", note)
    with desk.catalog.engine.connect() as connection:
        return [
            step[3]
            for statement, parameters in seen
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


def decided(desk: Any) -> None:
    desk.say("aki", "approve")


def undone(desk: Any) -> None:
    review.undo(desk.catalog, "aki", clock=desk.clock)


ACTS: dict[str, Callable[[Any], object]] = {
    "claim": lambda desk: review.claim(desk.catalog, "aki", clock=desk.clock),
    "claim what was skipped": lambda desk: review.claim(desk.catalog, "aki", include_skipped=True, clock=desk.clock),
    "decide": decided,
    "undo": undone,
    "count": lambda desk: queue.progress(desk.catalog, "aki"),
    "own history": lambda desk: queue.decisions(desk.catalog, reviewer="aki", as_seen_by="aki"),
    "an item's history": lambda desk: queue.decisions(desk.catalog, item_id=1, as_seen_by="aki"),
    "claim of a run": lambda desk: review.claim(desk.catalog, "aki", run="mugs", clock=desk.clock),
    "compare": lambda desk: gallery.next_to_compare(desk.catalog, "aki", clock=desk.clock),
    "claim candidates": lambda desk: review.claim_candidates(desk.catalog, "aki", 1, clock=desk.clock),
    "sort many": lambda desk: gallery.sort(desk.catalog, "aki", [1, 2], "approve", clock=desk.clock),
    "list": lambda desk: queue.items(desk.catalog, state="pending"),
    "list all": lambda desk: queue.items(desk.catalog),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_key_press_walks_no_table(desk: Any, act: str) -> None:
    desk.say("aki", "approve")
    found = plans(desk, lambda: ACTS[act](desk))
    assert found
    walked = [
        step
        for step in found
        if step.startswith("SCAN") and step.split()[1].rstrip("_0123456789") in BIG and "INDEX" not in step
    ]
    assert walked == []
    assert not any("USE TEMP B-TREE FOR ORDER BY" in step for step in found if act in ("claim", "list", "list all"))


@pytest.mark.parametrize("act", ["claim", "compare", "claim candidates", "sort many", "an item's history"])
def test_what_a_person_said_of_an_item_is_looked_up_by_both(desk: Any, act: str) -> None:
    desk.say("aki", "approve")
    verdicts = [step for step in plans(desk, lambda: ACTS[act](desk)) if step.startswith("SEARCH decision")]
    assert any("(item_id=? AND reviewer_id=?)" in step for step in verdicts)
    # By the person alone, each item would be compared with everything the person ever decided.
    assert not any("(reviewer_id=?" in step for step in verdicts)


def test_counting_visits_only_what_is_held_or_superseded(desk: Any) -> None:
    desk.say("aki", "approve")
    found = plans(desk, lambda: ACTS["count"](desk))
    assert any("ix_review_item_lease_until (lease_until>?)" in step for step in found)
    assert any(step.startswith("SEARCH decision ") and "(supersedes_id>?)" in step for step in found)
    assert not any("USING INDEX ix_review_item_queue" in step for step in found)


@pytest.mark.parametrize("act", ["compare", "claim candidates"])
def test_other_candidates_are_found_by_their_product(desk: Any, act: str) -> None:
    found = plans(desk, lambda: ACTS[act](desk))
    assert any("(product_id=?)" in step for step in found)
    through_the_queue = [step for step in found if "ix_review_item_queue" in step]
    # The comparison walks the queue once, from its front; it must not for each item's product.
    assert len(through_the_queue) == (1 if act == "compare" else 0)
