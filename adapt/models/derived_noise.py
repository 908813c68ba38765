"""Random numbers that follow from the noise vector: equal noise gives equal numbers, on any device and in any batch.

Style blocks need a random number a pixel and style mixing a second latent. Taken from a global or even a seeded
generator they would depend on what else is in the batch; a counter hashed with the bits of the picture's own noise
does not, and nothing has to be saved for an exact resume.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

_WORD = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9


def _mix(value: Tensor) -> Tensor:
    """Avalanche 32-bit numbers held in int64; the multiplier is small enough that no product overflows."""
    for _ in range(2):
        value = ((value >> 16) ^ value) * 0x045D9F3B & _WORD
    return (value >> 16) ^ value


def noise_seeds(noise: Float[Tensor, "B Z"]) -> Int[Tensor, " B"]:
    """A 32-bit seed a row, from all its bits."""
    bits = noise.detach().float().contiguous().view(torch.int32).to(torch.int64) & _WORD  # (B, Z)
    position = torch.arange(noise.shape[1], device=noise.device)
    return _mix(_mix(bits ^ _mix(position * _GOLDEN & _WORD)).sum(dim=1) & _WORD)


def derived_uniform(seeds: Int[Tensor, " B"], count: int, *, stream: int) -> Float[Tensor, "B count"]:
    """Uniform numbers in (0, 1); another `stream` gives others."""
    key = _mix(seeds ^ _mix(torch.full_like(seeds, stream * _GOLDEN & _WORD)))
    counter = torch.arange(count, device=seeds.device)
    return ((_mix((key[:, None] + counter) & _WORD) >> 8).float() + 0.5) / 2**24


def derived_normal(seeds: Int[Tensor, " B"], count: int, *, stream: int) -> Float[Tensor, "B count"]:
    """Standard normal numbers (Box and Muller); another `stream` gives others."""
    radius, angle = derived_uniform(seeds, 2 * count, stream=stream).chunk(2, dim=1)
    return (-2 * radius.log()).sqrt() * (2 * math.pi * angle).cos()
