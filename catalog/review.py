"""Stage 8 of 9. Reads the review queue. Writes decisions. Next: `catalog.export`.

The legal moves of a candidate. A reviewer claims an item (a lease: nobody else can hold it), sees it, decides once.
Decisions are rows that never change; undoing one adds a row that supersedes it. The item's state is what the rows
nobody superseded say. Every move is one short transaction and takes the clock as an argument: tests need not wait.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from catalog import decision_log, queue
from catalog.errors import ReviewRefused
from catalog.policy import DEFAULT_POLICY, REJECT_REASONS, Policy
from catalog.records import Decision, ReviewItem
from catalog.schema import DecisionRow, GenerationRow, ReviewerRow, ReviewItemRow
from catalog.store import Catalog

Clock = Callable[[], datetime]

DECIDABLE = ("approve", "reject", "skip")
NAME_MAX_CHARS = 80
NOTE_MAX_CHARS = 2000


class LeaseLost(ReviewRefused):
    """The claim ran out or belongs to somebody else; nothing was written."""


class TooFast(ReviewRefused):
    """The picture was not on screen long enough to have been seen; nothing was written."""


class PictureMissing(ReviewRefused):
    """The picture's file is not in the blob store, so nobody can have seen it."""


class AlreadyChanged(ReviewRefused):
    """The decision to undo has been superseded by another one."""


