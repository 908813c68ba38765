"""Changes of real pictures follow seed and place, and leave colours alone unless asked."""

import numpy as np
import pytest
from numpy.typing import NDArray

from adapt.data.augment import CHANGES, CropAndFlip
from adapt.errors import ConfigError


def noise(count: int = 6, side_px: int = 19) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, side_px, side_px, 3), dtype=np.uint8)


@pytest.mark.parametrize("augment", [(), ("affine",), ("resize",), CHANGES])
def test_change_repeats_with_its_seed_and_differs_between_pictures(augment: tuple[str, ...]) -> None:
    pictures = noise()
    pictures[1:] = pictures[0]
    transform = CropAndFlip(16, flip=True, augment=augment)
    first = transform(pictures, seed=4)
    other = transform(pictures, seed=9)
    assert first.shape == (6, 16, 16, 3) and first.dtype == np.uint8
    assert np.array_equal(first, CropAndFlip(16, flip=True, augment=augment)(pictures, seed=4))
    assert not np.array_equal(first, other)
    assert len({picture.tobytes() for picture in first}) > 1


def test_part_of_a_batch_is_changed_like_the_whole() -> None:
    pictures, transform = noise(), CropAndFlip(16, flip=True, augment=CHANGES)
    whole = transform(pictures, seed=4)
    assert np.array_equal(transform(pictures[[4, 1]], seed=4, places=[4, 1]), whole[[4, 1]])


def test_pictures_beside_it_do_not_change_a_picture() -> None:
    pictures, transform = noise(), CropAndFlip(16, flip=True, augment=CHANGES)
    assert np.array_equal(transform(pictures, seed=4)[:2], transform(pictures[:2], seed=4))


@pytest.mark.parametrize("augment", [(), ("affine", "resize")])
def test_colours_stay_unless_asked(augment: tuple[str, ...]) -> None:
    plain = np.broadcast_to(np.array([200, 30, 90], dtype=np.uint8), (8, 19, 19, 3)).copy()
    assert np.array_equal(CropAndFlip(16, flip=True, augment=augment)(plain, seed=0), plain[:, :16, :16])


def test_colours_change_when_asked() -> None:
    plain = np.broadcast_to(np.array([200, 30, 90], dtype=np.uint8), (8, 19, 19, 3)).copy()
    assert not np.array_equal(CropAndFlip(16, flip=True, augment=("color",))(plain, seed=0), plain[:, :16, :16])


def test_unknown_change_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"data.augment has 'blur'; allowed are affine, resize, color: --set"):
        CropAndFlip(16, flip=True, augment=("blur",))
