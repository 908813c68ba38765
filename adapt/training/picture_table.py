"""Frozen image features of a whole dataset, computed once, so that a training step never runs the image encoder."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adapt.data.pictures import to_model
from adapt.models.damsm import DamsmHeads
from adapt.models.interfaces import ImageEncoder, ImageFeatures

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class PictureTable:
    """Frozen image features of every picture, fp16 on the CPU."""

    regions: Tensor
    """(M, R, N)."""
    pooled: Tensor
    """(M, D)."""
    thumbnails: Tensor
    """(M, 3, P, P) in [-1, 1]."""

    @classmethod
    @torch.no_grad()
    def compute(
        cls,
        encoder: ImageEncoder,
        heads: DamsmHeads,
        pictures: np.ndarray,
        *,
        batch_size: int = 16,
        device: torch.device | str = "cpu",
        progress: Progress | None = None,
    ) -> "PictureTable":
        """Run `encoder` once over uint8 pictures (M, H, W, 3)."""
        regions, pooled, thumbnails = [], [], []
        for start in range(0, len(pictures), batch_size):
            images = to_model(np.asarray(pictures[start : start + batch_size])).to(device)
            features = encoder(images)
            regions.append(features.regions.to("cpu", torch.float16))
            pooled.append(features.pooled.to("cpu", torch.float16))
            thumbnails.append(heads.thumbnails(images).to("cpu", torch.float16))
            if progress is not None:
                progress("picture features", min(start + batch_size, len(pictures)), len(pictures))
        return cls(regions=torch.cat(regions), pooled=torch.cat(pooled), thumbnails=torch.cat(thumbnails))

    def project(self, heads: DamsmHeads, rows: Tensor, device: torch.device | str = "cpu") -> ImageFeatures:
        """Return the features of `rows` in the shared space."""
        features = ImageFeatures(
            regions=self.regions[rows].to(device, torch.float32), pooled=self.pooled[rows].to(device, torch.float32)
        )
        return heads.project_image(features, self.thumbnails[rows].to(device, torch.float32))
