"""Claims: one person holds an item for some minutes, and has to have seen it before it is decided."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, func, select, update

from catalog import people, policies, queue, roles, terms
from catalog.clock import Clock, utc_now
from catalog.errors import ReviewRefused
from catalog.notes import storable
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import ReviewItem
from catalog.review.holding import NO_LEASE, free, held_row, is_live, is_row_number, lease, spoken, take
from catalog.schema import GenerationRow, ReviewItemRow
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
            if found.state == "pending" and found.lease_owner and is_live(found.lease_until, clock()):
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
            .where(GenerationRow.product_id == product_id, free(moment) | own)
            # By the product, which has a few of them; the index of states would lead through the whole queue.
            .where(func.coalesce(ReviewItemRow.state, "") == "pending")
            .where(~spoken(me, ("approve", "reject", "changes", "not_chosen")).exists())
            .order_by(ReviewItemRow.priority, ReviewItemRow.id)
            .limit(limit)
        ).all()
        for item_id in wanted:
            session.execute(
                update(ReviewItemRow)
                .where(ReviewItemRow.id == item_id, free(moment) | own)
                .values(lease(reviewer, rules, moment))
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
