"""Exponential moving average of a generator: the weights that are evaluated, saved and used.

The half-life is in real pictures seen, as in StyleGAN2-ADA, so that batch size does not change its meaning.
"""

import copy

import torch
from torch import nn


class MovingAverage:
    """A copy of a module that follows it slowly."""

    def __init__(self, module: nn.Module, *, half_life_images: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.half_life_images = half_life_images

    @torch.no_grad()
    def update(self, module: nn.Module, *, batch_images: int, images_seen: int) -> None:
        """Move towards `module` after a step that used `batch_images` pictures.

        Early on the half-life is a tenth of the pictures seen, or the average would remember the random start.
        """
        half_life = min(self.half_life_images, max(images_seen * 0.1, 1e-8))
        decay = 0.5 ** (batch_images / half_life)
        for mine, theirs in zip(self.module.parameters(), module.parameters(), strict=True):
            mine.lerp_(theirs.to(mine.dtype), 1 - decay)
        for ours, fresh in zip(self.module.buffers(), module.buffers(), strict=True):
            if ours.is_floating_point():
                ours.lerp_(fresh.to(ours.dtype), 1 - decay)
            else:
                ours.copy_(fresh)