class NothingToUndo(ReviewRefused):
    """The reviewer has no decision that could be undone."""


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What an undo did."""

    decision: Decision
    """The new row, verdict `void`."""
    claimed: ReviewItem | None
    """The item, claimed again for the same reviewer; None when a colleague holds it."""


def utc_now() -> datetime:
    """Return the present moment; the clock that services use by default."""
    return datetime.now(UTC)


def claim(
    catalog: Catalog,
    reviewer: str,
    *,
    item_id: int | None = None,
    include_skipped: bool = False,
    policy: Policy = DEFAULT_POLICY,
    clock: Clock = utc_now,
) -> ReviewItem | None:
    """Take the next pending item that nobody holds, for `policy.lease_s` seconds.

    Args:
        catalog: An open catalogue.
        reviewer: Name of the person; made known on first use.
        item_id: This item instead of the next one.
        include_skipped: Offer what this reviewer skipped, too.
        policy: Gives the length of the lease.
        clock: Gives the present moment.

    Returns:
        The item with its lease token, or None when there is none to take.

    Raises:
        ReviewRefused: The name is empty or too long, or `item_id` is decided, held or unknown.
    """
    with catalog.write() as session:
        reviewer_id = _reviewer_id(session, reviewer)
        taken = _take(session, reviewer, reviewer_id, item_id, include_skipped or item_id is not None, policy, clock())
        if taken is None and item_id is not None:
            found = queue.read_item(session, item_id)
            held = f"held by {found.lease_owner}" if found.state == "pending" and found.lease_owner else found.state
            raise ReviewRefused(f"item {item_id} is {held} and cannot be claimed; list others with: adapt queue")
        return None if taken is None else queue.read_item(session, taken)


def mark_shown(catalog: Catalog, item_id: int, token: str, *, clock: Clock = utc_now) -> datetime:
    """Note that the holder's screen shows the picture; the first time counts.

    Returns:
        When it was first shown under this claim.

    Raises:
        LeaseLost: The token holds no valid claim on the item.
    """
    with catalog.write() as session:
        row = _held_row(session, item_id, token, clock())
        if row.first_shown_at is None:
            row.first_shown_at = clock()
        return row.first_shown_at


def renew(
    catalog: Catalog, item_id: int, token: str, *, policy: Policy = DEFAULT_POLICY, clock: Clock = utc_now
) -> datetime:
    """Hold an item for another `policy.lease_s` seconds and return until when; raises LeaseLost."""
    with catalog.write() as session:
        row = _held_row(session, item_id, token, clock())
        until = clock() + timedelta(seconds=policy.lease_s)
        row.lease_until = until
        return until


def release(catalog: Catalog, item_id: int, token: str) -> bool:
    """Give an item back; False when the token no longer holds it, which is no error."""
    with catalog.write() as session:
        freed = session.execute(
            update(ReviewItemRow)
            .where(ReviewItemRow.id == item_id, ReviewItemRow.lease_token == token)
            .values(**_NO_LEASE)
            .returning(ReviewItemRow.id)
        ).first()
        return freed is not None


def decide(
    catalog: Catalog,
    item_id: int,
    token: str,
    verdict: str,
    *,
    reasons: Sequence[str] = (),
    note: str = "",
    idempotency_key: str | None = None,
    scripted: bool = False,
    ui_version: str = "",
    policy: Policy = DEFAULT_POLICY,
    clock: Clock = utc_now,
) -> Decision:
    """Write a verdict on the claimed item and end the claim.

    A claim gives one decision: the same call again, or any other verdict under the same claim, returns the row that was
    written first with `repeated=True`.

    Args:
        catalog: An open catalogue.
        item_id: The item the reviewer looked at.
        token: Lease token of the claim.
        verdict: `approve`, `reject` or `skip`.
        reasons: Codes of `policy.REJECT_REASONS`; at least one for `reject`, none for `approve`.
        note: Free text, at most 2,000 characters.
        idempotency_key: Names this decision; default is one key for a claim.
        scripted: Decided by item number from a script: no screen showed it, so no time on screen is asked for.
        ui_version: What wrote it.
        policy: Gives the time a picture must have been on screen.
        clock: Gives the present moment.

    Raises:
        ReviewRefused: Unknown verdict or reason, or a rejection without one.
        LeaseLost: The claim is over.
        TooFast: The picture was not shown, or less than `policy.min_view_s` ago.
        PictureMissing: `approve` on a picture whose file is gone.
    """
    codes = checked_reasons(verdict, reasons)
    key = idempotency_key or hashlib.sha256(f"{item_id}:{token}".encode()).hexdigest()
    with catalog.write() as session:
        earlier = session.scalar(select(DecisionRow.id).where(DecisionRow.idempotency_key == key))
        if earlier is not None:
            return replace(_decision(session, earlier), repeated=True)
        moment = clock()
        row = _held_row(session, item_id, token, moment)
        shown_at = None if scripted else _seen_since(row, moment, policy)
        if verdict == "approve":
            _require_picture(catalog, session, row)
        reviewer_id = _reviewer_id(session, row.lease_owner or "")
        written = decision_log.append(
            session,
            item_id=row.id,
            round=row.round,
            reviewer_id=reviewer_id,
            verdict=verdict,
            note=note[:NOTE_MAX_CHARS],
            shown_at=shown_at,
            decided_at=moment,
            dwell_ms=None if shown_at is None else int((moment - shown_at).total_seconds() * 1000),
            policy_version=policy.version,
            ui_version=ui_version,
            idempotency_key=key,
            supersedes_id=None if verdict == "skip" else decision_log.own_head(session, row, reviewer_id),
            reasons=codes,
        )
        _settle(session, row)
        session.flush()
        return _decision(session, written.id)


def skip(catalog: Catalog, item_id: int, token: str, **options: Any) -> Decision:
    """Pass an item on undecided; it stays pending and is not offered to this reviewer again unless asked for."""
    return decide(catalog, item_id, token, "skip", **options)


def undo(
    catalog: Catalog,
    reviewer: str,
    *,
    decision_id: int | None = None,
    policy: Policy = DEFAULT_POLICY,
    clock: Clock = utc_now,
) -> Undone:
    """Take back a decision by adding a `void` row that supersedes it, and claim its item again.

    Args:
        catalog: An open catalogue.
        reviewer: Whose decision it is.
        decision_id: Which one; default is the reviewer's latest that stands.
        policy: Gives the length of the new lease.
        clock: Gives the present moment.

    Raises:
        NothingToUndo: No decision of this reviewer stands, or `decision_id` is not theirs.
        AlreadyChanged: Somebody superseded it in the meantime.
    """
    try:
        with catalog.write() as session:
            reviewer_id = _reviewer_id(session, reviewer)
            target = decision_log.latest_standing(session, reviewer_id, decision_id)
            if target is None:
                raise NothingToUndo("nothing to undo: no decision of this reviewer stands")
            row = session.get_one(ReviewItemRow, target.item_id)
            moment = clock()
            written = decision_log.append(
                session,
                item_id=target.item_id,
                round=target.round,
                reviewer_id=reviewer_id,
                verdict="void",
                decided_at=moment,
                policy_version=policy.version,
                idempotency_key=f"void:{target.id}",
                supersedes_id=target.id,
            )
            holder = (row.lease_owner, row.lease_token, row.lease_until, row.first_shown_at)
            _settle(session, row)
            # Undoing a skip must not throw out a colleague who has the item on screen by now.
            row.lease_owner, row.lease_token, row.lease_until, row.first_shown_at = holder
            session.flush()
            taken = _take(session, reviewer, reviewer_id, row.id, True, policy, moment)
            return Undone(
                decision=_decision(session, written.id),
                claimed=None if taken is None else queue.read_item(session, taken),
            )
    except IntegrityError as error:
        raise AlreadyChanged("that decision has been changed in the meantime; nothing was undone") from error


def decide_item(
    catalog: Catalog, reviewer: str, item_id: int, verdict: str, *, reasons: Sequence[str] = (), note: str = ""
) -> Decision:
    """Claim one item by its number and decide it, for scripts; raises ReviewRefused as `claim` and `decide` do."""
    checked_reasons(verdict, reasons)
    item = claim(catalog, reviewer, item_id=item_id)
    if item is None or item.lease_token is None:
        raise ReviewRefused(f"item {item_id} cannot be claimed; list others with: adapt queue")
    try:
        return decide(catalog, item.id, item.lease_token, verdict, reasons=reasons, note=note, scripted=True)
    finally:
        release(catalog, item.id, item.lease_token)


def undo_item(catalog: Catalog, reviewer: str, item_id: int) -> Decision:
    """Take back a reviewer's standing decision on one item and leave it in the queue; raises NothingToUndo."""
    undone = undo(catalog, reviewer, decision_id=standing_decision(catalog, reviewer, item_id).id)
    if undone.claimed is not None and undone.claimed.lease_token is not None:
        release(catalog, item_id, undone.claimed.lease_token)
    return undone.decision


