"""Scores that a candidate carries into review: does it fit its text, and which real photo is it nearest to."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from adapt.data.pictures import centre_crop, load_pictures, to_model
from adapt.errors import TrainingError
from adapt.metrics.copy import nearest
from adapt.models.damsm import Damsm
from adapt.models.image_encoder import EfficientNetLite
from adapt.training.damsm import DamsmConfig, train_damsm
from adapt.weights import WeightsError
from catalog.manifest import Manifest

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a reviewer is shown beside a candidate."""

    text_match: float | None
    """Share of the other products' captions that fit the picture less than its own does, in [0, 1]; chance is ½.

    None where there are too few captioned photos to learn what fits.
    """
    nearest_sha256: str
    """The most similar real photo of the dataset."""
    nearest_similarity: float
    """Cosine of ImageNet features to it, in [-1, 1]."""


class CandidateScorer:
    """Knows the real photos and captions of one frozen dataset."""

    def __init__(self, manifest: Manifest, *, image_px: int, cache: Path, progress: Progress | None = None) -> None:
        """Train or read the text-image matcher of this dataset, and look at its photos once.

        The matcher (DAMSM heads over frozen encoders) has seen these products; it ranks candidates for reviewers and is
        no measure of quality.
        """
        entries = [entry for entry in manifest.entries if entry.captions]
        if not entries:
            raise TrainingError(f"dataset {manifest.name} has no captions; run: adapt captions")
        self._matcher = matcher_for(manifest, image_px=image_px, cache=cache, progress=progress)
        self._network = EfficientNetLite("efficientnet_lite0", input_px=128)
        self._sha256 = [entry.sha256 for entry in entries]
        photos = to_model(centre_crop(load_pictures(entries, image_px, cache=cache), image_px))
        self._photos = self._features(photos)
        first = {entry.product_id: entry.captions[0].text for entry in entries}
        self._products = torch.tensor(list(first))
        self._codes = None if self._matcher is None else self._sentences(self._matcher, list(first.values()))

    @torch.no_grad()
    def __call__(
        self, images: Float[Tensor, "B 3 H W"], texts: Sequence[str], product_ids: Sequence[int]
    ) -> list[Score]:
        """Score pictures in [-1, 1] drawn for `texts` of `product_ids`."""
        found = nearest(self._features(images), self._photos)
        beaten = self._beaten(images, texts, product_ids)
        return [
            Score(
                text_match=None if beaten is None else float(beaten[i]),
                nearest_sha256=self._sha256[int(found.index[i])],
                nearest_similarity=float(found.similarity[i]),
            )
            for i in range(len(images))
        ]

    def _beaten(self, images: Tensor, texts: Sequence[str], product_ids: Sequence[int]) -> Float[Tensor, " B"] | None:
        if self._matcher is None or self._codes is None:
            return None
        codes = torch.cat([self._matcher(part).pooled for part in images.split(32)])
        pictures = F.normalize(codes, dim=1)
        fit = (pictures * self._sentences(self._matcher, texts)).sum(dim=1, keepdim=True)  # (B, 1)
        others = torch.tensor(product_ids)[:, None] != self._products[None, :]  # (B, P)
        return ((pictures @ self._codes.T < fit) & others).sum(dim=1) / others.sum(dim=1).clamp_min(1)

    @staticmethod
    def _sentences(matcher: Damsm, texts: Sequence[str]) -> Float[Tensor, "B D"]:
        return F.normalize(matcher.encode(texts).sentence, dim=1)

    @torch.no_grad()
    def _features(self, images: Tensor) -> Tensor:
        return torch.cat([self._network(part).pooled.float() for part in images.split(16)])


def matcher_for(manifest: Manifest, *, image_px: int, cache: Path, progress: Progress | None) -> Damsm | None:
    """The text-image matcher of a dataset: read from the cache, else trained once; None below two captioned photos."""
    captioned = [entry for entry in manifest.entries if entry.captions]
    if len(captioned) < 2:
        return None
    folder = cache / f"matcher-{image_px}px-{manifest.content_hash[:12]}"
    if (folder / "damsm.json").is_file():
        try:
            return Damsm.load(folder)
        except WeightsError as error:  # only a cache: what it holds is trained anew
            logging.getLogger(__name__).warning("%s; trained again", error)
    config = DamsmConfig(image_px=image_px, captions_per_picture=3, steps=120, batch_size=32)
    if sum(entry.split == "train" for entry in captioned) < 2:
        # Nothing can be spared to hold out; the matcher only ranks candidates.
        captioned = [replace(entry, split="train") for entry in captioned]
        config = replace(config, held_out_share=0.0)
    model = train_damsm(captioned, config, cache=cache, progress=progress)
    model.save(folder)
    return model
