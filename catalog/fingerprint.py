"""Small signatures of a picture: a perceptual hash of its shape and the colours of an 8 x 8 grid.

The hash alone merges colour variants of a product (recoloured copies differ in no bit of it), so
`chroma` goes with it: pictures alike in shape but not in chroma are variants, not duplicates.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_HASH_PX = 32
_HASH_BITS = 8


@lru_cache(maxsize=1)
def _dct_matrix() -> NDArray[np.float64]:
    n = np.arange(_HASH_PX)
    return np.cos(np.pi * (2 * n[None, :] + 1) * n[:_HASH_BITS, None] / (2 * _HASH_PX))


def phash(image: Image.Image) -> str:
    """Return the 64-bit DCT hash of an RGB picture as 16 hex digits."""
    grey = np.asarray(image.convert("L").resize((_HASH_PX, _HASH_PX), Image.Resampling.BOX), dtype=np.float64)
    dct = _dct_matrix()
    low = dct @ grey @ dct.T  # (8, 8)
    bits = (low > np.median(low)).flatten()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def chroma(image: Image.Image) -> bytes:
    """Return the Cb and Cr planes of an RGB picture at 8 x 8, 128 bytes."""
    small = image.resize((8, 8), Image.Resampling.BOX).convert("YCbCr")
    return np.asarray(small)[:, :, 1:].tobytes()