def standing_decision(catalog: Catalog, reviewer: str, item_id: int) -> Decision:
    """Return a reviewer's decision on one item that counts now; raises NothingToUndo when there is none."""
    for made in queue.decisions(catalog, reviewer=reviewer, item_id=item_id, limit=1000):
        if made.verdict != "void" and not made.superseded:
            return made
    raise NothingToUndo(f"{reviewer} has no decision on item {item_id} that stands; see: adapt queue --item {item_id}")


# --- inside a transaction ---------------------------------------------------------------------------

_NO_LEASE: dict[str, Any] = {
    "lease_owner": None,
    "lease_token": None,
    "lease_until": None,
    "first_shown_at": None,
    "version": ReviewItemRow.version + 1,
}


def _take(
    session: Session,
    reviewer: str,
    reviewer_id: int,
    item_id: int | None,
    include_skipped: bool,
    policy: Policy,
    moment: datetime,
) -> int | None:
    """Claim in one statement and return the item's id, None when nothing is free."""
    free = and_(
        ReviewItemRow.state == "pending",
        or_(ReviewItemRow.lease_until.is_(None), ReviewItemRow.lease_until <= moment),
    )
    later, own = aliased(DecisionRow), aliased(DecisionRow)
    spoken = ("approve", "reject", "changes") if include_skipped else ("approve", "reject", "changes", "skip")
    done = (
        select(own.id)
        .outerjoin(later, later.supersedes_id == own.id)
        .where(
            own.item_id == ReviewItemRow.id,
            own.round == ReviewItemRow.round,
            own.reviewer_id == reviewer_id,
            own.verdict.in_(spoken),
            later.id.is_(None),
        )
        .correlate(ReviewItemRow)
    )
    candidate = select(ReviewItemRow.id).where(free, ~done.exists())
    if item_id is not None:
        candidate = candidate.where(ReviewItemRow.id == item_id)
    order: list[Any] = [ReviewItemRow.priority, ReviewItemRow.id]
    if include_skipped and item_id is None:
        # What was skipped longest ago first, so that skipping again goes round and does not stay.
        last_skip = select(func.max(own.id)).where(
            own.item_id == ReviewItemRow.id, own.reviewer_id == reviewer_id, own.verdict == "skip"
        )
        order.insert(0, func.coalesce(last_skip.correlate(ReviewItemRow).scalar_subquery(), 0))
    candidate = candidate.order_by(*order).limit(1).with_for_update(skip_locked=True)
    # `free` again outside: databases that do not serialise writers check it anew after waiting for a lock.
    statement = (
        update(ReviewItemRow)
        .where(ReviewItemRow.id == candidate.scalar_subquery(), free)
        .values(
            lease_owner=reviewer,
            lease_token=secrets.token_hex(16),
            lease_until=moment + timedelta(seconds=policy.lease_s),
            first_shown_at=None,
            version=ReviewItemRow.version + 1,
        )
        .returning(ReviewItemRow.id)
        .execution_options(synchronize_session=False)
    )
    taken = session.execute(statement).scalar_one_or_none()
    session.expire_all()
    return taken


