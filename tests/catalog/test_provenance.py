"""The mark goes into JPEG, PNG and WebP without touching a pixel, and other readers find it."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from catalog import provenance


def picture(fmt: str, mode: str = "RGB", **options: object) -> bytes:
    channels = {"RGB": 3, "RGBA": 4, "L": 1}[mode]
    pixels = np.random.default_rng(0).integers(0, 256, (24, 17, channels), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(pixels.squeeze(axis=2) if channels == 1 else pixels).save(out, fmt, **options)
    return out.getvalue()


def pixels_of(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGBA"))


CASES = [
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {"quality": 40}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("WEBP", "RGB", {"quality": 70}),
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("WEBP", "RGBA", {"quality": 70}),
]


@pytest.mark.parametrize(("fmt", "mode", "options"), CASES)
def test_mark_is_read_back_and_pixels_stay(fmt: str, mode: str, options: dict[str, object]) -> None:
    plain = picture(fmt, mode, **options)
    marked = provenance.mark(plain)
    assert provenance.source_type(plain) is None
    assert provenance.source_type(marked) == provenance.TRAINED
    assert np.array_equal(pixels_of(plain), pixels_of(marked))


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
def test_mark_replaces_an_earlier_mark(fmt: str) -> None:
    once = provenance.mark(picture(fmt))
    assert provenance.mark(once) == once
    assert provenance.source_type(provenance.mark(once, provenance.COMPOSITE)) == provenance.COMPOSITE


@pytest.mark.parametrize("fmt", ["JPEG", "WEBP"])
def test_mark_is_what_pillow_getxmp_reports(fmt: str) -> None:
    with Image.open(BytesIO(provenance.mark(picture(fmt)))) as opened:
        description = opened.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert description["DigitalSourceType"] == provenance.TRAINED


def test_mark_replaces_foreign_xmp_and_keeps_exif_first() -> None:
    exif = Image.Exif()
    exif[0x0131] = "camera"
    marked = provenance.mark(picture("JPEG", exif=exif, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"))
    assert marked.count(b"http://ns.adobe.com/xap/1.0/\x00") == 1
    with Image.open(BytesIO(marked)) as opened:
        assert opened.getexif()[0x0131] == "camera"


def test_source_type_refuses_a_picture_that_claims_to_be_huge() -> None:
    huge = bytearray(provenance.mark(picture("PNG")))
    huge[16:24] = struct.pack(">II", 60_000, 60_000)
    huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
    with pytest.raises(provenance.ProvenanceError, match="not a picture"):
        provenance.source_type(bytes(huge))


@pytest.mark.parametrize("data", [b"GIF89a" + b"\x00" * 40, b"", b"hello"])
def test_mark_refuses_other_formats(data: bytes) -> None:
    with pytest.raises(provenance.ProvenanceError, match="allowed: JPEG, PNG, WebP"):
        provenance.mark(data)


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
def test_mark_refuses_a_file_cut_short(fmt: str) -> None:
    with pytest.raises(provenance.ProvenanceError, match="cut short"):
        provenance.mark(picture(fmt)[:30])
