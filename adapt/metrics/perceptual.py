"""A perceptual distance of two pictures: how far apart the early feature maps of the judge are.

The idea is LPIPS' (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features", arXiv 1801.03924, equation 1
with all weights 1): unit-normalise the features of each place over channels, take the squared difference, average over
places, add up the stages. Differs from the paper: nothing is fitted to human judgements and the network is
EfficientNet-Lite1 at 128 px (strides 4, 8 and 16), so these are no LPIPS values and compare only with each other.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from adapt.metrics.features import BATCH_IMAGES
from adapt.metrics.interval import bootstrap_ratio
from adapt.metrics.report import Metric
from adapt.models.image_encoder import EfficientNetLite

STAGES = 3


class StageDistance:
    """Distances by the early stages of an EfficientNet-Lite; zero for equal pictures, at most 4 a stage."""

    def __init__(self, network: EfficientNetLite) -> None:
        self.name = f"{network.name} stages, not fitted"
        self._network = network

    @torch.inference_mode()
    def __call__(
        self, first: Float[Tensor, "N 3 H W"], *others: Float[Tensor, "N 3 H W"]
    ) -> tuple[Float[Tensor, " N"], ...]:
        """The distance of each picture in [-1, 1] to the one at the same place of each other set.

        Raises:
            ValueError: a set has another number of pictures.
        """
        if any(len(other) != len(first) for other in others):
            raise ValueError(f"sets of {[len(first), *map(len, others)]} pictures; expected equal numbers")
        parts: list[Tensor] = [torch.zeros(len(others), 0)]
        for start in range(0, len(first), BATCH_IMAGES):
            part = slice(start, start + BATCH_IMAGES)
            own = self._maps(first[part])
            rows = [sum(map(_apart, own, self._maps(other[part])), torch.zeros(())) for other in others]
            parts.append(torch.stack(rows))
        return tuple(torch.cat(parts, dim=1))

    def _maps(self, images: Tensor) -> Sequence[Tensor]:
        return [stage.float().cpu() for stage in self._network.stages(images)[:STAGES]]


def distance_ratio(
    numerator: Float[Tensor, " N"], denominator: Float[Tensor, " M"], *, extractor: str, seed: int, note: str
) -> Metric:
    """Ratio of two mean distances; pictures of the same items are resampled together.

    Returns:
        NaN where the denominator is zero: pictures that never change have no ratio.
    """
    value = float(numerator.mean() / denominator.mean())
    low, high = bootstrap_ratio(numerator, denominator, seed=seed)
    return Metric(value=value, n=len(numerator), extractor=extractor, seed=seed, low=low, high=high, note=note)


def _apart(first: Float[Tensor, "B C H W"], second: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
    difference = F.normalize(first, dim=1, eps=1e-6) - F.normalize(second, dim=1, eps=1e-6)
    return difference.square().sum(dim=1).mean(dim=(1, 2))
