"""Decode picture files strictly, and bring them to plain, upright 8-bit RGB without location data.

JPEG goes through simplejpeg in strict mode: it reports the decoder's warnings, which is the only
way to see a half-copied file; Pillow alone decodes a zeroed block in silence.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError

from catalog.errors import ImageRejected

MAX_BYTES = 200 * 1024 * 1024
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 16
# MPO, a JPEG with further frames, is opened through JPEG.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
_EXT = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "TIFF": "tif",
    "BMP": "bmp",
    "GIF": "gif",
    "AVIF": "avif",
}
# Decoder remarks that do not touch the pixels.
_HARMLESS = ("extraneous bytes before marker", "icc", "unknown adobe", "unsupported marker type")
_JPEG_QUALITY = 95
# EXIF orientation → what turns the picture upright.
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BLOCKED = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"8BPS", "a Photoshop file"),
    (b"PK\x03\x04", "a zip archive"),
)


Flags = dict[str, bool | int]


@dataclass(frozen=True, kw_only=True)
class DecodedImage:
    """A picture as the catalogue keeps it."""

    pixels: NDArray[np.uint8]
    """Upright RGB, shape (height, width, 3)."""
    format: str
    """Format of the file: one of FORMATS, or MPO."""
    flags: Mapping[str, bool | int]
    """What was unusual: orientation, alpha, cmyk, sixteen_bit, gps, frames, icc, header_odd; absent when it was not."""

    @property
    def width(self) -> int:
        """Width in pixels, after turning upright."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels, after turning upright."""
        return int(self.pixels.shape[0])

    @property
    def plain(self) -> bool:
        """Whether any viewer shows the original bytes as these pixels, and they tell no location."""
        changing = {"orientation", "alpha", "cmyk", "sixteen_bit", "gps", "frames", "icc"}
        return self.format in ("JPEG", "PNG", "WEBP", "BMP") and not changing & set(self.flags)


def decode(data: bytes) -> DecodedImage:
    """Decode a picture file.

    Raises:
        ImageRejected: The file is no picture of an allowed format, is damaged, or is beyond the caps.
    """
    _refuse_unopened(data)
    try:
        with warnings.catch_warnings():
            # Our own cap is checked below, before any pixel is decoded.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                return _decode_opened(opened, data)
    except ImageRejected:
        raise
    except Image.DecompressionBombError as error:
        raise ImageRejected("IMG_BOMB", f"more than {MAX_PIXELS // 1_000_000} megapixels") from error
    except UnidentifiedImageError as error:
        raise ImageRejected("IMG_NOT_IMAGE", f"no picture of an allowed format ({', '.join(FORMATS)})") from error
    except MemoryError as error:
        raise ImageRejected("IMG_BOMB", "too large for the memory at hand") from error
    except Exception as error:
        # Decoders of hostile files raise nearly anything; each is one damaged file, never the end of a run.
        code = "IMG_TRUNCATED" if "truncated" in str(error).lower() else "IMG_DATA_CORRUPT"
        raise ImageRejected(code, f"{type(error).__name__}: {error}"[:200]) from error


def encode_plain(image: DecodedImage) -> tuple[bytes, str]:
    """Return (file bytes, extension) of the pixels alone: JPEG stays JPEG, all else becomes PNG."""
    buffer = io.BytesIO()
    picture = Image.fromarray(image.pixels)
    if image.format in ("JPEG", "MPO"):
        picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        return buffer.getvalue(), "jpg"
    picture.save(buffer, "PNG")
    return buffer.getvalue(), "png"


def extension(file_format: str) -> str:
    """Return the usual extension of a Pillow format name, without a dot."""
    return _EXT[file_format]


def _refuse_unopened(data: bytes) -> None:
    if not data:
        raise ImageRejected("IMG_NOT_IMAGE", "the file is empty")
    if len(data) > MAX_BYTES:
        raise ImageRejected("IMG_BOMB", f"the file is larger than {MAX_BYTES >> 20} MiB")
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, meaning in _BLOCKED:
        if head.startswith(magic):
            raise ImageRejected("IMG_FORMAT_BLOCKED", f"{meaning} under a picture's name")
    lower = head.lower()
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        raise ImageRejected("IMG_NOT_IMAGE", "a web page, probably a download error page saved as a picture")
    if lower.startswith(b"<svg") or (lower.startswith((b"<?xml", b"<!doctype")) and b"<svg" in lower):
        raise ImageRejected("IMG_FORMAT_BLOCKED", "an SVG drawing; export it as PNG")
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"hevc"):
        raise ImageRejected("IMG_FORMAT_BLOCKED", "a HEIC photograph; export it as JPEG")


