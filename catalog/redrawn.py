"""What a picture was drawn again for: the words of the decision that asked, without the name of who made it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from catalog import regeneration
from catalog.records import ReviewItem
from catalog.schema import DecisionReasonRow, DecisionRow, RegenerationRow
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Why another picture was wanted."""

    reasons: tuple[str, ...]
    note: str


def wish_behind(catalog: Catalog, item: ReviewItem) -> Wish | None:
    """Return why somebody asked for a picture; None for one that nobody asked for."""
    asked = (
        select(DecisionRow.id, DecisionRow.note)
        .join(RegenerationRow, RegenerationRow.decision_id == DecisionRow.id)
        .where(regeneration.behind(item.product_id, item.seed))
    )
    with catalog.read() as session:
        found = session.execute(asked).first()
        if found is None:
            return None
        decision_id, note = found
        codes = (
            select(DecisionReasonRow.reason_code)
            .where(DecisionReasonRow.decision_id == decision_id)
            .order_by(DecisionReasonRow.id)
        )
        return Wish(reasons=tuple(session.scalars(codes)), note=note)
