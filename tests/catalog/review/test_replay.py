"""The log alone gives every state; and it shows where somebody changed the tables by hand. See `test_any_history`."""

from typing import Any

from sqlalchemy import text

from catalog import audit, policies, review
from catalog.policy import Policy


def move(desk: Any, what: str, name: str, number: int) -> None:
    catalog, clock = desk.catalog, desk.clock
    clock.forward(400)  # nobody's claim lives on
    if what == "undo":
        review.undo(catalog, name, clock=clock)
    elif what.startswith("rule"):
        verdict = what.split()[1]
        reasons = ("other",) if verdict == "reject" else ()
        review.adjudicate(catalog, name, number, verdict, note="seen", reasons=reasons, clock=clock)
    else:
        desk.say(name, what, number)


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