def _held_row(session: Session, item_id: int, token: str, moment: datetime) -> ReviewItemRow:
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
        raise LeaseLost(f"item {item_id} is not held by this claim any more; nothing was decided, claim it again")
    return row


def _seen_since(row: ReviewItemRow, moment: datetime, policy: Policy) -> datetime:
    if row.first_shown_at is None or (moment - row.first_shown_at).total_seconds() < policy.min_view_s:
        raise TooFast(
            f"item {row.id} must be on screen for {policy.min_view_s:g} s before it is decided; nothing was decided"
        )
    return row.first_shown_at


def _require_picture(catalog: Catalog, session: Session, row: ReviewItemRow) -> None:
    sha256 = session.get_one(GenerationRow, row.generation_id).image_sha256
    if not catalog.blobs.has(sha256):
        raise PictureMissing(f"the picture of item {row.id} is not in the blob store; skip it or generate it again")


def checked_reasons(verdict: str, reasons: Sequence[str]) -> tuple[str, ...]:
    """Return the reason codes without repeats; raises ReviewRefused when verdict and reasons do not go together."""
    if verdict not in DECIDABLE:
        raise ReviewRefused(f"no verdict {verdict!r}; allowed: {', '.join(DECIDABLE)}")
    codes = tuple(dict.fromkeys(reasons))
    unknown = [code for code in codes if code not in REJECT_REASONS]
    if unknown:
        raise ReviewRefused(f"no reason {unknown[0]!r}; allowed: {', '.join(REJECT_REASONS)}")
    if verdict == "reject" and not codes:
        raise ReviewRefused(f"a rejection needs a reason; choose from {', '.join(REJECT_REASONS)}")
    if verdict != "reject" and codes:
        raise ReviewRefused(f"only a rejection takes reasons, this is {verdict!r}; leave {codes[0]!r} out")
    return codes


def _reviewer_id(session: Session, name: str) -> int:
    if not name.strip() or name != name.strip() or len(name) > NAME_MAX_CHARS or not name.isprintable():
        raise ReviewRefused(f"reviewer name {name!r}: allowed are 1 to {NAME_MAX_CHARS} printable characters")
    known = session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == name))
    if known is not None:
        return known
    row = ReviewerRow(name=name)
    session.add(row)
    session.flush()
    return row.id


def _decision(session: Session, decision_id: int) -> Decision:
    return queue.read_decisions(session, queue.decision_query().where(DecisionRow.id == decision_id))[0]


def _settle(session: Session, row: ReviewItemRow) -> None:
    """End the claim and derive the item's state from the decisions that stand in its round."""
    session.flush()
    verdicts = [
        head.verdict
        for head in session.scalars(
            decision_log.head_rows().where(DecisionRow.item_id == row.id, DecisionRow.round == row.round)
        )
        if head.verdict != "void"
    ]
    row.state = decision_log.derived_state(verdicts, row.quorum)
    for column in ("lease_owner", "lease_token", "lease_until", "first_shown_at"):
        setattr(row, column, None)
    row.version += 1
