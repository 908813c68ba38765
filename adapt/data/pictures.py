"""Pictures of a dataset, decoded once into a file of uint8 rows that is mapped into memory and read a batch at a time.

COCO at 304 px is 33 GB: pages that a batch touches are read, nothing else is held. Reading is `data/prefetch.py`'s.
"""

import hashlib
import io
import json
import logging
import os
import shutil
import struct
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from adapt.errors import AdaptError
from catalog.atomic import replacing
from catalog.records import ManifestEntry

Progress = Callable[[str, int, int], None]
_LOG = logging.getLogger(__name__)
_WINDOW = 64
"""Pictures in work at a time, so that decoded ones never pile up before the disk."""
# What Pillow raises for damaged files, by format: PNG chunks give SyntaxError, headers struct.error, sizes the bomb.
_DAMAGE = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError, UnidentifiedImageError)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The pictures that could be read, in order, and those that could not."""

    pictures: UInt8[np.ndarray, "N S S 3"]
    entries: list[ManifestEntry]
    """One a row of `pictures`."""
    left_out: Mapping[str, str]
    """Path → why it cannot be read."""

    def complaint(self) -> str:
        """How many were left out, and the first by name with its reason; one line."""
        first, reason = next(iter(self.left_out.items()))
        total = len(self.entries) + len(self.left_out)
        return f"{len(self.left_out)} of {total} pictures cannot be read; the first is {first}: {reason}"


def load_square(entry: ManifestEntry, side_px: int) -> UInt8[np.ndarray, "S S 3"]:
    """One picture, cut to its box where it has one, squeezed to a square.

    Squeezing keeps the whole product in the frame; the sides of catalogue pictures seldom differ much.

    Raises:
        AdaptError: the file is missing or not a picture.
    """
    try:
        return _decode(entry, side_px)
    except _DAMAGE as error:
        raise AdaptError(
            f"cannot read picture {entry.image}: {_reason(error)}; freeze or download the dataset again"
        ) from error


def load_pictures(
    entries: Sequence[ManifestEntry], side_px: int, *, cache: Path | None = None, progress: Progress | None = None
) -> UInt8[np.ndarray, "N S S 3"]:
    """All pictures, in order; read from `cache` (a folder) when the same pictures were decoded before.

    Raises:
        AdaptError: a picture is missing or damaged.
    """
    decoded = decode_pictures(entries, side_px, cache=cache, progress=progress)
    if decoded.left_out:
        raise AdaptError(f"{decoded.complaint()}; freeze or download the dataset again")
    return decoded.pictures


def readable_pictures(
    entries: Sequence[ManifestEntry], side_px: int, *, cache: Path | None = None, progress: Progress | None = None
) -> Decoded:
    """The pictures that can be read; a warning counts those that cannot and names the first.

    Raises:
        AdaptError: none can be read.
    """
    decoded = decode_pictures(entries, side_px, cache=cache, progress=progress)
    if decoded.left_out:
        _LOG.warning("%s; left out", decoded.complaint())
    return decoded


def decode_pictures(
    entries: Sequence[ManifestEntry], side_px: int, *, cache: Path | None = None, progress: Progress | None = None
) -> Decoded:
    """Decode on all cores, or map what was decoded before.

    Args:
        entries: pictures; their content hashes, boxes and order name the file in `cache`.
        side_px: side of the squares.
        cache: folder of decoded files; without one the pictures stay in memory.
        progress: told of every few pictures.

    Raises:
        AdaptError: none can be read, or the disk has no room for them.
    """
    if cache is None:
        buffer = io.BytesIO()
        left_out = _write_rows(buffer, entries, side_px, progress)
        buffer.seek(0)
        return _chosen(np.load(buffer, allow_pickle=False), entries, left_out)
    digest = hashlib.sha256(str(side_px).encode())
    for entry in entries:
        digest.update(f"{entry.sha256}{entry.box}".encode())
    file = cache / f"pictures-{side_px}px-{digest.hexdigest()[:12]}.npy"
    known = _mapped(file, entries, side_px)
    if known is not None:
        return known
    _require_room(cache, len(entries) * side_px**2 * 3)
    with replacing(file) as part:
        with part.open("wb") as stream:
            left_out = _write_rows(stream, entries, side_px, progress)
        notes = file.with_suffix(".json")
        notes.unlink(missing_ok=True)
        if left_out:  # before the rows themselves: where they are, this is
            with replacing(notes) as note:
                note.write_text(json.dumps({str(i): reason for i, reason in left_out.items()}), encoding="utf-8")
    written = _mapped(file, entries, side_px)
    if written is None:
        raise AdaptError(f"{file} does not hold what was just written; is the disk full? free some and start again")
    return written


def _decode(entry: ManifestEntry, side_px: int) -> UInt8[np.ndarray, "S S 3"]:
    with Image.open(entry.image) as picture:
        picture.draft("RGB", (2 * side_px, 2 * side_px)) if entry.box is None else None
        rgb = picture.convert("RGB")
    if entry.box is not None:
        rgb = rgb.crop(entry.box)
    return np.asarray(rgb.resize((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0))


def _reason(error: BaseException) -> str:
    """The error in one line, without the path that the message names already."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def _write_rows(
    stream: BinaryIO, entries: Sequence[ManifestEntry], side_px: int, progress: Progress | None
) -> dict[int, str]:
    """Write readable pictures as an .npy file; return the positions of the others, with reasons."""

    def attempt(entry: ManifestEntry) -> UInt8[np.ndarray, "S S 3"] | str:
        try:
            return _decode(entry, side_px)
        except _DAMAGE as error:
            return _reason(error)

    left_out: dict[int, str] = {}
    _write_header(stream, len(entries), side_px)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, len(entries), _WINDOW):
            for i, row in enumerate(pool.map(attempt, entries[start : start + _WINDOW]), start=start):
                if isinstance(row, str):
                    left_out[i] = row
                else:
                    stream.write(row.tobytes())
            if progress is not None:
                progress("decoding pictures", min(start + _WINDOW, len(entries)), len(entries))
    if left_out:
        if len(left_out) == len(entries):
            raise AdaptError(
                f"none of {len(entries)} pictures can be read; the first is {entries[0].image}: {left_out[0]}; "
                "freeze or download the dataset again"
            )
        # NumPy pads its header so that the number of rows may change in place.
        stream.seek(0)
        _write_header(stream, len(entries) - len(left_out), side_px)
    return left_out


