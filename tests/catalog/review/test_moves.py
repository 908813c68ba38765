"""The moves of a review: claim, show, decide, skip, undo. Nothing is decided twice, unseen, or without a claim."""

from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from catalog import decision_log, gallery, queue, review
from catalog.errors import ReviewRefused
from catalog.policy import MAX_LEASE_S, Policy
from catalog.records import Decision, ReviewItem
from catalog.store import Catalog


class Clock(Protocol):
    """The clock of the fixtures."""

    def __call__(self) -> datetime: ...

    def forward(self, seconds: float) -> None: ...


def claimed(catalog: Catalog, clock: Clock, reviewer: str = "aiko", **options: object) -> tuple[ReviewItem, str]:
    item = review.claim(catalog, reviewer, clock=clock, **options)  # type: ignore[arg-type]
    assert item is not None and item.lease_token is not None
    return item, item.lease_token


def decided(
    catalog: Catalog,
    clock: Clock,
    verdict: str,
    reviewer: str = "aiko",
    reasons: tuple[str, ...] = (),
    **options: object,
) -> Decision:
    item, token = claimed(catalog, clock, reviewer, **options)
    review.mark_shown(catalog, item.id, token, clock=clock)
    clock.forward(1)
    return review.decide(catalog, item.id, token, verdict, reasons=reasons, clock=clock)


def test_claim_gives_each_reviewer_another_item(catalog: Catalog, clock: Clock) -> None:
    names = ["aiko", "ben", "chen", "dora"]
    taken = [review.claim(catalog, name, clock=clock) for name in names]
    assert [item.id if item else None for item in taken] == [1, 2, 3, None]
    assert queue.progress(catalog, at=clock()).held == 3


def test_claim_of_an_expired_lease_goes_to_the_next_reviewer(catalog: Catalog, clock: Clock) -> None:
    item, token = claimed(catalog, clock)
    clock.forward(Policy().lease_s + 1)
    other, _ = claimed(catalog, clock, "ben")
    assert other.id == item.id
    with pytest.raises(review.LeaseLost, match="not held by this claim any more"):
        review.decide(catalog, item.id, token, "approve", clock=clock)


def test_renew_keeps_the_item(catalog: Catalog, clock: Clock) -> None:
    item, token = claimed(catalog, clock)
    clock.forward(200)
    assert review.renew(catalog, item.id, token, clock=clock) == clock() + timedelta(seconds=300)
    clock.forward(200)
    other, _ = claimed(catalog, clock, "ben")
    assert other.id != item.id


def test_release_frees_the_item_at_once(catalog: Catalog, clock: Clock) -> None:
    item, token = claimed(catalog, clock)
    assert review.release(catalog, item.id, token)
    assert not review.release(catalog, item.id, token)
    assert claimed(catalog, clock, "ben")[0].id == item.id


def test_claim_by_number_says_who_holds_it(catalog: Catalog, clock: Clock) -> None:
    item, _ = claimed(catalog, clock)
    with pytest.raises(ReviewRefused, match="item 1 is held by aiko"):
        review.claim(catalog, "ben", item_id=item.id, clock=clock)
    with pytest.raises(ReviewRefused, match="no item 99"):
        review.claim(catalog, "ben", item_id=99, clock=clock)


@pytest.mark.parametrize("name", ["", "  ", " aiko", "a" * 81, "a\nb"])
def test_claim_refuses_names_that_are_none(catalog: Catalog, name: str) -> None:
    with pytest.raises(ReviewRefused, match="1 to 80 printable characters"):
        review.claim(catalog, name)


def test_decide_writes_verdict_reasons_and_dwell(catalog: Catalog, clock: Clock) -> None:
    made = decided(catalog, clock, "reject", reasons=("wrong_colour", "distorted"))
    assert (made.verdict, made.reasons, made.dwell_ms) == ("reject", ("wrong_colour", "distorted"), 1000)
    assert queue.item(catalog, made.item_id).state == "rejected"
    assert queue.item(catalog, made.item_id).lease_owner is None


@pytest.mark.parametrize("shown_for", [None, 0.0, 0.399])
def test_decide_refuses_what_was_not_seen(catalog: Catalog, clock: Clock, shown_for: float | None) -> None:
    item, token = claimed(catalog, clock)
    if shown_for is not None:
        review.mark_shown(catalog, item.id, token, clock=clock)
        clock.forward(shown_for)
    for verdict, reasons in (("approve", ()), ("reject", ("other",)), ("skip", ())):
        with pytest.raises(review.TooFast, match=r"on screen for 0.4 s"):
            review.decide(catalog, item.id, token, verdict, reasons=reasons, clock=clock)
    assert queue.decisions(catalog) == []


