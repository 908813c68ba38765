"""What a worker does with one picture file: read, check, fingerprint and store it.

This is a pure function of the file: it knows no database and no other file, so it runs in this process, in another
one or on another machine, and the order of calls does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from catalog import fingerprint, images
from catalog.blobs import BlobStore
from catalog.errors import ImageRejected
from catalog.paths import DumpFile
from catalog.phrases import say, told

UNREADABLE = "FILE_UNREADABLE"


@dataclass(frozen=True, kw_only=True)
class TakenPicture:
    """What a picture file turned out to be."""

    file_sha256: str
    """Digest of the file; empty when it could not be read."""
    row: Mapping[str, Any] | None = None
    """Columns of the image table; None when the file was refused."""
    reason: str = ""
    """Code of the refusal."""
    detail: str = ""


def take_picture(file: DumpFile, blobs: str | None) -> TakenPicture:
    """Read a picture file and store it.

    Args:
        file: A file of a dump.
        blobs: Where the blob store is; None to check only.

    Raises:
        CatalogUnwritable: The blob store cannot be written.
    """
    try:
        data = file.read(images.MAX_BYTES)
    except OSError as error:
        return TakenPicture(file_sha256="", reason=UNREADABLE, detail=told(error))
    except MemoryError:
        return TakenPicture(file_sha256="", reason="IMG_BOMB", detail=say("too large for the memory at hand"))
    digest = hashlib.sha256(data).hexdigest()
    try:
        return TakenPicture(file_sha256=digest, row=_taken(data, digest, blobs))
    except ImageRejected as error:
        return TakenPicture(file_sha256=digest, reason=error.code, detail=error.detail)
    except MemoryError:
        return TakenPicture(file_sha256=digest, reason="IMG_BOMB", detail=say("too large for the memory at hand"))


def _taken(data: bytes, digest: str, blobs: str | None) -> dict[str, Any]:
    surveyed = images.survey(data)
    ext = images.extension(surveyed.format)
    if not surveyed.plain:
        data, ext = images.encode_plain(images.decode(data))
        digest = hashlib.sha256(data).hexdigest()
    row = {
        "sha256": digest,
        "pixel_sha256": surveyed.pixel_sha256,
        "ext": ext,
        "format": surveyed.format,
        "width": surveyed.width,
        "height": surveyed.height,
        "size_bytes": len(data),
        "phash": fingerprint.phash(surveyed.reduced),
        "chroma": fingerprint.chroma(surveyed.reduced),
        "flags": dict(surveyed.flags),
    }
    if blobs is not None:
        _store(blobs).put(data, ext)
    return row


@lru_cache(maxsize=4)
def _store(root: str) -> BlobStore:
    return BlobStore(root)
