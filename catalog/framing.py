"""Tell from the bytes of a file what it is, whether it is whole, and what was hung on behind it, without decoding."""

from __future__ import annotations

import struct
import zlib

from catalog.errors import ImageRejected
from catalog.phrases import say

_PNG_START = b"\x89PNG\r\n\x1a\n"
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = (1 << 16) + 22
"""A zip archive ends with 22 bytes and a comment of at most 64 KiB."""

_BLOCKED = (
    (b"%PDF", say("a PDF document")),
    (b"%!PS", say("a PostScript document")),
    (b"\xc5\xd0\xd3\xc6", say("a PostScript document")),
    (b"8BPS", say("a Photoshop file")),
    (b"PK\x03\x04", say("a zip archive")),
    (b"\x1f\x8b", say("a gzip file")),
    (b"Rar!", say("a RAR archive")),
    (b"7z\xbc\xaf", say("a 7-Zip archive")),
    (b"\x00\x00\x00\x0cJXL ", say("a JPEG XL picture")),
    (b"\xff\x0a", say("a JPEG XL picture")),
    (b"\x00\x00\x00\x0cjP  ", say("a JPEG 2000 picture")),
)
_BEGINNINGS = ((b"\xff\xd8", "JPEG"), (b"\x89PNG", "PNG"), (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"))


def refuse_foreign(data: bytes) -> None:
    """Refuse what is no picture of pixels under a picture's name; Pillow would hand some of it to other programs.

    Raises:
        ImageRejected: It is a document, an archive, a drawing, a web page or a picture of a format not taken.
    """
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, meaning in _BLOCKED:
        if head.startswith(magic):
            raise ImageRejected(
                "IMG_FORMAT_BLOCKED", say("{meaning} under a picture's name; export it as JPEG or PNG", meaning=meaning)
            )
    lower = head.lower()
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        raise ImageRejected("IMG_NOT_IMAGE", say("a web page, probably a download error page saved as a picture"))
    if lower.startswith(b"<svg") or (lower.startswith((b"<?xml", b"<!doctype")) and b"<svg" in lower):
        raise ImageRejected("IMG_FORMAT_BLOCKED", say("an SVG drawing; export it as PNG"))
    if data[4:8] == b"ftyp" and b"avif" not in data[8:64]:
        raise ImageRejected("IMG_FORMAT_BLOCKED", say("a HEIC photograph or a film; export it as JPEG"))


def begun_as(data: bytes) -> str:
    """Return the format whose first bytes these are, empty when it is none that can be told."""
    return next((name for magic, name in _BEGINNINGS if data.startswith(magic)), "AVIF" * (data[4:8] == b"ftyp"))


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
            raise ImageRejected(
                "IMG_DATA_CORRUPT", say("the check sum of its {name!a} part is wrong; copy it again", name=name)
            )
        if kind == b"IEND":
            return end
        position = end
    raise ImageRejected("IMG_TRUNCATED", say("the PNG file ends too early; copy it again from the original"))


def webp_end(data: bytes) -> int:
    """Return the offset at which a WebP file says that it ends.

    Raises:
        ImageRejected: The file is shorter than that.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ImageRejected("IMG_TRUNCATED", say("the WebP file ends too early; copy it again from the original"))
    return end + end % 2


def holds_zip(data: bytes) -> bool:
    """Whether a reader of archives would open this file."""
    return data.rfind(_ZIP_END, max(0, len(data) - _ZIP_TAIL)) >= 0
