"""The decision log as people read it: one item's history, one person's last decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from catalog.database import MAX_VARIABLES
from catalog.records import Decision
from catalog.schema import (
    AttributeCheckRow,
    DecisionReasonRow,
    DecisionRow,
    GenerationRow,
    ProductRow,
    ReviewerRow,
    ReviewItemRow,
)
from catalog.store import Catalog

_OVERSEEING = ("lead", "auditor", "admin")


def decisions(
    catalog: Catalog,
    *,
    reviewer: str | None = None,
    item_id: int | None = None,
    limit: int = 20,
    as_seen_by: str | None = None,
) -> list[Decision]:
    """Return rows of the decision log, newest first.

    Args:
        catalog: An open catalogue.
        reviewer: Only this person's.
        item_id: Only this item's.
        limit: Most rows to return.
        as_seen_by: Leave out what this person must not know yet: what colleagues said about an item the person has
            not decided, so that second opinions are blind. Leads, auditors and admins see settled items whole.
    """
    query = decision_query().order_by(DecisionRow.id.desc()).limit(limit)
    if item_id is not None and not 0 < item_id < 2**63:  # the driver raises beyond
        return []
    if item_id is not None:
        query = query.where(DecisionRow.item_id == item_id)
    with catalog.read() as session:
        if reviewer is not None:
            # By number: joined by name, all the log would be walked for a person with few decisions.
            query = query.where(DecisionRow.reviewer_id == _reviewer_id(session, reviewer))
        if as_seen_by is not None:
            query = query.where(visible_to(session, as_seen_by))
        return read_decisions(session, query)


def _reviewer_id(session: Session, name: str) -> int:
    return session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == name)) or 0


def visible_to(session: Session, name: str) -> ColumnElement[bool]:
    """Return the condition on a `decision_query` that leaves out what a person must not know yet."""
    own, later = aliased(DecisionRow), aliased(DecisionRow)
    me = _reviewer_id(session, name)
    decided = exists(
        select(own.id)
        .outerjoin(later, later.supersedes_id == own.id)
        .where(
            own.item_id == DecisionRow.item_id,
            own.round == DecisionRow.round,
            own.reviewer_id == me,
            own.verdict.not_in(("skip", "void")),
            later.id.is_(None),
        )
        .correlate(DecisionRow)
    )
    visible = [DecisionRow.reviewer_id == me, decided]
    role = session.scalar(select(ReviewerRow.role).where(ReviewerRow.id == me, ReviewerRow.active.is_(True)))
    if role in _OVERSEEING:
        visible.append(and_(ReviewItemRow.state != "pending", ReviewItemRow.state != "conflict"))
    return or_(*visible)


def decision_query() -> Select[*tuple[Any, ...]]:
    """Select the log with everything `read_decisions` needs."""
    later = aliased(DecisionRow)
    return (
        select(
            DecisionRow,
            ReviewerRow.name,
            ReviewItemRow.generation_id,
            GenerationRow.image_sha256,
            ProductRow.name,
            later.id,
        )
        .join(ReviewerRow, ReviewerRow.id == DecisionRow.reviewer_id)
        .join(ReviewItemRow, ReviewItemRow.id == DecisionRow.item_id)
        .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
        .join(ProductRow, ProductRow.id == GenerationRow.product_id)
        .outerjoin(later, later.supersedes_id == DecisionRow.id)
    )


def read_decisions(session: Session, query: Select[*tuple[Any, ...]]) -> list[Decision]:
    """Run a `decision_query` inside an open transaction."""
    rows = session.execute(query).all()
    ids = [row[0].id for row in rows]
    reasons, checks = _reasons(session, ids), _checks(session, ids)
    return [
        Decision(
            id=row.id,
            item_id=row.item_id,
            generation_id=generation_id,
            product_name=product_name,
            image_sha256=sha256,
            reviewer=reviewer,
            verdict=row.verdict,
            reasons=tuple(reasons.get(row.id, ())),
            note=row.note,
            decided_at=row.decided_at,
            dwell_ms=row.dwell_ms,
            supersedes_id=row.supersedes_id,
            superseded=later_id is not None,
            origin=row.origin,
            round=row.round,
            policy_version=row.policy_version,
            blind=row.blind,
            checks=checks.get(row.id, {}),
        )
        for row, reviewer, generation_id, sha256, product_name, later_id in rows
    ]


def _reasons(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    columns = select(DecisionReasonRow.decision_id, DecisionReasonRow.reason_code).order_by(DecisionReasonRow.id)
    for start in range(0, len(ids), MAX_VARIABLES):
        some = DecisionReasonRow.decision_id.in_(ids[start : start + MAX_VARIABLES])
        for decision_id, code in session.execute(columns.where(some)):
            found.setdefault(decision_id, []).append(code)
    return found


def _checks(session: Session, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    row = AttributeCheckRow
    columns = select(row.decision_id, row.attribute, row.verdict).order_by(row.id)
    for start in range(0, len(ids), MAX_VARIABLES):
        some = row.decision_id.in_(ids[start : start + MAX_VARIABLES])
        for decision_id, attribute, verdict in session.execute(columns.where(some)):
            found.setdefault(decision_id, {})[attribute] = verdict
    return found
