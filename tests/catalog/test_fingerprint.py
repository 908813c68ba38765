"""Signatures of pictures: what they keep, and what they tell apart."""

import numpy as np
import pytest
from PIL import Image

from catalog import fingerprint
from catalog.schema import ImageRow


def photo(seed: int = 0, size: tuple[int, int] = (300, 240)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def bits_apart(first: Image.Image, second: Image.Image) -> int:
    return (int(fingerprint.phash(first), 16) ^ int(fingerprint.phash(second), 16)).bit_count()


def lab(image: Image.Image) -> np.ndarray:
    return fingerprint.colours(np.frombuffer(fingerprint.chroma(image), dtype=np.uint8))


def test_signatures_are_the_same_from_the_shrunk_picture() -> None:
    small = fingerprint.shrink(photo())
    assert small.size == (32, 32)
    assert fingerprint.phash(small) == fingerprint.phash(photo())
    assert fingerprint.chroma(small) == fingerprint.chroma(photo())
    assert len(fingerprint.phash(small)) == 16 and len(fingerprint.chroma(small)) == fingerprint.CHROMA_BYTES


def test_the_version_fits_its_column() -> None:
    assert len(fingerprint.VERSION) <= ImageRow.__table__.c.fingerprint.type.length


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.2, 80.1, 67.2)),
        ((0, 0, 255), (32.3, 79.2, -107.9)),
    ],
)
def test_colours_are_cielab(rgb: tuple[int, int, int], expected: tuple[float, float, float]) -> None:
    # One stored step is 0.4 of lightness and 1 of a and b.
    assert lab(Image.new("RGB", (40, 40), rgb)) == pytest.approx(np.tile(expected, (64, 1)), abs=0.6)


def test_phash_keeps_shape_and_not_size() -> None:
    picture = photo(size=(900, 720))
    assert bits_apart(picture, picture.resize((225, 180), Image.Resampling.LANCZOS)) <= 2
    assert bits_apart(picture, photo(seed=1)) > 12


def test_colour_difference_sees_a_small_part_in_another_colour() -> None:
    first = Image.new("RGB", (320, 320), "white")
    second = first.copy()
    second.paste((200, 0, 0), (40, 40, 120, 80))  # 3 % of the picture
    assert fingerprint.colour_difference(lab(first), lab(second)) > 30
    assert fingerprint.colour_difference(lab(first), lab(first)) == 0


def test_texture_tells_a_flat_picture_from_a_photo() -> None:
    assert fingerprint.texture(lab(Image.new("RGB", (50, 50), (120, 40, 200)))) < 0.001
    assert fingerprint.texture(lab(photo())) > 15
