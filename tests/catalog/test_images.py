"""Every kind of odd or hostile picture ends as its code, or as the right pixels."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, ImageFilter

from catalog import fingerprint, images, jpeg
from catalog.errors import ImageRejected


def gradient(width: int = 96, height: int = 64) -> Image.Image:
    """A picture whose four corners differ, with noise so that JPEG data is long."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).integers(0, 40, (height, width))
    return Image.fromarray(np.stack([x * 2 % 256, y * 3 % 256, (x + y + noise) % 256], axis=2).astype(np.uint8))


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def rejected(data: bytes) -> str:
    with pytest.raises(ImageRejected) as caught:
        images.decode(data)
    assert "\n" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "JPEG", "WEBP", "GIF", "AVIF"])
def test_decode_reads_each_allowed_format(file_format: str) -> None:
    decoded = images.decode(saved(gradient(), file_format))
    assert decoded.pixels.shape == (64, 96, 3)
    assert decoded.pixels.dtype == np.uint8
    if file_format in ("PNG", "BMP", "TIFF"):
        assert np.array_equal(decoded.pixels, np.asarray(gradient()))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "IMG_NOT_IMAGE"),
        (b"\n<!DOCTYPE html><html>404", "IMG_NOT_IMAGE"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "IMG_FORMAT_BLOCKED"),
        (b"<?xml version='1.0'?><svg/>", "IMG_FORMAT_BLOCKED"),
        (b"%PDF-1.7", "IMG_FORMAT_BLOCKED"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "IMG_FORMAT_BLOCKED"),
        (b"8BPS\0\1", "IMG_FORMAT_BLOCKED"),
        (b"\0\0\0\x18ftypheic", "IMG_FORMAT_BLOCKED"),
        (b"PK\x03\x04rest", "IMG_FORMAT_BLOCKED"),
        (b"just some text", "IMG_NOT_IMAGE"),
        (png_header(30_000, 30_000), "IMG_BOMB"),
        (png_header(12_000, 12_000), "IMG_BOMB"),
        (png_header(100, 100), "IMG_TRUNCATED"),
        (saved(gradient(10, 60), "PNG"), "IMG_SMALL"),
    ],
)
def test_decode_names_why_a_file_is_refused(data: bytes, code: str) -> None:
    assert rejected(data) == code


@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_decode_finds_a_truncated_jpeg(share: float) -> None:
    data = saved(gradient(), "JPEG", quality=90)
    assert rejected(data[: int(len(data) * share)]) == "IMG_TRUNCATED"


def test_decode_finds_a_zeroed_block_that_pillow_does_not_see() -> None:
    data = bytearray(saved(gradient(400, 400), "JPEG", quality=90))
    middle = len(data) // 2
    data[middle : middle + 4096] = bytes(4096)
    Image.open(io.BytesIO(bytes(data))).load()
    assert rejected(bytes(data)) == "IMG_DATA_CORRUPT"


