"""The decision log: rows are added, never changed, and each carries the hash of the one before.

A correction is a row that supersedes another; what counts are the heads, the rows nobody superseded.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session, aliased

from catalog.database import MAX_VARIABLES
from catalog.schema import AttributeCheckRow, DecisionReasonRow, DecisionRow, ReviewItemRow
from catalog.store import Catalog

ADJUDICATION = "adjudication"
_STATES = {"approve": "approved", "reject": "rejected", "changes": "changes", "not_chosen": "not_chosen"}


@dataclass(frozen=True, slots=True)
class Head:
    """A row nobody superseded, as far as an item's state depends on it."""

    id: int
    verdict: str
    origin: str
    reviewer_id: int = 0
    """Who said it; 0 where nobody asks."""


@dataclass(frozen=True, kw_only=True)
class NewRow:
    """A row to be added, with what hangs on it."""

    row: DecisionRow
    reasons: Sequence[str] = ()
    checks: Mapping[str, str] | None = None


def head_rows() -> Select[DecisionRow]:
    """Select the decisions nobody superseded; skips are no judgement and are left out."""
    later = aliased(DecisionRow)
    return (
        select(DecisionRow)
        .outerjoin(later, later.supersedes_id == DecisionRow.id)
        .where(later.id.is_(None), DecisionRow.verdict != "skip")
    )


def append(session: Session, made: Sequence[NewRow]) -> list[int]:
    """Add rows with their reason codes and attribute checks, each chained to the row before by its hash.

    Returns:
        The ids of the rows, in the order given.
    """
    previous = session.scalar(select(DecisionRow.hash).order_by(DecisionRow.id.desc()).limit(1)) or ""
    for new in made:
        ticks = [(name, verdict, "") for name, verdict in (new.checks or {}).items()]
        new.row.prev_hash = previous
        previous = new.row.hash = _row_hash(new.row, new.reasons, ticks)
    session.add_all(new.row for new in made)
    session.flush()
    reasons = [{"decision_id": new.row.id, "reason_code": code} for new in made for code in new.reasons]
    checks = [
        {"decision_id": new.row.id, "attribute": name, "verdict": verdict, "model_guess": ""}
        for new in made
        for name, verdict in (new.checks or {}).items()
    ]
    if reasons:
        session.execute(insert(DecisionReasonRow), reasons)
    if checks:
        session.execute(insert(AttributeCheckRow), checks)
    return [new.row.id for new in made]


def heads_of(session: Session, items: Sequence[ReviewItemRow]) -> dict[int, list[Head]]:
    """Return what nobody superseded in the round each item is in, by item and oldest first; undone rows among it."""
    rounds = {item.id: item.round for item in items}
    found: dict[int, list[Head]] = defaultdict(list)
    row, ids = DecisionRow, list(rounds)
    size = MAX_VARIABLES - 9  # beside them the statement has a value more
    for start in range(0, len(ids), size):
        query = (
            head_rows()
            .with_only_columns(row.id, row.item_id, row.round, row.verdict, row.origin, row.reviewer_id)
            .where(row.item_id.in_(ids[start : start + size]))
            .order_by(row.id)
        )
        for id_, item_id, round_, verdict, origin, reviewer_id in session.execute(query):
            if round_ == rounds[item_id]:
                found[item_id].append(Head(id_, verdict, origin, reviewer_id))
    return found


def own_head(heads: Iterable[Head], reviewer_id: int) -> Head | None:
    """Return the reviewer's head that a new verdict must supersede, so that nobody counts twice.

    An undone skip leaves a second voided chain, perhaps newer than the verdict that stands.
    """
    mine = [head for head in heads if head.reviewer_id == reviewer_id]
    return max(mine, key=lambda head: (head.verdict != "void", head.id), default=None)


def standing(heads: Iterable[Head]) -> list[Head]:
    """Return the verdicts that count among the heads of an item, oldest first."""
    return [head for head in heads if head.verdict != "void"]


def latest_standing(session: Session, reviewer_id: int, decision_id: int | None) -> DecisionRow | None:
    """Return the reviewer's newest decision that stands, or the one asked for, superseded or not."""
    later = aliased(DecisionRow)
    query = (
        select(DecisionRow)
        .outerjoin(later, later.supersedes_id == DecisionRow.id)
        .where(DecisionRow.reviewer_id == reviewer_id, DecisionRow.verdict != "void")
    )
    if decision_id is None:
        return session.scalar(query.where(later.id.is_(None)).order_by(DecisionRow.id.desc()).limit(1))
    return session.scalar(query.where(DecisionRow.id == decision_id))


def settled_state(heads: Iterable[Head | DecisionRow], needed: int) -> str:
    """Return an item's state from the heads of its round.

    Args:
        heads: Rows nobody superseded; skips and undone decisions among them say nothing.
        needed: Approvals it takes.
    """
    spoken = [head for head in heads if head.verdict in _STATES]
    ruled = [head for head in spoken if head.origin == ADJUDICATION]
    if ruled:
        return _STATES[max(ruled, key=lambda head: head.id).verdict]
    return derived_state([head.verdict for head in spoken], needed)


def derived_state(verdicts: Sequence[str], quorum: int) -> str:
    """Return what verdicts of equal weight make of an item: opposed ones are a conflict."""
    kinds = set(verdicts)
    if len(kinds) > 1:
        return "conflict"
    if not kinds or kinds == {"approve"}:
        return "approved" if len(verdicts) >= quorum else "pending"
    return _STATES[kinds.pop()]


def first_broken_decision(catalog: Catalog) -> int | None:
    """Return the id of the first row whose hash does not follow from its content and the row before; None if all do."""
    previous = ""
    with catalog.read() as session:
        reasons: dict[int, list[str]] = {}
        for decision_id, code in session.execute(
            select(DecisionReasonRow.decision_id, DecisionReasonRow.reason_code).order_by(DecisionReasonRow.id)
        ):
            reasons.setdefault(decision_id, []).append(code)
        ticks: dict[int, list[tuple[str, str, str]]] = {}
        check = AttributeCheckRow
        for decision_id, *tick in session.execute(
            select(check.decision_id, check.attribute, check.verdict, check.model_guess).order_by(check.id)
        ):
            ticks.setdefault(decision_id, []).append((tick[0], tick[1], tick[2]))
        for row in session.scalars(select(DecisionRow).order_by(DecisionRow.id).execution_options(yield_per=1000)):
            if row.prev_hash != previous or row.hash != _row_hash(row, reasons.get(row.id, ()), ticks.get(row.id, ())):
                return row.id
            previous = row.hash
    return None


def _row_hash(row: DecisionRow, reasons: Sequence[str], ticks: Sequence[tuple[str, str, str]]) -> str:
    content: list[Any] = [
        row.prev_hash,
        row.item_id,
        row.round,
        row.reviewer_id,
        row.verdict,
        row.note or "",
        row.shown_at.isoformat() if row.shown_at else None,
        row.decided_at.isoformat(),
        row.policy_version,
        row.idempotency_key,
        row.supersedes_id,
        list(reasons),
    ]
    # Only where there is something to say, so that rows of earlier releases keep their hash.
    if row.origin != "review":
        content.append({"origin": row.origin})
    if ticks:
        content.append({"checks": [list(tick) for tick in ticks]})
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
