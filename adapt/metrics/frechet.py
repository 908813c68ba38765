"""Fréchet distance between two sets of features (FID when the features are Inception's).

Paper: Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", arXiv 1706.08500, equation 6:
|μ₁ - μ₂|² + tr(C₁ + C₂ - 2 (C₁C₂)^½).

Differs from the paper: no matrix root is taken. With C₁ = AᵀA and C₂ = BᵀB the trace of the root is the sum of the
singular values of ABᵀ, which is exact for singular covariances too and never complex. The estimate is biased upwards,
most with few rows: below one row a feature the covariance cannot even have full rank. Such a value is flagged, and
compares only with others of the same extractor, n and reference set; KID has no such bias.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from adapt.metrics.interval import NORMAL_95
from adapt.metrics.kernel import check_sets

ROUNDS = 100


def frechet_distance(real: Float[Tensor, "N D"], fake: Float[Tensor, "M D"]) -> float:
    """The distance between the normal distributions fitted to two sets.

    Raises:
        ValueError: a set has fewer than two rows or the widths differ.
    """
    check_sets(real, fake)
    x, y = real.double(), fake.double()
    mean_x, mean_y = x.mean(0), y.mean(0)
    a, b = _root(x - mean_x), _root(y - mean_y)
    distance = (mean_x - mean_y).square().sum() + a.square().sum() + b.square().sum()
    return float(distance - 2 * torch.linalg.svdvals(a @ b.T).sum())


def frechet_interval(
    real: Float[Tensor, "N D"], fake: Float[Tensor, "M D"], *, seed: int, rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """The distance with a 95 % bootstrap interval over both sets.

    Resampling leaves fewer different rows, which adds bias of its own: only the spread of the resampled distances is
    used, about the estimate of the whole sets.

    Returns:
        Estimate, lower and upper end, the lower not below zero.
    """
    value = frechet_distance(real, fake)
    generator = torch.Generator().manual_seed(seed)
    resample = _few if max(len(real), len(fake)) <= real.shape[1] else _many
    values = torch.tensor(resample(real.double(), fake.double(), rounds, generator), dtype=torch.float64)
    half = NORMAL_95 * float(values.std())
    return value, max(0.0, value - half), value + half


def rank_warning(count: int, dim: int) -> str:
    """What to say of a covariance of `dim` features from `count` rows; nothing when there are enough."""
    if count > dim:
        return ""
    return f"only {count} pictures for {dim} features: singular covariance, biased upwards; compare at this n only"


def _root(centred: Float[Tensor, "N D"]) -> Float[Tensor, "K D"]:
    """A matrix whose Gram matrix is the covariance, with no more rows than columns."""
    scaled = centred / (len(centred) - 1) ** 0.5
    return scaled if len(scaled) <= scaled.shape[1] else torch.linalg.qr(scaled, mode="r").R


def _many(x: Tensor, y: Tensor, rounds: int, generator: torch.Generator) -> list[float]:
    return [frechet_distance(x[_draw(len(x), generator)], y[_draw(len(y), generator)]) for _ in range(rounds)]


def _few(x: Tensor, y: Tensor, rounds: int, generator: torch.Generator) -> list[float]:
    """The same from products of rows, made once: each round costs one small singular value problem."""
    xx, yy, xy = x @ x.T, y @ y.T, x @ y.T
    values = []
    for _ in range(rounds):
        rows, columns = _draw(len(x), generator), _draw(len(y), generator)
        cross = xy[rows][:, columns]
        centred = cross - cross.mean(0) - cross.mean(1, keepdim=True) + cross.mean()
        n, m = len(rows), len(columns)
        (trace_x, mean_xx), (trace_y, mean_yy) = _spread(xx, rows), _spread(yy, columns)
        means = mean_xx + mean_yy - 2 * cross.mean()
        root = torch.linalg.svdvals(centred).sum() / ((n - 1) * (m - 1)) ** 0.5
        values.append(float(means + trace_x + trace_y - 2 * root))
    return values


def _spread(products: Float[Tensor, "N N"], rows: Int[Tensor, " N"]) -> tuple[Tensor, Tensor]:
    """Trace of the covariance and squared length of the mean of some rows."""
    mean = products[rows][:, rows].mean()
    return (products.diagonal()[rows].sum() - len(rows) * mean) / (len(rows) - 1), mean


def _draw(count: int, generator: torch.Generator) -> Int[Tensor, " N"]:
    return torch.randint(count, (count,), generator=generator)
