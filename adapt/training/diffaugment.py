"""The same random, differentiable changes for real and generated pictures, so that D cannot learn them by heart.

Paper: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", arXiv 2006.10738.

Differs from the paper: `color` changes brightness and contrast but never saturation or hue, since a shifted hue makes
the colour words of the caption untrue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from adapt.errors import ConfigError

POLICIES = ("color", "translation", "cutout")


def check_policies(policies: Sequence[str]) -> None:
    """Refuse names that are no policy.

    Raises:
        ConfigError: names the unknown policy and the known ones.
    """
    for policy in policies:
        if policy not in POLICIES:
            raise ConfigError(
                f"train.augment has '{policy}'; allowed are {', '.join(POLICIES)}: "
                "--set 'train.augment=[\"translation\"]'"
            )


class Augmentation:
    """The policies of a run and the probability with which each is applied.

    With `adapt_images` > 0 the probability follows the share of real pictures that D is sure of (Karras et al.,
    "Training GANs with Limited Data", arXiv 2006.06676: r_t, target 0.6), so that few pictures are changed more.
    """

    target = 0.6

    def __init__(self, policies: Sequence[str], *, probability: float = 1.0, adapt_images: float = 0.0) -> None:
        check_policies(policies)
        self.policies = tuple(policies)
        self.probability = probability
        self._adapt_images = adapt_images

    def __call__(self, images: Tensor, generator: torch.Generator, *, places: "Places | None" = None) -> Tensor:
        """Change pictures (B, 3, H, W), which are all of a batch or stand in it at `places`."""
        return augment(images, self.policies, probability=self.probability, generator=generator, places=places)

    def observe(self, real_logits: Sequence[Tensor]) -> None:
        """Move the probability after D judged a batch of real pictures; one tensor (B, …) a head."""
        if not self._adapt_images:
            return
        confident = torch.stack([head.detach().float().flatten(1).mean(dim=1).sign().mean() for head in real_logits])
        direction = 1.0 if confident.mean() > self.target else -1.0
        step = len(real_logits[0]) / self._adapt_images
        self.probability = min(1.0, max(0.0, self.probability + direction * step))


@dataclass(frozen=True)
class Places:
    """Where pictures stand in a whole batch: random numbers are drawn for all of it, each picture takes its own."""

    rows: Int[Tensor, " B"]
    """On the CPU."""
    whole: int


class _Draws:
    """Random numbers of a generator, for the pictures of `places`."""

    def __init__(self, generator: torch.Generator, places: Places) -> None:
        self._generator, self._places = generator, places

    def uniform(self) -> Tensor:
        """One number in [0, 1) a picture, (B, 1, 1, 1)."""
        return torch.rand(self._places.whole, 1, 1, 1, generator=self._generator)[self._places.rows]

    def pair(self, low: int, high: int) -> Tensor:
        """Two whole numbers of [low, high) a picture, (2, B)."""
        drawn = torch.randint(low, high, (2, self._places.whole), generator=self._generator)
        return drawn[:, self._places.rows]


def augment(
    images: Float[Tensor, "B 3 H W"],
    policies: Sequence[str],
    *,
    probability: float = 1.0,
    generator: torch.Generator,
    places: Places | None = None,
) -> Float[Tensor, "B 3 H W"]:
    """Apply each policy to each picture with `probability`; gradients flow through."""
    result = images
    draws = _Draws(generator, places or Places(torch.arange(len(images)), len(images)))
    for policy in policies:
        changed = {"color": _color, "translation": _translation, "cutout": _cutout}[policy](result, draws)
        chosen = draws.uniform() < probability
        result = changed if probability >= 1 else torch.where(chosen.to(images.device), changed, result)
    return result


def _color(images: Tensor, draws: _Draws) -> Tensor:
    brightness = (draws.uniform() - 0.5).to(images) * 0.5
    contrast = (draws.uniform() * 0.5 + 0.75).to(images)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * contrast + mean + brightness


def _translation(images: Tensor, draws: _Draws, *, ratio: float = 0.125) -> Tensor:
    batch, _, height, width = images.shape
    span = max(1, round(height * ratio))
    down, right = draws.pair(-span, span + 1)
    padded = F.pad(images, (span, span, span, span), mode="replicate")
    rows = (torch.arange(height)[None, :] + span + down[:, None]).to(images.device)  # (B, H)
    columns = (torch.arange(width)[None, :] + span + right[:, None]).to(images.device)  # (B, W)
    pictures = torch.arange(batch, device=images.device)[:, None, None]
    # Advanced indexing puts the channels last; the permutation restores (B, 3, H, W).
    moved = padded.permute(0, 2, 3, 1)[pictures, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _cutout(images: Tensor, draws: _Draws, *, ratio: float = 0.4) -> Tensor:
    _, _, height, width = images.shape
    size = round(height * ratio)
    top, left = draws.pair(-size // 2, height - size // 2)
    rows, columns = torch.arange(height), torch.arange(width)
    inside = ((rows >= top[:, None]) & (rows < top[:, None] + size))[:, :, None] & (
        (columns >= left[:, None]) & (columns < left[:, None] + size)
    )[:, None, :]
    return images * (~inside)[:, None].to(images)