def test_mark_shown_counts_the_first_time(catalog: Catalog, clock: Clock) -> None:
    item, token = claimed(catalog, clock)
    first = review.mark_shown(catalog, item.id, token, clock=clock)
    clock.forward(0.3)
    assert review.mark_shown(catalog, item.id, token, clock=clock) == first


def test_seen_by_one_reviewer_is_not_seen_by_the_next(catalog: Catalog, clock: Clock) -> None:
    item, token = claimed(catalog, clock)
    review.mark_shown(catalog, item.id, token, clock=clock)
    clock.forward(400)
    other, other_token = claimed(catalog, clock, "ben")
    with pytest.raises(review.TooFast):
        review.decide(catalog, other.id, other_token, "approve", clock=clock)


def test_decide_gives_one_decision_a_claim(catalog: Catalog, clock: Clock) -> None:
    item, token = claimed(catalog, clock)
    review.mark_shown(catalog, item.id, token, clock=clock)
    clock.forward(1)
    first = review.decide(catalog, item.id, token, "approve", clock=clock)
    again = review.decide(catalog, item.id, token, "reject", reasons=("other",), clock=clock)
    assert (again.id, again.verdict, again.repeated) == (first.id, "approve", True)
    assert len(queue.decisions(catalog)) == 1


@pytest.mark.parametrize(
    ("verdict", "reasons", "message"),
    [
        ("reject", (), "a rejection needs a reason; choose from wrong_colour"),
        ("reject", ("ugly",), "no reason 'ugly'; allowed: wrong_colour"),
        ("approve", ("other",), "an approval takes no reasons; leave 'other' out"),
        ("changes", (), "say what to change: write a note, or choose a reason from wrong_colour"),
        ("maybe", (), "no verdict 'maybe'; allowed: approve, reject, changes, skip"),
    ],
)
def test_decide_refuses_in_one_line(
    catalog: Catalog, clock: Clock, verdict: str, reasons: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ReviewRefused, match=message) as refusal:
        decided(catalog, clock, verdict, reasons=reasons)
    assert "\n" not in str(refusal.value)


def test_decide_refuses_to_approve_a_missing_picture(catalog: Catalog, clock: Clock) -> None:
    catalog.blobs.path(queue.item(catalog, 1).image_sha256).unlink()
    with pytest.raises(review.PictureMissing):
        decided(catalog, clock, "approve")
    assert decided(catalog, clock, "skip", item_id=None, reviewer="ben").verdict == "skip"


def test_skip_passes_the_item_to_others_and_comes_back_on_request(catalog: Catalog, clock: Clock) -> None:
    skipped = decided(catalog, clock, "skip")
    assert queue.item(catalog, skipped.item_id).state == "pending"
    assert claimed(catalog, clock)[0].id == 2
    assert claimed(catalog, clock, "ben")[0].id == skipped.item_id
    assert queue.progress(catalog, "aiko", at=clock()).skipped_by_me == 1
    clock.forward(400)
    rest = [claimed(catalog, clock, include_skipped=True)[0].id for _ in range(3)]
    assert rest == [2, 3, skipped.item_id]
    assert review.claim(catalog, "aiko", include_skipped=True, clock=clock) is None


def test_skipping_again_goes_round(catalog: Catalog, clock: Clock) -> None:
    order = [decided(catalog, clock, "skip", include_skipped=True).item_id for _ in range(5)]
    assert order == [1, 2, 3, 1, 2]


def test_undo_supersedes_and_claims_again(catalog: Catalog, clock: Clock) -> None:
    first = decided(catalog, clock, "approve")
    undone = review.undo(catalog, "aiko", clock=clock)
    assert undone.claimed is not None and undone.claimed.id == first.item_id
    assert (undone.decision.verdict, undone.decision.supersedes_id) == ("void", first.id)
    assert queue.item(catalog, first.item_id).state == "pending"
    token = undone.claimed.lease_token or ""
    review.mark_shown(catalog, first.item_id, token, clock=clock)
    clock.forward(1)
    second = review.decide(catalog, first.item_id, token, "reject", reasons=("other",), clock=clock)
    assert second.supersedes_id == undone.decision.id
    assert queue.item(catalog, first.item_id).state == "rejected"
    chain = [(row.verdict, row.superseded) for row in queue.decisions(catalog, item_id=first.item_id)]
    assert chain == [("reject", False), ("void", True), ("approve", True)]


