"""Take picture files of a dump into the blob store, reading only those that are new or changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from catalog import fingerprint, images
from catalog.blobs import BlobStore
from catalog.errors import ImageRejected
from catalog.paths import DumpFile

_UNREADABLE = "FILE_UNREADABLE"


@dataclass(frozen=True, kw_only=True)
class SeenFile:
    """What the catalogue remembers of a file, or what was found in it now."""

    size: int
    mtime_ns: int
    file_sha256: str
    image_sha256: str | None
    """Digest of the stored picture; None when the file was refused."""
    reason: str = ""
    detail: str = ""


@dataclass(kw_only=True)
class PictureIntake:
    """Decides for each file whether it is known, and decodes and stores it when it is not."""

    blobs: BlobStore | None
    """None in a dry run: pictures are checked, nothing is stored."""
    remembered: Mapping[str, SeenFile]
    """By path in the dump, from earlier runs of this source."""
    stored: set[str]
    """Digests of all pictures the catalogue has, of any source."""
    new_images: list[dict[str, Any]] = field(default_factory=list)
    """Rows for the image table that no transaction has taken yet."""
    new_files: dict[str, SeenFile] = field(default_factory=dict)
    """Files to remember that no transaction has taken yet."""
    images_added: int = 0
    images_reused: int = 0
    images_decoded: int = 0
    _done: dict[str, SeenFile] = field(default_factory=dict)
    _by_content: dict[str, SeenFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index what is remembered by content, so that a moved file is not decoded again."""
        self._by_content = {seen.file_sha256: seen for seen in self.remembered.values() if seen.file_sha256}

    def take(self, file: DumpFile) -> SeenFile:
        """Return what is in `file`; a refused picture is an answer, not an error."""
        done = self._done.get(file.path)
        if done is not None:
            return done
        seen = self.remembered.get(file.path)
        if seen is None or (seen.size, seen.mtime_ns) != (file.size, file.mtime_ns) or not self._usable(seen):
            seen = self._read(file)
            if seen.reason != _UNREADABLE:  # permissions and failing disks change without a trace in size and time
                self.new_files[file.path] = seen
        elif seen.image_sha256:
            self.images_reused += 1
        self._done[file.path] = seen
        return seen

    def handed_over(self) -> None:
        """Forget the pending rows after a transaction has taken them."""
        self.new_images.clear()
        self.new_files.clear()

    def _usable(self, seen: SeenFile) -> bool:
        return seen.image_sha256 is None or seen.image_sha256 in self.stored

    def _read(self, file: DumpFile) -> SeenFile:
        def found(file_sha256: str, image: str | None, reason: str = "", detail: str = "") -> SeenFile:
            return SeenFile(
                size=file.size,
                mtime_ns=file.mtime_ns,
                file_sha256=file_sha256,
                image_sha256=image,
                reason=reason,
                detail=detail,
            )

        try:
            data = file.read(images.MAX_BYTES)
        except OSError as error:
            return found("", None, _UNREADABLE, str(error.strerror or error))
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.stored:
            self.images_reused += 1
            return found(digest, digest)
        same = self._by_content.get(digest)
        if same is not None and self._usable(same):
            self.images_reused += same.image_sha256 is not None
            return found(digest, same.image_sha256, same.reason, same.detail)
        try:
            image_sha256 = self._store(data, digest)
        except ImageRejected as error:
            seen = found(digest, None, error.code, error.detail)
        else:
            seen = found(digest, image_sha256)
        self._by_content[digest] = seen
        return seen

    def _store(self, data: bytes, digest: str) -> str:
        self.images_decoded += 1
        decoded = images.decode(data)
        ext = images.extension(decoded.format)
        if not decoded.plain:
            data, ext = images.encode_plain(decoded)
            digest = hashlib.sha256(data).hexdigest()
        if digest in self.stored:
            self.images_reused += 1
            return digest
        if self.blobs is not None:
            self.blobs.put(data, ext)
        picture = Image.fromarray(decoded.pixels)
        self.new_images.append(
            {
                "sha256": digest,
                "pixel_sha256": hashlib.sha256(np.ascontiguousarray(decoded.pixels).data).hexdigest(),
                "ext": ext,
                "format": decoded.format,
                "width": decoded.width,
                "height": decoded.height,
                "size_bytes": len(data),
                "phash": fingerprint.phash(picture),
                "chroma": fingerprint.chroma(picture),
                "flags": dict(decoded.flags),
            }
        )
        self.stored.add(digest)
        self.images_added += 1
        return digest
