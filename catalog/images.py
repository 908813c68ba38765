"""Decode picture files strictly, and bring them to plain, upright 8-bit sRGB without location data.

`survey` is for a catalogue pass: it checks every byte but makes a small picture. `decode` makes all pixels.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from catalog import framing, jpeg
from catalog.colour import Flags, srgb_strips
from catalog.errors import ImageRejected
from catalog.phrases import say

MAX_BYTES = 200 * 1024 * 1024
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 16
SURVEY_SIDE_PX = 256
"""Fingerprints look at 32 x 32 points at most."""
# MPO, a JPEG with further frames, is opened through JPEG.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
_JPEG = frozenset({"JPEG", "MPO"})
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
_SIDEWAYS = frozenset({_TURN[number] for number in (5, 6, 7, 8)})
# What is left to mirror after swapping the axes.
_MIRRORED = (Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE)
_UPENDED = (Image.Transpose.ROTATE_90, Image.Transpose.TRANSVERSE)
# What every browser shows, and where the end of the file is known, so that nothing hides behind it.
_KEPT_FORMATS = frozenset({"JPEG", "PNG", "WEBP"})
_CHANGING = frozenset({"orientation", "alpha", "cmyk", "sixteen_bit", "gps", "frames", "icc", "trailing", "polyglot"})
_XMP_GPS = b"GPSLatitude"
_MAX_FRAMES = 1000
"""Pages of a TIFF are counted up to here: a list of them may run in circles or fill the file."""


@dataclass(frozen=True, kw_only=True)
class DecodedImage:
    """A picture as the catalogue keeps it."""

    pixels: NDArray[np.uint8]
    """Upright sRGB, shape (height, width, 3)."""
    format: str
    """Format of the file: one of FORMATS, or MPO."""
    flags: Mapping[str, bool | int | float]
    """What was unusual, absent when it was not.

    orientation (2 to 8), frames (their number), alpha with alpha_share (how much of the picture its mask
    leaves visible, 0 to 1), sixteen_bit, cmyk, cmyk_guessed (no usable profile), lab, icc (converted from its
    profile), icc_unusable, gps, trailing (bytes behind the end), polyglot (also a zip archive), header_odd.
    """

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
        """Whether the original bytes may be kept; see `SurveyedImage.plain`."""
        return _is_plain(self.format, self.flags)


@dataclass(frozen=True, kw_only=True)
class SurveyedImage:
    """A picture that was checked through and through, with only as many pixels as fingerprints need."""

    width: int
    """Full width in pixels, after turning upright."""
    height: int
    """Full height in pixels, after turning upright."""
    reduced: Image.Image
    """Upright sRGB, both sides at least SURVEY_SIDE_PX unless the picture itself is smaller."""
    pixel_sha256: str
    """Equal in files of one format whose pixels are equal and whose metadata differs; no digest of `reduced`."""
    format: str
    flags: Mapping[str, bool | int | float]
    """As in DecodedImage."""

    @property
    def plain(self) -> bool:
        """Whether any viewer shows the original bytes as these pixels, and they hold nothing else that matters.

        A picture that is not plain is kept as `encode_plain(decode(data))`.
        """
        return _is_plain(self.format, self.flags)


def decode(data: bytes) -> DecodedImage:
    """Decode a picture file.

    Raises:
        ImageRejected: The file is no picture of an allowed format, is damaged, or is beyond the caps.
    """
    with _opened(data) as opened:
        flags = _flags(opened, data)
        if opened.format in _JPEG:
            coded, _ = _coded_pixels(opened, data, flags)
            direct = coded.shape[2] == 3 and not opened.info.get("icc_profile")
            # Most of all pictures: spared the copies that colour conversion needs.
            pixels = coded if direct else _srgb_pixels(_as_picture(coded, opened), flags)
        else:
            pixels = _srgb_pixels(_loaded(opened, data, flags), flags)
        turn = _turn(opened, flags)
        if turn is not None:
            pixels = _turned(pixels, turn)
        return DecodedImage(pixels=pixels, format=opened.format or "", flags=flags)


def survey(data: bytes) -> SurveyedImage:
    """Check a picture file as strictly as `decode` does, at a fraction of the time and memory.

    Raises:
        ImageRejected: As `decode`.
    """
    with _opened(data) as opened:
        flags = _flags(opened, data)
        digest = None
        if opened.format in _JPEG:
            coded, digest = _coded_pixels(opened, data, flags, SURVEY_SIDE_PX)
            picture = _as_picture(coded, opened)
        else:
            picture = _loaded(opened, data, flags)
        turn = _turn(opened, flags)
        reduced, pixel_digest = _reduced(picture, flags)
        width, height = opened.size[::-1] if turn in _SIDEWAYS else opened.size
        return SurveyedImage(
            width=width,
            height=height,
            reduced=reduced if turn is None else reduced.transpose(turn),
            pixel_sha256=hashlib.sha256(f"{digest or pixel_digest} {turn}".encode()).hexdigest(),
            format=opened.format or "",
            flags=flags,
        )


def encode_plain(image: DecodedImage) -> tuple[bytes, str]:
    """Return (file bytes, extension) of the pixels alone: JPEG stays JPEG, all else becomes PNG."""
    if image.format in _JPEG:
        pixels = np.ascontiguousarray(image.pixels)
        return simplejpeg.encode_jpeg(pixels, quality=_JPEG_QUALITY, colorsubsampling="444"), "jpg"
    buffer = io.BytesIO()
    Image.fromarray(image.pixels).save(buffer, "PNG")
    return buffer.getvalue(), "png"


def extension(file_format: str) -> str:
    """Return the usual extension of a Pillow format name, without a dot."""
    return _EXT[file_format]


def _refuse_unopened(data: bytes) -> None:
    if not data:
        raise ImageRejected("IMG_NOT_IMAGE", say("the file is empty"))
    if len(data) > MAX_BYTES:
        raise ImageRejected("IMG_BOMB", say("the file is larger than {limit} MiB", limit=MAX_BYTES >> 20))
    framing.refuse_foreign(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        framing.webp_end(data)  # before Pillow, which only says that it cannot open a cut-off file


@contextmanager
def _opened(data: bytes) -> Iterator[ImageFile.ImageFile]:
    """Open a file under the caps; whatever goes wrong until it is closed becomes one ImageRejected."""
    _refuse_unopened(data)
    try:
        with warnings.catch_warnings():
            # Our own cap is checked here, before any pixel is decoded.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _refuse_size(*opened.size)
                yield opened
    except ImageRejected:
        raise
    except Image.DecompressionBombError as error:
        raise ImageRejected("IMG_BOMB", say("more than {limit} megapixels", limit=MAX_PIXELS // 1_000_000)) from error
    except UnidentifiedImageError as error:
        begun = framing.begun_as(data)
        if begun:
            detail = say("begins as {begun} and is none; copy it again from the original", begun=begun)
            raise ImageRejected("IMG_DATA_CORRUPT", detail) from error
        raise ImageRejected(
            "IMG_NOT_IMAGE", say("no picture of an allowed format ({formats})", formats=", ".join(FORMATS))
        ) from error
    except MemoryError as error:
        raise ImageRejected("IMG_BOMB", say("too large for the memory at hand")) from error
    except Exception as error:
        # Decoders of hostile files raise nearly anything; each is one damaged file, never the end of a run.
        raise _broken(error) from error


def _broken(error: Exception) -> ImageRejected:
    said = " ".join(str(error).split())[:160] or type(error).__name__
    # Pillow's own caps on packed text and profiles.
    if "too large" in said or "too much memory" in said.lower():
        return ImageRejected("IMG_BOMB", say("packed text or a packed profile in it is too large ({said})", said=said))
    code = "IMG_TRUNCATED" if "truncated" in said.lower() else "IMG_DATA_CORRUPT"
    return ImageRejected(code, say("{said}; save it again from the original", said=said))


def _refuse_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageRejected(
            "IMG_BOMB",
            say(
                "{width} x {height} px; at most {limit} megapixels are decoded",
                width=width,
                height=height,
                limit=MAX_PIXELS // 1_000_000,
            ),
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageRejected(
            "IMG_SMALL",
            say(
                "{width} x {height} px; at least {limit} px a side are needed",
                width=width,
                height=height,
                limit=MIN_SIDE_PX,
            ),
        )


def _coded_pixels(
    opened: ImageFile.ImageFile, data: bytes, flags: Flags, min_side_px: int = 0
) -> tuple[NDArray[np.uint8], str]:
    """Return a JPEG's pixels as coded, at the smallest scale with sides of `min_side_px`, and the digest of all."""
    parts = jpeg.layout(data)
    if parts.progressive and opened.width * opened.height > jpeg.MAX_PROGRESSIVE_PIXELS:
        raise ImageRejected(
            "IMG_BOMB",
            say(
                "{width} x {height} px in a progressive JPEG; at most {limit} megapixels, or save it as a "
                "baseline JPEG",
                width=opened.width,
                height=opened.height,
                limit=jpeg.MAX_PROGRESSIVE_PIXELS // 1_000_000,
            ),
        )
    pixels, odd = jpeg.strict_pixels(data, parts, min_side_px)
    if odd:
        flags["header_odd"] = True
    # Behind the first picture of an MPO lie its others.
    known_end = parts.end if opened.format == "JPEG" else None
    _note_tail(data, known_end or len(data), flags)
    return pixels, parts.digest(data, opened.info.get("icc_profile") or b"")


