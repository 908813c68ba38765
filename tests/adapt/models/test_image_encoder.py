from pathlib import Path

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import save_file

from adapt import weights
from adapt.models.image_encoder import EfficientNetLite
from adapt.models.interfaces import ImageEncoder
from adapt.weights import WeightsError


@pytest.fixture(scope="module")
def encoder() -> EfficientNetLite:
    return EfficientNetLite(input_px=None)


def _images(batch: int, side_px: int) -> torch.Tensor:
    return torch.rand(batch, 3, side_px, side_px, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1"])
def test_efficientnet_lite_matches_the_published_code(name: str) -> None:
    images = _images(2, 64)
    reference = EfficientNet.from_name(name.replace("_", "-"), image_size=64)
    reference.load_state_dict(weights.read_tensors(weights.find(name)))
    with torch.no_grad():
        # The weights were trained on bytes, as (x - 127) / 128.
        expected = reference.eval().extract_features(((images + 1) * 127.5 - 127) / 128).mean((2, 3))
        found = EfficientNetLite(name, input_px=None)(images).pooled
    # Folding the normalisation reorders float32 sums over fifty layers; values reach 6.
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("side_px", [64, 96, 128])
def test_stages_have_strides_4_to_32(encoder: EfficientNetLite, side_px: int) -> None:
    shapes = [tuple(stage.shape) for stage in encoder.stages(_images(1, side_px))]
    assert shapes == [
        (1, channels, side_px // stride, side_px // stride)
        for channels, stride in zip(encoder.stage_channels, (4, 8, 16, 32), strict=True)
    ]


def test_efficientnet_lite_gives_regions_and_pooled_features(encoder: EfficientNetLite) -> None:
    assert isinstance(encoder, ImageEncoder)
    features = encoder(_images(1, 96))
    assert features.regions.shape == (1, encoder.region_dim, 36)
    assert features.pooled.shape == (1, encoder.dim)


def test_efficientnet_lite_takes_odd_and_oblong_pictures(encoder: EfficientNetLite) -> None:
    assert encoder(torch.zeros(1, 3, 50, 75)).regions.shape == (1, 432, 4 * 5)


def test_efficientnet_lite_resizes_to_its_input(encoder: EfficientNetLite) -> None:
    resizing = EfficientNetLite(input_px=96)
    for side_px in (32, 64, 200):
        assert resizing(_images(2, side_px)).regions.shape == (2, 432, 36)
    torch.testing.assert_close(resizing(_images(1, 96)).pooled, encoder(_images(1, 96)).pooled)


def test_efficientnet_lite_passes_gradients_to_pictures_only(encoder: EfficientNetLite) -> None:
    images = _images(2, 64).requires_grad_()
    features = encoder(images)
    (features.pooled.sum() + features.regions.sum()).backward()
    assert images.grad is not None and images.grad.abs().amax((1, 2, 3)).min() > 0
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in encoder.parameters())


def test_efficientnet_lite_stays_in_evaluation_mode(encoder: EfficientNetLite) -> None:
    assert not encoder.train().training


def test_efficientnet_lite_runs_in_bfloat16(encoder: EfficientNetLite) -> None:
    images = _images(4, 64)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        half = encoder(images).pooled.float()
    with torch.no_grad():
        full = encoder(images).pooled
    # bfloat16 keeps 8 bits; the direction of the features is what the losses use.
    assert torch.nn.functional.cosine_similarity(half, full).min() > 0.99


def test_efficientnet_lite_refuses_an_unknown_name() -> None:
    with pytest.raises(ValueError, match="use one of efficientnet_lite0, efficientnet_lite1"):
        EfficientNetLite("efficientnet_b7")


def test_efficientnet_lite_refuses_weights_of_another_network(tmp_path: Path) -> None:
    save_file({"other.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="does not hold the weights of efficientnet_lite0"):
        EfficientNetLite(path=tmp_path / "other.safetensors")


def test_gradients_under_half_precision_are_those_of_full_precision(encoder: EfficientNetLite) -> None:
    """The backward of depthwise convolutions in bf16 is slow on processors, and coarse; see `_precision`."""

    def gradient(half: bool) -> torch.Tensor:
        images = _images(2, 64).requires_grad_(True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            stages = encoder.stages(images)
        torch.stack([stage.float().square().mean() for stage in stages]).sum().backward()
        assert images.grad is not None
        return images.grad

    torch.testing.assert_close(gradient(half=True), gradient(half=False))
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert encoder.stages(_images(1, 64))[0].dtype == torch.bfloat16
