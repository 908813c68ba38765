"""A tiny frozen dataset for tests of training: plain tiles with captions that name their colour."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from catalog import manifest
from catalog.records import Caption, ManifestEntry

COLOURS = {"red": (220, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 210), "white": (240, 240, 240)}


def frozen_tiles(root: Path, *, count: int) -> Path:
    """Freeze `count` pictures of 40 px with two captions each, the last two held out; return the dataset's folder."""
    entries = []
    for number in range(count):
        name = list(COLOURS)[number % len(COLOURS)]
        pixels = np.full((40, 40, 3), COLOURS[name], dtype=np.uint8)
        pixels[: number + 1] //= 2
        path = root / f"{number}.png"
        Image.fromarray(pixels).save(path)
        captions = tuple(
            Caption(number * 2 + i, text, "en", "t", {"colour": name})
            for i, text in enumerate((f"a {name} tile", f"a tile that is {name}"))
        )
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        split = "test" if number >= count - 2 else "train"
        entries.append(ManifestEntry(path, digest, f"s/{number}", number, name, split, captions, str(number)))
    return manifest.write(root / "frozen", entries, name="tiles").folder
