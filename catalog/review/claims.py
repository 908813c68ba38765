"""Claims: one person holds an item for some minutes, and has to have seen it before it is decided."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from catalog import people, policies, queue, roles, terms
from catalog.clock import Clock, utc_now
from catalog.errors import ReviewRefused
from catalog.notes import storable
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import ReviewItem
from catalog.review.refusals import LeaseLost, TooFast
from catalog.schema import DecisionRow, GenerationRow, ReviewItemRow
from catalog.store import Catalog

COMPARED = 4
"""Most candidates of one product that are compared at a time."""


def claim(
    catalog: Catalog,
    reviewer: str,
    *,
    item_id: int | None = None,
    run: str | None = None,
    include_skipped: bool = False,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> ReviewItem | None:
    """Take the next pending item that nobody holds, for `policy.lease_s` seconds.

    Args:
        catalog: An open catalogue.
        reviewer: Name of the person; made known on first use.
        item_id: This item instead of the next one.
        run: Only what this run drew.
        include_skipped: Offer what this reviewer skipped, too, after all others.
        policy: Gives the length of the lease; default is the one in force.
        clock: Gives the present moment.

    Returns:
        The item with its lease token, or None when there is none to take.

    Raises:
        ReviewRefused: The name is empty or too long, `item_id` is decided, held, unknown or of another run, or `run`
            drew nothing.
        NotAllowed: The person's role does not let them decide.
    """
    if item_id is not None and not is_row_number(item_id):
        raise queue.unknown_item(item_id)
    with catalog.write() as session:
        me = roles.check(people.enter(session, reviewer), "decide")
        rules = policy or policies.in_force(session)
        if run is not None:
            queue.require_run(session, run)
        taken = take(session, reviewer, me, rules, clock(), item_id=item_id, run=run, include_skipped=include_skipped)
        if taken is None and item_id is not None:
            found = queue.read_item(session, item_id)
            if run is not None and found.run != run:
                raise ReviewRefused(
                    say(
                        "item {item_id} is of run {other}, not of {run}; leave the run out",
                        item_id=item_id,
                        other=found.run,
                        run=run,
                    )
                )
            if found.state == "pending" and found.lease_owner and (found.lease_until or clock()) > clock():
                held = say("held by {holder}", holder=found.lease_owner)
            else:
                held = say("decided by you already") if found.state == "pending" else terms.STATES[found.state]
            raise ReviewRefused(
                say(
                    "item {item_id} is {held} and cannot be claimed; list others with: adapt queue",
                    item_id=item_id,
                    held=held,
                )
            )
        return None if taken is None else queue.read_item(session, taken)


def claim_candidates(
    catalog: Catalog,
    reviewer: str,
    product_id: int,
    *,
    limit: int = COMPARED,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> list[ReviewItem]:
    """Take up to `limit` pending candidates of one product that nobody else holds, to compare them.

    What the reviewer holds already is among them, with its claim renewed under a new token.

    Raises:
        ReviewRefused: The name is no name.
        NotAllowed: The person's role does not let them decide.
    """
    if not is_row_number(product_id):
        return []
    with catalog.write() as session:
        me = roles.check(people.enter(session, reviewer), "decide")
        rules, moment = policy or policies.in_force(session), clock()
        own = and_(ReviewItemRow.lease_owner == reviewer, ReviewItemRow.lease_until > moment)
        wanted = session.scalars(
            select(ReviewItemRow.id)
            .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
            .where(GenerationRow.product_id == product_id, _free(moment) | own)
            # By the product, which has a few of them; the index of states would lead through the whole queue.
            .where(func.coalesce(ReviewItemRow.state, "") == "pending")
            .where(~_spoken(me, ("approve", "reject", "changes", "not_chosen")).exists())
            .order_by(ReviewItemRow.priority, ReviewItemRow.id)
            .limit(limit)
        ).all()
        for item_id in wanted:
            session.execute(
                update(ReviewItemRow)
                .where(ReviewItemRow.id == item_id, _free(moment) | own)
                .values(_lease(reviewer, rules, moment))
                .execution_options(synchronize_session=False)
            )
        return queue.read_items(session, wanted)


def mark_shown(catalog: Catalog, item_id: int, token: str, *, clock: Clock = utc_now) -> datetime:
    """Note that the holder's screen shows the picture; the first time counts, unless the clock was set back since.

    Returns:
        When it was first shown under this claim.

    Raises:
        LeaseLost: The token holds no valid claim on the item.
    """
    with catalog.write() as session:
        moment = clock()
        row = held_row(session, item_id, token, moment)
        if row.first_shown_at is None or row.first_shown_at > moment:
            row.first_shown_at = moment
        return row.first_shown_at


def renew(
    catalog: Catalog, item_id: int, token: str, *, policy: Policy | None = None, clock: Clock = utc_now
) -> datetime:
    """Hold an item for another `policy.lease_s` seconds and return until when.

    Raises:
        LeaseLost: The token holds no valid claim on the item.
        NotAllowed: The holder's role does not let them decide any more, so that they may not keep it from others.
    """
    with catalog.write() as session:
        row = held_row(session, item_id, token, clock())
        roles.require(session, row.lease_owner or "", "decide")
        until = clock() + timedelta(seconds=(policy or policies.in_force(session)).lease_s)
        row.lease_until = until
        return until


def release(catalog: Catalog, item_id: int, token: str) -> bool:
    """Give an item back; False when the token no longer holds it, which is no error."""
    if not (is_row_number(item_id) and storable(token)):
        return False
    with catalog.write() as session:
        freed = session.execute(
            update(ReviewItemRow)
            .where(ReviewItemRow.id == item_id, ReviewItemRow.lease_token == token)
            .values(NO_LEASE | {"version": ReviewItemRow.version + 1})
            .returning(ReviewItemRow.id)
        ).first()
        return freed is not None


# --- inside a transaction ---------------------------------------------------------------------------

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
    free = select(ReviewItemRow.id).where(_free(moment))
    if run is not None:
        # Walks the queue in order and stops at the first of the run; a whole queue of 100,000 takes some 40 ms.
        free = free.where(
            select(GenerationRow.id)
            .where(GenerationRow.id == ReviewItemRow.generation_id, GenerationRow.run == run)
            .correlate(ReviewItemRow)
            .exists()
        )
    if item_id is not None:
        candidate = free.where(ReviewItemRow.id == item_id, ~_spoken(reviewer_id, judged).exists())
        return _lock(session, candidate, reviewer, rules, moment)
    in_order = free.order_by(ReviewItemRow.priority, ReviewItemRow.id)
    unspoken = in_order.where(~_spoken(reviewer_id, (*judged, "skip")).exists())
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
        free.join(last_skip, last_skip.c.item_id == ReviewItemRow.id)
        .where(~_spoken(reviewer_id, judged).exists())
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


def _free(moment: datetime) -> ColumnElement[bool]:
    return and_(
        ReviewItemRow.state == "pending",
        or_(ReviewItemRow.lease_until.is_(None), ReviewItemRow.lease_until <= moment),
    )


def _spoken(reviewer_id: int, verdicts: tuple[str, ...]) -> Any:
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


def _lease(reviewer: str, rules: Policy, moment: datetime) -> dict[str, Any]:
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
        .where(ReviewItemRow.id == chosen, _free(moment))
        .values(_lease(reviewer, rules, moment))
        .returning(ReviewItemRow.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    session.expire_all()
    return taken
