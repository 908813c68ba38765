"""Bytes of pictures: originals as they are stored, and small copies made once and kept in `cache/thumbnails`."""

import contextlib
import hashlib
import os
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from catalog.errors import CatalogError
from catalog.store import Catalog

ORIGINAL = "original"
THUMBNAILS_PX = {"thumbnail": 96, "preview": 320}
"""Longest side by the name of the size: `thumbnail` for strips, `preview` for grids."""
SIZES = (ORIGINAL, *THUMBNAILS_PX)
QUALITY = 85
EFFORT = 1
"""Of 0 to 6: a thumbnail takes a third of the time of Pillow's usual 4 and is a tenth larger."""
WORKERS = min(4, os.cpu_count() or 1)
"""Pictures read or made at the same time; the rest wait, so that a full grid leaves a core to the screens."""

_coming: dict[tuple[Path, str, str], Future[bytes]] = {}


@cache
def workers() -> ThreadPoolExecutor:
    """Return the threads that read and make pictures, apart from those that the screens run on."""
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="pictures")


def ask(catalog: Catalog, sha256: str, size: str) -> Future[bytes]:
    """Return a picture to come; who asks while it is being read or made gets the same one.

    Args:
        catalog: An open catalogue.
        sha256: The picture.
        size: One of `SIZES`.
    """
    key = (catalog.workspace, sha256, size)
    coming = _coming.get(key)
    if coming is None:
        read = original if size == ORIGINAL else thumbnail
        coming = workers().submit(read, catalog, sha256, size)
        _coming[key] = coming
        coming.add_done_callback(lambda _: _coming.pop(key, None))
    return coming


def original(catalog: Catalog, sha256: str, size: str = ORIGINAL) -> bytes:
    """Return a picture's own bytes.

    Raises:
        CatalogError: The file is missing, or holds something else than its name says.
    """
    data = catalog.blobs.read(sha256)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CatalogError(f"picture {sha256[:12]}… is damaged; restore it from a backup of the blobs")
    return data


def thumbnail(catalog: Catalog, sha256: str, size: str) -> bytes:
    """Return a picture as a small WebP.

    Raises:
        CatalogError: The picture is missing or damaged.
    """
    longest = THUMBNAILS_PX[size]
    path = catalog.workspace / "cache" / "thumbnails" / sha256[:2] / f"{sha256}-{longest}.webp"
    with contextlib.suppress(OSError):
        kept = path.read_bytes()
        if _whole(kept):
            return kept
    data = _small(original(catalog, sha256), longest)
    _keep(path, data)
    return data


def _whole(data: bytes) -> bool:
    # A file system that lost power can leave a short or empty file under the final name.
    return data[:4] == b"RIFF" and int.from_bytes(data[4:8], "little") + 8 == len(data)


def _small(data: bytes, longest: int) -> bytes:
    try:
        with Image.open(BytesIO(data)) as picture:
            # The profile of a printing file says nothing about the colours it is turned into here.
            profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA") else None
            picture.draft("RGB", (longest, longest))
            shown = _on_white(ImageOps.exif_transpose(picture))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CatalogError(f"picture cannot be shown: {error}") from error
    shown.thumbnail((longest, longest))
    out = BytesIO()
    shown.save(out, "WEBP", quality=QUALITY, method=EFFORT, icc_profile=profile)
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(ground, layer).convert("RGB")


def _keep(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError:
        # A full or read-only disk costs speed, not pictures.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
