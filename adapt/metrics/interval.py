"""95 % intervals: Wilson's for a share, the bootstrap for a mean."""

import math

import torch
from torch import Tensor

_Z = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson score interval of a share.

    Raises:
        ValueError: `n` is not positive or `successes` is outside 0..n.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials; expected 0 <= successes <= n and n >= 1")
    share, z2 = successes / n, _Z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_mean(values: Tensor, *, seed: int, rounds: int = 1000) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of one value an item."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(values), (rounds, len(values)), generator=generator)
    means = values.double()[drawn].mean(dim=1)
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high
