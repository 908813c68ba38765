"""Extractors: registry, batch independence, that the judge sees what ImageNet taught it."""

from pathlib import Path

import pytest
import torch

from adapt import weights
from adapt.data.cub import read_cub
from adapt.data.pictures import load_pictures, to_model
from adapt.errors import AdaptError
from adapt.metrics.features import EXTRACTORS, extract, label, load_extractor


@pytest.fixture(scope="module")
def judge():
    return load_extractor("efficientnet_lite1")


def test_extractors_are_registered_by_name() -> None:
    assert EXTRACTORS.names() == ["efficientnet_lite0", "efficientnet_lite1", "inception_v3", "inception_v3_tf"]
    with pytest.raises(AdaptError, match="try efficientnet_lite1"):
        load_extractor("efficientnet-light1")


def test_label_marks_what_training_has_seen(judge) -> None:
    assert label(judge) == "efficientnet_lite1"
    assert label(load_extractor("efficientnet_lite0")) == "efficientnet_lite0 (seen in training)"


def test_extract_does_not_depend_on_the_batch_size(judge) -> None:
    images = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = extract(judge, images, batch_images=5)
    assert features.shape == (5, judge.dim)
    # Convolutions of other batch sizes add in another order.
    assert torch.allclose(features, extract(judge, images, batch_images=2), atol=1e-5, rtol=1e-4)
    assert torch.allclose(features[3:4], extract(judge, images[3:4]), atol=1e-5, rtol=1e-4)


def test_extract_of_nothing_has_the_right_width(judge) -> None:
    assert extract(judge, torch.zeros(0, 3, 8, 8)).shape == (0, judge.dim)


def test_inception_needs_its_weights_and_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path))
    with pytest.raises(AdaptError, match="inception_v3"):
        load_extractor("inception_v3")


def test_inception_refuses_another_networks_weights() -> None:
    with pytest.raises(AdaptError, match="does not hold torchvision's inception_v3"):
        load_extractor("inception_v3", path=weights.find("efficientnet_lite0"))


def test_judge_recognises_birds_of_imagenet(judge, shared_data: Path) -> None:
    classes = {"014.Indigo_Bunting": 14, "047.American_Goldfinch": 11, "073.Blue_Jay": 17}
    entries = read_cub(shared_data / "cub")
    chosen = [e for name in classes for e in [x for x in entries if x.product == f"cub/{name}"][:4]]
    features = extract(judge, to_model(load_pictures(chosen, 128)))
    state = weights.read_tensors(weights.find("efficientnet_lite1"))
    predicted = (features @ state["_fc.weight"].T + state["_fc.bias"]).argmax(dim=1)
    expected = torch.tensor([classes[entry.product.removeprefix("cub/")] for entry in chosen])
    assert len(chosen) == 12
    assert (predicted == expected).float().mean() >= 0.9
