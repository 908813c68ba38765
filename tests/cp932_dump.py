"""A dump as Japanese shop systems write it: tables in CP932 with Windows line ends, and pictures by name."""

from pathlib import Path

from PIL import Image

from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.draft import DraftCatalogue


def read(root: Path, tables: dict[str, str], pictures: tuple[str, ...]) -> DraftCatalogue:
    """Write a dump in CP932 and read it."""
    for name, text in tables.items():
        (root / name).write_bytes(text.replace("\n", "\r\n").encode("cp932"))
    for name in pictures:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name)
    return read_dump(Dump(root))
