"""Pictures that the report shows beside the figures: rows of generated and real ones with what they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from adapt.data.pictures import to_pixels


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One picture and the words below it."""

    pixels: UInt8[np.ndarray, "H W 3"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Groups of pictures that are to be compared with each other."""

    title: str
    note: str
    groups: tuple[tuple[Cell, ...], ...]


def sheet(title: str, note: str, *columns: tuple[Tensor, Sequence[str]]) -> Sheet:
    """Make groups of the n-th picture (N, 3, H, W) in [-1, 1] of each column, with its text."""
    cells = [
        [Cell(pixels=pixels, text=text) for pixels, text in zip(to_pixels(images), texts, strict=True)]
        for images, texts in columns
    ]
    return Sheet(title=title, note=note, groups=tuple(zip(*cells, strict=True)))
