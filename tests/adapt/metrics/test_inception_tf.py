"""The 2015 Inception: pools without padding, weights by path only, and that it is not torchvision's network."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torchvision.models import inception_v3

from adapt import weights
from adapt.errors import AdaptError
from adapt.metrics.features import load_extractor
from adapt.metrics.inception_tf import PooledBranch, build_network


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the port's layout with random numbers."""
    torch.manual_seed(0)
    network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
    file = tmp_path_factory.mktemp("inception") / "inception_v3_tf.pth"
    torch.save(network.state_dict(), file)
    return file


def test_tensorflow_inception_looks_at_pictures_of_any_size(port: Path) -> None:
    extractor = load_extractor("inception_v3_tf", path=port)
    features = extractor(torch.rand(1, 3, 40, 40) * 2 - 1)
    assert extractor.name == "inception_v3_tf2015" and not extractor.seen_in_training
    assert features.shape == (1, 2048) and features.isfinite().all()


def test_pooling_branches_leave_the_padding_out_and_the_last_takes_the_maximum(port: Path) -> None:
    network = build_network(weights.read_tensors(port), port)
    pooled = [layer for layer in network if isinstance(layer, PooledBranch)]
    assert len(pooled) == 9
    first, last = pooled[0], pooled[-1]
    x = torch.rand(1, 192, 5, 5, generator=torch.Generator().manual_seed(0))
    corner = x[:, :, :2, :2].mean((2, 3))  # of the nine places four are in the picture
    expected = first.block.branch_pool(corner[:, :, None, None])[..., 0, 0]
    assert torch.allclose(first(x)[:, -32:, 0, 0], expected, atol=1e-5)
    assert torch.equal(first(x)[:, :-32], first.block(x)[:, :-32])
    wide = torch.rand(1, 2048, 3, 3, generator=torch.Generator().manual_seed(1))
    highest = last.block.branch_pool(F.adaptive_max_pool2d(wide, 1))[..., 0, 0]
    assert torch.allclose(last(wide)[:, -192:, 1, 1], highest, atol=1e-5)


def test_its_features_are_not_those_of_torchvisions_network(port: Path) -> None:
    """The same weights in both: the pools alone make another extractor."""
    state = weights.read_tensors(port)
    plain = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False).eval()
    plain.load_state_dict(state)
    plain.fc = torch.nn.Identity()
    images = torch.rand(1, 3, 299, 299, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        assert not torch.allclose(plain(images), build_network(state, port)(images).flatten(1), rtol=1e-3)


def test_tensorflow_inception_refuses_another_networks_weights() -> None:
    with pytest.raises(AdaptError, match="does not hold the 2015 Inception") as error:
        load_extractor("inception_v3_tf", path=weights.find("efficientnet_lite0"))
    assert "\n" not in str(error.value)


def test_tensorflow_inception_says_how_to_get_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path))
    with pytest.raises(AdaptError, match="four ways"):
        load_extractor("inception_v3_tf")
