"""The 2015 TensorFlow Inception that FID was defined with, from the PyTorch port of its weights.

Values by these features compare with papers that used TTUR, StyleGAN's or clean-fid's code, not with those by
torchvision's weights: the same AttnGAN pictures of birds score 14.0 here and 24.0 there. No package ships the weights
(`pt_inception-2015-12-05-6726825d.pth`); give them by path, cache or download.

It is torchvision's network but for the pooling branches: average pools leave the padding out of the mean, the last
block takes the maximum, and there are 1,008 classes. Differs from TensorFlow: pictures are resized by torch's bilinear
filter with aligned half pixels, antialiased where they shrink, as clean-fid advises.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import inception_v3

from adapt import weights
from adapt.weights import WeightsError

INPUT_PX = 299
_AVERAGED = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b")
_MAXIMUM = "Mixed_7c"
_CLASSIFIER = {"dropout", "fc"}


class PooledBranch(nn.Module):
    """A block of torchvision's whose last branch looks at its input through another pool."""

    def __init__(self, block: nn.Module, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.block = block
        self._pool = pool

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K H W"]:
        """The block's output, with its pooling branch replaced."""
        *branches, _ = self.block._forward(x)  # type: ignore[operator]
        return torch.cat([*branches, self.block.branch_pool(self._pool(x))], dim=1)  # type: ignore[operator]


class TensorFlowInception:
    """Pooled 2048 features of pictures in [-1, 1]."""

    name = "inception_v3_tf2015"
    dim = 2048
    seen_in_training = False

    def __init__(self, path: Path | None) -> None:
        """Build the network and load its weights.

        Raises:
            WeightsError: weights missing, unreadable or of another network.
        """
        file = weights.find("inception_v3_tf", path=path)
        self._network = build_network(weights.read_tensors(file), file)

    def __call__(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Features of a batch."""
        shrinks = max(images.shape[-2:]) > INPUT_PX
        size = (INPUT_PX, INPUT_PX)
        images = F.interpolate(images.float(), size=size, mode="bilinear", align_corners=False, antialias=shrinks)
        return self._network.to(images.device)(images).flatten(1)


def build_network(state: dict[str, Tensor], file: Path) -> nn.Sequential:
    """The network up to its pooled features, with the tensors of the port.

    Raises:
        WeightsError: the tensors are of another network.
    """
    network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(
            f"{file} does not hold the 2015 Inception; give pt_inception-2015-12-05-6726825d.pth"
        ) from error
    layers = []
    for name, layer in network.named_children():
        if name in _AVERAGED:
            layer = PooledBranch(layer, _mean_without_padding)
        elif name == _MAXIMUM:
            layer = PooledBranch(layer, _maximum)
        if name not in _CLASSIFIER:
            layers.append(layer)
    return nn.Sequential(*layers).eval().requires_grad_(False)


def _mean_without_padding(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
