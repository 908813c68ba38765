"""Pictures of a dataset as one uint8 array, decoded once and kept on disk beside the run.

Everything at training resolution fits in memory (76 px: 17 KB a picture), so that a step never waits for a decoder.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import albumentations as A
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


def load_square(entry: ManifestEntry, side_px: int) -> UInt8[np.ndarray, "S S 3"]:
    """One picture, cut to its box where it has one, squeezed to a square.

    Squeezing keeps the whole product in the frame; the sides of catalogue pictures seldom differ much.

    Raises:
        AdaptError: the file is missing or not a picture.
    """
    try:
        with Image.open(entry.image) as picture:
            picture.draft("RGB", (2 * side_px, 2 * side_px)) if entry.box is None else None
            rgb = picture.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise AdaptError(f"cannot read picture {entry.image}: {error}; freeze or download the dataset again") from error
    if entry.box is not None:
        rgb = rgb.crop(entry.box)
    return np.asarray(rgb.resize((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0))


def load_pictures(
    entries: Sequence[ManifestEntry], side_px: int, *, cache: Path | None = None, progress: Progress | None = None
) -> UInt8[np.ndarray, "N S S 3"]:
    """All pictures, in order; read from `cache` (a folder) when the same pictures were decoded before."""
    digest = hashlib.sha256(str(side_px).encode())
    for entry in entries:
        digest.update(f"{entry.sha256}{entry.box}".encode())
    file = cache / f"pictures-{side_px}px-{digest.hexdigest()[:12]}.npy" if cache is not None else None
    known = _cached(file, (len(entries), side_px, side_px, 3)) if file is not None else None
    if known is not None:
        return known
    pictures = np.empty((len(entries), side_px, side_px, 3), dtype=np.uint8)
    for i, entry in enumerate(entries):
        pictures[i] = load_square(entry, side_px)
        if progress is not None and (i % 64 == 0 or i + 1 == len(entries)):
            progress("decoding pictures", i + 1, len(entries))
    if file is not None:
        with replacing(file) as part, part.open("wb") as stream:
            np.save(stream, pictures, allow_pickle=False)
    return pictures


def _cached(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """Pictures decoded before; None where there are none or the file is damaged, since it is written again then."""
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return np.asarray(found) if found.shape == shape and found.dtype == np.uint8 else None


def to_model(pictures: NDArray[np.uint8]) -> Float[Tensor, "B 3 H W"]:
    """uint8 (B, H, W, 3) → float32 (B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2).contiguous() / 127.5 - 1


def to_pixels(images: Float[Tensor, "B 3 H W"]) -> UInt8[np.ndarray, "B H W 3"]:
    """Pictures in [-1, 1] → uint8 (B, H, W, 3), rounded."""
    scaled = ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round()
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).to(torch.uint8).numpy())


class CropAndFlip:
    """Random crop to the model's side and mirroring, the same for the same seed."""

    def __init__(self, side_px: int, *, flip: bool) -> None:
        steps: list[A.BasicTransform] = [A.RandomCrop(side_px, side_px)]
        if flip:
            steps.append(A.HorizontalFlip(p=0.5))
        self._transform = A.Compose(steps)

    def __call__(self, pictures: NDArray[np.uint8], *, seed: int) -> NDArray[np.uint8]:
        """(B, S, S, 3) → (B, side, side, 3)."""
        self._transform.set_random_seed(seed % 2**32)
        return np.stack([self._transform(image=picture)["image"] for picture in pictures])


def centre_crop(pictures: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """The middle of (B, S, S, 3), for everything that is not training."""
    start = (pictures.shape[1] - side_px) // 2
    return pictures[:, start : start + side_px, start : start + side_px]
