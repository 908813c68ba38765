"""Feature spaces in which the distribution-sensitive losses compare pictures.

Anything here is "seen in training": the reported judge is another network (see adapt/metrics).
"""

import json
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adapt.errors import ConfigError
from adapt.losses.palette import palette
from adapt.models.damsm import Damsm
from adapt.models.image_encoder import EfficientNetLite

FEATURE_SPACES = ("efficientnet_lite0", "palette", "damsm")


class ComparisonFeatures(nn.Module):
    """Pictures (B, 3, H, W) → one vector each whose dot product is the mean cosine over the chosen spaces."""

    def __init__(self, names: Sequence[str], *, feature_px: int, damsm: Damsm | None = None) -> None:
        """Build the networks of the chosen spaces.

        Args:
            names: of `FEATURE_SPACES`.
            feature_px: side at which EfficientNet sees the pictures.
            damsm: the model whose picture code is the space `damsm`.

        Raises:
            ConfigError: no or an unknown space, or `damsm` without its model.
        """
        super().__init__()
        unknown = [name for name in names if name not in FEATURE_SPACES]
        if unknown or not names:
            raise ConfigError(f"loss.features={list(names)}: choose from {', '.join(FEATURE_SPACES)}")
        if "damsm" in names and damsm is None:
            others = [name for name in names if name != "damsm"] or ["efficientnet_lite0"]
            raise ConfigError(
                "loss.features names 'damsm', which only adapt pretrain trains; leave it out: "
                f"--set 'loss.features={json.dumps(others)}'"
            )
        self.names = tuple(names)
        lite = "efficientnet_lite0" in names
        self.backbone = EfficientNetLite("efficientnet_lite0", input_px=feature_px) if lite else None
        self.damsm = damsm if "damsm" in names else None
        self.register_buffer("palette_mean", torch.zeros(1), persistent=False)
        self.register_buffer("lite_mean", torch.zeros(1), persistent=False)

    @torch.no_grad()
    def centre_on(self, images: Tensor) -> None:
        """Subtract the mean of real pictures from now on, or every cosine would be near 1.

        DAMSM's code is left as it is, as published: training has spread it over the sphere.

        Args:
            images: a few hundred real pictures (N, 3, H, W) in [-1, 1].
        """
        if "palette" in self.names:
            self.palette_mean = palette(images).mean(dim=0, keepdim=True)
        if self.backbone is not None:
            pooled = [self.backbone(part).pooled.float() for part in images.split(32)]
            self.lite_mean = torch.cat(pooled).mean(dim=0, keepdim=True)

    def forward(self, images: Tensor, code: Tensor | None = None) -> Tensor:
        """Unit-length features; gradients reach the pictures.

        Args:
            images: (B, 3, H, W) in [-1, 1].
            code: DAMSM's code of these pictures where the caller has it already.
        """
        spaces: dict[str, Callable[[], Tensor]] = {
            "palette": lambda: palette(images) - self.palette_mean,
            "efficientnet_lite0": lambda: self._lite(images) - self.lite_mean,
            "damsm": lambda: self._code(images) if code is None else code,
        }
        parts = [F.normalize(spaces[name]().float(), dim=1) for name in self.names]
        return torch.cat(parts, dim=1) / len(parts) ** 0.5

    def _lite(self, images: Tensor) -> Tensor:
        assert self.backbone is not None
        return self.backbone(images).pooled.float()

    def _code(self, images: Tensor) -> Tensor:
        assert self.damsm is not None
        pooled: Tensor = self.damsm(images).pooled
        return pooled
