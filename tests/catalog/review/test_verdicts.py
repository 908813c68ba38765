"""Changes, skips with a reason, attribute checks, and keys that name a decision."""

from typing import Any

import pytest
from sqlalchemy import text

from catalog import decision_log, policies, queue, review
from catalog.errors import ReviewRefused
from catalog.policy import Policy


def test_changes_with_a_note_or_a_reason_settle_the_item(desk: Any) -> None:
    made = desk.say("aki", "changes", 1, note="the handle is too thin")
    assert (made.verdict, made.note, desk.state(1)) == ("changes", "the handle is too thin", "changes")
    assert desk.say("aki", "changes", 2, reasons=("missing_part",)).reasons == ("missing_part",)


def test_skip_needs_a_reason_only_where_the_policy_says_so(desk: Any) -> None:
    assert desk.say("aki", "skip", 1).verdict == "skip"
    policies.save(desk.catalog, "ada", Policy(skip_needs_reason=True), "", clock=desk.clock)
    number, token = desk.claim("aki", 2)
    with pytest.raises(ReviewRefused, match="say why it is skipped: write a note, or choose a reason") as caught:
        review.skip(desk.catalog, number, token, clock=desk.clock)
    assert "\n" not in str(caught.value)
    assert review.skip(desk.catalog, number, token, note="cannot tell", clock=desk.clock).note == "cannot tell"


def test_checks_are_kept_with_the_decision_and_in_its_hash(either_desk: Any) -> None:
    desk = either_desk
    ticks = {"material": "not_visible", "colour": "mismatch"}
    made = desk.say("aki", "reject", 1, reasons=("wrong_colour",), checks=ticks)
    assert made.checks == ticks
    assert queue.decisions(desk.catalog, item_id=1)[0].checks == ticks
    assert decision_log.first_broken_decision(desk.catalog) is None
    with desk.catalog.write() as session:
        values = {"decision_id": made.id, "attribute": "height", "verdict": "match", "model_guess": ""}
        session.execute(
            text(
                "INSERT INTO attribute_check (decision_id, attribute, verdict, model_guess)"
                " VALUES (:decision_id, :attribute, :verdict, :model_guess)"
            ),
            values,
        )
    assert decision_log.first_broken_decision(desk.catalog) == made.id


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ({"colr": "match"}, "item 1 has no attribute 'colr'; it has: colour, height, material, name, category"),
        ({"colour": "yes"}, "colour is checked as 'yes'; allowed: match, mismatch, not_visible"),
    ],
)
def test_checks_that_are_none_are_refused(desk: Any, checks: dict[str, str], message: str) -> None:
    with pytest.raises(ReviewRefused, match=message):
        desk.say("aki", "approve", 1, checks=checks)
    assert queue.decisions(desk.catalog) == []


def test_a_key_names_one_decision_of_one_claim(desk: Any) -> None:
    number, token = desk.claim("aki", 1)
    options = {"idempotency_key": "click-1", "clock": desk.clock}
    first = review.decide(desk.catalog, number, token, "approve", **options)
    again = review.decide(desk.catalog, number, token, "approve", **options)
    assert (again.id, again.repeated) == (first.id, True)
    other, its_token = desk.claim("ben", 2)
    made = review.decide(desk.catalog, other, its_token, "skip", **options)
    assert (made.item_id, made.repeated) == (2, False), "another person's key says nothing of this decision"


def test_a_key_cannot_block_an_undo(desk: Any) -> None:
    first = desk.say("aki", "approve", 1)
    number, token = desk.claim("ben", 2)
    key = f"void:{first.id}"
    review.decide(desk.catalog, number, token, "approve", idempotency_key=key, clock=desk.clock)
    assert review.undo(desk.catalog, "aki", clock=desk.clock).decision.supersedes_id == first.id


def test_origin_tells_where_a_decision_was_made(desk: Any) -> None:
    desk.say("aki", "approve", 1)
    review.decide_item(desk.catalog, "aki", 2, "approve", clock=desk.clock)
    assert [made.origin for made in queue.decisions(desk.catalog)] == ["script", "review"]
    assert decision_log.first_broken_decision(desk.catalog) is None


def test_origin_is_part_of_the_hash(desk: Any) -> None:
    review.decide_item(desk.catalog, "aki", 1, "approve", clock=desk.clock)
    with desk.catalog.write() as session:
        session.execute(text("DROP TRIGGER decision_no_update"))
        session.execute(text("UPDATE decision SET origin = 'review'"))
    assert decision_log.first_broken_decision(desk.catalog) == 1
