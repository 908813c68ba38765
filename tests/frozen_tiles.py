"""A tiny frozen dataset for tests of training: plain tiles with captions that name their colour."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from catalog import manifest
from catalog.records import Caption, ManifestEntry

COLOURS = {"red": (220, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 210), "white": (240, 240, 240)}


TINY = (
    "model.widths=[8, 8, 8, 8]", "discriminator.head_width=4", "discriminator.pixel_width=2", "data.batch_size=4",
    "train.steps=6", "train.checkpoint_every=3", "train.sample_every=6", "loss.feature_px=32",
)  # fmt: skip
"""Settings over the preset `debug` that train in seconds."""


def tile_entries(root: Path, *, count: int = 10) -> list[ManifestEntry]:
    """Write `count` pictures of 40 px below `root`, with two captions each; the last two are held out."""
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
    return entries


def frozen_tiles(root: Path, *, count: int = 10) -> Path:
    """Freeze `count` tiles; return the dataset's folder."""
    return manifest.write(root / "frozen", tile_entries(root, count=count), name="tiles").folder
