"""The log alone gives every state, whatever was done; and it shows where somebody changed the tables by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from catalog import audit, policies, queue, review
from catalog.errors import ReviewRefused
from catalog.policy import Policy
from catalog.store import Catalog

PEOPLE = ("ada", "lea", "aki", "ben")
MOVES = st.one_of(
    st.tuples(st.sampled_from(["approve", "reject", "changes", "skip"]), st.sampled_from(PEOPLE), st.integers(1, 3)),
    st.tuples(st.just("undo"), st.sampled_from(PEOPLE), st.just(0)),
    st.tuples(st.sampled_from(["rule approve", "rule reject"]), st.sampled_from(("ada", "lea")), st.integers(1, 3)),
    st.tuples(st.just("bulk"), st.sampled_from(("ada", "lea")), st.integers(1, 3)),
    st.tuples(st.just("choose"), st.sampled_from(PEOPLE), st.integers(1, 3)),
    st.tuples(st.just("policy"), st.just("ada"), st.integers(1, 2)),
)


def move(desk: Any, what: str, name: str, number: int) -> None:
    catalog, clock = desk.catalog, desk.clock
    clock.forward(400)  # nobody's claim lives on
    if what == "undo":
        review.undo(catalog, name, clock=clock)
    elif what.startswith("rule"):
        verdict = what.split()[1]
        reasons = ("other",) if verdict == "reject" else ()
        review.adjudicate(catalog, name, number, verdict, note="seen", reasons=reasons, clock=clock)
    elif what == "bulk":
        ids = [number, number % 3 + 1]
        review.bulk(catalog, name, ids, "approve", seen=ids, typed_count=2, clock=clock)
    elif what == "choose":
        review.choose(catalog, name, number, [number % 3 + 1], scripted=True, clock=clock)
    elif what == "policy":
        policies.save(catalog, name, Policy(quorum=number), "", clock=clock)
    else:
        desk.say(name, what, number, **({"note": "thin"} if what == "changes" else {}))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(MOVES, min_size=4, max_size=14))
def test_replay_of_any_history_gives_the_stored_states(
    fill_queue: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    desk: Any,
    history: list[tuple[str, str, int]],
) -> None:
    folder = tmp_path_factory.mktemp("history")
    with Catalog.open(fill_queue(folder / "w", 3)) as catalog:
        other = type(desk)(catalog, desk.clock)
        for step in history:
            try:
                move(other, *step)
            except ReviewRefused:
                continue
        stored = {item.id: item.state for item in queue.items(catalog)}
        found = review.replay(catalog)
        assert found.states == stored and found.differences == ()
        assert audit.check(catalog, "ada").ok


def test_approve_reject_undo_adjudicate_replays(either_desk: Any) -> None:
    desk = either_desk
    policies.save(desk.catalog, "lea", Policy(quorum=2), "", clock=desk.clock)
    for step, state in (
        (("approve", "aki", 1), "pending"),
        (("reject", "ben", 1), "conflict"),
        (("undo", "ben", 0), "pending"),
        (("reject", "ben", 1), "conflict"),
        (("rule approve", "lea", 1), "approved"),
        (("undo", "lea", 0), "conflict"),
        (("rule reject", "lea", 1), "rejected"),
    ):
        move(desk, *step)
        found = review.replay(desk.catalog)
        assert (desk.state(1), found.states[1], found.differences) == (state, state, ())


def test_replay_finds_a_state_the_log_does_not_explain(desk: Any) -> None:
    desk.say("aki", "approve", 1)
    with desk.catalog.write() as session:
        session.execute(text("UPDATE review_item SET state = 'approved' WHERE id = 3"))
    (found,) = audit.check(desk.catalog, "olga").differences
    assert (found.item_id, found.stored, found.derived) == (3, "approved", "pending")


def test_replay_finds_a_log_whose_end_was_cut_off(desk: Any) -> None:
    desk.say("aki", "approve", 1)
    with desk.catalog.write() as session:
        session.execute(text("DROP TRIGGER decision_no_delete"))
        session.execute(text("DELETE FROM decision"))
    found = audit.check(desk.catalog, "olga")
    assert found.broken is None, "what is left of the chain holds"
    assert not found.ok and found.differences[0].stored == "approved"
