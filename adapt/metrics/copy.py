"""How many generated pictures are near copies of a training picture.

Similarity is the cosine of features. A fixed threshold means nothing in a feature space that was not made for it, so
it is calibrated on the training pictures themselves: the 99th percentile, over pictures, of the similarity to the
nearest picture of *another* product. Products that look alike raise the threshold; a generated picture above it is
closer to a training picture than all but one in a hundred real neighbours of different products are. Another true view
of the same product can be above it too, so the rate is read beside the pictures, not alone.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

CALIBRATION_QUANTILE = 0.99


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The most similar training picture of each generated one."""

    index: Int[Tensor, " N"]
    similarity: Float[Tensor, " N"]


def nearest(queries: Float[Tensor, "N D"], pool: Float[Tensor, "M D"], *, chunk: int = 1024) -> Nearest:
    """Nearest rows of `pool` by cosine; of equal ones the first.

    Raises:
        ValueError: the pool is empty.
    """
    if len(pool) == 0:
        raise ValueError("no training pictures to compare with; expected at least one row")
    unit = F.normalize(pool.float(), dim=1)
    best = [(F.normalize(part.float(), dim=1) @ unit.T).max(dim=1) for part in queries.split(chunk)]
    return Nearest(
        index=torch.cat([found.indices for found in best]), similarity=torch.cat([found.values for found in best])
    )


def copy_threshold(
    features: Float[Tensor, "M D"], product_ids: Int[Tensor, " M"], *, chunk: int = 1024
) -> float | None:
    """Similarity above which a picture counts as a copy; None when all pictures are of one product."""
    if len(product_ids.unique()) < 2:
        return None
    unit = F.normalize(features.float(), dim=1)
    closest = []
    for rows in torch.arange(len(unit)).split(chunk):
        similarity = unit[rows] @ unit.T
        similarity[product_ids[rows][:, None] == product_ids[None, :]] = -1.0
        closest.append(similarity.amax(dim=1))
    return float(torch.quantile(torch.cat(closest), CALIBRATION_QUANTILE))


def copies(found: Nearest, threshold: float) -> int:
    """Number of pictures whose nearest training picture is above the threshold."""
    return int((found.similarity > threshold).sum())
