"""What a threshold would do before it is set: how many pictures stay in the queue, and how many good ones are lost."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import null, or_, select

from catalog import policies, queue, regeneration, scores
from catalog.decision_log import head_rows
from catalog.policy import Policy
from catalog.records import ReviewItem
from catalog.schema import DecisionRow, GenerationRow, ReviewItemRow
from catalog.statistics import Share, share
from catalog.store import Catalog

BORDERLINE = 12
"""Pictures nearest to a threshold that are shown with it."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a threshold would do."""

    score: str
    threshold: float
    pending: int
    """Items that wait now."""
    rejected: int
    """Of them, those that would be rejected unseen."""
    audited: int
    """Of them, those under the threshold that people would judge all the same."""
    error: Share
    """Of past pictures under the threshold that people decided, the share they approved."""
    borderline: tuple[int, ...]
    """Items whose score is nearest to the threshold, nearest first, decided by people or waiting."""

    @property
    def queue(self) -> int:
        """Items that would still wait."""
        return self.pending - self.rejected


@dataclass(frozen=True, kw_only=True)
class ScoreHistory:
    """One score of all items that wait or that people decided, sorted: previews of it cost no query."""

    score: str
    policy: Policy
    """The rules in force, whose audit share counts."""
    pending: int
    """Items that wait now, with or without this score."""
    waiting: Sequence[tuple[float, int, int]] = field(repr=False)
    """(value, item, generation) of those that may be rejected."""
    decided: Sequence[tuple[float, int, bool]] = field(repr=False)
    """(value, item, approved) of those that people decided."""

    def preview(self, threshold: float, *, audit_share: float | None = None) -> Preview:
        """Return what a threshold would do, with another audit share where one is given.

        Raises:
            ValueError: `audit_share` is outside its range, or the threshold is no number.
        """
        if math.isnan(threshold):
            raise ValueError(f"a threshold must be a number, got {threshold}")
        rules = replace(
            self.policy,
            version=self.policy.version + 1,
            audit_share=self.policy.audit_share if audit_share is None else audit_share,
        )
        under = self.waiting[: bisect_left(self.waiting, (threshold,))]
        audited = sum(rules.audited(generation_id) for _, _, generation_id in under)
        past = self.decided[: bisect_left(self.decided, (threshold,))]
        return Preview(
            score=self.score,
            threshold=threshold,
            pending=self.pending,
            rejected=len(under) - audited,
            audited=audited,
            error=share(sum(approved for _, _, approved in past), len(past)),
            borderline=self._nearest(threshold),
        )

    def _nearest(self, threshold: float) -> tuple[int, ...]:
        near: list[tuple[float, int]] = []
        for values in (self.waiting, self.decided):
            place = bisect_left(values, (threshold,))
            around = values[max(0, place - BORDERLINE) : place + BORDERLINE]
            near += [(abs(value - threshold), item_id) for value, item_id, _ in around]
        return tuple(item_id for _, item_id in sorted(near)[:BORDERLINE])


def history(catalog: Catalog, score: str, *, run: str | None = None) -> ScoreHistory:
    """Read one score of the queue and of what people decided so far; what a threshold rejected is left out.

    Args:
        catalog: An open catalogue.
        score: Name of a score, as in `names`.
        run: Only what this run drew.
    """
    by_people = (
        head_rows()
        .with_only_columns(DecisionRow.item_id)
        .where(DecisionRow.origin != "auto", DecisionRow.verdict.not_in(("void", "not_chosen")))
    )
    settled = ReviewItemRow.state.in_(("approved", "rejected", "changes")) & ReviewItemRow.id.in_(by_people)
    with catalog.read() as session:
        value = scores.value_of(session, score) if scores.can_be_asked_for(score) else null()
        columns = select(value, ReviewItemRow.id, GenerationRow.id, ReviewItemRow.state).join(
            GenerationRow, GenerationRow.id == ReviewItemRow.generation_id
        )
        if run is not None:
            columns = columns.where(GenerationRow.run == run)
        rows = session.execute(columns.where(or_(ReviewItemRow.state == "pending", settled))).all()
        spoken = set(session.scalars(by_people.join(ReviewItemRow).where(ReviewItemRow.state == "pending")))
        policy, asked = policies.in_force(session), regeneration.asked_for(session)
    # What somebody gave a verdict on waits for a second person, what somebody asked for waits for them: no threshold
    # takes either away.
    waiting = [
        (number, item_id, generation_id)
        for number, item_id, generation_id, state in rows
        if state == "pending" and scores.is_finite(number) and item_id not in spoken and generation_id not in asked
    ]
    decided = [
        (number, item_id, state == "approved")
        for number, item_id, _, state in rows
        if state != "pending" and scores.is_finite(number)
    ]
    return ScoreHistory(
        score=score,
        policy=policy,
        pending=sum(state == "pending" for _, _, _, state in rows),
        waiting=sorted(waiting),
        decided=sorted(decided),
    )


def preview(
    catalog: Catalog, score: str, threshold: float, *, run: str | None = None, audit_share: float | None = None
) -> Preview:
    """Return what one threshold would do; for a slider, read `history` once and ask it."""
    return history(catalog, score, run=run).preview(threshold, audit_share=audit_share)


def borderline_items(catalog: Catalog, found: Preview) -> list[ReviewItem]:
    """Return the items of a preview that are nearest to its threshold."""
    with catalog.read() as session:
        return queue.read_items(session, found.borderline)


def names(catalog: Catalog, *, sample: int = 1000) -> Mapping[str, tuple[float, float]]:
    """Return the scores that the newest `sample` pictures have, each with its least and greatest value there."""
    ranges: dict[str, tuple[float, float]] = {}
    with catalog.read() as session:
        for found in session.scalars(select(GenerationRow.scores).order_by(GenerationRow.id.desc()).limit(sample)):
            for name, value in scores.finite(found).items():
                if scores.can_be_asked_for(name):
                    low, high = ranges.get(name, (value, value))
                    ranges[name] = (min(low, value), max(high, value))
    return dict(sorted(ranges.items()))
