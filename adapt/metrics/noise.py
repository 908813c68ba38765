"""The noise that pictures are drawn with, and its truncation, which raises fidelity at the cost of diversity.

Two ways are in use, and figures under one say nothing about the other or about none: `psi:0.7` shortens the noise
(StyleGAN's ψ, applied to z), `truncnorm:0.88` is 0.88 times a normal distribution cut at ±2 (BigGAN; DF-GAN's
evaluation uses just this value). What was used is kept with every figure.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adapt.errors import AdaptError

KINDS = ("psi", "truncnorm")
CUT = 2.0


@dataclass(frozen=True, kw_only=True)
class Truncation:
    """One way to tame noise; written and read as `kind:strength`."""

    kind: str
    strength: float
    """Factor in (0, 1]."""

    @classmethod
    def parse(cls, text: str) -> "Truncation":
        """Read `psi:0.7` or `truncnorm:0.88`.

        Raises:
            AdaptError: another kind, or no number above 0 up to 1.
        """
        kind, _, number = text.partition(":")
        try:
            strength = float(number)
        except ValueError:
            strength = math.nan
        if kind not in KINDS or not 0 < strength <= 1:
            raise AdaptError(
                f"truncation {text!r}; write psi:F or truncnorm:F with F above 0 up to 1, such as truncnorm:0.88"
            )
        return cls(kind=kind, strength=strength)

    def __str__(self) -> str:
        return f"{self.kind}:{self.strength:g}"

    def __call__(self, noise: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
        """Standard normal noise, truncated; equal noise stays equal and the order of values is kept."""
        if self.kind == "psi":
            return noise * self.strength
        # By way of the distribution function, so that no draw is thrown away and the same seed gives the same pictures.
        below = torch.special.ndtr(torch.tensor(-CUT, dtype=torch.float64))
        share = below + (1 - 2 * below) * torch.special.ndtr(noise.double())
        return (torch.special.ndtri(share) * self.strength).to(noise.dtype)


def check_truncation(truncation: Truncation | None, network: nn.Module) -> None:
    """Refuse a truncation that the generator undoes: figures would say truncated of pictures that are not.

    Raises:
        AdaptError: its style blocks bring z to one length again, whatever the noise was.
    """
    if truncation is not None and getattr(network.config, "style_blocks", False):
        raise AdaptError(
            f"truncation {truncation} shortens noise that the style blocks of this run bring to one length again; "
            "leave --truncation out"
        )


def draw_noise(count: int, dim: int, *, seed: int, truncation: Truncation | None = None) -> Float[Tensor, "B Z"]:
    """Noise of a seed, standard normal unless truncated."""
    noise = torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))
    return noise if truncation is None else truncation(noise)
