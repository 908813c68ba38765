"""Dominant colour: known CIELAB values, named swatches, foreground before background, photographs."""

from pathlib import Path

import pytest
import torch

from adapt.data.colour_words import COLOURS, colours_in
from adapt.data.cub import read_cub
from adapt.data.pictures import load_pictures, to_model
from adapt.metrics.colour import colour_shares, dominant_colours, foreground_weights, to_lab

SWATCHES = {
    "black": (15, 15, 18),
    "white": (245, 245, 242),
    "grey": (128, 128, 128),
    "brown": (110, 70, 35),
    "red": (200, 30, 35),
    "orange": (240, 130, 20),
    "yellow": (245, 220, 40),
    "green": (40, 140, 50),
    "blue": (40, 70, 200),
    "purple": (130, 40, 150),
    "pink": (250, 150, 190),
}


def _flat(rgb: tuple[int, int, int], side: int = 16) -> torch.Tensor:
    return (torch.tensor(rgb).float() / 127.5 - 1)[:, None, None].expand(3, side, side)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_to_lab_gives_published_values(rgb: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    assert to_lab(_flat(rgb)[None])[0, :, 0, 0].tolist() == pytest.approx(lab, abs=0.1)


def test_swatches_cover_every_colour_word() -> None:
    assert set(SWATCHES) == set(COLOURS)


@pytest.mark.parametrize("name", SWATCHES)
def test_dominant_colour_names_a_product_on_another_background(name: str) -> None:
    for background in ((255, 255, 255), (90, 130, 60), (20, 20, 20)):
        if name in dominant_colours(_flat(background)[None]):
            continue
        image = _flat(background, 32).clone()
        image[:, 9:23, 9:23] = _flat(SWATCHES[name], 14)
        assert dominant_colours(image[None]) == [name]


def test_dominant_colour_of_a_plain_picture_is_its_colour() -> None:
    assert dominant_colours(torch.stack([_flat(rgb) for rgb in SWATCHES.values()])) == list(SWATCHES)


def test_weights_and_shares_sum_to_one_and_do_not_depend_on_the_batch() -> None:
    images = torch.rand(5, 3, 12, 20, generator=torch.Generator().manual_seed(0)) * 2 - 1
    shares = colour_shares(images)
    assert torch.allclose(shares.sum(dim=1), torch.ones(5))
    assert torch.allclose(foreground_weights(to_lab(images)).sum(dim=(1, 2)), torch.ones(5))
    assert torch.allclose(shares, torch.cat([colour_shares(image[None]) for image in images]))
    assert torch.allclose(shares, colour_shares(images, batch_images=2))


def test_dominant_colour_agrees_with_captions_of_photographs(shared_data: Path) -> None:
    pairs = []
    for entry in read_cub(shared_data / "cub"):
        if entry.split == "test":
            named = [colours_in(caption.text) for caption in entry.captions]
            counts = {colour: sum(colour in names for names in named) for names in named for colour in names}
            ranked = [*sorted(counts.values(), reverse=True), 0]
            if counts and ranked[0] >= 5 and ranked[0] >= 2 * ranked[1]:
                pairs.append((entry, max(counts, key=lambda colour: counts[colour])))
    seen = dominant_colours(to_model(load_pictures([entry for entry, _ in pairs], 64)))
    agreement = sum(colour == word for colour, (_, word) in zip(seen, pairs, strict=True)) / len(pairs)
    assert len(pairs) > 30
    assert agreement > 0.7
