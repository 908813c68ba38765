"""How far the review is. Asked for after every key press, so each number comes from an index."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from catalog.clock import utc_now
from catalog.policy import LONGEST_CLAIM
from catalog.records import ReviewProgress
from catalog.schema import ITEM_STATES, DecisionRow, ReviewerRow, ReviewItemRow
from catalog.store import Catalog

_JUDGED = ("approve", "reject", "changes", "not_chosen")


def progress(catalog: Catalog, reviewer: str | None = None, *, at: datetime | None = None) -> ReviewProgress:
    """Count the queue; `at` (default now) is when leases are compared with."""
    moment = at or utc_now()
    with catalog.read() as session:
        by_state = _by_state(session)
        # By the lease, which few items have; the index of states would lead through the whole queue.
        waits = func.coalesce(ReviewItemRow.state, "") == "pending"
        counts = func.coalesce(ReviewItemRow.lease_until, moment) <= moment + LONGEST_CLAIM
        held = session.scalar(select(func.count()).where(ReviewItemRow.lease_until > moment, counts, waits))
        me = session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == reviewer)) if reviewer else None
        decided, skipped = (_decided(session, me), _skipped(session, me)) if me is not None else (0, 0)
    return ReviewProgress(
        total=sum(by_state.values()),
        pending=by_state.get("pending", 0),
        held=held or 0,
        approved=by_state.get("approved", 0),
        rejected=by_state.get("rejected", 0),
        conflict=by_state.get("conflict", 0),
        changes=by_state.get("changes", 0),
        not_chosen=by_state.get("not_chosen", 0),
        decided_by_me=decided,
        skipped_by_me=skipped,
    )


def _by_state(session: Session) -> dict[str, int]:
    """Count each state; those that wait are the rest of all items, which are counted without visiting them."""
    total = session.scalar(select(func.count()).select_from(ReviewItemRow)) or 0
    settled = [state for state in ITEM_STATES if state != "pending"]
    query = (
        select(ReviewItemRow.state, func.count()).where(ReviewItemRow.state.in_(settled)).group_by(ReviewItemRow.state)
    )
    found = {state: int(number) for state, number in session.execute(query)}
    return {"pending": total - sum(found.values())} | found


def _decided(session: Session, me: int) -> int:
    """Count verdicts that stand: all of them less the few that were superseded, which is far fewer rows to visit."""
    mine = select(func.count()).where(DecisionRow.reviewer_id == me, DecisionRow.verdict.in_(_JUDGED))
    earlier = aliased(DecisionRow)
    judged = select(earlier.id).where(earlier.id == DecisionRow.supersedes_id, earlier.verdict.in_(_JUDGED))
    # Through the rows that supersede one, of anybody: `IS NOT NULL`, or the person's index, would walk far more.
    gone = select(func.count()).where(
        DecisionRow.supersedes_id > 0, func.coalesce(DecisionRow.reviewer_id, 0) == me, judged.exists()
    )
    return (session.scalar(mine) or 0) - (session.scalar(gone) or 0)


def _skipped(session: Session, me: int) -> int:
    later = aliased(DecisionRow)
    return (
        session.scalar(
            select(func.count(func.distinct(DecisionRow.item_id)))
            .join(ReviewItemRow, ReviewItemRow.id == DecisionRow.item_id)
            .outerjoin(later, later.supersedes_id == DecisionRow.id)
            .where(
                DecisionRow.reviewer_id == me,
                DecisionRow.verdict == "skip",
                ReviewItemRow.state == "pending",
                later.id.is_(None),
            )
        )
        or 0
    )
