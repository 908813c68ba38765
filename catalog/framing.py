"""What a PNG or WebP file holds around its pixels: check sums, its end, and what was hung on behind it."""

from __future__ import annotations

import struct
import zlib

from catalog.errors import ImageRejected

_PNG_START = b"\x89PNG\r\n\x1a\n"
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = (1 << 16) + 22
"""A zip archive ends with 22 bytes and a comment of at most 64 KiB."""


def png_end(data: bytes) -> int:
    """Return the offset after the last chunk of a PNG file, having compared every check sum.

    Pillow skips the sums of pixel data, so a flipped bit would otherwise pass as another pixel.

    Raises:
        ImageRejected: A chunk is damaged, or the end is missing.
    """
    position = len(_PNG_START)
    while position + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        end = position + 12 + length
        if end > len(data):
            break
        expected = int.from_bytes(data[end - 4 : end], "big")
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != expected:
            name = kind.decode("ascii", "replace")
            raise ImageRejected("IMG_DATA_CORRUPT", f"the check sum of its {name!a} part is wrong; copy it again")
        if kind == b"IEND":
            return end
        position = end
    raise ImageRejected("IMG_TRUNCATED", "the PNG file ends too early; copy it again from the original")


def webp_end(data: bytes) -> int:
    """Return the offset at which a WebP file says that it ends.

    Raises:
        ImageRejected: The file is shorter than that.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ImageRejected("IMG_TRUNCATED", "the WebP file ends too early; copy it again from the original")
    return end + end % 2


def holds_zip(data: bytes) -> bool:
    """Whether a reader of archives would open this file."""
    return data.rfind(_ZIP_END, max(0, len(data) - _ZIP_TAIL)) >= 0
