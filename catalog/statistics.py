"""Shares and agreement with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of `n` with its 95 % Wilson interval; all three are None where `n` is 0."""

    hits: int
    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Kappa:
    """Cohen's kappa of `n` pairs with a 95 % interval; None where it says nothing: a rater always said the same."""

    n: int
    agreement: Share
    value: float | None
    low: float | None
    high: float | None


def share(hits: int, n: int) -> Share:
    """Return `hits / n` with the Wilson score interval, which holds near 0 and 1 and for few cases."""
    if n == 0:
        return Share(hits=hits, n=0, value=None, low=None, high=None)
    p, z2 = hits / n, Z95 * Z95
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)
    return Share(hits=hits, n=n, value=p, low=low, high=high)


def kappa(pairs: Sequence[tuple[str, str]]) -> Kappa:
    """Return how far two raters agree beyond chance.

    The interval is the large-sample one of Fleiss, Cohen and Everitt (1969), cut at -1 and 1. With a rater who always
    says the same, kappa is 0 and its interval empty whatever the other says, so none is given.

    Args:
        pairs: What the first and the second rater said of each item.
    """
    n = len(pairs)
    agreement = share(sum(first == second for first, second in pairs), n)
    names = sorted({name for pair in pairs for name in pair})
    if any(len({pair[rater] for pair in pairs}) < 2 for rater in (0, 1)):
        return Kappa(n=n, agreement=agreement, value=None, low=None, high=None)
    cell = {(a, b): 0.0 for a in names for b in names}
    for pair in pairs:
        cell[pair] += 1 / n
    row = {a: sum(cell[a, b] for b in names) for a in names}
    column = {b: sum(cell[a, b] for a in names) for b in names}
    observed = sum(cell[a, a] for a in names)
    chance = sum(row[a] * column[a] for a in names)
    value = (observed - chance) / (1 - chance)
    on = sum(cell[a, a] * (1 - (row[a] + column[a]) * (1 - value)) ** 2 for a in names)
    off = (1 - value) ** 2 * sum(cell[a, b] * (column[a] + row[b]) ** 2 for a in names for b in names if a != b)
    variance = (on + off - (value - chance * (1 - value)) ** 2) / (n * (1 - chance) ** 2)
    half = Z95 * math.sqrt(max(variance, 0.0))
    return Kappa(n=n, agreement=agreement, value=value, low=max(-1.0, value - half), high=min(1.0, value + half))
