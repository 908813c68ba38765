"""Small signatures of a picture: a perceptual hash of its shape, and the colours of an 8 x 8 grid.

The hash alone merges colour variants of a product (recoloured copies differ in few bits of it or in none), so the
colours go with it: pictures alike in shape but not in colour are variants, not duplicates. Lightness is among the
colours, since a black and a grey shirt on white have the same hash and the same hue.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VERSION = "phash2-lab1"
"""Algorithm of `phash` and `chroma`; signatures of another version are not comparable and are made again."""
CELLS = 64
"""Cells of the colour grid, row by row."""
CHROMA_BYTES = 3 * CELLS

_SMALL_PX = 32
_HASH_BITS = 8
_GRID = 8
_WORST_CELLS = 3
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])
_STORED_ZERO = np.array([0, 128, 128], dtype=np.float32)
_STORED_UNIT = np.array([2.55, 1, 1], dtype=np.float32)


def shrink(image: Image.Image) -> Image.Image:
    """Return the RGB picture at 32 x 32, all that `phash` and `chroma` look at; shrinking again changes nothing."""
    # The gap lets Pillow divide by an integer first: 0.9 ms instead of 1.7 ms for 1500 x 1500. With BOX a cell would be
    # 2 or 3 coarse pixels wide: one picture at two sizes then differed by up to 12 bits, with HAMMING by 2.
    return image.resize((_SMALL_PX, _SMALL_PX), Image.Resampling.HAMMING, reducing_gap=2.0)


def phash(image: Image.Image) -> str:
    """Return the 64-bit DCT hash of an RGB picture as 16 hex digits."""
    grey = np.asarray(shrink(image).convert("L"), dtype=np.float64)
    dct = _dct_matrix()
    low = dct @ grey @ dct.T  # (8, 8)
    return np.packbits((low > np.median(low)).flatten()).tobytes().hex()


def chroma(image: Image.Image) -> bytes:
    """Return the CIELAB colours of an RGB picture at 8 x 8, 192 bytes: 2.55 L, a + 128, b + 128 of each cell."""
    pixels = np.asarray(shrink(image), dtype=np.float64)
    step = _SMALL_PX // _GRID
    rgb = pixels.reshape(_GRID, step, _GRID, step, 3).mean(axis=(1, 3)).reshape(CELLS, 3) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=-1)
    return (lab * _STORED_UNIT + _STORED_ZERO).round().clip(0, 255).astype(np.uint8).tobytes()


def colours(chroma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return stored chroma, shape (..., CHROMA_BYTES), as CIELAB values, shape (..., CELLS, 3)."""
    stored = chroma.reshape(*chroma.shape[:-1], CELLS, 3).astype(np.float32)
    return (stored - _STORED_ZERO) / _STORED_UNIT


def colour_difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean CIELAB distance of the three cells that differ most.

    A mean over all cells would drown a coloured trim in the white around the product; a single cell is at the mercy of
    compression.

    Args:
        first: Colours, shape (..., CELLS, 3).
        second: Colours, of a shape that broadcasts with `first`.

    Returns:
        Distances, shape (...).
    """
    distance = np.sqrt(np.square(first - second).sum(axis=-1))
    return np.partition(distance, CELLS - _WORST_CELLS, axis=-1)[..., -_WORST_CELLS:].mean(axis=-1)


def texture(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much the colours of pictures vary: root mean square distance of the cells from their mean.

    Args:
        colours: Colours, shape (..., CELLS, 3).

    Returns:
        CIELAB distances, shape (...): 0 for one colour, about 20 for a photograph.
    """
    deviation = np.square(colours - colours.mean(axis=-2, keepdims=True)).sum(axis=-1)
    return np.sqrt(deviation.mean(axis=-1))


@lru_cache(maxsize=1)
def _dct_matrix() -> NDArray[np.float64]:
    n = np.arange(_SMALL_PX)
    return np.cos(np.pi * (2 * n[None, :] + 1) * n[:_HASH_BITS, None] / (2 * _SMALL_PX))
