from pathlib import Path

import pytest
import torch
from torchvision.models import inception_v3

from adapt.models.inception import InceptionV3
from adapt.models.interfaces import ImageEncoder
from adapt.weights import WeightsError


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in torchvision's layout; the real ones ship in no package."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = inception_v3(weights=None, transform_input=True, init_weights=False)
    path = tmp_path_factory.mktemp("inception") / "inception.pth"
    torch.save(network.state_dict(), path)
    return path


def test_inception_matches_torchvision(weights_file: Path) -> None:
    encoder = InceptionV3(input_px=96, path=weights_file)
    assert isinstance(encoder, ImageEncoder)
    reference = inception_v3(weights=None, transform_input=True, init_weights=False)
    reference.load_state_dict(torch.load(weights_file, weights_only=True))
    reference.fc = torch.nn.Identity()
    images = torch.rand(1, 3, 96, 96, requires_grad=True)
    features = encoder(images * 2 - 1)
    expected = reference.eval()((images - encoder.mean) / encoder.std)
    torch.testing.assert_close(features.pooled, expected)
    assert features.regions.shape == (1, encoder.region_dim, 16)
    features.regions.sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0


def test_inception_says_where_to_get_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="ADAPT_ALLOW_DOWNLOAD=1"):
        InceptionV3()


def test_inception_refuses_pictures_too_small_for_it(weights_file: Path) -> None:
    with pytest.raises(ValueError, match="75 or more"):
        InceptionV3(input_px=64, path=weights_file)


def test_inception_refuses_other_weights(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="does not hold torchvision's inception_v3"):
        InceptionV3(path=tmp_path / "other.pth")
