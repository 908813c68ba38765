"""Writers of picture files down to the byte, for what no picture library writes on purpose."""

import io
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

MOTIF_WIDTH, MOTIF_HEIGHT = 96, 64


def motif(width: int = MOTIF_WIDTH, height: int = MOTIF_HEIGHT) -> Image.Image:
    """A picture that differs from all its turned and mirrored selves, with noise so that coded data is long."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).integers(0, 12, (height, width))
    planes = [x * 255 // width, y * 255 // height, (x + y) * 120 // (width + height) + noise]
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


def saved(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, file_format, **options)
    return out.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes, *chunks: bytes) -> bytes:
    """A PNG file of filtered rows, with further chunks before its pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + b"".join(chunks) + png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")


def png_of(samples: np.ndarray, depth: int, colour_type: int, *chunks: bytes) -> bytes:
    """A PNG file of 8 or 16-bit samples, shape (height, width) or (height, width, channels)."""
    rows = b"".join(b"\0" + row.astype(">u2" if depth == 16 else np.uint8).tobytes() for row in samples)
    return png(samples.shape[1], samples.shape[0], depth, colour_type, rows, *chunks)


def png_bomb(width: int, height: int) -> bytes:
    """A complete black RGB picture, packed a thousand to one and written without holding its rows."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + width * 3)
    packed = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def with_png_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG file with one more chunk behind its header."""
    return data[:33] + png_chunk(kind, body) + data[33:]


def tiff(tags: Iterable[tuple[int, int, int, int]], data: bytes = b"") -> bytes:
    """A little-endian TIFF file of one page: (tag, type, count, value) as written, then `data`."""
    entries = [struct.pack("<HHII", *tag) for tag in sorted(tags)]
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + data


def tiff_of(samples: np.ndarray, photometric: int) -> bytes:
    """An uncompressed TIFF of 16-bit samples, shape (height, width) or (height, width, 3)."""
    height, width, channels = (*samples.shape, 1)[:3]
    after = 8 + 2 + 10 * 12 + 4
    bits = struct.pack("<HHH", 16, 16, 16)
    tags = [(256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 1), (262, 3, 1, photometric), (277, 3, 1, channels)]
    tags += [(258, 3, 3, after) if channels == 3 else (258, 3, 1, 16), (273, 4, 1, after + len(bits))]
    tags += [(278, 4, 1, height), (279, 4, 1, samples.size * 2), (284, 3, 1, 1)]
    return tiff(tags, bits + samples.astype("<u2").tobytes())


def bmp(width: int, height: int, rows: bytes) -> bytes:
    """A 24-bit BMP; a negative height is stored from the top, a negative width is nonsense."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + info + rows


def icc_profile(device_class: bytes, space: bytes, pcs: bytes, tags: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A version 2 colour profile."""
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags:
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">II", offset + len(body), len(value))
        body += value
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"\0\0\0\0", 0x02400000, device_class, space, pcs)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">iii", 63190, 65536, 54061)  # D50
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _text(value: bytes) -> bytes:
    return b"desc" + bytes(4) + struct.pack(">I", len(value) + 1) + value + bytes(1 + 4 + 4 + 2 + 1 + 67)


def _point(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">iii", *(round(value * 65536) for value in (x, y, z)))


def _gamma(exponent: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(exponent * 256))


_WHITE = (b"wtpt", _point(0.9642, 1.0, 0.8249))


def rgb_profile_with_red_and_green_swapped() -> bytes:
    """The primaries of sRGB, red for green: who ignores the profile shows the wrong colour."""
    curve = _gamma(2.2)
    primaries = [(b"rXYZ", _point(0.3851, 0.7169, 0.0971)), (b"gXYZ", _point(0.4361, 0.2225, 0.0139))]
    primaries += [(b"bXYZ", _point(0.1431, 0.0606, 0.7141)), (b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)]
    return icc_profile(b"mntr", b"RGB ", b"XYZ ", [(b"desc", _text(b"swapped")), _WHITE, *primaries])


def linear_grey_profile() -> bytes:
    return icc_profile(b"mntr", b"GRAY", b"XYZ ", [(b"desc", _text(b"linear")), _WHITE, (b"kTRC", _gamma(1.0))])


def cmyk_profile_that_prints_grey() -> bytes:
    """Inks of any colour that print a neutral mid grey, all of them together black: its use shows at once."""
    identity = struct.pack(">9i", *(65536 if number % 4 == 0 else 0 for number in range(9)))
    ramp = bytes(range(256))
    lightness = [255, *[136] * 14, 0]  # by which of the four inks are there
    nodes = b"".join(bytes((value, 128, 128)) for value in lightness)
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + nodes + ramp * 3
    return icc_profile(b"prtr", b"CMYK", b"Lab ", [(b"desc", _text(b"grey inks")), _WHITE, (b"A2B0", lut)])
