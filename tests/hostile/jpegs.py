"""JPEG files as transfers break them, cameras turn them and attackers build them."""

import functools
import io
import struct
import zipfile

import numpy as np
from hostile.building import (
    cmyk_profile_that_prints_grey,
    linear_grey_profile,
    motif,
    rgb_profile_with_red_and_green_swapped,
    saved,
)
from hostile.case import PictureCase
from numpy.typing import NDArray
from PIL import ExifTags, Image

BLOCK_BYTES = 4096
_AFTER_APP0 = 20
# What turns the upright picture into how the file stores it.
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def motif_pixels() -> NDArray[np.uint8]:
    return np.asarray(motif())


@functools.cache
def jpeg(mode: str = "RGB", width: int = 96, height: int = 64, **options: object) -> bytes:
    return saved(motif(width, height).convert(mode), "JPEG", **{"quality": 95, "subsampling": 0, **options})


def noisy_jpeg(mode: str = "RGB", *, progressive: bool = False, orientation: int = 1, seed: int = 0) -> bytes:
    """A JPEG of some 100 KB whose every block is coded at length, as in photographs."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).resize((480, 400))
    pixels = np.asarray(coarse, dtype=np.int16) + rng.integers(-20, 21, (400, 480, 3))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert(mode)
    return saved(picture, "JPEG", quality=85, progressive=progressive, exif=exif)


def block_replaced(data: bytes, share: float = 0.5, by: bytes = bytes(BLOCK_BYTES)) -> bytes:
    """A file whose block of 4 KiB at this share of its scan data was lost in a copy."""
    start = data.index(b"\xff\xda") + 16
    at = start + int((len(data) - start - len(by) - 2) * share)
    return data[:at] + by + data[at + len(by) :]


def in_header(data: bytes, segment: bytes) -> bytes:
    return data[:_AFTER_APP0] + segment + data[_AFTER_APP0:]


def comment(body: bytes) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", len(body) + 2) + body


def resized_in_header(data: bytes, width: int, height: int) -> bytes:
    """A file that claims another size than its picture data has."""
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def archive(comment_bytes: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.txt", "hidden behind a picture")
        file.comment = comment_bytes
    return out.getvalue()


def archive_in_comment() -> bytes:
    """A file that archive readers open although nothing lies behind its end mark."""
    data = jpeg(quality=60)
    rest = data[_AFTER_APP0:]
    return data[:_AFTER_APP0] + comment(archive(b" " * len(rest))[: -len(rest)]) + rest


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return saved(motif().transpose(_STORED[orientation]), "JPEG", quality=95, subsampling=0, exif=exif)


def with_gps() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return jpeg(exif=exif.tobytes())


def with_gps_in_xmp() -> bytes:
    return jpeg(xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><exif:GPSLatitude>0,0N</exif:GPSLatitude></x:xmpmeta>")


def with_many_scans() -> bytes:
    data = jpeg(progressive=True)
    first = data.index(b"\xff\xda")
    return data[:first] + data[first : data.index(b"\xff", first + 12)] * 400 + b"\xff\xd9"


def flat(mode: str, colour: int | tuple[int, ...], **options: object) -> bytes:
    return saved(Image.new(mode, (64, 48), colour), "JPEG", quality=95, subsampling=0, **options)


def _case(name: str, make: object, code: str = "", says: str = "") -> PictureCase:
    return PictureCase(name=f"{name}.jpg", make=make, code=code, says=says)  # type: ignore[arg-type]


DAMAGED = [
    *(
        _case(f"cut-at-{percent}-percent", lambda share=percent / 100: (d := noisy_jpeg())[: int(len(d) * share)], code)
        for percent, code in ((1, "IMG_TRUNCATED"), (10, "IMG_TRUNCATED"), (50, "IMG_TRUNCATED"), (99, "IMG_TRUNCATED"))
    ),
    _case("end-mark-missing", lambda: jpeg()[:-2], "IMG_TRUNCATED", "save it again to fix"),
    _case("zeroed-block", lambda: block_replaced(noisy_jpeg()), "IMG_DATA_CORRUPT", "save it again"),
    _case("zeroed-block-progressive", lambda: block_replaced(noisy_jpeg(progressive=True)), "IMG_DATA_CORRUPT"),
    _case("zeroed-block-grey", lambda: block_replaced(noisy_jpeg("L")), "IMG_DATA_CORRUPT"),
    _case("zeroed-block-cmyk", lambda: block_replaced(noisy_jpeg("CMYK")), "IMG_DATA_CORRUPT"),
    _case("zeroed-block-turned", lambda: block_replaced(noisy_jpeg(orientation=6)), "IMG_DATA_CORRUPT"),
    _case(
        "zeroed-block-behind-odd-header", lambda: in_header(block_replaced(noisy_jpeg()), b"\0\0"), "IMG_DATA_CORRUPT"
    ),
    _case(
        "block-of-another-file",
        lambda: block_replaced(noisy_jpeg(), by=noisy_jpeg(seed=1)[20_000 : 20_000 + BLOCK_BYTES]),
        "IMG_DATA_CORRUPT",
    ),
    _case("start-mark-alone", lambda: b"\xff\xd8", "IMG_DATA_CORRUPT"),
    _case("no-scan", lambda: (d := jpeg())[: d.index(b"\xff\xda")] + b"\xff\xd9", "IMG_DATA_CORRUPT"),
    _case("larger-in-its-header", lambda: resized_in_header(jpeg(), 6000, 6000), "IMG_DATA_CORRUPT"),
    _case("bomb", lambda: resized_in_header(jpeg(), 60_000, 60_000), "IMG_BOMB", "megapixels"),
    _case("bomb-progressive", lambda: resized_in_header(jpeg(progressive=True), 9_000, 9_000), "IMG_BOMB", "baseline"),
    _case("many-scans", with_many_scans, "IMG_BOMB", "scans"),
    _case("tiny", lambda: jpeg(width=1, height=1), "IMG_SMALL"),
]


def _motif(name: str, make: object, *, plain: bool = False, **flags: bool | int) -> PictureCase:
    return PictureCase(
        name=f"{name}.jpg",
        make=make,  # type: ignore[arg-type]
        pixels=motif_pixels,
        tolerance=3,  # quality 95 without subsampling
        flags=flags,
        plain=plain,
    )


def _flat(name: str, make: object, pixels: tuple[int, int, int], *, plain: bool = False, **flags: bool) -> PictureCase:
    return PictureCase(name=f"{name}.jpg", make=make, pixels=pixels, tolerance=2, flags=flags, plain=plain)  # type: ignore[arg-type]


ACCEPTED = [
    _motif("sound", jpeg, plain=True),
    _motif("sound-progressive", lambda: jpeg(progressive=True), plain=True),
    _motif("odd-bytes-between-markers", lambda: in_header(jpeg(), b"\0\0"), header_odd=True, plain=True),
    _motif("bad-profile-marker", lambda: in_header(jpeg(), _bad_icc_marker()), header_odd=True, plain=True),
    _motif("padded-with-zeros", lambda: jpeg() + bytes(512), plain=True),
    _motif("archive-behind-the-end", lambda: jpeg() + archive(), polyglot=True, trailing=len(archive())),
    _motif("text-behind-the-end", lambda: jpeg() + b"<script>", trailing=8),
    _motif("gps", with_gps, gps=True),
    _motif("gps-in-xmp", with_gps_in_xmp, gps=True),
    *(_motif(f"turned-{number}", lambda number=number: turned(number), orientation=number) for number in _STORED),
    _flat("grey", lambda: flat("L", 77), (77, 77, 77), plain=True),
    _flat("grey-profile", lambda: flat("L", 128, icc_profile=linear_grey_profile()), (188, 188, 188), icc=True),
    _flat(
        "rgb-profile",
        lambda: flat("RGB", (255, 0, 0), icc_profile=rgb_profile_with_red_and_green_swapped()),
        (0, 255, 0),
        icc=True,
    ),
    _flat(
        "profile-of-another-class",
        lambda: flat("RGB", (200, 30, 60), icc_profile=cmyk_profile_that_prints_grey()),
        (200, 30, 60),
        icc_unusable=True,
        plain=True,
    ),
    _flat(
        "profile-that-is-text",
        lambda: flat("RGB", (9, 99, 199), icc_profile=b"none"),
        (9, 99, 199),
        icc_unusable=True,
        plain=True,
    ),
    _flat("cmyk", lambda: flat("CMYK", (0, 255, 255, 0)), (255, 0, 0), cmyk=True, cmyk_guessed=True),
    _flat(
        "cmyk-profile",
        lambda: flat("CMYK", (0, 255, 255, 0), icc_profile=cmyk_profile_that_prints_grey()),
        (127, 127, 127),
        cmyk=True,
        icc=True,
    ),
    _flat(
        "cmyk-with-rgb-profile",
        lambda: flat("CMYK", (0, 255, 255, 0), icc_profile=rgb_profile_with_red_and_green_swapped()),
        (255, 0, 0),
        cmyk=True,
        cmyk_guessed=True,
        icc_unusable=True,
    ),
]


def _bad_icc_marker() -> bytes:
    # The second of three parts, twice.
    part = b"ICC_PROFILE\0\x02\x03" + bytes(20)
    return (b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part) * 2


JPEGS = [*DAMAGED, *ACCEPTED]
