"""The distance by the judge's early stages."""

import pytest
import torch

from adapt.metrics.perceptual import StageDistance, distance_ratio
from adapt.models.image_encoder import EfficientNetLite


@pytest.fixture(scope="module")
def distance() -> StageDistance:
    return StageDistance(EfficientNetLite("efficientnet_lite1", input_px=128))


def _pictures(count: int, seed: int = 0) -> torch.Tensor:
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=64, mode="bilinear")


def test_stage_distance_is_zero_for_equal_pictures_and_symmetric(distance: StageDistance) -> None:
    one, other = _pictures(10), _pictures(10, seed=1)
    same, there = distance(one, one, other)
    (back,) = distance(other, one)
    assert same.shape == there.shape == (10,)
    assert torch.allclose(same, torch.zeros(10), atol=1e-6)
    assert torch.allclose(there, back, atol=1e-4) and (there > 0.1).all() and (there <= 12).all()


def test_stage_distance_grows_with_the_change(distance: StageDistance) -> None:
    one, noise = _pictures(4), torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    little, much = distance(one, (one + 0.02 * noise).clamp(-1, 1), (one + 0.3 * noise).clamp(-1, 1))
    assert (little < much).all()


def test_stage_distance_does_not_call_itself_lpips(distance: StageDistance) -> None:
    assert "lpips" not in distance.name.lower() and "not fitted" in distance.name


def test_stage_distance_refuses_sets_of_different_length(distance: StageDistance) -> None:
    with pytest.raises(ValueError, match="expected equal numbers"):
        distance(_pictures(2), _pictures(3))


def test_distance_ratio_is_of_means_and_nan_without_any_movement() -> None:
    ratio = distance_ratio(torch.tensor([1.0, 3.0]), torch.tensor([4.0, 4.0]), extractor="x", seed=0, note="")
    assert ratio.value == 0.5 and ratio.low is not None and ratio.low <= 0.5
    still = distance_ratio(torch.zeros(2), torch.zeros(2), extractor="x", seed=0, note="")
    assert still.as_dict()["value"] is None
