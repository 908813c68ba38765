"""The decision log: rows are added, never changed, and each carries the hash of the one before.

A correction is a row that supersedes another; what counts are the heads, the rows nobody superseded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from catalog.schema import DecisionReasonRow, DecisionRow, ReviewItemRow
from catalog.store import Catalog


def head_rows() -> Select[DecisionRow]:
    """Select the decisions nobody superseded; skips are no judgement and are left out."""
    later = aliased(DecisionRow)
    return (
        select(DecisionRow)
        .outerjoin(later, later.supersedes_id == DecisionRow.id)
        .where(later.id.is_(None), DecisionRow.verdict != "skip")
    )


def append(session: Session, *, reasons: Sequence[str] = (), **values: Any) -> DecisionRow:
    """Add a row with its reason codes, chained to the row before by its hash."""
    previous = session.scalar(select(DecisionRow.hash).order_by(DecisionRow.id.desc()).limit(1))
    row = DecisionRow(**values, prev_hash=previous or "")
    row.hash = _row_hash(row, reasons)
    session.add(row)
    session.flush()
    session.add_all(DecisionReasonRow(decision_id=row.id, reason_code=code) for code in reasons)
    session.flush()
    return row


def own_head(session: Session, item: ReviewItemRow, reviewer_id: int) -> int | None:
    """Return the reviewer's voided decision that a new one must supersede, so that each chain has one head."""
    head = session.scalar(
        head_rows()
        .where(DecisionRow.item_id == item.id, DecisionRow.reviewer_id == reviewer_id, DecisionRow.round == item.round)
        # An undone skip may leave a second voided chain; the unique index concerns the newest.
        .order_by(DecisionRow.id.desc())
        .limit(1)
    )
    return None if head is None else head.id


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


def derived_state(verdicts: Sequence[str], quorum: int) -> str:
    """Return an item's state from the standing verdicts of its round: opposed ones are a conflict."""
    kinds = set(verdicts)
    if len(kinds) > 1:
        return "conflict"
    if kinds == {"reject"}:
        return "rejected"
    if kinds == {"changes"}:
        return "changes"
    return "approved" if len(verdicts) >= quorum else "pending"


def first_broken_decision(catalog: Catalog) -> int | None:
    """Return the id of the first row whose hash does not follow from its content and the row before; None if all do."""
    previous = ""
    with catalog.read() as session:
        reasons: dict[int, list[str]] = {}
        for decision_id, code in session.execute(
            select(DecisionReasonRow.decision_id, DecisionReasonRow.reason_code).order_by(DecisionReasonRow.id)
        ):
            reasons.setdefault(decision_id, []).append(code)
        for row in session.scalars(select(DecisionRow).order_by(DecisionRow.id).execution_options(yield_per=1000)):
            if row.prev_hash != previous or row.hash != _row_hash(row, reasons.get(row.id, ())):
                return row.id
            previous = row.hash
    return None


def _row_hash(row: DecisionRow, reasons: Sequence[str]) -> str:
    content = [
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
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
