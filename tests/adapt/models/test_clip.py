import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_encoders import CLIP, tiny_clip

from adapt.models.clip import OpenClipEncoder
from adapt.models.interfaces import ImageEncoder, TextEncoder
from adapt.weights import WeightsError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> OpenClipEncoder:
    return OpenClipEncoder(path=folder)


def test_open_clip_encodes_any_text(encoder: OpenClipEncoder) -> None:
    texts = ["a small red bird", "", "🐦🔥", "赤い靴", "word " * 10_000, "\ud83d broken"]
    features = encoder.encode(texts)
    assert isinstance(encoder, TextEncoder) and isinstance(encoder, ImageEncoder)
    assert features.words.shape == (6, 32, 32) and features.sentence.shape == (6, 16)
    assert features.mask.sum(1).tolist()[:2] == [4, 1] and features.mask[4].all()
    assert features.words.isfinite().all() and features.sentence.isfinite().all()


def test_open_clip_matches_its_own_towers(encoder: OpenClipEncoder) -> None:
    import open_clip

    texts = ["a small red bird", ""]
    ids = open_clip.tokenize(texts)
    torch.testing.assert_close(encoder.encode(texts).sentence, encoder._clip.encode_text(ids, normalize=True))
    images = torch.rand(2, 3, 32, 32)
    normalised = (images - encoder.mean) / encoder.std
    torch.testing.assert_close(encoder(images * 2 - 1).pooled, encoder._clip.encode_image(normalised, normalize=True))


def test_open_clip_passes_gradients_to_pictures_only(encoder: OpenClipEncoder) -> None:
    images = torch.zeros(1, 3, 48, 48, requires_grad=True)
    features = encoder(images)
    assert features.regions.shape == (1, 32, 16)
    (features.regions.sum() + features.pooled.square().sum()).backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in encoder.parameters())
    assert not encoder.train().training


def test_open_clip_refuses_a_missing_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="four ways"):
        OpenClipEncoder()


def test_open_clip_refuses_a_config_without_weights(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_bytes((folder / "open_clip_config.json").read_bytes())
    with pytest.raises(WeightsError, match="is no open_clip model"):
        OpenClipEncoder(path=tmp_path)


def test_open_clip_refuses_a_pickle(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_bytes((folder / "open_clip_config.json").read_bytes())
    torch.save({"a": Path("anything")}, tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(WeightsError, match="refused weights"):
        OpenClipEncoder(path=tmp_path)


def test_open_clip_refuses_a_text_tower_from_elsewhere(tmp_path: Path) -> None:
    config = {"model_cfg": {**CLIP, "text_cfg": {"hf_model_name": "roberta-base"}}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="takes its text tower from elsewhere"):
        OpenClipEncoder(path=tmp_path)


def test_open_clip_takes_a_weights_file_of_a_named_architecture_only(tmp_path: Path) -> None:
    foreign = tmp_path / "weights.pt"
    foreign.write_bytes(b"root:x:0:0\n")
    with pytest.raises(WeightsError, match="is no open_clip model") as caught:
        OpenClipEncoder(path=foreign)
    assert "\n" not in str(caught.value)


def test_open_clip_with_weights_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    file = tiny_clip(tmp_path) / "open_clip_model.safetensors"
    tensors = load_file(file)
    tensors["text_projection"][0, 0] = float("inf")
    save_file(tensors, file)
    with pytest.raises(WeightsError, match=r"refused weights .*'text_projection' holds NaN or infinity"):
        OpenClipEncoder(path=tmp_path)
