"""A frozen dataset of plain tiles in four colours: enough to train on for a few steps."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from catalog import manifest
from catalog.records import Caption, ManifestEntry

COLOURS = {"red": (220, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 210), "white": (240, 240, 240)}


def write_colour_tiles(root: Path, count: int = 8, *, held_out: int = 2) -> Path:
    """Write `count` tiles of 40 px, each with two captions that name its colour; the last `held_out` are tests."""
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
        split = "test" if number >= count - held_out else "train"
        entries.append(ManifestEntry(path, digest, f"s/{number}", number, name, split, captions, str(number)))
    return manifest.write(root / "frozen", entries, name="tiles").folder
