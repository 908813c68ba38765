"""What the log says about the work itself: pace, time on a picture, why pictures are rejected, how far people agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from statistics import median
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from catalog.schema import (
    DecisionReasonRow,
    DecisionRow,
    GenerationRow,
    ProductRow,
    ReviewerRow,
    ReviewItemRow,
    SourceRow,
)
from catalog.statistics import Kappa, kappa
from catalog.store import Catalog

JUDGEMENTS = ("approve", "reject", "changes")


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of time, open where None."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What one person decided on one day (UTC)."""

    day: date
    reviewer: str
    decisions: int
    """Verdicts that stand, skips left out."""
    skips: int


@dataclass(frozen=True, kw_only=True)
class Dwell:
    """How long one person looks at a picture before deciding, in milliseconds."""

    reviewer: str
    n: int
    median_ms: float
    p90_ms: float


@dataclass(frozen=True, kw_only=True)
class ReasonCount:
    """How often a reason was given for what, counted over decisions that stand."""

    reason: str
    of: str
    """The product as `<source>/<sku>`, the prompt, or the run."""
    count: int


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two people agree on what both judged blind."""

    first: str
    second: str
    kappa: Kappa


def throughput(catalog: Catalog, window: Window | None = None) -> list[Pace]:
    """Return decisions a day and person, oldest day first."""
    judged: Counter[tuple[date, str]] = Counter()
    skipped: Counter[tuple[date, str]] = Counter()
    query = _standing(DecisionRow.decided_at, ReviewerRow.name, DecisionRow.verdict, window=window)
    with catalog.read() as session:
        for moment, name, verdict in session.execute(query):
            (skipped if verdict == "skip" else judged)[moment.date(), name] += 1
    return [
        Pace(day=day, reviewer=name, decisions=judged[day, name], skips=skipped[day, name])
        for day, name in sorted(judged.keys() | skipped.keys())
    ]


def dwell(catalog: Catalog, window: Window | None = None) -> list[Dwell]:
    """Return how long each person looks at a picture, by name; what no screen showed is left out."""
    times: dict[str, list[int]] = defaultdict(list)
    query = _standing(ReviewerRow.name, DecisionRow.dwell_ms, window=window).where(
        DecisionRow.dwell_ms.is_not(None), DecisionRow.verdict != "skip"
    )
    with catalog.read() as session:
        for name, milliseconds in session.execute(query):
            times[name].append(milliseconds)
    return [
        Dwell(reviewer=name, n=len(found), median_ms=median(found), p90_ms=_at(sorted(found), 0.9))
        for name, found in sorted(times.items())
    ]


def reasons_by_product(catalog: Catalog, window: Window | None = None, *, limit: int = 50) -> list[ReasonCount]:
    """Return which reasons are given for which products, most frequent first."""
    return _reasons(catalog, SourceRow.name + "/" + ProductRow.sku, window, limit)


def reasons_by_run(catalog: Catalog, window: Window | None = None, *, limit: int = 50) -> list[ReasonCount]:
    """Return which reasons are given for what which run drew, most frequent first."""
    return _reasons(catalog, GenerationRow.run, window, limit)


def reasons_by_prompt(catalog: Catalog, window: Window | None = None, *, limit: int = 50) -> list[ReasonCount]:
    """Return which reasons are given for which prompts, most frequent first."""
    return _reasons(catalog, GenerationRow.prompt, window, limit)


def agreement(catalog: Catalog, window: Window | None = None) -> Kappa:
    """Return how far the first and the second blind opinion on an item agree, over all people."""
    with catalog.read() as session:
        opinions = list(_blind_opinions(session, window))
    return kappa([(found[0][1], found[1][1]) for found in opinions if len(found) > 1])


def agreement_by_pair(catalog: Catalog, window: Window | None = None) -> list[Agreement]:
    """Return how far each two people agree, those with most items in common first."""
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    with catalog.read() as session:
        for opinions in _blind_opinions(session, window):
            for (one, said), (other, answered) in combinations(sorted(opinions), 2):
                pairs[one, other].append((said, answered))
    found = [Agreement(first=one, second=other, kappa=kappa(both)) for (one, other), both in pairs.items()]
    return sorted(found, key=lambda pair: (-pair.kappa.n, pair.first, pair.second))


def _standing(*columns: Any, window: Window | None) -> Select[*tuple[Any, ...]]:
    """Select columns of what people decided and nobody superseded."""
    later = aliased(DecisionRow)
    query = (
        select(*columns)
        .select_from(DecisionRow)
        .join(ReviewerRow, ReviewerRow.id == DecisionRow.reviewer_id)
        .outerjoin(later, later.supersedes_id == DecisionRow.id)
        .where(later.id.is_(None), DecisionRow.verdict != "void", DecisionRow.origin != "auto")
    )
    if window is not None and window.since is not None:
        query = query.where(DecisionRow.decided_at >= window.since)
    if window is not None and window.until is not None:
        query = query.where(DecisionRow.decided_at < window.until)
    return query


def _reasons(catalog: Catalog, of: Any, window: Window | None, limit: int) -> list[ReasonCount]:
    count = func.count()
    query = (
        _standing(DecisionReasonRow.reason_code, of, count, window=window)
        .join(DecisionReasonRow, DecisionReasonRow.decision_id == DecisionRow.id)
        .join(ReviewItemRow, ReviewItemRow.id == DecisionRow.item_id)
        .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
        .join(ProductRow, ProductRow.id == GenerationRow.product_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
        .group_by(DecisionReasonRow.reason_code, of)
        .order_by(count.desc(), of, DecisionReasonRow.reason_code)
        .limit(limit)
    )
    with catalog.read() as session:
        return [ReasonCount(reason=reason, of=what, count=n) for reason, what, n in session.execute(query)]


def _blind_opinions(session: Any, window: Window | None) -> Iterator[list[tuple[str, str]]]:
    """Yield each item's (person, verdict) in the order they were given; a ruling is no opinion of equal weight."""
    query = (
        _standing(DecisionRow.item_id, DecisionRow.round, ReviewerRow.name, DecisionRow.verdict, window=window)
        .where(
            DecisionRow.verdict.in_(JUDGEMENTS),
            DecisionRow.blind.is_(True),
            DecisionRow.origin != "adjudication",
        )
        .order_by(DecisionRow.id)
    )
    found: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for item_id, round_, name, verdict in session.execute(query):
        found[item_id, round_].append((name, verdict))
    yield from found.values()


def _at(ordered: list[int], share: float) -> float:
    """Return a quantile of sorted values, between two of them where it falls there."""
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
