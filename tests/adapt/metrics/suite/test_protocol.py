"""The traps of evaluating generators (paper.md, sections 4b, 4c and 5): each test is one of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from adapt.data.pictures import load_square, to_pixels
from adapt.metrics.consistency import consistency
from adapt.metrics.features import Seen, load_extractor
from adapt.metrics.kernel import kid
from adapt.metrics.matcher import MatcherConfig, train_matcher
from adapt.metrics.noise import Truncation
from adapt.metrics.suite.captions import FEWEST_PICTURES, Reader, find_reader
from adapt.metrics.suite.studio import Studio
from catalog.records import Caption, ManifestEntry


def _studio(generate, **changes) -> Studio:
    settings = {"generate": generate, "noise_dim": 4, "image_px": 16, "margin": 1.25, "seed": 0} | changes
    return Studio(**settings)


def _stripes(side: int) -> np.ndarray:
    """One black pixel column, one white: all grey once it is half as wide, unless the filter skips pixels."""
    return np.repeat((np.arange(side) % 2 * 255).astype(np.uint8)[None, :, None], side, axis=0).repeat(3, axis=2)


def test_features_of_two_networks_are_never_compared_though_they_are_as_wide() -> None:
    one = Seen(extractor="efficientnet_lite0", values=torch.ones(4, 1280))
    other = Seen(extractor="efficientnet_lite1", values=torch.ones(4, 1280))
    with pytest.raises(ValueError, match="compare those of one extractor only"):
        one.beside(other)


def test_a_matcher_reads_no_other_extractors_features() -> None:
    features = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    config = MatcherConfig(buckets=16, dim=4, hidden=8, steps=1, batch=6)
    reader = Reader(matcher=train_matcher(features, [["a"]] * 6, torch.arange(6), config), judge="mine")
    with pytest.raises(ValueError, match="reads those of mine only"):
        reader.codes(Seen(extractor="other", values=features))


class _Brightness:
    """A judge with one weight, under one name whatever the weight is."""

    name, dim, seen_in_training = "brightness", 2, False

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([self.weight * mean, torch.ones_like(mean)], dim=1)


def test_a_kept_matcher_is_not_taken_for_a_judge_with_other_weights(tmp_path: Path) -> None:
    studio = _studio(lambda texts, noise: torch.zeros(len(texts), 3, 16, 16))
    path = tmp_path / "white.png"
    Image.new("RGB", (20, 20), "white").save(path)
    caption = Caption(id=None, text="a white square", lang="en", template="", facts={}, origin="human")
    lessons = [
        ManifestEntry(
            image=path,
            sha256=str(number),
            product=str(number),
            product_id=number,
            category="",
            split="train",
            captions=(caption,),
            group="",
        )
        for number in range(FEWEST_PICTURES)
    ]
    kept = tmp_path / "cache"
    for weight in (1.0, 1.0, 2.0):
        find_reader(studio, lessons, _Brightness(weight), kept)
    assert len(list(kept.iterdir())) == 2


def test_r_precision_by_features_that_training_used_is_marked() -> None:
    """Trained-on encoders rate generators far above real photographs."""
    studio = _studio(lambda texts, noise: torch.zeros(len(texts), 3, 16, 16))
    seen = studio.look(load_extractor("efficientnet_lite0"), torch.zeros(2, 3, 16, 16))
    config = MatcherConfig(buckets=16, dim=4, hidden=8, steps=1, batch=2)
    matcher = train_matcher(seen.values, [["a"], ["b"]], torch.arange(2), config)
    assert "(seen in training)" in Reader(matcher=matcher, judge=seen.extractor).name


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1"])
def test_extractors_shrink_pictures_with_an_antialiasing_filter(name: str) -> None:
    extractor = load_extractor(name)
    fine = torch.rand(1, 3, 300, 300, generator=torch.Generator().manual_seed(0)) * 2 - 1
    smooth, skipping = (
        torch.nn.functional.interpolate(fine, size=128, mode="bilinear", align_corners=False, antialias=antialias)
        for antialias in (True, False)
    )
    features = extractor(fine)
    assert torch.allclose(features, extractor(smooth), atol=1e-3)
    assert (features - extractor(skipping)).norm() > 1


def test_photos_are_shrunk_with_an_antialiasing_filter(tmp_path: Path) -> None:
    path = tmp_path / "stripes.png"
    Image.fromarray(_stripes(256)).save(path)
    entry = ManifestEntry(
        image=path, sha256="", product="p", product_id=1, category="", split="test", captions=(), group=""
    )
    small = load_square(entry, 64).astype(int)
    assert abs(small[:, 4:-4] - 127.5).max() < 12


def test_pixels_are_rounded_not_cut_off() -> None:
    levels = torch.tensor([100.4, 100.6, 0.4, 254.6])
    images = (levels / 127.5 - 1).view(1, 1, 1, 4).expand(1, 3, 1, 4)
    assert to_pixels(images)[0, 0, :, 0].tolist() == [100, 101, 0, 255]


def test_judges_see_the_bytes_a_user_gets() -> None:
    levels = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 255
    drawn = _studio(lambda texts, noise: levels / 127.5 - 1).draw(["a"] * 3, torch.zeros(3, 4), "")
    assert torch.allclose((drawn + 1) * 127.5, levels.round(), atol=1e-3)


@pytest.mark.parametrize("count", [1, 31, 33, 65])
def test_no_picture_is_dropped_because_a_batch_is_not_full(count: int) -> None:
    studio = _studio(lambda texts, noise: noise[:, :1, None, None].expand(-1, 3, 16, 16).clamp(-1, 1))
    drawn = studio.draw(["a"] * count, studio.noise(count, 1), "")
    assert len(drawn) == count
    assert len(studio.look(load_extractor("efficientnet_lite1"), drawn[:9])) == min(count, 9)


def test_kid_of_one_distribution_is_as_often_below_zero() -> None:
    signs = []
    for seed in range(20):
        rows = torch.randn(40, 8, generator=torch.Generator().manual_seed(seed))
        signs.append(kid(rows[:20], rows[20:]) < 0)
    assert 4 <= sum(signs) <= 16


def test_a_noise_an_item_would_let_a_generator_that_ignores_text_win_everything() -> None:
    """Why consistency draws all items with one noise."""
    noise = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    own = consistency(noise, noise, extractor="x", seed=0)
    shared = consistency(noise[:1].expand(40, -1), noise[:1].expand(40, -1), extractor="x", seed=0)
    assert own["consistency_top1"].value == 1.0 and own["consistency_gap"].value > 0.5
    assert shared["consistency_top1"].value == pytest.approx(1 / 40)
    assert shared["consistency_gap"].value == pytest.approx(0, abs=1e-9)


def test_truncation_reaches_every_noise_that_is_drawn() -> None:
    studio = _studio(lambda texts, noise: noise, truncation=Truncation.parse("truncnorm:0.5"))
    assert all(studio.noise(500, purpose).abs().max() <= 1 for purpose in range(5))
