"""Taking a decision back: a row that supersedes it, and the item claimed again for the same person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from catalog import decision_log, people, policies, queue, roles
from catalog.clock import Clock, utc_now
from catalog.decision_log import NewRow
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import Decision, ReviewItem
from catalog.review.asking import ask_again
from catalog.review.claims import release
from catalog.review.holding import NO_LEASE, is_row_number, take
from catalog.review.refusals import AlreadyChanged, NothingToUndo
from catalog.review.settling import settle, written
from catalog.review.writing import CHOICE
from catalog.schema import DecisionRow, ReviewItemRow
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What an undo did."""

    decision: Decision
    """The new row, verdict `void`."""
    claimed: ReviewItem | None
    """The item, claimed again for the same reviewer; None when a colleague holds it."""


def undo(
    catalog: Catalog,
    reviewer: str,
    *,
    decision_id: int | None = None,
    scripted: bool = False,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Undone:
    """Take back a decision by adding a `void` row that supersedes it, and claim its item again.

    One of a choice among candidates takes all of that choice back: the others were passed over for its sake.

    Args:
        catalog: An open catalogue.
        reviewer: Whose decision it is.
        decision_id: Which one; default is the reviewer's latest that stands.
        scripted: Taken back from a script, not on a screen.
        policy: Gives the length of the new lease, and the quorum; default is the one in force.
        clock: Gives the present moment.

    Raises:
        NothingToUndo: No decision of this reviewer stands, or `decision_id` is not theirs.
        NotAllowed: The person's role does not let them decide any more.
        AlreadyChanged: Somebody superseded it in the meantime.
    """
    if decision_id is not None and not is_row_number(decision_id):
        raise NothingToUndo(say("nothing to undo: no decision {decision_id}", decision_id=decision_id))
    try:
        with catalog.write() as session:
            me = roles.check(people.enter(session, reviewer), "decide")
            rules, moment = policy or policies.in_force(session), clock()
            target = decision_log.latest_standing(session, me, decision_id)
            if target is None:
                raise NothingToUndo(say("nothing to undo: no decision of this reviewer stands"))
            origin = "script" if scripted else "review"
            made = _void(session, target, me, origin, rules, moment)
            for other in _chosen_with(session, target):
                _void(session, other, me, origin, rules, moment)
            taken = take(session, reviewer, me, rules, moment, item_id=target.item_id)
            return Undone(
                decision=written(session, made),
                claimed=None if taken is None else queue.read_item(session, taken),
            )
    except IntegrityError as error:
        raise AlreadyChanged(say("that decision has been changed in the meantime; nothing was undone")) from error


def undo_item(
    catalog: Catalog, reviewer: str, item_id: int, *, scripted: bool = False, clock: Clock = utc_now
) -> Decision:
    """Take back a reviewer's standing decision on one item and leave it in the queue; raises NothingToUndo."""
    stands = standing_decision(catalog, reviewer, item_id)
    undone = undo(catalog, reviewer, decision_id=stands.id, scripted=scripted, clock=clock)
    if undone.claimed is not None and undone.claimed.lease_token is not None:
        release(catalog, item_id, undone.claimed.lease_token)
    return undone.decision


def standing_decision(catalog: Catalog, reviewer: str, item_id: int) -> Decision:
    """Return a reviewer's decision on one item that counts now; raises NothingToUndo when there is none."""
    for made in queue.decisions(catalog, reviewer=reviewer, item_id=item_id, limit=1000):
        if made.verdict != "void" and not made.superseded:
            return made
    raise NothingToUndo(
        say(
            "{reviewer} has no decision on item {item_id} that stands; see: adapt queue --item {item_id}",
            reviewer=reviewer,
            item_id=item_id,
        )
    )


def _void(session: Session, target: DecisionRow, me: int, origin: str, rules: Policy, moment: datetime) -> int:
    row = DecisionRow(
        item_id=target.item_id,
        round=target.round,
        reviewer_id=me,
        verdict="void",
        origin=origin,
        decided_at=moment,
        policy_version=rules.version,
        idempotency_key=f"void:{target.id}",
        supersedes_id=target.id,
    )
    (made,) = decision_log.append(session, [NewRow(row=row)])
    item = session.get_one(ReviewItemRow, target.item_id)
    # A skip made no state, and what was said in an earlier round makes none now.
    if target.verdict == "skip" or target.round != item.round:
        return made
    holder = {column: getattr(item, column) for column in NO_LEASE}
    settle(session, [item], rules)
    if item.state == "changes":
        # Another wish for changes stands; what the one taken back had asked for fell with it.
        wishes = [head.id for head in decision_log.heads_of(session, [item])[item.id] if head.verdict == "changes"]
        ask_again(session, wishes[-1:], moment)
    if item.state == "pending":
        # A colleague whose second opinion is wanted may have the item on screen by now.
        for column, value in holder.items():
            setattr(item, column, value)
        session.flush()
    return made


def _chosen_with(session: Session, target: DecisionRow) -> list[DecisionRow]:
    """Return the other rows that stand of the choice a row belongs to."""
    if not target.idempotency_key.startswith(CHOICE):
        return []
    choice, later = target.idempotency_key.rpartition(":")[0], aliased(DecisionRow)
    return list(
        session.scalars(
            select(DecisionRow)
            .outerjoin(later, later.supersedes_id == DecisionRow.id)
            .where(
                DecisionRow.reviewer_id == target.reviewer_id,
                DecisionRow.decided_at == target.decided_at,
                DecisionRow.idempotency_key.startswith(f"{choice}:", autoescape=True),
                DecisionRow.id != target.id,
                later.id.is_(None),
            )
            .order_by(DecisionRow.id)
        )
    )