def test_undo_walks_back_one_decision_at_a_time(catalog: Catalog, clock: Clock) -> None:
    made = [decided(catalog, clock, "approve").item_id, decided(catalog, clock, "skip").item_id]
    assert [review.undo(catalog, "aiko", clock=clock).decision.item_id for _ in made] == made[::-1]
    with pytest.raises(review.NothingToUndo):
        review.undo(catalog, "aiko", clock=clock)
    for _ in range(3):
        clock.forward(400)
        decided(catalog, clock, "approve")
    assert queue.progress(catalog).approved == 3


def test_undo_refuses_another_reviewers_or_a_changed_decision(catalog: Catalog, clock: Clock) -> None:
    made = decided(catalog, clock, "approve")
    with pytest.raises(review.NothingToUndo):
        review.undo(catalog, "ben", decision_id=made.id, clock=clock)
    review.undo(catalog, "aiko", decision_id=made.id, clock=clock)
    with pytest.raises(review.AlreadyChanged):
        review.undo(catalog, "aiko", decision_id=made.id, clock=clock)


def test_undo_of_a_skip_leaves_a_colleague_in_peace(catalog: Catalog, clock: Clock) -> None:
    skipped = decided(catalog, clock, "skip")
    item, token = claimed(catalog, clock, "ben")
    assert item.id == skipped.item_id
    assert review.undo(catalog, "aiko", clock=clock).claimed is None
    review.renew(catalog, item.id, token, clock=clock)


@pytest.mark.parametrize("statement", ["UPDATE decision SET verdict = 'approve'", "DELETE FROM decision"])
def test_decision_log_cannot_be_changed(catalog: Catalog, clock: Clock, statement: str) -> None:
    decided(catalog, clock, "reject", reasons=("other",))
    with pytest.raises(DatabaseError, match="append-only"), catalog.write() as session:
        session.execute(text(statement))


def test_decision_log_shows_where_it_was_tampered_with(catalog: Catalog, clock: Clock) -> None:
    for verdict in ("approve", "skip"):
        decided(catalog, clock, verdict)
    assert decision_log.first_broken_decision(catalog) is None
    with catalog.write() as session:
        session.execute(text("DROP TRIGGER decision_no_update"))
        session.execute(text("UPDATE decision SET note = 'x' WHERE id = 2"))
    assert decision_log.first_broken_decision(catalog) == 2


@pytest.mark.parametrize(
    ("verdicts", "quorum", "state"),
    [
        ([], 1, "pending"),
        (["approve"], 1, "approved"),
        (["approve"], 2, "pending"),
        (["approve", "approve"], 2, "approved"),
        (["reject"], 2, "rejected"),
        (["approve", "reject"], 2, "conflict"),
        (["changes"], 1, "changes"),
    ],
)
def test_derived_state_follows_the_standing_verdicts(verdicts: list[str], quorum: int, state: str) -> None:
    assert decision_log.derived_state(verdicts, quorum) == state


def test_claim_of_a_clock_that_had_jumped_holds_nothing(either_desk: Any) -> None:
    desk, year = either_desk, 365 * 86400
    desk.clock.forward(year)
    desk.claim("aki", 1)
    desk.clock.forward(-year)
    assert queue.progress(desk.catalog, at=desk.clock()).held == 0
    assert gallery.sort(desk.catalog, "lea", [1], "reject", clock=desk.clock).fit == (1,)
    assert desk.claim("bo", 1)[0] == 1
    assert queue.progress(desk.catalog, at=desk.clock()).held == 1


def test_longest_claim_holds(either_desk: Any) -> None:
    desk, longest = either_desk, Policy(lease_s=MAX_LEASE_S)
    review.claim(desk.catalog, "aki", item_id=1, policy=longest, clock=desk.clock)
    assert queue.progress(desk.catalog, at=desk.clock()).held == 1
    with pytest.raises(ReviewRefused, match="held by aki"):
        review.claim(desk.catalog, "bo", item_id=1, clock=desk.clock)
