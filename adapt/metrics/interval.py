"""95 % intervals: Wilson's for a share, the bootstrap for a mean or a ratio of means."""

import math

import torch
from torch import Tensor

NORMAL_95 = 1.959964
"""Half width of a 95 % interval, in standard errors."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson score interval of a share.

    Raises:
        ValueError: `n` is not positive or `successes` is outside 0..n.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials; expected 0 <= successes <= n and n >= 1")
    share, z2 = successes / n, NORMAL_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_mean(values: Tensor, *, seed: int, rounds: int = 1000) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of one value an item."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(values), (rounds, len(values)), generator=generator)
    return percentiles(values.double()[drawn].mean(dim=1))


def bootstrap_ratio(numerator: Tensor, denominator: Tensor, *, seed: int, rounds: int = 1000) -> tuple[float, float]:
    """Percentile bootstrap interval of a ratio of means.

    Sets of one length are taken to be of the same items and are resampled together, others each on its own.
    """
    generator = torch.Generator().manual_seed(seed)
    above = torch.randint(len(numerator), (rounds, len(numerator)), generator=generator)
    below = above
    if len(denominator) != len(numerator):
        below = torch.randint(len(denominator), (rounds, len(denominator)), generator=generator)
    return percentiles(numerator.double()[above].mean(dim=1) / denominator.double()[below].mean(dim=1))


def percentiles(values: Tensor) -> tuple[float, float]:
    """Where the middle 95 % of resampled values begin and end; NaN when one is NaN."""
    low, high = torch.quantile(values.double(), torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high
