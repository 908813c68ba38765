"""Picture files of every format that must be refused with their code, or shown with the right pixels."""

import struct
import zlib
from pathlib import Path

import numpy as np
from hostile.building import bmp, motif, png, png_bomb, png_chunk, png_of, saved, tiff, tiff_of, with_png_chunk
from hostile.case import Expected, PictureCase
from hostile.jpegs import JPEGS, archive, motif_pixels, rgb_profile_with_red_and_green_swapped
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

_HALF = 0x8000
_HTML = b"\n<!DOCTYPE html><html><title>404 Not Found</title></html>"
_SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"
_EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) (r) file\n"
_PACKED_50_MB = zlib.compress(bytes(50_000_000), 9)


def _refused(name: str, make: object, code: str, says: str = "") -> PictureCase:
    return PictureCase(name=name, make=make, code=code, says=says)  # type: ignore[arg-type]


def _shown(
    name: str, make: object, pixels: Expected, *, tolerance: float = 0, plain: bool = False, **flags: float
) -> PictureCase:
    return PictureCase(name=name, make=make, pixels=pixels, tolerance=tolerance, plain=plain, flags=flags)  # type: ignore[arg-type]


def _cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def _full(shape: tuple[int, ...], value: int) -> NDArray[np.uint16]:
    return np.full(shape, value, dtype=np.uint16)


def _half_seen() -> Image.Image:
    """Red on the left; black with alpha 0 on the right, where careless conversion shows the black."""
    layer = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    layer.paste((255, 0, 0, 255), (0, 0, 32, 48))
    return layer


def _red_and_white() -> NDArray[np.uint8]:
    pixels = np.full((48, 64, 3), 255, dtype=np.uint8)
    pixels[:, :32] = (255, 0, 0)
    return pixels


