"""Files that may be gzipped, read with a limit on what they grow to."""

from __future__ import annotations

import zlib

from catalog.paths import DumpFile
from catalog.readers.tabular import MAX_TABLE_BYTES

_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_STEP = 1 << 16


def decompressed(file: DumpFile) -> tuple[bytes, str]:
    """Return a file's content, and what is wrong with it or ""; of a damaged one, what stands before the damage.

    Raises:
        OSError: The file cannot be read.
    """
    data = file.read(MAX_TABLE_BYTES)
    if data.startswith(_MAGIC):
        return _inflated(data, MAX_TABLE_BYTES)
    problem = f"larger than {MAX_TABLE_BYTES >> 20} MiB; split it" if len(data) > MAX_TABLE_BYTES else ""
    return data[:MAX_TABLE_BYTES], problem


def first_line(file: DumpFile, limit: int) -> bytes:
    """Return the first line of a file, or what `limit` bytes of the file hold of it.

    Raises:
        OSError: The file cannot be read.
    """
    data = file.read(limit)
    if data.startswith(_MAGIC):
        data, _ = _inflated(data, limit)
    return data.split(b"\n", 1)[0]


def _inflated(data: bytes, limit: int) -> tuple[bytes, str]:
    parts: list[bytes] = []
    size = position = 0
    stream = zlib.decompressobj(_GZIP_WINDOW)
    while position < len(data):
        if stream.eof:  # several gzip members one after the other
            stream = zlib.decompressobj(_GZIP_WINDOW)
        step = data[position : position + _STEP]
        try:
            part = stream.decompress(step, limit + 1 - size)
        except zlib.error as error:
            return b"".join(parts), f"damaged after {size} bytes: {error}"
        parts.append(part)
        size += len(part)
        if size > limit:
            return b"".join(parts)[:limit], f"grows beyond {limit >> 20} MiB; split it"
        position += len(step) - len(stream.unused_data) - len(stream.unconsumed_tail)
    return b"".join(parts), "" if stream.eof else f"cut off after {size} bytes"