def _decode_opened(opened: ImageFile.ImageFile, data: bytes) -> DecodedImage:
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise ImageRejected(
            "IMG_BOMB", f"{width} x {height} px; at most {MAX_PIXELS // 1_000_000} megapixels are decoded"
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageRejected("IMG_SMALL", f"{width} x {height} px; at least {MIN_SIDE_PX} px a side are needed")
    file_format = opened.format or ""
    flags = _flags(opened)
    pixels = None
    if file_format in ("JPEG", "MPO"):
        direct = opened.mode == "RGB" and not opened.info.get("icc_profile")
        # Where only the check is wanted, an eighth of the size will do: every coded byte is still read.
        pixels = _strict_jpeg(data, flags, min_side_px=0 if direct else 1)
        pixels = pixels if direct else None
    if pixels is None:
        opened.load()
    picture = _flatten(opened, flags) if pixels is None else Image.fromarray(pixels)
    turn = _TURN.get(int(flags.get("orientation", 1)))
    upright = picture if turn is None else picture.transpose(turn)
    return DecodedImage(pixels=np.array(upright, dtype=np.uint8), format=file_format, flags=flags)


def _flags(opened: ImageFile.ImageFile) -> Flags:
    flags: Flags = {}
    try:
        exif = opened.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error, OSError):
        # Broken EXIF beside sound pixels: leave it out, which also drops whatever it held.
        return {"header_odd": True, "gps": True}
    if orientation in _TURN:
        flags["orientation"] = int(orientation)
    if gps:
        flags["gps"] = True
    frames = getattr(opened, "n_frames", 1)
    if frames > 1:
        flags["frames"] = int(frames)
    return flags


def _strict_jpeg(data: bytes, flags: Flags, min_side_px: int) -> NDArray[np.uint8] | None:
    """Decode a JPEG in strict mode, at the smallest scale of at least `min_side_px` a side; 0 is full size.

    Returns None, with a flag set, for oddities in the header that leave the pixels alone.
    """
    _, _, colour_space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    target = "CMYK" if colour_space in ("CMYK", "YCCK") else "GRAY" if colour_space == "Gray" else "RGB"
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, target, min_height=min_side_px, min_width=min_side_px))
    except ValueError as error:
        said = str(error)
        if not any(remark in said.lower() for remark in _HARMLESS):
            code = "IMG_TRUNCATED" if "premature end of jpeg file" in said.lower() else "IMG_DATA_CORRUPT"
            raise ImageRejected(code, f"{said[:160]}; save it again from the original") from error
    flags["header_odd"] = True
    return None


def _flatten(picture: Image.Image, flags: Flags) -> Image.Image:
    mode = picture.mode
    if mode.startswith("I"):
        flags["sixteen_bit"] = True
        values = np.asarray(picture).astype(np.int64)
        # 16 bit to 8 bit: 65535 = 257 * 255. `convert("RGB")` would clip everything above 255 to white.
        grey = np.clip((values + 128) // 257, 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if mode == "F":
        raise ImageRejected("IMG_FORMAT_BLOCKED", "floating-point pixels; export it as 8 or 16 bit")
    if mode == "CMYK":
        flags["cmyk"] = True
        return _through_profile(picture, flags) or picture.convert("RGB")
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        flags["alpha"] = True
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    if mode == "RGB" and picture.info.get("icc_profile"):
        return _through_profile(picture, flags) or picture
    return picture.convert("RGB")


def _through_profile(picture: Image.Image, flags: Flags) -> Image.Image | None:
    """Convert to sRGB by the embedded profile; None when it has none, is sRGB already, or is unusable."""
    embedded = picture.info.get("icc_profile")
    if not embedded:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return None
        converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        flags["icc_unusable"] = True
        return None
    flags["icc"] = True
    return converted
