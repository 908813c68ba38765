"""Read JPEG files strictly, and tell which of their bytes make the pixels.

simplejpeg reports the decoder's warnings, which is the only way to see a half-copied file: Pillow
alone decodes a zeroed block in silence. It stops at the first warning, so a remark about the header
would hide damage behind it; such a file is decoded again without the odd header parts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from catalog.errors import ImageRejected
from catalog.phrases import say

MAX_SCANS = 200
MAX_PROGRESSIVE_PIXELS = 50_000_000
"""A progressive file keeps every coefficient in memory, six bytes a pixel, before the first row comes out."""
_SOS, _EOI = 0xDA, 0xD9
_STANDALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# APP0 and APP14 say how colours are coded; frames, tables and restart intervals are C0-CF, DB and DD.
_SHAPING = frozenset({0xE0, 0xEE, 0xDB, 0xDD, *range(0xC0, 0xD0)})
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Files that browsers and Pillow show whole, and whose pixels are whole.
_HEADER_REMARKS = ("extraneous bytes before marker", "icc marker", "unknown adobe")
_PADDING = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_MAX_PADDING = 64


@dataclass(frozen=True, kw_only=True)
class JpegLayout:
    """Where the parts of a JPEG file lie."""

    header: bytes
    """Start mark and the segments before the first scan that shape the pixels: no EXIF, no comments, no profile."""
    scans_start: int
    end: int | None
    """Offset after the end mark; None when the file has none."""
    scans: int
    progressive: bool

    def pixel_data(self, data: bytes) -> memoryview:
        """Return the coded scans, up to the end mark."""
        return memoryview(data)[self.scans_start : self.end]

    def digest(self, data: bytes, *context: bytes) -> str:
        """Return the SHA-256 of all that makes the pixels: equal in copies that differ in metadata alone."""
        digest = hashlib.sha256(self.header)
        digest.update(self.pixel_data(data))
        for part in context:
            digest.update(part)
        return digest.hexdigest()


def layout(data: bytes) -> JpegLayout:
    """Find the parts of a JPEG file without decoding it.

    Raises:
        ImageRejected: It has no scan, or an absurd number of them.
    """
    kept = [data[:2]]
    position, progressive = 2, False
    while True:
        position = data.find(b"\xff", position)
        marker = data[position + 1] if 0 <= position < len(data) - 1 else None
        if marker is None:
            raise ImageRejected("IMG_TRUNCATED", say("the file ends before its picture data; copy it again"))
        if marker == _SOS:
            break
        if marker in (0x00, 0xFF) or marker in _STANDALONE:
            position += 1 if marker == 0xFF else 2
            continue
        if marker == _EOI:
            raise ImageRejected(
                "IMG_DATA_CORRUPT", say("the file holds no picture data; save it again from the original")
            )
        after = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        progressive = progressive or marker in _PROGRESSIVE
        if marker in _SHAPING:
            kept.append(data[position:after])
        position = after
    end, scans = _end(data, position)
    return JpegLayout(header=b"".join(kept), scans_start=position, end=end, scans=scans, progressive=progressive)


def _end(data: bytes, position: int) -> tuple[int | None, int]:
    """Return the offset after the end mark, or None, and how many scans lie before it."""
    scans = 0
    while True:
        found = _END_OF_SCAN.search(data, position)
        if found is None:
            return None, scans
        position, marker = found.start(), data[found.start() + 1]
        if marker == _EOI:
            return position + 2, scans
        scans += marker == _SOS
        if scans > MAX_SCANS:
            raise ImageRejected(
                "IMG_BOMB", say("more than {limit} scans; save it again as a plain JPEG", limit=MAX_SCANS)
            )
        # A damaged length must not lead over the end mark, nor stand still.
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        position += 2 if marker in _STANDALONE else 2 + max(length, 2)


def strict_pixels(data: bytes, parts: JpegLayout, min_side_px: int = 0) -> tuple[NDArray[np.uint8], bool]:
    """Decode, refusing what the decoder has to guess.

    Args:
        data: The file.
        parts: Its layout.
        min_side_px: Decode at the smallest of 1/8, 1/4, 1/2 and full size that keeps both sides this
            long; every coded byte is read all the same, and as much damage found. 0 is full size.

    Returns:
        Pixels of shape (height, width, channels) with 1 (grey), 3 (RGB) or 4 (CMYK as coded, often
        inverted) channels; and whether the header was odd in a way that leaves them alone.

    Raises:
        ImageRejected: The picture data is damaged or incomplete.
    """
    height, width, colour_space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    target = "CMYK" if colour_space in ("CMYK", "YCCK") else "GRAY" if colour_space == "Gray" else "RGB"
    # The scales between these have no fast path in the decoder.
    factor = next((step for step in (8, 4, 2) if 0 < min_side_px <= min(height, width) // step), 1)
    least = {"min_height": -(-height // factor), "min_width": -(-width // factor)}

    def attempt(coded: bytes, *, strict: bool = True) -> NDArray[np.uint8]:
        return np.asarray(simplejpeg.decode_jpeg(coded, target, strict=strict, **least))

    try:
        return attempt(data), False
    except ValueError as error:
        remark = str(error)
    if "premature end of jpeg file" in remark.lower():
        if parts.end is None and _decodes(attempt, data + b"\xff\xd9"):
            raise ImageRejected("IMG_TRUNCATED", say("the end mark is missing; open it, and save it again to fix it"))
        raise ImageRejected("IMG_TRUNCATED", say("{remark}; copy it again from the original", remark=remark[:160]))
    if not any(known in remark.lower() for known in _HEADER_REMARKS):
        raise _damaged(remark)
    plain = parts.header + bytes(parts.pixel_data(data))
    try:
        return attempt(plain), True
    except ValueError as error:
        padding = _PADDING.search(str(error))
        # Some cameras and scanners pad behind the last row; lost data leaves far more unread.
        if (padding and int(padding[1]) <= _MAX_PADDING) or "unknown adobe" in str(error).lower():
            return attempt(plain, strict=False), True
        raise _damaged(str(error)) from error


def as_picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return what `strict_pixels` decoded as a grey, RGB or CMYK picture."""
    if pixels.shape[2] == 1:
        return Image.fromarray(pixels[:, :, 0])
    if pixels.shape[2] == 4:
        # Adobe writes inks inverted, and everyone does as Adobe.
        return Image.frombytes("CMYK", (pixels.shape[1], pixels.shape[0]), (255 - pixels).tobytes())
    return Image.fromarray(pixels)


def _decodes(attempt: Callable[[bytes], object], data: bytes) -> bool:
    try:
        attempt(data)
    except ValueError:
        return False
    return True


def _damaged(remark: str) -> ImageRejected:
    return ImageRejected("IMG_DATA_CORRUPT", say("{remark}; save it again from the original", remark=remark[:160]))
