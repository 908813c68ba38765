"""Choosing the checkpoint: kernel distance to the held-out shots, as long as the drawn pictures are no copies.

Ten pictures measure a distance roughly, and a generator that draws one blob in the catalogue's mean colours scores
deceptively well (seen: 0.58 after 40 steps, 0.65 after 200 with products in sight). So the one-standard-error rule
decides (Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3): of the checkpoints that cannot be
told from the best one, the latest, which has learned the most.

The features are those of training (EfficientNet-Lite0), so these figures steer the run and are never reported as
quality; `adapt evaluate` judges with a held-out network.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from adapt.data.pictures import centre_crop, load_pictures, to_model
from adapt.fewshot.support_set import SupportSet
from adapt.metrics.copy import copies, copy_threshold, nearest
from adapt.metrics.interval import NORMAL_95
from adapt.metrics.kernel import kid_interval
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
    standard_error: float | None
    """Of the kernel distance; None where there are too few pictures to say: then no checkpoint is told from another."""
    copy_rate: float
    """Share of drawn pictures nearer to a training shot than different products are to each other, in [0, 1]."""


def choose(judgements: Sequence[Judgement], *, copy_limit: float) -> Judgement:
    """The latest checkpoint within one standard error of the least kernel distance.

    Checkpoints above the copy limit are looked at only when there are no others. A newer judgement is either chosen or
    changes nothing, so that no weights but the chosen ones need to be kept.

    Raises:
        ValueError: nothing was judged.
    """
    allowed = [judgement for judgement in judgements if judgement.copy_rate <= copy_limit] or judgements
    best = min(allowed, key=lambda judgement: judgement.kernel_distance)
    limit = math.inf if best.standard_error is None else best.kernel_distance + best.standard_error
    return max((j for j in allowed if j.kernel_distance <= limit), key=lambda judgement: judgement.step)


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
        self._texts = texts.encode(captions)
        self._noise = torch.randn(len(captions), noise_dim, generator=torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def __call__(self, step: int, generator: nn.Module) -> Judgement:
        """Draw the fixed captions and compare."""
        device = next(generator.parameters()).device
        drawn = generator(self._noise.to(device), self._texts.to(device)).images.float().cpu()
        features = self._features(drawn)
        rate = 0.0  # shots of a single product give nothing to tell a copy from another view by
        if self._threshold is not None:
            rate = copies(nearest(features, self._shots), self._threshold) / len(features)
        distance, _, high = kid_interval(self._wanted, features, seed=0)
        error = (high - distance) / NORMAL_95 if math.isfinite(high) else None
        return Judgement(step=step, kernel_distance=distance, standard_error=error, copy_rate=rate)

    def _features(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self._network(part).pooled.float() for part in images.split(16)])

    @staticmethod
    def _pictures(entries: Sequence[ManifestEntry], image_px: int) -> Tensor:
        return to_model(centre_crop(load_pictures(entries, image_px), image_px))
