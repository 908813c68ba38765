"""Kernel distance between two sets of features (KID): the unbiased squared MMD with a cubic kernel.

Paper: Bińkowski et al. 2018, "Demystifying MMD GANs", arXiv 1801.01401, equations 3 and 4: k(x, y) = (x·y / D + 1)³.
Differs from the paper: the features are whatever extractor the caller chose, so values compare only within one
extractor; the interval is a delete-half jackknife over both sets instead of a spread over fixed-size blocks.
Torchmetrics' version takes pictures, not features, and sets of one size; it is what the tests compare this with.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from adapt.metrics.interval import NORMAL_95


def kid(real: Float[Tensor, "N D"], fake: Float[Tensor, "M D"]) -> float:
    """Unbiased estimate; near zero, and as often below it, when both sets are of one distribution.

    Memory is (N + M)² numbers of 8 bytes: meant for a few thousand pictures.

    Raises:
        ValueError: a set has fewer than two rows or the widths differ.
    """
    check_sets(real, fake)
    return _estimate(*_kernels(real, fake))


def kid_interval(
    real: Float[Tensor, "N D"], fake: Float[Tensor, "M D"], *, seed: int, rounds: int = 200
) -> tuple[float, float, float]:
    """The estimate with a 95 % interval.

    Each round takes a random half of both sets. The spread of half-sample estimates about the whole-sample one equals
    the standard error of the latter to first order (1/(n/2) - 1/n = 1/n), which a bootstrap with its repeated rows does
    not give: a row paired with its own copy looks like perfect agreement.

    Returns:
        Estimate, lower and upper end. The interval is infinite below four rows a set.
    """
    check_sets(real, fake)
    kernels = _kernels(real, fake)
    value = _estimate(*kernels)
    if min(len(real), len(fake)) < 4:
        return value, float("-inf"), float("inf")
    generator = torch.Generator().manual_seed(seed)
    deviations = []
    for _ in range(rounds):
        rows = torch.randperm(len(real), generator=generator)[: len(real) // 2]
        columns = torch.randperm(len(fake), generator=generator)[: len(fake) // 2]
        rr, ff, rf = kernels
        half = _estimate(rr[rows][:, rows], ff[columns][:, columns], rf[rows][:, columns])
        deviations.append(half - value)
    spread = NORMAL_95 * torch.tensor(deviations, dtype=torch.float64).square().mean().sqrt().item()
    return value, value - spread, value + spread


def check_sets(real: Tensor, fake: Tensor) -> None:
    """Refuse what is not two matrices of one width with two rows or more.

    Raises:
        ValueError: says both shapes.
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1] or min(len(real), len(fake)) < 2:
        raise ValueError(
            f"features of shape {tuple(real.shape)} and {tuple(fake.shape)}; expected two matrices of one width "
            "with at least two rows each"
        )


def _kernels(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    # In fp32 the cube loses the digits that the small differences of sums need.
    x, y = real.double(), fake.double()
    dim = x.shape[1]
    return (x @ x.T / dim + 1) ** 3, (y @ y.T / dim + 1) ** 3, (x @ y.T / dim + 1) ** 3


def _estimate(rr: Tensor, ff: Tensor, rf: Tensor) -> float:
    n, m = len(rr), len(ff)
    within_real = (rr.sum() - rr.diagonal().sum()) / (n * (n - 1))
    within_fake = (ff.sum() - ff.diagonal().sum()) / (m * (m - 1))
    return float(within_real + within_fake - 2 * rf.mean())
