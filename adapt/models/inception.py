"""Frozen Inception-v3 image features, the network that AttnGAN's DAMSM and published FID values stand on.

Paper: Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision", arXiv 1512.00567. No package
ships its ImageNet weights: give torchvision's file by path or cache, or allow the download (`adapt.weights`).

Differs from FID's network: these are torchvision's ImageNet weights; values differ from those of the 2015 TensorFlow
weights, so name the extractor beside every number.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import inception_v3

from adapt import weights
from adapt.models.interfaces import ImageFeatures
from adapt.weights import WeightsError

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_REGION_LAYER = "Mixed_6e"
_SKIPPED = {"AuxLogits", "dropout", "fc"}


class InceptionV3(nn.Module):
    """Frozen features of pictures in [-1, 1]: regions from Mixed_6e (17 x 17 at 299 px), pooled from the last block."""

    name = "inception_v3"
    dim = 2048
    region_dim = 768

    def __init__(
        self, *, input_px: int = 299, path: Path | str | None = None, allow_download: bool | None = None
    ) -> None:
        """Build the network and load its weights.

        Args:
            input_px: pictures are resized to this square side first; at least 75.
            path: torchvision's weights file, instead of looking for it.
            allow_download: see `adapt.weights.find`.

        Raises:
            ValueError: `input_px` below what the network can take.
            WeightsError: weights missing, unreadable or of another network.
        """
        super().__init__()
        if input_px < 75:
            raise ValueError(f"input_px is {input_px}; Inception-v3 takes 75 or more")
        self.input_px = input_px
        self.recipe = {"input_px": input_px, "path": str(Path(path).expanduser().absolute()) if path else None}
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)
        # transform_input undoes ImageNet normalisation for the old weights; it belongs to these weights.
        network = inception_v3(weights=None, transform_input=True, init_weights=False)
        file = weights.find(self.name, path=path, allow_download=allow_download)
        try:
            network.load_state_dict(weights.read_tensors(file))
        except RuntimeError as error:
            raise WeightsError(
                f"{file} does not hold torchvision's inception_v3; give inception_v3_google-0cc3c7bd.pth"
            ) from error
        self.network = network
        self.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "InceptionV3":
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> ImageFeatures:
        """Return region and pooled features; gradients reach the pictures."""
        size = (self.input_px, self.input_px)
        if images.shape[-2:] != size:
            shrinks = max(images.shape[-2:]) > self.input_px
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=shrinks)
        x = self.network._transform_input(((images + 1) / 2 - self.mean) / self.std)
        regions = x
        for name, layer in self.network.named_children():
            if name in _SKIPPED:
                continue
            x = layer(x)
            if name == _REGION_LAYER:
                regions = x
        return ImageFeatures(regions=regions.flatten(2), pooled=x.flatten(1))
