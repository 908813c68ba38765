"""Whether anything was decided, queued or ruled since: what a screen read before holds for as long as the mark does."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from catalog.schema import DecisionRow, PolicyRow, ReviewItemRow
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The newest row of each table that only grows; equal marks mean that nothing was added between them."""

    decision: int
    item: int
    policy: int


def mark(catalog: Catalog) -> Mark:
    """Return the mark of this moment; three look-ups in an index, however long the log is."""
    newest = (func.max(DecisionRow.id), func.max(ReviewItemRow.id), func.max(PolicyRow.version))
    with catalog.read() as session:
        decision, item, policy = (session.scalar(select(number)) or 0 for number in newest)
    return Mark(decision=decision, item=item, policy=policy)
