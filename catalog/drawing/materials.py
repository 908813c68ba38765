"""Surfaces of drawn products: base colour by position, roughness of the highlight, and small bumps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Material:
    """How one surface looks in studio light."""

    kind: str
    """ceramic, glass, wood, metal, fabric, leather, plastic or stone."""
    color: tuple[int, int, int]
    """Base colour, sRGB 0 to 255."""
    second: tuple[int, int, int] | None = None
    """Colour of stripes or of the dipped part; None without a pattern."""
    pattern: str = "plain"
    """plain, striped or two-tone."""

    @property
    def translucent(self) -> bool:
        """Whether what lies behind shows through."""
        return self.kind == "glass"

    @property
    def metallic(self) -> bool:
        """Whether the surface mirrors its surroundings in its own colour."""
        return self.kind == "metal"


GLOSS: dict[str, tuple[float, float]] = {
    "ceramic": (0.05, 0.12),
    "fabric": (0.0, 1.0),
    "glass": (0.06, 0.05),
    "leather": (0.035, 0.45),
    "metal": (0.75, 0.16),
    "plastic": (0.045, 0.25),
    "stone": (0.03, 0.5),
    "wood": (0.03, 0.4),
}
"""Reflectance seen head on (0 to 1) and blur of the reflection (0 mirror, 1 none) of each kind."""


def linear(color: tuple[int, int, int]) -> Array:
    """Return an sRGB colour as linear light."""
    return (np.array(color, np.float32) / 255) ** 2.2


def albedo(material: Material, position: Array, texture: Array) -> Array:
    """Return base colours in linear light, (N, 3), for surface points.

    Args:
        material: the surface.
        position: points in world units, (N, 3).
        texture: texture coordinates, (N, 2).
    """
    base = np.broadcast_to(linear(material.color), position.shape).copy()
    if material.second is not None:
        base = np.where(_patterned(material, position)[:, None], linear(material.second), base)
    x, y, z = position.T
    u, v = texture.T
    if material.kind == "wood":
        warp = 0.05 * np.sin(2.1 * v + 1.3 * u) + 0.03 * np.sin(5.3 * v - 2.0 * u + x)
        rings = 0.5 + 0.5 * np.sin(46 * (u + warp) + 3 * np.sin(1.7 * v))
        pores = 0.5 + 0.5 * np.sin(210 * u + 14 * np.sin(3 * v))
        base *= (0.66 + 0.34 * rings**0.6 + 0.08 * (pores - 0.5))[:, None]
    elif material.kind == "fabric":
        warp_thread, weft_thread = weave(u, v)
        base *= (0.84 + 0.18 * np.maximum(warp_thread, weft_thread))[:, None]
    elif material.kind == "stone":
        veins = np.sin(4 * x + 2.5 * y + 3 * np.sin(2.2 * y + 1.7 * z) + 2 * np.sin(5 * z - 3 * x))
        base *= (1 - 0.35 * np.exp(-((veins * 5) ** 2)))[:, None]
    elif material.kind == "metal":
        base *= (0.96 + 0.05 * np.sin(260 * v + 9 * np.sin(40 * v)))[:, None]
    elif material.kind == "leather":
        base *= (0.96 + 0.04 * _grain(u, v))[:, None]
    return base


def bumps(material: Material, texture: Array) -> Array:
    """Return the slope of small bumps along both texture axes, (N, 2)."""
    u, v = texture.T
    if material.kind == "fabric":
        warp_thread, weft_thread = weave(u, v)
        return 0.26 * np.stack([warp_thread - 0.5, weft_thread - 0.5], axis=1)
    if material.kind == "leather":
        return 0.09 * np.stack([_grain(u, v), _grain(v + 1.7, u)], axis=1)
    if material.kind == "metal":
        return np.stack([np.zeros_like(u), 0.035 * np.sin(180 * v + 7 * np.sin(31 * v))], axis=1)
    if material.kind == "ceramic":
        return 0.012 * np.stack([np.sin(7 * u + 3 * v), np.sin(9 * v - 2 * u)], axis=1)
    return np.zeros_like(texture)


def weave(u: Array, v: Array, threads: float = 21.0) -> tuple[Array, Array]:
    """Return heights (0 to 1) of the crossing threads of a plain weave, `threads` to a unit."""
    column, row = np.floor(u * threads), np.floor(v * threads)
    over = (column + row) % 2
    across = np.abs(np.sin(np.pi * u * threads))
    along = np.abs(np.sin(np.pi * v * threads))
    return across * (0.45 + 0.55 * over), along * (1.0 - 0.55 * over)


def _grain(u: Array, v: Array) -> Array:
    cells = np.sin(23 * u + 2 * np.sin(13 * v)) * np.sin(21 * v + 2 * np.sin(11 * u))
    return np.asarray(cells + 0.4 * np.sin(37 * u + 29 * v + 2 * np.sin(17 * u)), np.float32)


def _patterned(material: Material, position: Array) -> NDArray[np.bool_]:
    """Return where the second colour shows."""
    height = position[:, 1]
    if material.pattern == "two-tone":
        low, high = float(height.min()), float(height.max())
        return height < low + 0.36 * (high - low)
    return np.sin(2 * np.pi * height * 2.6 + 0.6) > 0.25
