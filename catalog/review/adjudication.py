"""Conflicts: what two people see differently, and the lead whose word then counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import decision_log, policies, queue, roles
from catalog.clock import Clock, utc_now
from catalog.decision_log import Head
from catalog.errors import ReviewRefused
from catalog.notes import checked_note
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import Decision, ReviewItem
from catalog.review.settling import checked_reasons, copy_risks, require_picture, rows_of, written
from catalog.review.writing import Verdict, write
from catalog.schema import DecisionRow, ReviewItemRow
from catalog.store import Catalog

RULINGS = ("approve", "reject", "changes")


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """One of the verdicts that disagree; whose it is stays hidden until the conflict is resolved."""

    number: int
    """1 for who spoke first."""
    verdict: str
    reasons: tuple[str, ...]
    note: str
    checks: Mapping[str, str]
    decided_at: datetime


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """An item whose standing verdicts disagree."""

    item: ReviewItem
    opinions: tuple[Opinion, ...]


def conflicts(catalog: Catalog, *, limit: int = 50, offset: int = 0) -> list[Conflict]:
    """Return the items in conflict in queue order, each with the verdicts that stand."""
    with catalog.read() as session:
        ids = session.scalars(
            select(ReviewItemRow.id)
            .where(ReviewItemRow.state == "conflict")
            .order_by(ReviewItemRow.priority, ReviewItemRow.id)
            .limit(limit)
            .offset(offset)
        ).all()
        found = queue.read_items(session, ids)
        log = queue.read_decisions(
            session, queue.decision_query().where(DecisionRow.item_id.in_(ids)).order_by(DecisionRow.id)
        )
    spoken: dict[int, list[Decision]] = {}
    for made in log:
        if made.verdict not in ("void", "skip") and not made.superseded:
            spoken.setdefault(made.item_id, []).append(made)
    return [Conflict(item=item, opinions=_opinions(spoken.get(item.id, []))) for item in found]


def opinions_on(catalog: Catalog, actor: str, item_id: int) -> Conflict:
    """Return one item with the verdicts that stand, in conflict or not, for somebody who may rule on it.

    Args:
        catalog: An open catalogue.
        actor: Who looks; what colleagues said on an item that is open is left out, as in `queue.decisions`.
        item_id: The item.

    Raises:
        ReviewRefused: No such item, or no verdict on it that `actor` may see.
    """
    with catalog.read() as session:
        item = queue.read_item(session, item_id)
        row = session.get_one(ReviewItemRow, item_id)
        stand = [head.id for head in decision_log.standing(decision_log.heads_of(session, [row])[item_id])]
        query = queue.decision_query().where(DecisionRow.id.in_(stand)).order_by(DecisionRow.id)
        # On a conflict all verdicts are shown, as in `conflicts`: whose they are is not.
        if item.state != "conflict":
            query = query.where(queue.visible_to(session, actor))
        spoken = queue.read_decisions(session, query)
    if not spoken:
        raise _nothing_to_rule_on(item_id)
    return Conflict(item=item, opinions=_opinions(spoken))


def adjudicate(
    catalog: Catalog,
    actor: str,
    item_id: int,
    verdict: str,
    *,
    note: str,
    reasons: Sequence[str] = (),
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Decision:
    """Settle an item by a lead's word, whatever the others said; until it is undone, it decides the state.

    Args:
        catalog: An open catalogue.
        actor: A lead or an admin; an own verdict on the item is superseded.
        item_id: An item on which somebody's verdict stands.
        verdict: `approve`, `reject` or `changes`.
        note: Why; must say something.
        reasons: Codes of `policy.REJECT_REASONS`, as for a decision.
        policy: The rules; default is those in force.
        clock: Gives the present moment.

    Raises:
        NotAllowed: `actor` is neither lead nor admin.
        ReviewRefused: No note or one that is too long, unknown verdict or reason, nothing to rule on, or an approval
            that takes several people of a picture that nobody but `actor` judged; of a possible copy, approved.
        PictureMissing: `approve` on a picture whose file is gone.
    """
    if verdict not in RULINGS:
        raise ReviewRefused(
            say("no ruling {verdict!r}; allowed: {allowed}", verdict=verdict, allowed=", ".join(RULINGS))
        )
    if not note.strip():
        raise ReviewRefused(
            say("a ruling on item {item_id} needs a note that says why; nothing was decided", item_id=item_id)
        )
    codes, note = checked_reasons(verdict, reasons, note), checked_note(note)
    with catalog.write() as session:
        me = roles.require(session, actor, "adjudicate")
        rules = policy or policies.in_force(session)
        (row,) = rows_of(session, [item_id])
        heads = decision_log.heads_of(session, [row])[row.id]
        stand = decision_log.standing(heads)
        if not stand:
            raise _nothing_to_rule_on(item_id)
        if verdict == "approve":
            require_picture(catalog, session, row)
            _require_others(session, row, stand, actor, me, rules)
        last = session.get_one(DecisionRow, stand[-1].id)
        own = decision_log.own_head(heads, me) == stand[-1]
        if own and (last.origin, last.verdict, last.note) == (decision_log.ADJUDICATION, verdict, note):
            return replace(written(session, last.id), repeated=True)
        latest = session.scalar(select(func.max(DecisionRow.id)).where(DecisionRow.item_id == row.id))
        said = Verdict(row=row, verdict=verdict, key=f"ruling:{row.id}:{me}:{latest}", note=note, reasons=codes)
        (made,) = write(session, [said], reviewer_id=me, origin=decision_log.ADJUDICATION, rules=rules, moment=clock())
        return written(session, made)


def _require_others(
    session: Session, row: ReviewItemRow, stand: Sequence[Head], actor: str, me: int, rules: Policy
) -> None:
    """Raise ReviewRefused when an approval would rest on a single person where it takes more."""
    others = [head for head in stand if head.reviewer_id != me]
    if copy_risks(session, [row], rules) and not any(head.verdict == "approve" for head in others):
        raise ReviewRefused(
            say(
                "item {item_id} may be a copy of a real photo: somebody beside {actor} must approve it, too",
                item_id=row.id,
                actor=actor,
            )
        )
    if not others and rules.needed(row.quorum, copy_risk=False) > 1:
        raise ReviewRefused(
            say(
                "item {item_id} needs more than one person, and only {actor} has judged it: somebody else must, too",
                item_id=row.id,
                actor=actor,
            )
        )


def _nothing_to_rule_on(item_id: int) -> ReviewRefused:
    return ReviewRefused(say("item {item_id} has no verdict to rule on; claim it and decide it", item_id=item_id))


def _opinions(spoken: Sequence[Decision]) -> tuple[Opinion, ...]:
    return tuple(
        Opinion(
            number=number,
            verdict=made.verdict,
            reasons=made.reasons,
            note=made.note,
            checks=made.checks,
            decided_at=made.decided_at,
        )
        for number, made in enumerate(spoken, start=1)
    )
