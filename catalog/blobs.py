"""Content-addressed store of picture files: `<root>/<first two>/<sha256>.<ext>` on any fsspec file system."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import fsspec

from catalog.errors import CatalogError, CatalogUnwritable
from catalog.phrases import say, told

_USUAL = ("jpg", "png", "webp")
"""How nearly all pictures end; others are looked for in a listing."""


class BlobStore:
    """Files named by the digest of their content; equal content is stored once."""

    def __init__(self, root: str) -> None:
        """Open a store.

        Args:
            root: Local folder or fsspec URL such as `s3://bucket/blobs`; made on first put.
        """
        # Absolute, since workers in other places open it by this name.
        self.root = root if "://" in root else os.path.abspath(root)
        self._fs, base = fsspec.core.url_to_fs(root)
        self._base = str(base).rstrip("/")
        self._local = "file" in ([self._fs.protocol] if isinstance(self._fs.protocol, str) else self._fs.protocol)

    def put(self, data: bytes, ext: str) -> str:
        """Store `data` under its digest and return the digest; a second put of it writes nothing.

        Raises:
            CatalogUnwritable: The store cannot be written.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self._name(digest, ext)
        if self._fs.exists(target):
            return digest
        try:
            self._fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            # A reader, or a run after a kill, must never see half a file under a digest.
            part = f"{target}.{uuid.uuid4().hex}.part" if self._local else target
            self._fs.pipe_file(part, data)
            if self._local:
                os.replace(part, target)
        except OSError as error:
            raise CatalogUnwritable(
                say(
                    "cannot store a picture below {root} ({error}); free space or make it writable, then run the "
                    "same command again",
                    root=self.root,
                    error=told(error),
                )
            ) from error
        return digest

    def has(self, sha256: str) -> bool:
        """Whether a blob with this digest is stored."""
        return self._find(sha256) is not None

    def digests(self) -> set[str]:
        """Return the digests of all blobs, by one listing of the store."""
        names = self._local_names() if self._local else map(str, self._fs.glob(f"{self._base}/??/*.*"))
        return {name.rpartition("/")[2].partition(".")[0] for name in names if not name.endswith(".part")}

    def path(self, sha256: str) -> Path:
        """Return the local path of a blob.

        Raises:
            CatalogError: The blob is missing, or the store is not on a local disk.
        """
        if not self._local:
            raise CatalogError(
                say("blobs are at {root}, which has no local paths: use BlobStore.open()", root=self.root)
            )
        return Path(self._require(sha256))

    def open(self, sha256: str) -> IO[bytes]:
        """Open a blob for reading.

        Raises:
            CatalogError: The blob is missing.
        """
        return cast("IO[bytes]", self._fs.open(self._require(sha256), "rb"))

    def read(self, sha256: str) -> bytes:
        """Return a blob's bytes; raises CatalogError when it is missing."""
        return bytes(self._fs.cat_file(self._require(sha256)))

    def leave_mark(self, mark: str) -> None:
        """Store an empty file of this name, so that another machine can see that it shares the store."""
        self._fs.makedirs(self._base, exist_ok=True)
        self._fs.pipe_file(f"{self._base}/{mark}.part", b"")

    def take_mark(self, mark: str) -> bool:
        """Remove a mark and return whether it was there."""
        self._fs.invalidate_cache()
        path = f"{self._base}/{mark}.part"
        there = bool(self._fs.exists(path))
        if there:
            self._fs.rm_file(path)
        return there

    def _local_names(self) -> Iterator[str]:
        # A file system of fsspec looks at each file as well, which takes ten times as long. What cannot be listed
        # is not there: storing it again says why.
        with contextlib.suppress(OSError):
            for folder in os.listdir(self._base):
                if len(folder) == 2:
                    with contextlib.suppress(OSError):
                        yield from os.listdir(f"{self._base}/{folder}")

    def _name(self, sha256: str, ext: str) -> str:
        return f"{self._base}/{sha256[:2]}/{sha256}.{ext.lstrip('.')}"

    def _find(self, sha256: str) -> str | None:
        folder = f"{self._base}/{sha256[:2]}"
        found = self._local_named(folder, sha256) if self._local else self._fs.glob(f"{folder}/{sha256}.*")
        return next((str(name) for name in sorted(found) if not str(name).endswith(".part")), None)

    @staticmethod
    def _local_named(folder: str, sha256: str) -> list[str]:
        # Asked for every picture on a screen: a file system of fsspec looks at each file of the folder.
        for ext in _USUAL:
            if os.path.isfile(f"{folder}/{sha256}.{ext}"):
                return [f"{folder}/{sha256}.{ext}"]
        with contextlib.suppress(OSError):
            return [f"{folder}/{name}" for name in os.listdir(folder) if name.startswith(f"{sha256}.")]
        return []

    def _require(self, sha256: str) -> str:
        found = self._find(sha256)
        if found is None:
            raise CatalogError(
                say(
                    "picture {sha256}… is not in the blob store at {root}; run the ingest again",
                    sha256=sha256[:12],
                    root=self.root,
                )
            )
        return found
