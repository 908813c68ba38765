"""One file of a dump: on disk, or an entry of an archive that is read without being unpacked.

Everything that is needed to read it travels in the object, so any process can.
"""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from catalog.phrases import say

MAX_RATIO = 200
"""Bytes that one packed byte may become."""
RATIO_FLOOR = 16 << 20
"""Below this size in bytes nothing is a bomb, whatever its ratio: a white picture packs a thousand to one."""
_CHUNK = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DAMAGE = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    struct.error,
)


class EntryUnreadable(OSError):  # noqa: N818 - it says what happened
    """An archive's entry that cannot be read.

    Attributes:
        code: ``ZIP_DAMAGED`` or ``ZIP_LIMIT``.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(errno.EIO, detail)
        self.code = code


@dataclass(frozen=True)
class ArchiveEntry:
    """Where the bytes of an entry lie in its archive."""

    offset: int
    """Of a zip entry's local header; of the first byte in a tar."""
    packed: int
    """Bytes it takes in the archive."""
    method: int | None = None
    """Zip's number of the compression; None for bytes as they are, without a local header."""
    crc: int | None = None
    """CRC-32 of the content, checked on reading; None where the archive keeps none."""

    def open(self, archive: Path, size: int) -> BinaryIO:
        """Open the entry for reading; a damaged local header raises one of the errors of its format."""
        file = archive.open("rb")
        try:
            file.seek(self.offset)
            if self.method is None:
                return cast(BinaryIO, io.BufferedReader(_Slice(file, self.packed)))
            magic, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            if magic != b"PK\x03\x04":
                raise zipfile.BadZipFile(say("the archive changed while it was read"))
            file.seek(name + extra, os.SEEK_CUR)
            info = zipfile.ZipInfo()
            info.compress_type, info.compress_size, info.file_size = self.method, self.packed, size
            info.CRC = self.crc or 0
            return cast(BinaryIO, zipfile.ZipExtFile(file, "r", info, close_fileobj=True))
        except BaseException:
            file.close()
            raise


@dataclass(frozen=True, kw_only=True)
class DumpFile:
    """One regular file of a dump as seen when it was listed; `x.csv.gz` is read as the `x.csv` it holds."""

    path: str
    """Path from the dump's root, `/` separated, NFC; never used for opening."""
    actual: Path
    """Absolute path on disk, in whatever normal form the file system keeps; of the archive for an entry."""
    size: int
    mtime_ns: int
    """Time of the last change; an entry of an archive has its checksum in the digits below a second."""
    entry: ArchiveEntry | None = None
    container: str = ""
    """Path in the dump of the archive or workbook that holds it; empty for a file, or where the archive is the dump."""

    @cached_property
    def suffix(self) -> str:
        """Lower-case suffix with its dot, of the content if it is gzipped."""
        return os.path.splitext(self._unzipped)[1].lower()

    @property
    def folder(self) -> str:
        """Path of the folder the file is in; empty at the root."""
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """File name without suffix."""
        return os.path.splitext(self._unzipped.rpartition("/")[2])[0]

    @property
    def _unzipped(self) -> str:
        return self.path[:-3] if self.path[-3:].lower() == ".gz" else self.path

    def read(self, limit: int) -> bytes:
        """Return the content, at most `limit` + 1 bytes so that a caller can tell it was too long.

        Raises:
            OSError: It cannot be read; EntryUnreadable where an archive is to blame.
        """
        return b"".join(self.chunks(limit))

    def chunks(self, limit: int) -> Iterator[bytes]:
        """Yield the content in pieces of up to a mebibyte, at most `limit` + 1 bytes in all; raises as `read` does."""
        left, seen = limit + 1, 0
        try:
            with ExitStack() as stack:
                stream = stack.enter_context(self._open())
                if self._unzipped is not self.path:
                    stream = cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=stream)))
                # One step at a time gives what stands before a damage; a whole read would lose it.
                step = stream.read1 if isinstance(stream, gzip.GzipFile) else stream.read
                while left > 0 and (chunk := step(min(_CHUNK, left))):
                    left, seen = left - len(chunk), seen + len(chunk)
                    if self._unzipped is not self.path and seen > max(RATIO_FLOOR, MAX_RATIO * self.size):
                        raise EntryUnreadable(
                            "ZIP_LIMIT", say("unpacks to more than {limit} times its size", limit=MAX_RATIO)
                        )
                    yield chunk
        except _DAMAGE as error:
            what = say("its checksum (CRC) is wrong") if "CRC" in str(error) else str(error) or say("it ends too early")
            raise EntryUnreadable(
                "ZIP_DAMAGED", say("damaged in its archive ({what}); pack it again", what=what)
            ) from error

    def _open(self) -> BinaryIO:
        if self.entry is None:
            return self.actual.open("rb")
        return self.entry.open(self.actual, self.size)


class _Slice(io.RawIOBase):
    """A part of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(min(len(buffer), self._left))
        if not data and self._left:
            raise EOFError(say("the archive ends before its entry does"))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
