"""How well generated pictures cover the real ones: precision, recall, density and coverage of k-neighbour balls.

Papers: Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric", arXiv 1904.06991 (precision: share of fakes
inside the ball of some real picture; recall: share of real ones inside the ball of some fake); Naeem et al. 2020,
"Reliable Fidelity and Diversity Metrics", arXiv 2002.09797, equations 5 and 6 (density: real balls a fake lies in, over
k; coverage: share of real balls that hold a fake). A ball reaches to the k-th nearest picture of its own set.

All depend on the number of pictures and on the features: compare at one n, within one extractor. A generator that draws
one good picture has high precision and density, and recall and coverage near zero.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

NEIGHBOURS = 5


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One value a picture, so that each figure can be averaged and resampled."""

    precision: Float[Tensor, " M"]
    recall: Float[Tensor, " N"]
    density: Float[Tensor, " M"]
    coverage: Float[Tensor, " N"]


def cover(real: Float[Tensor, "N D"], fake: Float[Tensor, "M D"], *, k: int = NEIGHBOURS) -> Coverage:
    """Compare two sets of features by Euclidean distance.

    Raises:
        ValueError: the widths differ, or a set has not more than `k` rows.
    """
    if real.shape[1:] != fake.shape[1:] or min(len(real), len(fake)) <= k:
        raise ValueError(
            f"features of shape {tuple(real.shape)} and {tuple(fake.shape)}; expected two matrices of one width "
            f"with more than {k} rows each"
        )
    x, y = real.double(), fake.double()
    distance = torch.cdist(x, y)  # (N, M)
    in_real: Bool[Tensor, "N M"] = distance <= _radius(x, k)[:, None]
    in_fake: Bool[Tensor, "N M"] = distance <= _radius(y, k)[None, :]
    return Coverage(
        precision=in_real.any(0).double(),
        recall=in_fake.any(1).double(),
        density=in_real.double().sum(0) / k,
        coverage=in_real.any(1).double(),
    )


def _radius(points: Float[Tensor, "N D"], k: int) -> Float[Tensor, " N"]:
    """Distance to the k-th nearest other point; the nearest of all is the point itself."""
    return torch.cdist(points, points).kthvalue(k + 1, dim=1).values
