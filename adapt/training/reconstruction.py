"""Perceptual distance between a drawn picture and the photo it should show.

Noguchi & Harada, "Image Generation From Small Datasets via Batch Statistics Adaptation", arXiv 1904.01774.

Differs from the paper: frozen EfficientNet stages and a blurred picture instead of VGG features.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from adapt.models.image_encoder import EfficientNetLite


class Reconstruction:
    """Distance between a drawn picture and the shot that its caption describes."""

    def __init__(self, *, input_px: int = 64) -> None:
        self._network = EfficientNetLite("efficientnet_lite0", input_px=input_px)

    def __call__(self, fakes: Float[Tensor, "B 3 H W"], reals: Float[Tensor, "B 3 H W"]) -> Float[Tensor, ""]:
        """Mean over stages of 1 − cosine a position, plus the L1 distance of the pictures at a quarter of the side."""
        with torch.no_grad():
            wanted = self._network.stages(reals)
        drawn = self._network.stages(fakes)
        stages = [
            1 - F.cosine_similarity(a.float(), b.float(), dim=1).mean() for a, b in zip(drawn, wanted, strict=True)
        ]
        coarse = F.l1_loss(F.avg_pool2d(fakes.float(), 4), F.avg_pool2d(reals, 4))
        return torch.stack(stages).mean() + coarse
