"""Files that may be gzipped or packed, read up to where they are damaged or too large."""

from __future__ import annotations

from catalog.dump_file import EntryUnreadable
from catalog.paths import DumpFile
from catalog.phrases import say, told
from catalog.readers.tabular import MAX_TABLE_BYTES


def decompressed(file: DumpFile) -> tuple[bytes, str]:
    """Return a file's content, and what is wrong with it or ""; of a damaged one, what stands before the damage.

    Raises:
        OSError: The file cannot be read.
    """
    data, problem = _before_damage(file, MAX_TABLE_BYTES)
    if len(data) > MAX_TABLE_BYTES:
        problem = say("grows beyond {limit} MiB; split it", limit=MAX_TABLE_BYTES >> 20)
    return data[:MAX_TABLE_BYTES], problem


def first_line(file: DumpFile, limit: int) -> bytes:
    """Return the first line of a file, or what `limit` bytes of the file hold of it.

    Raises:
        OSError: The file cannot be read.
    """
    return _before_damage(file, limit)[0].split(b"\n", 1)[0]


def _before_damage(file: DumpFile, limit: int) -> tuple[bytes, str]:
    parts: list[bytes] = []
    try:
        parts.extend(file.chunks(limit))
    except EntryUnreadable as error:
        return b"".join(parts), told(error)
    return b"".join(parts), ""
