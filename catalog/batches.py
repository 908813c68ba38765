"""The candidates of the queue by the run that drew them: how far each batch is, and how fast a person works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from catalog.schema import DecisionRow, GenerationRow, ReviewerRow, ReviewItemRow
from catalog.store import Catalog

PACE_DECISIONS = 200
"""Last decisions that a person's pace is measured on."""
PACE_LEAST = 5
"""Fewer gaps than this say nothing about a pace."""
BREAK_S = 300.0
"""Longer without a decision is a break, not work."""
_JUDGED = ("approve", "reject", "changes", "not_chosen")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one run drew, in items."""

    run: str
    total: int
    pending: int
    conflict: int
    approved: int
    rejected: int
    changes: int = 0
    not_chosen: int = 0
    mine: int
    """Items on which a verdict of the person asking stands."""
    oldest_pending: datetime | None
    """When the item that waits longest was queued; None when nothing waits."""


def batches(catalog: Catalog, reviewer: str | None = None, *, limit: int = 24, offset: int = 0) -> list[Batch]:
    """Return the batches, newest first.

    Args:
        catalog: An open catalogue.
        reviewer: Whose own verdicts are counted.
        limit: Most batches to return.
        offset: Batches to leave out at the front.
    """
    with catalog.read() as session:
        runs = _runs(session, limit, offset)
        by_state: dict[str, dict[str, int]] = {run: {} for run in runs}
        oldest: dict[str, datetime] = {}
        states = (
            select(GenerationRow.run, ReviewItemRow.state, func.count(), func.min(ReviewItemRow.created_at))
            .join(ReviewItemRow, ReviewItemRow.generation_id == GenerationRow.id)
            .where(GenerationRow.run.in_(runs))
            .group_by(GenerationRow.run, ReviewItemRow.state)
        )
        for run, state, number, first in session.execute(states):
            by_state[run][state] = number
            if state == "pending":
                oldest[run] = first
        mine = _mine(session, reviewer, runs) if reviewer else {}
    return [
        Batch(
            run=run,
            total=sum(counts.values()),
            pending=counts.get("pending", 0),
            conflict=counts.get("conflict", 0),
            approved=counts.get("approved", 0),
            rejected=counts.get("rejected", 0),
            changes=counts.get("changes", 0),
            not_chosen=counts.get("not_chosen", 0),
            mine=mine.get(run, 0),
            oldest_pending=oldest.get(run),
        )
        for run, counts in by_state.items()
    ]


def count(catalog: Catalog) -> int:
    """Return how many batches there are."""
    with catalog.read() as session:
        return session.scalar(select(func.count(func.distinct(GenerationRow.run)))) or 0


def runs(catalog: Catalog, *, limit: int = 50) -> list[str]:
    """Return the names of the newest runs, newest first."""
    with catalog.read() as session:
        return _runs(session, limit, 0)


def pace_s(catalog: Catalog, reviewer: str) -> float | None:
    """Return a person's median time from one decision to the next, in seconds, breaks left out.

    None for somebody who has not decided enough yet. What was decided many at a time or by a script is no pace.
    """
    query = (
        select(DecisionRow.decided_at)
        .join(ReviewerRow, ReviewerRow.id == DecisionRow.reviewer_id)
        .where(ReviewerRow.name == reviewer, DecisionRow.verdict.in_(_JUDGED), DecisionRow.origin == "review")
        .order_by(DecisionRow.id.desc())
        .limit(PACE_DECISIONS)
    )
    with catalog.read() as session:
        moments = list(session.scalars(query))
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(moments)]
    worked = [gap for gap in gaps if 0 <= gap <= BREAK_S]
    return median(worked) if len(worked) >= PACE_LEAST else None


def _runs(session: Session, limit: int, offset: int) -> list[str]:
    newest = func.max(GenerationRow.id)
    query = select(GenerationRow.run).group_by(GenerationRow.run).order_by(newest.desc()).limit(limit).offset(offset)
    return list(session.scalars(query))


def _mine(session: Session, reviewer: str, runs: Sequence[str]) -> dict[str, int]:
    later = aliased(DecisionRow)
    me = session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == reviewer)) or 0
    query = (
        select(GenerationRow.run, func.count(func.distinct(DecisionRow.item_id)))
        .join(ReviewItemRow, ReviewItemRow.id == DecisionRow.item_id)
        .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
        .outerjoin(later, later.supersedes_id == DecisionRow.id)
        .where(DecisionRow.reviewer_id == me, DecisionRow.verdict.in_(_JUDGED), later.id.is_(None))
        .where(GenerationRow.run.in_(runs))
        .group_by(GenerationRow.run)
    )
    return {run: number for run, number in session.execute(query)}
