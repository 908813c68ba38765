"""Where a candidate's scores stand among those of its run."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite

from sqlalchemy import Text, cast, func, select

from catalog.records import ReviewItem
from catalog.schema import GenerationRow
from catalog.store import Catalog

RUNS_KEPT = 8
"""Runs whose sorted scores stay in memory: 100,000 candidates with three scores take about 10 MB."""


def percentiles(catalog: Catalog, item: ReviewItem) -> dict[str, float]:
    """Return for each score the share of the run's candidates below it, in [0, 100]; equal ones count half.

    The run's scores are read once and again only after it drew more, since this is asked on every key press.
    """
    with catalog.read() as session:
        newest = session.scalar(select(func.max(GenerationRow.id)).where(GenerationRow.run == item.run))
    of_run = _sorted_scores(catalog, item.run, newest or 0)
    found = {}
    for name, value in item.scores.items():
        values = of_run.get(name, ())
        if values and isfinite(value):
            found[name] = 50.0 * (bisect_left(values, value) + bisect_right(values, value)) / len(values)
    return found


@lru_cache(maxsize=RUNS_KEPT)
def _sorted_scores(catalog: Catalog, run: str, newest: int) -> Mapping[str, tuple[float, ...]]:
    by_name: dict[str, list[float]] = {}
    # As text, parsed in one go: a row at a time, a run of 100,000 takes more than a second, which somebody waits for.
    text = cast(GenerationRow.scores, Text)
    with catalog.read() as session:
        texts = session.scalars(select(text).where(GenerationRow.run == run, GenerationRow.id <= newest)).all()
    for scores in json.loads(f"[{','.join(texts)}]"):
        for name, value in scores.items():
            if isfinite(value):
                by_name.setdefault(name, []).append(float(value))
    return {name: tuple(sorted(values)) for name, values in by_name.items()}
