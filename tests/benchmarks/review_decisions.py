"""What people decided before `review_speed.py` measures: the first part of a queue, through the services' own log."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog import decision_log
from catalog.policy import REJECT_REASONS
from catalog.schema import DecisionRow, ReviewerRow, ReviewItemRow
from catalog.store import Catalog

REVIEWERS = ("aki", "ben", "chie", "dan")
BEGAN = datetime(2026, 11, 1, 9, tzinfo=UTC)
_BATCH = 500


def decide(catalog: Catalog, rng: random.Random, count: int) -> None:
    """Decide the first `count` items, one in twenty by two people, who disagree on one in five."""
    with catalog.read() as session:
        numbers = list(session.scalars(select(ReviewerRow.id).where(ReviewerRow.name.in_(REVIEWERS))))
    for first in range(0, count, _BATCH):
        with catalog.write() as session:
            wanted = range(first + 1, min(first + _BATCH, count) + 1)
            quorums = dict(
                session.execute(
                    select(ReviewItemRow.id, ReviewItemRow.quorum).where(ReviewItemRow.id.in_(wanted))
                ).all()
            )
            states: dict[str, list[int]] = {}
            for item in wanted:
                made = list(_verdicts(session, rng, item, numbers, twice=quorums[item] > 1))
                heads = [decision_log.Head(row.id, row.verdict, row.origin) for row in made]
                states.setdefault(decision_log.settled_state(heads, quorums[item]), []).append(item)
            for state, items in states.items():
                session.execute(update(ReviewItemRow).where(ReviewItemRow.id.in_(items)).values(state=state, version=1))


def _verdicts(
    session: Session, rng: random.Random, item: int, numbers: list[int], *, twice: bool
) -> Iterator[DecisionRow]:
    """Write what people said about one item and yield the rows that count."""
    chosen = rng.sample(numbers, 2 if twice else 1)
    first = None
    for place, reviewer in enumerate(chosen):
        verdict = rng.choices(("approve", "reject", "changes", "skip"), (66, 26, 3, 5))[0]
        if first is not None and rng.random() < 0.8:
            verdict = first
        first = verdict
        moment = BEGAN + timedelta(seconds=3 * item + place)
        reasons = (rng.choice(REJECT_REASONS),) if verdict in ("reject", "changes") else ()
        row = DecisionRow(
            item_id=item, round=1, reviewer_id=reviewer, verdict=verdict, origin="review",
            shown_at=moment - timedelta(seconds=2), decided_at=moment, dwell_ms=round(rng.lognormvariate(7.5, 0.5)),
            blind=True, policy_version=0, idempotency_key=f"made:{item}:{place}",
        )  # fmt: skip
        decision_log.append(session, [decision_log.NewRow(row=row, reasons=reasons)])
        if rng.random() < 0.02:
            undone = DecisionRow(
                item_id=item, round=1, reviewer_id=reviewer, verdict="void", origin="review", decided_at=moment,
                idempotency_key=f"void:{row.id}", supersedes_id=row.id, policy_version=0,
            )  # fmt: skip
            decision_log.append(session, [decision_log.NewRow(row=undone)])
        elif verdict != "skip":
            yield row
