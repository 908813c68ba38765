"""What one hostile file is, and what must become of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Expected = tuple[int, int, int] | Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class PictureCase:
    """A picture file, or what has a picture's name."""

    name: str
    """Name of the file in a dump; unique."""
    make: Callable[[], bytes]
    code: str = ""
    """Code it is refused with; empty when it is accepted."""
    says: str = ""
    """Words its refusal must hold: the advice."""
    pixels: Expected | None = None
    """Colour of the whole picture, or the picture: upright RGB."""
    tolerance: float = 0
    """Largest mean difference in levels; lossy formats need some."""
    flags: Mapping[str, bool | int | float] = field(default_factory=dict)
    """All flags of an accepted picture."""
    plain: bool = False
    """Whether the original bytes may be stored."""

    def expected(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        assert self.pixels is not None
        if callable(self.pixels):
            return self.pixels()
        return np.broadcast_to(np.array(self.pixels, dtype=np.uint8), shape)
