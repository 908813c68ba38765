"""Whoever asks for changes wants to see another picture: the verdict and the request are one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from catalog import regeneration
from catalog.database import MAX_VARIABLES
from catalog.schema import DecisionRow, GenerationRow, RegenerationRow, ReviewItemRow

_CHUNK = MAX_VARIABLES - 9  # beside them a statement may have a few values more


def ask_again(session: Session, decision_ids: Sequence[int], moment: datetime) -> None:
    """Ask for another picture for each of some wishes for changes; an item that was asked for needs no second one.

    Any number of them takes the same few statements for each thousand.

    Args:
        session: A write session.
        decision_ids: Wishes that stand, one for an item.
        moment: Now.
    """
    for start in range(0, len(decision_ids), _CHUNK):
        _ask(session, decision_ids[start : start + _CHUNK], moment)


def _ask(session: Session, decision_ids: Sequence[int], moment: datetime) -> None:
    asking = aliased(DecisionRow)
    asked_already = (
        select(RegenerationRow.id)
        .join(asking, asking.id == RegenerationRow.decision_id)
        .where(RegenerationRow.item_id == DecisionRow.item_id, asking.round == DecisionRow.round)
        .where(RegenerationRow.state != "dropped", ~regeneration.undone())
        .correlate(DecisionRow)
    )
    drawn = GenerationRow
    wishes = session.execute(
        select(DecisionRow.id, DecisionRow.item_id, drawn.product_id, drawn.caption_id, drawn.prompt, drawn.run)
        .join(ReviewItemRow, ReviewItemRow.id == DecisionRow.item_id)
        .join(drawn, drawn.id == ReviewItemRow.generation_id)
        .where(DecisionRow.id.in_(decision_ids), ~asked_already.exists())
        .order_by(DecisionRow.id)
    ).all()
    used = _seeds(session, {wish.product_id for wish in wishes})
    rows = []
    for decision_id, item_id, product_id, caption_id, prompt, run in wishes:
        seed = regeneration.fresh_seed(decision_id, used[product_id])
        used[product_id].add(seed)
        rows.append(
            {
                "item_id": item_id,
                "decision_id": decision_id,
                "product_id": product_id,
                "caption_id": caption_id,
                "prompt": prompt,
                "run": run,
                "seed": seed,
                "requested_at": moment,
            }
        )
    if rows:
        session.execute(insert(RegenerationRow), rows)


def _seeds(session: Session, product_ids: set[int]) -> dict[int, set[int]]:
    """Return the seeds each product was drawn with, or will be."""
    used: dict[int, set[int]] = defaultdict(set)
    for row in (GenerationRow, RegenerationRow):
        for product_id, seed in session.execute(
            select(row.product_id, row.seed).where(row.product_id.in_(sorted(product_ids)))
        ):
            used[product_id].add(seed)
    return used
