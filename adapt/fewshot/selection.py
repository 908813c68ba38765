"""Choosing the checkpoint: kernel distance to the held-out shots, as long as the drawn pictures are no copies.

The features are those of training (EfficientNet-Lite0), so these figures steer the run and are never reported as
quality; `adapt evaluate` judges with a held-out network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from adapt.data.pictures import centre_crop, load_pictures, to_model
from adapt.fewshot.support_set import SupportSet
from adapt.metrics.copy import copies, copy_threshold, nearest
from adapt.metrics.kernel import kid
from adapt.models.image_encoder import EfficientNetLite
from adapt.models.text_cache import TextFeatureCache
from catalog.records import ManifestEntry

DRAWN = 64
"""Pictures drawn to judge a checkpoint."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a checkpoint scored."""

    step: int
    kernel_distance: float
    """Unbiased KID to the held-out shots (to all shots when none is held out)."""
    copy_rate: float
    """Share of drawn pictures nearer to a training shot than different products are to each other, in [0, 1]."""

    def better_than(self, other: "Judgement | None", *, copy_limit: float) -> bool:
        """Within the copy limit first, then by kernel distance."""
        if other is None:
            return True
        mine, theirs = self.copy_rate <= copy_limit, other.copy_rate <= copy_limit
        return mine > theirs or (mine == theirs and self.kernel_distance < other.kernel_distance)


class CheckpointJudge:
    """Scores a generator on fixed captions and noise."""

    def __init__(
        self, support: SupportSet, texts: TextFeatureCache, *, image_px: int, noise_dim: int, seed: int
    ) -> None:
        self._network = EfficientNetLite("efficientnet_lite0", input_px=128)
        wanted = support.held_out or support.train
        self._wanted = self._features(self._pictures(wanted, image_px))
        self._shots = self._features(self._pictures(support.train, image_px))
        self._threshold = copy_threshold(self._shots, torch.tensor([entry.product_id for entry in support.train]))
        captions = [entry.captions[i % len(entry.captions)].text for i in range(DRAWN) for entry in wanted][:DRAWN]
        self._sentences = texts.encode(captions).sentence
        self._noise = torch.randn(len(captions), noise_dim, generator=torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def __call__(self, step: int, generator: nn.Module) -> Judgement:
        """Draw the fixed captions and compare."""
        device = next(generator.parameters()).device
        drawn = generator(self._noise.to(device), self._sentences.to(device)).float().cpu()
        features = self._features(drawn)
        rate = 0.0  # shots of a single product give nothing to tell a copy from another view by
        if self._threshold is not None:
            rate = copies(nearest(features, self._shots), self._threshold) / len(features)
        return Judgement(step=step, kernel_distance=kid(self._wanted, features), copy_rate=rate)

    def _features(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self._network(part).pooled.float() for part in images.split(16)])

    @staticmethod
    def _pictures(entries: Sequence[ManifestEntry], image_px: int) -> Tensor:
        return to_model(centre_crop(load_pictures(entries, image_px), image_px))
