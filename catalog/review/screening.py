"""Rejection by threshold: what scores too low is rejected unseen, but for a random share that people judge.

Nothing is ever approved here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from catalog import decision_log, people, policies, regeneration, roles
from catalog.clock import Clock, utc_now
from catalog.policy import LOW_SCORE, Policy
from catalog.review.holding import unheld
from catalog.review.writing import Verdict, write
from catalog.schema import DecisionRow, GenerationRow, ReviewItemRow
from catalog.store import Catalog

BATCH = 200
"""Items a transaction: people who decide meanwhile wait at most for this many."""


@dataclass(frozen=True, kw_only=True)
class UnderThresholds:
    """How many pictures wait that the thresholds in force reject."""

    free: int
    """Those that `screen` rejects now."""
    held: int
    """Those that somebody holds, which it leaves alone."""


def under_thresholds(catalog: Catalog, *, clock: Clock = utc_now) -> UnderThresholds:
    """Count what `screen` would reject now, and what it would leave because somebody holds it."""
    with catalog.read() as session:
        rules, asked, moment = policies.in_force(session), regeneration.asked_for(session), clock()
        if not rules.auto_reject:
            return UnderThresholds(free=0, held=0)
        rows = session.execute(
            select(GenerationRow.id, GenerationRow.scores, ~unheld(ReviewItemRow, moment))
            .join(ReviewItemRow, ReviewItemRow.generation_id == GenerationRow.id)
            .where(_unjudged())
        ).all()
    low = [
        bool(taken)
        for generation_id, scores, taken in rows
        if _too_low(rules, generation_id, scores) is not None and generation_id not in asked
    ]
    return UnderThresholds(free=low.count(False), held=low.count(True))


def screen(catalog: Catalog, actor: str, *, clock: Clock = utc_now) -> int:
    """Apply the thresholds in force to what waits; new pictures are screened as they come.

    An item that somebody holds, has given a verdict on or asked for stays in the queue.

    Args:
        catalog: An open catalogue.
        actor: A lead or an admin.
        clock: Gives the present moment.

    Returns:
        How many items were rejected.

    Raises:
        NotAllowed: `actor` is neither lead nor admin.
    """
    rejected, last = 0, 0
    while True:
        with catalog.write() as session:
            roles.require(session, actor, "policy")
            rules, moment = policies.in_force(session), clock()
            rows = session.scalars(
                select(ReviewItemRow)
                .where(_unjudged(), ReviewItemRow.id > last)
                .where(unheld(ReviewItemRow, moment))
                .order_by(ReviewItemRow.id)
                .limit(BATCH)
            ).all()
            rejected += sum(
                reject_low(session, row, session.get_one(GenerationRow, row.generation_id), rules, clock)
                for row in rows
            )
        if not rules.auto_reject or len(rows) < BATCH:
            return rejected
        last = rows[-1].id


def _unjudged() -> ColumnElement[bool]:
    """Return the condition on items that wait and on which nobody's verdict stands."""
    spoken = (
        decision_log.head_rows()
        .with_only_columns(DecisionRow.id)
        .where(DecisionRow.item_id == ReviewItemRow.id, DecisionRow.verdict != "void")
        .correlate(ReviewItemRow)
    )
    return (ReviewItemRow.state == "pending") & ~spoken.exists()


def reject_low(
    session: Session, row: ReviewItemRow, generation: GenerationRow, rules: Policy, clock: Clock = utc_now
) -> bool:
    """Reject a pending item whose score is under a threshold, unless people are to judge it.

    They are where it falls into the audit share, and where one of them asked for the picture and waits for it.
    """
    low = _too_low(rules, generation.id, generation.scores)
    if low is None or regeneration.is_asked_for(session, generation):
        return False
    name, value, threshold = low
    said = Verdict(
        row=row,
        verdict="reject",
        key=f"auto:{row.id}:{row.round}:{rules.version}",
        note=f"{name} {value:.6g} < {threshold:.6g}",
        reasons=(LOW_SCORE,),
    )
    write(session, [said], reviewer_id=people.rules_id(session), origin="auto", rules=rules, moment=clock())
    return True


def _too_low(rules: Policy, generation_id: int, scores: Mapping[str, float]) -> tuple[str, float, float] | None:
    """Return the score that a picture is rejected for, unless it falls into the audit share."""
    return None if rules.audited(generation_id) else rules.under_threshold(scores)
