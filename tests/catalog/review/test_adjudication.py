"""A lead's ruling on a conflict, and what it takes to make one."""

from typing import Any

import pytest

from catalog import queue, review
from catalog.errors import ReviewRefused
from catalog.roles import NotAllowed


def conflict(desk: Any, item_id: int = 1) -> None:
    from sqlalchemy import text

    with desk.catalog.write() as session:
        session.execute(text(f"UPDATE review_item SET quorum = 2 WHERE id = {item_id}"))
    desk.say("aki", "approve", item_id)
    desk.say("ben", "reject", item_id, reasons=("blurred",), note="soft")
    assert desk.state(item_id) == "conflict"


def test_conflicts_show_both_verdicts_without_names(either_desk: Any) -> None:
    conflict(either_desk)
    (found,) = review.conflicts(either_desk.catalog)
    assert found.item.id == 1
    assert [(said.number, said.verdict, said.reasons, said.note) for said in found.opinions] == [
        (1, "approve", (), ""),
        (2, "reject", ("blurred",), "soft"),
    ]
    assert "aki" not in repr(found.opinions) and "ben" not in repr(found.opinions)


def test_opinions_on_an_item_are_those_that_stand_conflict_or_not(desk: Any) -> None:
    conflict(desk)
    assert [said.verdict for said in review.opinions_on(desk.catalog, "lea", 1).opinions] == ["approve", "reject"]
    review.adjudicate(desk.catalog, "lea", 1, "reject", note="no", reasons=("other",), clock=desk.clock)
    desk.say("aki", "reject", 2, reasons=("blurred",), note="soft")
    (said,) = review.opinions_on(desk.catalog, "lea", 2).opinions
    assert (said.verdict, said.reasons, said.note) == ("reject", ("blurred",), "soft") and "aki" not in repr(said)


def test_opinions_on_an_item_refuse_what_is_not_there_or_not_to_be_known_yet(desk: Any) -> None:
    from sqlalchemy import text

    with desk.catalog.write() as session:
        session.execute(text("UPDATE review_item SET quorum = 2 WHERE id = 1"))
    desk.say("aki", "approve", 1)
    for item_id in (1, 2):  # colleagues' verdicts on an open item are blind; the other has none
        with pytest.raises(ReviewRefused, match=f"item {item_id} has no verdict to rule on"):
            review.opinions_on(desk.catalog, "lea", item_id)
    for item_id in (0, 99, 10**30):
        with pytest.raises(ReviewRefused, match="no item"):
            review.opinions_on(desk.catalog, "lea", item_id)


@pytest.mark.parametrize(
    ("verdict", "state"), [("approve", "approved"), ("reject", "rejected"), ("changes", "changes")]
)
def test_a_ruling_decides_whatever_the_others_say(either_desk: Any, verdict: str, state: str) -> None:
    desk = either_desk
    conflict(desk)
    reasons = ("other",) if verdict == "reject" else ()
    made = review.adjudicate(desk.catalog, "lea", 1, verdict, note="seen", reasons=reasons, clock=desk.clock)
    assert (made.origin, made.verdict, desk.state(1)) == ("adjudication", verdict, state)
    assert review.conflicts(desk.catalog) == []
    assert review.replay(desk.catalog).differences == ()


def test_an_undone_ruling_brings_the_conflict_back_and_another_counts(desk: Any) -> None:
    conflict(desk)
    for _ in range(2):
        review.adjudicate(desk.catalog, "lea", 1, "approve", note="fine", clock=desk.clock)
        assert desk.state(1) == "approved"
        assert review.undo(desk.catalog, "lea", clock=desk.clock).claimed is None
        assert desk.state(1) == "conflict"
    review.adjudicate(desk.catalog, "lea", 1, "reject", note="no", reasons=("other",), clock=desk.clock)
    review.adjudicate(desk.catalog, "ada", 1, "approve", note="yes", clock=desk.clock)
    assert desk.state(1) == "approved", "the newest ruling counts"
    assert review.replay(desk.catalog).differences == ()


def test_a_second_click_is_the_same_ruling(desk: Any) -> None:
    conflict(desk)
    first = review.adjudicate(desk.catalog, "lea", 1, "approve", note="fine", clock=desk.clock)
    again = review.adjudicate(desk.catalog, "lea", 1, "approve", note="fine", clock=desk.clock)
    assert (again.id, again.repeated) == (first.id, True)
    assert len(queue.decisions(desk.catalog, item_id=1)) == 3


def test_a_ruling_supersedes_the_leads_own_verdict(desk: Any) -> None:
    own = desk.say("lea", "approve", 1)
    made = review.adjudicate(desk.catalog, "lea", 1, "reject", note="on reflection", reasons=("other",))
    assert (made.supersedes_id, desk.state(1)) == (own.id, "rejected")


@pytest.mark.parametrize("actor", ["aki", "olga", "nobody"])
def test_only_leads_and_admins_rule(desk: Any, actor: str) -> None:
    conflict(desk)
    with pytest.raises(NotAllowed) as caught:
        review.adjudicate(desk.catalog, actor, 1, "approve", note="mine")
    assert "\n" not in str(caught.value) and "adapt reviewers" in str(caught.value)
    assert desk.state(1) == "conflict"


@pytest.mark.parametrize(
    ("item_id", "verdict", "note", "reasons", "message"),
    [
        (1, "approve", "  ", (), "a ruling on item 1 needs a note that says why"),
        (1, "skip", "x", (), "no ruling 'skip'; allowed: approve, reject, changes"),
        (1, "reject", "x", (), "a rejection needs a reason"),
        (2, "approve", "x", (), "item 2 has no verdict to rule on; claim it and decide it"),
        (99, "approve", "x", (), "no item 99 in the review queue"),
        (2**70, "approve", "x", (), "no item 1180591620717411303424"),
    ],
)
def test_rulings_are_refused_in_one_line(
    desk: Any, item_id: int, verdict: str, note: str, reasons: tuple[str, ...], message: str
) -> None:
    conflict(desk)
    with pytest.raises(ReviewRefused, match=message) as caught:
        review.adjudicate(desk.catalog, "lea", item_id, verdict, note=note, reasons=reasons)
    assert "\n" not in str(caught.value)


def test_a_lead_alone_cannot_approve_a_possible_copy(copies: Any) -> None:
    copies.say("aki", "reject", 1)
    with pytest.raises(ReviewRefused, match="somebody beside lea must approve it, too"):
        review.adjudicate(copies.catalog, "lea", 1, "approve", note="fine")
    copies.say("aki", "approve", 2)
    copies.say("ben", "reject", 2)
    review.adjudicate(copies.catalog, "lea", 2, "approve", note="no copy", clock=copies.clock)
    assert copies.state(2) == "approved"


def test_a_ruling_ends_a_colleagues_claim_and_they_are_told(desk: Any) -> None:
    from sqlalchemy import text

    with desk.catalog.write() as session:
        session.execute(text("UPDATE review_item SET quorum = 2 WHERE id = 1"))
    desk.say("aki", "approve", 1)
    number, token = desk.claim("ben", 1)
    review.adjudicate(desk.catalog, "lea", 1, "approve", note="clear", clock=desk.clock)
    with pytest.raises(review.LeaseLost):
        review.decide(desk.catalog, number, token, "approve", clock=desk.clock)