def test_decode_accepts_odd_bytes_between_jpeg_markers() -> None:
    data = saved(gradient(), "JPEG")
    after_app0 = 20
    odd = data[:after_app0] + b"\0\0" + data[after_app0:]
    decoded = images.decode(odd)
    assert decoded.flags["header_odd"]
    assert np.array_equal(decoded.pixels, images.decode(data).pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_decode_turns_a_picture_upright(orientation: int, file_format: str) -> None:
    upright = gradient()
    back = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if back is None else upright.transpose(back)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    decoded = images.decode(saved(stored, file_format, exif=exif, **({"quality": 95} if file_format == "JPEG" else {})))
    assert (decoded.width, decoded.height) == (96, 64)
    assert np.abs(decoded.pixels.astype(int) - np.asarray(upright)).mean() < 12
    assert decoded.plain == (orientation == 1)


def test_decode_flags_gps_and_the_plain_file_drops_it() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    decoded = images.decode(saved(gradient(), "JPEG", exif=exif))
    assert decoded.flags["gps"] and not decoded.plain
    data, ext = images.encode_plain(decoded)
    assert ext == "jpg"
    assert not Image.open(io.BytesIO(data)).getexif()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_decode_puts_alpha_on_white(mode: str) -> None:
    picture = Image.new(mode, (32, 32), 0)
    decoded = images.decode(saved(picture, "PNG"))
    assert decoded.flags["alpha"]
    assert (decoded.pixels == 255).all()


def test_decode_puts_a_transparent_palette_colour_on_white() -> None:
    picture = Image.new("P", (32, 32), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    decoded = images.decode(saved(picture, "GIF", transparency=0))
    assert (decoded.pixels == 255).all()


def test_decode_scales_sixteen_bit_grey_and_does_not_clip_it() -> None:
    values = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)
    decoded = images.decode(saved(Image.fromarray(values), "PNG"))
    assert decoded.flags["sixteen_bit"]
    assert abs(decoded.pixels.mean() - 127.5) < 1


def test_decode_converts_cmyk() -> None:
    decoded = images.decode(saved(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=95))
    red, green, blue = decoded.pixels.reshape(-1, 3).mean(axis=0)
    assert decoded.flags["cmyk"] and red > 200 and green < 60 and blue < 60


def test_decode_falls_back_from_an_unusable_colour_profile() -> None:
    decoded = images.decode(saved(gradient(), "PNG", icc_profile=b"not a profile"))
    assert decoded.flags["icc_unusable"]
    assert np.array_equal(decoded.pixels, np.asarray(gradient()))


def test_decode_keeps_an_srgb_profile_as_it_is() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    decoded = images.decode(saved(gradient(), "PNG", icc_profile=profile))
    assert decoded.plain and np.array_equal(decoded.pixels, np.asarray(gradient()))


def test_decode_takes_the_first_frame() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    decoded = images.decode(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert decoded.flags["frames"] == 2
    assert (decoded.pixels[0, 0] == (255, 0, 0)).all()


# --- survey --------------------------------------------------------------------------------------


def photograph(width: int = 1100, height: int = 900) -> Image.Image:
    """Soft shapes and some grain, as a JPEG codes them well."""
    rng = np.random.default_rng(3)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 11, 3), dtype=np.uint8)).resize((width, height))
    grain = rng.integers(-8, 9, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(coarse, dtype=np.int16) + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("size", [(1100, 900), (600, 520), (511, 700), (2100, 2600)])
def test_survey_reduces_the_picture_it_checks(file_format: str, size: tuple[int, int]) -> None:
    picture = photograph(*size)
    surveyed = images.survey(saved(picture, file_format))
    assert (surveyed.width, surveyed.height) == size
    assert images.SURVEY_SIDE_PX <= min(surveyed.reduced.size) < 2 * images.SURVEY_SIDE_PX or size == (511, 700)
    same = np.asarray(picture.resize(surveyed.reduced.size, Image.Resampling.BOX), dtype=int)
    assert np.abs(np.asarray(surveyed.reduced) - same).mean() < 4


def test_survey_makes_the_fingerprints_of_the_full_picture() -> None:
    for seed in range(5):
        # Without blur the picture is coloured noise: what clips at full size does not after averaging.
        data = saved(photograph(1500 + seed * 7, 1500).filter(ImageFilter.GaussianBlur(6)), "JPEG", quality=90)
        full = Image.fromarray(images.decode(data).pixels)
        reduced = images.survey(data).reduced
        assert (int(fingerprint.phash(full), 16) ^ int(fingerprint.phash(reduced), 16)).bit_count() <= 2
        planes = [np.frombuffer(fingerprint.chroma(picture), np.uint8)[None] for picture in (full, reduced)]
        assert fingerprint.colour_difference(*map(fingerprint.colours, planes)).max() < 3


def test_survey_turns_a_large_picture_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    upright = photograph()
    surveyed = images.survey(saved(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95))
    assert (surveyed.width, surveyed.height) == upright.size
    assert surveyed.reduced.size == (550, 450)
    assert np.abs(np.asarray(surveyed.reduced, dtype=int) - np.asarray(upright.reduce(2))).mean() < 4


def test_pixel_digest_is_equal_where_only_metadata_differs() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "a vase"
    location = Image.Exif()
    location.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    for file_format in ("JPEG", "PNG"):
        picture = gradient()
        bare = images.survey(saved(picture, file_format)).pixel_sha256
        for metadata in (exif, location):
            assert images.survey(saved(picture, file_format, exif=metadata)).pixel_sha256 == bare
        assert images.survey(saved(picture, file_format, exif=turned)).pixel_sha256 != bare
        picture.putpixel((5, 5), (255, 0, 0))
        assert images.survey(saved(picture, file_format)).pixel_sha256 != bare


def test_pixel_digest_is_equal_across_lossless_formats() -> None:
    digests = {images.survey(saved(gradient(), name)).pixel_sha256 for name in ("PNG", "BMP", "TIFF")}
    assert len(digests) == 1


def test_decode_brings_a_picture_of_many_strips_together() -> None:
    colours = photograph(2400, 2100)
    layer = colours.convert("RGBA")
    layer.paste((0, 0, 0, 0), (0, 700, 2400, 1400))
    data = saved(layer, "PNG", compress_level=1)
    decoded, surveyed = images.decode(data), images.survey(data)
    expected = np.array(colours)
    expected[700:1400] = 255
    assert np.array_equal(decoded.pixels, expected)
    assert decoded.flags == surveyed.flags == {"alpha": True, "alpha_share": 0.6667}
    assert np.array_equal(np.asarray(surveyed.reduced), np.asarray(Image.fromarray(expected).reduce(8)))


def test_end_of_a_jpeg_is_found_behind_every_scan() -> None:
    for progressive in (False, True):
        data = saved(gradient(), "JPEG", progressive=progressive)
        parts = jpeg.layout(data + b"more")
        assert (parts.end, parts.progressive) == (len(data), progressive)
        assert parts.header.startswith(b"\xff\xd8") and b"\xff\xc4" in parts.header