def _as_picture(coded: NDArray[np.uint8], opened: ImageFile.ImageFile) -> Image.Image:
    picture = jpeg.as_picture(coded)
    picture.info["icc_profile"] = opened.info.get("icc_profile")
    return picture


def _loaded(opened: ImageFile.ImageFile, data: bytes, flags: Flags) -> ImageFile.ImageFile:
    """Return a picture of another format with its pixels."""
    end = {"PNG": framing.png_end, "WEBP": framing.webp_end}.get(opened.format or "", len)(data)
    _note_tail(data, end, flags)
    opened.load()
    bits = _sample_bits(opened, data)
    if bits > 8:
        flags["sixteen_bit"] = True
    if opened.format == "PNG":
        _mend_see_through(opened, bits)
    return opened


def _srgb_pixels(picture: Image.Image, flags: Flags) -> NDArray[np.uint8]:
    pixels = np.empty((picture.height, picture.width, 3), dtype=np.uint8)
    top = 0
    for strip in srgb_strips(picture, flags):
        pixels[top : top + strip.height] = np.asarray(strip)
        top += strip.height
    return pixels


def _note_tail(data: bytes, end: int, flags: Flags) -> None:
    # Scanners and file transfers leave zeros and line ends behind, which hide nothing.
    if data[end:].strip(b"\x00\r\n "):
        flags["trailing"] = len(data) - end
    if framing.holds_zip(data):
        flags["polyglot"] = True


