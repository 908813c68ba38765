"""One generator under one seed: draws pictures, reads photos and shows both to extractors, always in the same way.

The protocol is here and nowhere else, so that no figure can differ from another in it: pictures are rounded to bytes as
the files a user gets, photos are cut and resized (antialiased) as in training, without flips, and no picture is dropped
because a batch is not full.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from adapt.data.pictures import centre_crop, load_pictures, to_model, to_pixels
from adapt.metrics.features import Extractor, Seen, extract, label
from adapt.metrics.noise import Truncation, draw_noise
from catalog.records import ManifestEntry

Generate = Callable[[Sequence[str], Float[Tensor, "B Z"]], Float[Tensor, "B 3 H W"]]
"""Draws one picture in [-1, 1] for each text and noise vector."""
Encode = Callable[[Sequence[str]], Float[Tensor, "B S"]]
"""Sentence features of texts as the generator reads them."""
Progress = Callable[[str, float, float | None], None]

_DRAW_IMAGES = 32
_LOOK_IMAGES = 64


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Everything a measurement needs to get pictures."""

    generate: Generate
    noise_dim: int
    image_px: int
    margin: float
    """Side at which photos are read, over `image_px`; the middle is used."""
    seed: int
    truncation: Truncation | None = None
    progress: Progress | None = None

    def noise(self, count: int, purpose: int) -> Float[Tensor, "B Z"]:
        """Noise of this seed; each measurement has a purpose of its own, so that adding one changes no other."""
        return draw_noise(count, self.noise_dim, seed=1000 * self.seed + purpose, truncation=self.truncation)

    def read(self, entries: Sequence[ManifestEntry]) -> Float[Tensor, "N 3 H W"]:
        """Photos at the side of the generated pictures."""
        pictures = load_pictures(entries, round(self.image_px * self.margin))
        return to_model(centre_crop(pictures, self.image_px))

    @torch.no_grad()
    def draw(self, texts: Sequence[str], noise: Float[Tensor, "N Z"], what: str) -> Float[Tensor, "N 3 H W"]:
        """Draw in batches and round to bytes, so that figures are those of the files a user would get."""
        parts = []
        for start in range(0, len(texts), _DRAW_IMAGES):
            chosen = slice(start, start + _DRAW_IMAGES)
            parts.append(to_model(to_pixels(self.generate(texts[chosen], noise[chosen]))))
            if self.progress is not None:
                self.progress(what, min(start + _DRAW_IMAGES, len(texts)), len(texts))
        return torch.cat(parts)

    def look(self, extractor: Extractor, images: Float[Tensor, "N 3 H W"]) -> Seen:
        """Features of pictures, marked with the extractor they come from."""
        parts = []
        for part in images.split(_LOOK_IMAGES):
            parts.append(extract(extractor, part))
            if self.progress is not None:
                what = f"looking with {extractor.name}"
                self.progress(what, sum(len(seen) for seen in parts), len(images))
        values = torch.cat(parts) if parts else torch.zeros(0, extractor.dim)
        return Seen(extractor=label(extractor), values=values)
