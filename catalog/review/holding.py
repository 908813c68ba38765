"""What a claim is in the database: who holds an item until when, in one statement and inside a transaction."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from catalog.notes import storable
from catalog.phrases import say
from catalog.policy import LONGEST_CLAIM, Policy
from catalog.review.refusals import LeaseLost, TooFast
from catalog.schema import DecisionRow, GenerationRow, ReviewItemRow

NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_token": None, "lease_until": None, "first_shown_at": None}


def take(
    session: Session,
    reviewer: str,
    reviewer_id: int,
    rules: Policy,
    moment: datetime,
    *,
    item_id: int | None = None,
    run: str | None = None,
    include_skipped: bool = False,
) -> int | None:
    """Claim in one statement and return the item's id, None when nothing is free."""
    judged = ("approve", "reject", "changes", "not_chosen")
    waiting = select(ReviewItemRow.id).where(free(moment))
    if run is not None:
        # Walks the queue in order and stops at the first of the run; a whole queue of 100,000 takes some 40 ms.
        waiting = waiting.where(
            select(GenerationRow.id)
            .where(GenerationRow.id == ReviewItemRow.generation_id, GenerationRow.run == run)
            .correlate(ReviewItemRow)
            .exists()
        )
    if item_id is not None:
        candidate = waiting.where(ReviewItemRow.id == item_id, ~spoken(reviewer_id, judged).exists())
        return _lock(session, candidate, reviewer, rules, moment)
    in_order = waiting.order_by(ReviewItemRow.priority, ReviewItemRow.id)
    unspoken = in_order.where(~spoken(reviewer_id, (*judged, "skip")).exists())
    taken = _lock(session, unspoken.limit(1), reviewer, rules, moment)
    if taken is not None or not include_skipped:
        return taken
    # What was skipped longest ago first, so that skipping again goes round and does not stay.
    own = aliased(DecisionRow)
    last_skip = (
        select(own.item_id, func.max(own.id).label("at"))
        .where(own.reviewer_id == reviewer_id, own.verdict == "skip")
        .group_by(own.item_id)
        .subquery()
    )
    skipped = (
        waiting.join(last_skip, last_skip.c.item_id == ReviewItemRow.id)
        .where(~spoken(reviewer_id, judged).exists())
        .order_by(last_skip.c.at)
    )
    return _lock(session, skipped.limit(1), reviewer, rules, moment)


def is_row_number(number: int) -> bool:
    """Say whether a number can be that of a row; the driver raises beyond."""
    return 0 < number < 2**63


def held_row(session: Session, item_id: int, token: str, moment: datetime) -> ReviewItemRow:
    """Return the row a live claim is on; raises LeaseLost."""
    row = None
    if is_row_number(item_id) and storable(token):
        row = session.scalar(
            select(ReviewItemRow)
            .where(
                ReviewItemRow.id == item_id,
                ReviewItemRow.lease_token == token,
                ReviewItemRow.lease_until > moment,
                ReviewItemRow.state == "pending",
            )
            .with_for_update()
        )
    if row is None:
        raise LeaseLost(
            say(
                "item {item_id} is not held by this claim any more; nothing was decided, claim it again",
                item_id=item_id,
            )
        )
    return row


def seen_since(row: ReviewItemRow, moment: datetime, rules: Policy) -> datetime:
    """Return since when the holder has seen the picture; raises TooFast."""
    if row.first_shown_at is None or (moment - row.first_shown_at).total_seconds() < rules.min_view_s:
        raise TooFast(
            say(
                "item {item_id} must be on screen for {seconds:g} s before it is decided; nothing was decided",
                item_id=row.id,
                seconds=rules.min_view_s,
            )
        )
    return row.first_shown_at


def free(moment: datetime) -> ColumnElement[bool]:
    """Return the condition that an item waits and nobody holds it."""
    return and_(ReviewItemRow.state == "pending", unheld(ReviewItemRow, moment))


def unheld(item: Any, moment: datetime) -> ColumnElement[bool]:
    """Return the condition that no claim on an item counts; one a clock that had jumped ahead made does not.

    Args:
        item: The table.
        moment: Now.
    """
    return or_(item.lease_until.is_(None), item.lease_until <= moment, item.lease_until > moment + LONGEST_CLAIM)


def is_live(until: datetime | None, moment: datetime) -> bool:
    """Say whether a claim until then counts now."""
    return until is not None and moment < until <= moment + LONGEST_CLAIM


def spoken(reviewer_id: int, verdicts: tuple[str, ...]) -> Any:
    """Select what the reviewer said about an item in its round that nobody superseded."""
    own, later = aliased(DecisionRow), aliased(DecisionRow)
    return (
        select(own.id)
        .outerjoin(later, later.supersedes_id == own.id)
        .where(
            own.item_id == ReviewItemRow.id,
            own.round == ReviewItemRow.round,
            own.reviewer_id == reviewer_id,
            own.verdict.in_(verdicts),
            later.id.is_(None),
        )
        .correlate(ReviewItemRow)
    )


def lease(reviewer: str, rules: Policy, moment: datetime) -> dict[str, Any]:
    """Return the values of a new claim, under a token that nobody can guess."""
    return {
        "lease_owner": reviewer,
        "lease_token": secrets.token_hex(16),
        "lease_until": moment + timedelta(seconds=rules.lease_s),
        "first_shown_at": None,
        "version": ReviewItemRow.version + 1,
    }


def _lock(session: Session, candidate: Any, reviewer: str, rules: Policy, moment: datetime) -> int | None:
    # Free again outside: databases that do not serialise writers check it anew after waiting for a lock.
    chosen = candidate.with_for_update(skip_locked=True, of=ReviewItemRow).scalar_subquery()
    taken = session.execute(
        update(ReviewItemRow)
        .where(ReviewItemRow.id == chosen, free(moment))
        .values(lease(reviewer, rules, moment))
        .returning(ReviewItemRow.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    session.expire_all()
    return taken