def _sample_bits(opened: ImageFile.ImageFile, data: bytes) -> int:
    # Pillow keeps the upper byte of 16-bit colours, at most a level off, and does not say so.
    if isinstance(opened, TiffImagePlugin.TiffImageFile):
        return max(int(bits) for bits in opened.tag_v2.get(258, (1,)))
    return data[24] if opened.format == "PNG" else 8  # in a PNG's first chunk, always at this place


def _mend_see_through(opened: ImageFile.ImageFile, bits: int) -> None:
    """Bring the see-through colour of a PNG, which Pillow leaves as written, to the scale of its pixels."""
    full = (1 << bits) - 1
    clear = opened.info.get("transparency")
    if opened.mode in ("1", "L") and isinstance(clear, int):
        opened.info["transparency"] = clear * 255 // full
    elif opened.mode == "RGB" and isinstance(clear, tuple) and full > 255:
        opened.info["transparency"] = tuple(value >> 8 for value in clear)


def _reduced(picture: Image.Image, flags: Flags) -> tuple[Image.Image, str]:
    """Return a picture as sRGB at half, a quarter or an eighth, and the digest of its full pixels."""
    # Strips are a multiple of 8 high, so that no block of these factors crosses from one into the next.
    factor = next((step for step in (8, 4, 2) if min(picture.size) >= step * SURVEY_SIDE_PX), 1)
    reduced = Image.new("RGB", (-(-picture.width // factor), -(-picture.height // factor)))
    digest = hashlib.sha256(f"{picture.width} {picture.height}".encode())
    top = 0
    for strip in srgb_strips(picture, flags):
        digest.update(strip.tobytes())
        reduced.paste(strip.reduce(factor), (0, top // factor))
        top += strip.height
    return reduced, digest.hexdigest()


def _turn(opened: ImageFile.ImageFile, flags: Flags) -> Image.Transpose | None:
    # Pillow turns a TIFF upright itself as it loads.
    return None if opened.format == "TIFF" else _TURN.get(int(flags.get("orientation", 1)))


def _turned(pixels: NDArray[np.uint8], turn: Image.Transpose) -> NDArray[np.uint8]:
    """Return pixels turned as Pillow would, in memory for one copy instead of three: phones make 50 megapixels."""
    if turn in _SIDEWAYS:
        pixels = pixels.transpose(1, 0, 2)
    if turn in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, *_MIRRORED):
        pixels = pixels[:, ::-1]
    if turn in (Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180, *_UPENDED):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _flags(opened: ImageFile.ImageFile, data: bytes) -> Flags:
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
    # XMP is text; PNG may pack it.
    if gps or _XMP_GPS in data or any(_XMP_GPS in _bytes(value) for value in opened.info.values()):
        flags["gps"] = True
    frames = _frames(opened)
    if frames > 1:
        flags["frames"] = frames
    return flags


def _frames(opened: ImageFile.ImageFile) -> int:
    if opened.format != "TIFF":
        return int(getattr(opened, "n_frames", 1))
    count = 1
    while count < _MAX_FRAMES and _has_frame(opened, count):
        count += 1
    opened.seek(0)
    return count


def _has_frame(opened: ImageFile.ImageFile, number: int) -> bool:
    try:
        opened.seek(number)
    except EOFError:
        return False
    return True


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else b""


def _is_plain(file_format: str, flags: Mapping[str, bool | int | float]) -> bool:
    return file_format in _KEPT_FORMATS and not _CHANGING & flags.keys()
