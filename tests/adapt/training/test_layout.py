"""Layout codes: like noise in distribution, blind to hue, and only part of a batch uses them."""

import numpy as np
import pytest
import torch
from text_features import sentence_features

from adapt.data.batches import Batch
from adapt.data.pictures import to_model
from adapt.training.layout import LayoutCodes, LayoutTerm


def photos(count: int = 60) -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def test_codes_are_about_standard_normal() -> None:
    pictures = photos(200)
    codes = LayoutCodes(pictures, 12)(to_model(pictures))
    assert codes.shape == (200, 12)
    assert codes.mean().abs() < 0.05 and 0.8 < float(codes.std()) < 1.1


def test_codes_do_not_see_hue_or_contrast_but_see_place() -> None:
    pictures = photos()
    codes = LayoutCodes(pictures, 12)
    grey = to_model(pictures[:4]).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    tinted = grey + torch.tensor([0.3, -0.15, -0.0105]).view(1, 3, 1, 1)  # a shift that leaves the luma as it is
    assert torch.allclose(codes(grey), codes(tinted), atol=0.05)
    assert (codes(grey) - codes(grey.flip(3))).abs().max() > 0.5


def test_codes_of_fewer_photos_than_noise_are_padded() -> None:
    pictures = photos(6)
    codes = LayoutCodes(pictures, 20)(to_model(pictures))
    assert codes.shape == (6, 20) and bool(codes.isfinite().all()) and float(codes[:, 6:].abs().max()) == 0


def test_term_replaces_part_of_the_noise_and_compares_that_part() -> None:
    pictures = photos()
    images = to_model(pictures[:4])
    batch = Batch(images=images, texts=sentence_features(8, 3), mismatched=torch.zeros(4, 3), ids=torch.arange(4))
    term = LayoutTerm(LayoutCodes(pictures, 12), weight=1.0, share=0.5)
    drawn = torch.randn(4, 20)
    noise = term.noise(batch, drawn)
    plain, coded = [0, 2], [1, 3]  # spread over the batch: its first pictures may all have captions of one kind
    assert torch.equal(noise[plain], drawn[plain]) and torch.equal(noise[:, 12:], drawn[:, 12:])
    assert not torch.equal(noise[coded], drawn[coded])
    right = torch.zeros_like(images)
    right[coded] = images[coded]
    value = term(torch.nn.Identity(), batch, noise, right, torch.Generator())["g_layout"]
    assert float(value) < 1e-3


@pytest.mark.parametrize(("size", "share", "coded"), [(16, 0.5, 8), (10, 0.25, 2), (3, 0.1, 1), (5, 1.0, 5)])
def test_share_of_coded_pictures_holds_for_any_size(size: int, share: float, coded: int) -> None:
    pictures = photos()
    images = to_model(pictures[:1]).expand(size, -1, -1, -1)
    batch = Batch(images=images, texts=sentence_features(2 * size, 3), mismatched=None, ids=torch.arange(size))
    term = LayoutTerm(LayoutCodes(pictures, 12), weight=1.0, share=share)
    noise = term.noise(batch, torch.zeros(size, 20))
    assert int((noise.abs().sum(dim=1) > 0).sum()) == coded
