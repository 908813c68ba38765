"""Conflicts: what two people see differently, and the lead whose word then counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from catalog import decision_log, policies, queue, roles
from catalog.clock import Clock, utc_now
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import Decision, ReviewItem
from catalog.review.settling import (
    NOTE_MAX_CHARS,
    checked_reasons,
    copy_risk,
    require_picture,
    rows_of,
    settle,
    written,
)
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
        ReviewRefused: No note, unknown verdict or reason, nothing to rule on, or a possible copy that nobody but
            `actor` approved.
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
    codes, note = checked_reasons(verdict, reasons, note), note[:NOTE_MAX_CHARS]
    with catalog.write() as session:
        me = roles.require(session, actor, "adjudicate")
        rules = policy or policies.in_force(session)
        (row,) = rows_of(session, [item_id])
        stand = decision_log.standing(session, row)
        if not stand:
            raise ReviewRefused(
                say("item {item_id} has no verdict to rule on; claim it and decide it", item_id=item_id)
            )
        if verdict == "approve":
            require_picture(catalog, session, row)
            others = any(head.verdict == "approve" and head.reviewer_id != me for head in stand)
            if copy_risk(session, row, rules) and not others:
                raise ReviewRefused(
                    say(
                        "item {item_id} may be a copy of a real photo: somebody beside {actor} must approve it, too",
                        item_id=item_id,
                        actor=actor,
                    )
                )
        head, last = decision_log.own_head(session, row, me), stand[-1]
        if last is head and (last.origin, last.verdict, last.note) == (decision_log.ADJUDICATION, verdict, note):
            return replace(written(session, last.id), repeated=True)
        latest = session.scalar(select(func.max(DecisionRow.id)).where(DecisionRow.item_id == row.id))
        made = decision_log.append(
            session,
            item_id=row.id,
            round=row.round,
            reviewer_id=me,
            verdict=verdict,
            origin=decision_log.ADJUDICATION,
            note=note,
            decided_at=clock(),
            blind=False,
            policy_version=rules.version,
            idempotency_key=f"ruling:{row.id}:{me}:{latest}",
            supersedes_id=None if head is None else head.id,
            reasons=codes,
        )
        settle(session, row, rules)
        return written(session, made.id)


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