def _palette(**options: object) -> Image.Image:
    picture = Image.new("P", (64, 48), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.paste(0, (32, 0, 64, 48))
    return picture


def _bits() -> Image.Image:
    picture = Image.new("1", (64, 48), 0)
    picture.paste(1, (0, 0, 32, 48))
    return picture


def _black_and_white() -> NDArray[np.uint8]:
    return np.asarray(_bits().convert("RGB"))


def _lab() -> bytes:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.applyTransform(motif(), ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    assert converted is not None
    return saved(converted, "TIFF")


def _turned(file_format: str) -> bytes:
    stored = motif().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}.get(file_format, {})
    if file_format == "TIFF":
        return saved(stored, "TIFF", tiffinfo={int(ExifTags.Base.Orientation): 6})
    return saved(stored, file_format, exif=exif, **options)


def _frames(file_format: str, **options: object) -> bytes:
    first, second = (Image.new("RGB", (64, 48), colour) for colour in ("red", "blue"))
    return saved(first, file_format, save_all=True, append_images=[second], **options)


def _circular_tiff() -> bytes:
    """A TIFF whose second page is its first again, for ever."""
    data = bytearray(tiff_of(_full((48, 64), _HALF), 1))
    data[8 + 2 + 10 * 12 : 8 + 2 + 10 * 12 + 4] = struct.pack("<I", 8)
    return bytes(data)


def _gif(width: int, height: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame + b";"


def _gif_with_a_far_frame() -> bytes:
    """A small canvas, and a frame that lies far outside it."""
    frame = b"\x2c" + struct.pack("<HHHHB", 60_000, 60_000, 64, 48, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0x80, 0, 0) + bytes(6) + frame + b";"


def _tiff_bomb() -> bytes:
    data = tiff_of(_full((48, 64), 0), 1)
    return data.replace(struct.pack("<HHII", 256, 4, 1, 64), struct.pack("<HHII", 256, 4, 1, 9_000_000))


_TILE = [(324, 4, 1, 200), (325, 4, 1, 100)]
_SQUARE = [(256, 4, 1, 64), (257, 4, 1, 64), (262, 3, 1, 1)]

NOT_PICTURES = [
    _refused("empty.jpg", lambda: b"", "IMG_NOT_IMAGE", "empty"),
    _refused("one-byte.png", lambda: b"\x89", "IMG_NOT_IMAGE"),
    _refused("text.jpg", lambda: b"see the other folder", "IMG_NOT_IMAGE", "allowed format"),
    _refused("zeros.jpg", lambda: bytes(65_536), "IMG_NOT_IMAGE"),
    _refused("web-page.jpg", lambda: _HTML, "IMG_NOT_IMAGE", "download error page"),
    _refused("svg.png", lambda: _SVG, "IMG_FORMAT_BLOCKED", "SVG"),
    _refused("eps.jpg", lambda: _EPS, "IMG_FORMAT_BLOCKED", "PostScript"),
    _refused("eps-from-dos.jpg", lambda: b"\xc5\xd0\xd3\xc6" + bytes(26) + _EPS, "IMG_FORMAT_BLOCKED", "PostScript"),
    _refused("pdf.jpg", lambda: b"%PDF-1.7\n%%EOF", "IMG_FORMAT_BLOCKED", "PDF"),
    _refused("photoshop.jpg", lambda: b"8BPS\0\1" + bytes(20), "IMG_FORMAT_BLOCKED", "Photoshop"),
    _refused("zip.png", archive, "IMG_FORMAT_BLOCKED", "zip"),
    _refused("gzip.png", lambda: b"\x1f\x8b\x08" + bytes(20), "IMG_FORMAT_BLOCKED", "gzip"),
    _refused("heic.jpg", lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "IMG_FORMAT_BLOCKED", "HEIC"),
    _refused("film.gif", lambda: b"\0\0\0\x18ftypisom\0\0\2\0isommp42", "IMG_FORMAT_BLOCKED", "film"),
    _refused("jpeg-xl.jpg", lambda: b"\xff\x0a" + bytes(20), "IMG_FORMAT_BLOCKED", "JPEG XL"),
]

BOMBS = [
    _refused("bomb-30000.png", lambda: png(30_000, 30_000, 8, 2, bytes(1000)), "IMG_BOMB", "megapixels"),
    _refused("bomb-12000.png", lambda: png_bomb(12_000, 12_000), "IMG_BOMB", "12000 x 12000"),
    _refused("bomb-60000.gif", lambda: _gif(60_000, 60_000), "IMG_BOMB"),
    _refused("bomb-far-frame.gif", _gif_with_a_far_frame, "IMG_BOMB"),
    _refused("bomb-negative-width.bmp", lambda: bmp(-64, 48, bytes(9216)), "IMG_BOMB"),
    _refused("bomb-60000.tif", _tiff_bomb, "IMG_BOMB"),
    _refused(
        "bomb-ztxt.png", lambda: with_png_chunk(_png(), b"zTXt", b"c\0\0" + _PACKED_50_MB), "IMG_BOMB", "too large"
    ),
    _refused("bomb-itxt.png", lambda: with_png_chunk(_png(), b"iTXt", b"c\0\1\0\0\0" + _PACKED_50_MB), "IMG_BOMB"),
    _refused("bomb-profile.png", lambda: with_png_chunk(_png(), b"iCCP", b"c\0\0" + _PACKED_50_MB), "IMG_BOMB"),
    _refused("tiny.png", lambda: saved(motif(1, 1), "PNG"), "IMG_SMALL", "at least 16 px"),
]

DAMAGED = [
    _refused("cut.png", lambda: _cut(_png(), 0.6), "IMG_TRUNCATED"),
    _refused("end-missing.png", lambda: _png()[:-12], "IMG_TRUNCATED"),
    _refused("check-sum.png", lambda: _flipped(_png(), _png().index(b"IDAT") + 999), "IMG_DATA_CORRUPT", "check sum"),
    _refused("rows-missing.png", lambda: png(100, 100, 8, 2, bytes(100)), "IMG_TRUNCATED"),
    _refused("cut.webp", lambda: _cut(saved(motif(), "WEBP"), 0.6), "IMG_TRUNCATED"),
    _refused("cut.gif", lambda: _cut(saved(motif(), "GIF"), 0.6), "IMG_TRUNCATED"),
    _refused("cut.bmp", lambda: _cut(saved(motif(), "BMP"), 0.6), "IMG_TRUNCATED"),
    _refused("cut.tif", lambda: _cut(saved(motif(), "TIFF"), 0.6), "IMG_TRUNCATED"),
    _refused("cut.avif", lambda: _cut(saved(motif(), "AVIF"), 0.6), "IMG_DATA_CORRUPT", "save it again"),
    _refused("no-size.bmp", lambda: bmp(0, 0, b""), "IMG_NOT_IMAGE"),
    _refused("no-page.tif", lambda: b"II*\0" + bytes(8), "IMG_DATA_CORRUPT"),
    _refused(
        "four-billion-bits-a-sample.tif",
        lambda: tiff([*_SQUARE, (258, 3, 0xFFFFFFFF, 8), (259, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 0xFFFFFFFF)]),
        "IMG_TRUNCATED",
    ),
    _refused(
        "huge-tile.tif",
        lambda: tiff(
            [
                *_SQUARE,
                (258, 3, 1, 8),
                (259, 3, 1, 8),
                (322, 4, 1, 60_000),
                (323, 4, 1, 60_000),
                (324, 4, 1, 200),
                (325, 4, 1, 100),
            ],
            bytes(1000),
        ),
        "IMG_DATA_CORRUPT",
    ),
    _refused(
        "floating-point.tif", lambda: saved(Image.new("F", (64, 48), 0.5), "TIFF"), "IMG_FORMAT_BLOCKED", "32 bit"
    ),
    _refused("32-bit.tif", lambda: saved(Image.new("I", (64, 48), 99_999), "TIFF"), "IMG_FORMAT_BLOCKED", "32 bit"),
]


def _png() -> bytes:
    return saved(motif(), "PNG")


SHOWN = [
    _shown("alpha.png", lambda: saved(_half_seen(), "PNG"), _red_and_white, alpha=True, alpha_share=0.5),
    _shown(
        "alpha.webp", lambda: saved(_half_seen(), "WEBP", lossless=True), _red_and_white, alpha=True, alpha_share=0.5
    ),
    _shown("alpha-opaque.png", lambda: saved(motif().convert("RGBA"), "PNG"), motif_pixels, plain=True),
    _shown(
        "alpha-grey.png",
        lambda: saved(Image.new("LA", (64, 48), 0), "PNG"),
        (255, 255, 255),
        alpha=True,
        alpha_share=0.0,
    ),
    _shown(
        "alpha-and-profile.png",
        lambda: saved(_half_seen(), "PNG", icc_profile=rgb_profile_with_red_and_green_swapped()),
        lambda: _red_and_white()[:, :, [1, 0, 2]],
        tolerance=1,
        alpha=True,
        alpha_share=0.5,
        icc=True,
    ),
    _shown(
        "palette-with-see-through.png",
        lambda: saved(_palette(), "PNG", transparency=0),
        _red_and_white,
        alpha=True,
        alpha_share=0.5,
    ),
    _shown(
        "palette-with-see-through.gif",
        lambda: saved(_palette(), "GIF", transparency=0),
        _red_and_white,
        alpha=True,
        alpha_share=0.5,
    ),
    _shown("one-bit.png", lambda: saved(_bits(), "PNG"), _black_and_white, plain=True),
    _shown("one-bit-fax.tif", lambda: saved(_bits(), "TIFF", compression="group4"), _black_and_white),
    _shown(
        "one-bit-see-through.png",
        lambda: with_png_chunk(saved(Image.new("1", (64, 48), 0), "PNG"), b"tRNS", struct.pack(">H", 0)),
        (255, 255, 255),
        alpha=True,
        alpha_share=0.0,
    ),
    _shown(
        "two-bit-see-through.png",
        lambda: png(64, 48, 2, 0, (b"\0" + b"\x55" * 16) * 48, png_chunk(b"tRNS", struct.pack(">H", 1))),
        (255, 255, 255),
        alpha=True,
        alpha_share=0.0,
    ),
    _shown("16-bit-grey.png", lambda: png_of(_full((48, 64), 126 * 257), 16, 0), (126, 126, 126), sixteen_bit=True),
    _shown(
        "16-bit-grey-see-through.png",
        lambda: png_of(_full((48, 64), _HALF), 16, 0, png_chunk(b"tRNS", struct.pack(">H", _HALF))),
        (255, 255, 255),
        sixteen_bit=True,
        alpha=True,
        alpha_share=0.0,
    ),
    _shown("16-bit.png", lambda: png_of(_full((48, 64, 3), 126 * 257), 16, 2), (126, 126, 126), sixteen_bit=True),
    _shown(
        "16-bit-see-through.png",
        lambda: png_of(_full((48, 64, 3), _HALF), 16, 2, png_chunk(b"tRNS", struct.pack(">HHH", *[_HALF] * 3))),
        (255, 255, 255),
        sixteen_bit=True,
        alpha=True,
        alpha_share=0.0,
    ),
    _shown("16-bit-grey.tif", lambda: tiff_of(_full((48, 64), 126 * 257), 1), (126, 126, 126), sixteen_bit=True),
    _shown("16-bit-white-is-0.tif", lambda: tiff_of(_full((48, 64), 126 * 257), 0), (129,) * 3, sixteen_bit=True),
    _shown("16-bit.tif", lambda: tiff_of(_full((48, 64, 3), 126 * 257), 2), (126, 126, 126), sixteen_bit=True),
    _shown("lab.tif", _lab, motif_pixels, tolerance=3, lab=True),
    _shown(
        "cmyk.tif",
        lambda: saved(Image.new("CMYK", (64, 48), (0, 255, 255, 0)), "TIFF"),
        (255, 0, 0),
        cmyk=True,
        cmyk_guessed=True,
    ),
    _shown("turned.png", lambda: _turned("PNG"), motif_pixels, orientation=6),
    _shown("turned.webp", lambda: _turned("WEBP"), motif_pixels, orientation=6),
    _shown("turned.avif", lambda: _turned("AVIF"), motif_pixels, tolerance=3, orientation=6),
    _shown("turned.tif", lambda: _turned("TIFF"), motif_pixels, orientation=6),
    _shown("pages.tif", lambda: _frames("TIFF"), (255, 0, 0), frames=2),
    _shown("pages-in-a-circle.tif", _circular_tiff, (128, 128, 128), sixteen_bit=True),
    _shown("frames.gif", lambda: _frames("GIF"), (255, 0, 0), frames=2),
    _shown("frames.webp", lambda: _frames("WEBP", lossless=True), (255, 0, 0), tolerance=1, frames=2),
    _shown("frames.png", lambda: _frames("PNG"), (255, 0, 0), frames=2),
    _shown("frames.mpo", lambda: _frames("MPO", quality=95), (255, 0, 0), tolerance=2, frames=2),
    _shown("stored-from-the-top.bmp", lambda: bmp(64, -48, bytes((9, 99, 199)) * 64 * 48), (199, 99, 9)),
    _shown(
        "archive-behind-the-end.png", lambda: _png() + archive(), motif_pixels, polyglot=True, trailing=len(archive())
    ),
    _shown(
        "long-text.png", lambda: with_png_chunk(_png(), b"tEXt", b"c\0" + b"a" * 2_000_000), motif_pixels, plain=True
    ),
]

PICTURES = [*JPEGS, *NOT_PICTURES, *BOMBS, *DAMAGED, *SHOWN]


def write_pictures(folder: Path) -> list[Path]:
    """Write every case as a file of its own, and a folder with a picture's name; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "folder.jpg").mkdir(exist_ok=True)
    paths = [folder / case.name for case in PICTURES]
    for path, case in zip(paths, PICTURES, strict=True):
        path.write_bytes(case.make())
    return paths
