"""Noise that means something: the colour-free layout of a photo as the noise that should draw it again.

A conditional GAN with a strong text signal tends to ignore its noise: every picture gets one layout (seen at 32 px
after 900 steps). Half of a batch therefore draws with the layout code of its own photo and is compared with that photo,
as the conditional autoencoder of Zhu et al., "Toward Multimodal Image-to-Image Translation" (BicycleGAN),
arXiv 1711.11586, does.

Differs from the paper: the encoder is not learned. A code is the whitened principal components of a small grey picture
of normalised contrast, so codes are near standard normal as drawn noise is, and carry no hue: colour has to come from
the text.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor, nn

from adapt.data.batches import Batch
from adapt.data.pictures import to_model
from adapt.training.reconstruction import Reconstruction

_SIDE_PX = 16
_LUMA = (0.299, 0.587, 0.114)


class LayoutCodes:
    """Pictures (B, 3, H, W) in [-1, 1] → layout codes (B, L), about standard normal over the dataset."""

    def __init__(self, pictures: NDArray[np.uint8], dim: int) -> None:
        """Find the principal components of the pictures (N, S, S, 3); codes past their number are 0."""
        grey = torch.cat([_grey(to_model(pictures[i : i + 256])) for i in range(0, len(pictures), 256)])
        self._mean = grey.mean(dim=0)
        _, scale, components = torch.linalg.svd(grey - self._mean, full_matrices=False)
        kept = min(dim, len(scale))
        spread = scale[:kept] / max(len(grey) - 1, 1) ** 0.5
        # Components of almost no spread would blow up rounding errors.
        weight = torch.where(spread > 1e-3 * spread[0], 1 / spread.clamp_min(1e-8), torch.zeros(()))
        self._project = F.pad(components[:kept].T * weight, (0, dim - kept))

    def __call__(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L"]:
        """Codes of pictures; no gradient."""
        with torch.no_grad():
            grey = _grey(images) - self._mean.to(images.device)
            return (grey @ self._project.to(images.device)).clamp(-3, 3)


class LayoutTerm:
    """Draws noise for the loop and adds `g_layout`: the first part of a batch must show its own photos."""

    def __init__(self, codes: LayoutCodes, *, weight: float, share: float) -> None:
        self._codes, self._share = codes, share
        self._distance = Reconstruction()
        self.weights = {"g_layout": weight}

    def noise(self, batch: Batch, drawn: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
        """`drawn`, where a `share` of the batch begins with the codes of its photos."""
        coded = self._coded(batch)
        codes = self._codes(batch.images[coded]).to(drawn) if coded.any() else drawn[coded]
        result = drawn.clone()
        result[coded, : codes.shape[1]] = codes
        return result

    def __call__(
        self, network: nn.Module, batch: Batch, noise: Tensor, pictures: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """The term for the pictures (B, 3, H, W) drawn of the first captions with `noise`."""
        coded = self._coded(batch)
        if not coded.any():
            return {"g_layout": pictures.sum() * 0.0}
        # The mean over the coded pictures of the whole batch, of which a process or a part may have any number.
        own_share = float(coded.float().mean())
        distance = self._distance(pictures[coded], batch.images[coded])
        return {"g_layout": distance * (own_share * batch.whole / self._limit(batch))}

    def _coded(self, batch: Batch) -> Bool[Tensor, " B"]:
        """Which pictures have codes: evenly spread over the whole batch, whose streams of captions lie one by one."""
        limit = self._limit(batch)
        return (batch.places + 1) * limit // batch.whole > batch.places * limit // batch.whole

    def _limit(self, batch: Batch) -> int:
        """Coded pictures of the whole batch."""
        return max(1, round(batch.whole * self._share))


def _grey(images: Tensor) -> Tensor:
    small = F.adaptive_avg_pool2d(images.float(), _SIDE_PX)
    grey = torch.einsum("c,bchw->bhw", torch.tensor(_LUMA, device=images.device), small).flatten(1)
    return (grey - grey.mean(dim=1, keepdim=True)) / (grey.std(dim=1, keepdim=True) + 0.05)