def _write_header(stream: BinaryIO, rows: int, side_px: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (rows, side_px, side_px, 3)}
    np.lib.format.write_array_header_1_0(stream, header)


def _mapped(file: Path, entries: Sequence[ManifestEntry], side_px: int) -> Decoded | None:
    """What a file of decoded pictures holds; None where there is none, or it is not whole."""
    notes = file.with_suffix(".json")
    try:
        pictures = np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
        noted = json.loads(notes.read_text(encoding="utf-8")) if notes.is_file() else {}
    except (OSError, ValueError, EOFError):
        return None
    left_out = {int(position): str(reason) for position, reason in noted.items()}
    if pictures.shape != (len(entries) - len(left_out), side_px, side_px, 3):
        return None
    return _chosen(pictures, entries, left_out)


def _chosen(pictures: NDArray[np.uint8], entries: Sequence[ManifestEntry], left_out: Mapping[int, str]) -> Decoded:
    return Decoded(
        pictures=pictures,
        entries=[entry for i, entry in enumerate(entries) if i not in left_out],
        left_out={str(entries[i].image): reason for i, reason in left_out.items()},
    )


def _require_room(folder: Path, nbytes: int) -> None:
    """Refuse before hours of decoding what the disk has no room for."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < nbytes:
        raise AdaptError(
            f"decoded pictures take {nbytes / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free; free some, choose "
            "a workspace elsewhere with -w, or use fewer: --set data.limit=1000"
        )


def to_model(pictures: NDArray[np.uint8]) -> Float[Tensor, "B 3 H W"]:
    """uint8 (B, H, W, 3) → float32 (B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2).contiguous() / 127.5 - 1


def to_pixels(images: Float[Tensor, "B 3 H W"]) -> UInt8[np.ndarray, "B H W 3"]:
    """Pictures in [-1, 1] → uint8 (B, H, W, 3), rounded."""
    scaled = ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round()
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).to(torch.uint8).numpy())


def centre_crop(pictures: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """The middle of (B, S, S, 3), for everything that is not training."""
    start = (pictures.shape[1] - side_px) // 2
    return pictures[:, start : start + side_px, start : start + side_px]
