import json
from pathlib import Path

import pytest
import torch

from adapt.models import encoders
from adapt.models.damsm import Damsm, DamsmHeads, DamsmHeadsConfig
from adapt.models.image_encoder import EfficientNetLite
from adapt.models.interfaces import ImageEncoder, ImageFeatures, TextEncoder, TextFeatures
from adapt.models.text_encoder import LSTMTextEncoder
from adapt.models.tokenizer import BytePairTokenizer
from adapt.weights import WeightsError

SIZES = {"region_dim": 6, "image_dim": 7, "word_dim": 8, "sentence_dim": 9, "feature_dim": 16}


def _inputs(batch: int = 2) -> tuple[TextFeatures, ImageFeatures, torch.Tensor]:
    torch.manual_seed(0)
    mask = torch.tensor([[True, True, False]] * batch)
    text = TextFeatures(words=torch.randn(batch, 3, 8), sentence=torch.randn(batch, 9), mask=mask)
    image = ImageFeatures(regions=torch.randn(batch, 6, 4), pooled=torch.randn(batch, 7))
    return text, image, torch.rand(batch, 3, 8, 8) * 2 - 1


@pytest.fixture(scope="module")
def model() -> Damsm:
    torch.manual_seed(0)
    text = LSTMTextEncoder(BytePairTokenizer.train(["a red bird"] * 3, vocabulary=300))
    image = EfficientNetLite(input_px=64)
    heads = DamsmHeadsConfig(region_dim=432, image_dim=1280, word_dim=256, sentence_dim=256, text_heads=False)
    return Damsm(text, image, DamsmHeads(heads))


def test_heads_bring_both_sides_into_one_space() -> None:
    heads = DamsmHeads(DamsmHeadsConfig(**SIZES))
    text, image, thumbnails = _inputs()
    projected, seen = heads.project_text(text), heads.project_image(image, thumbnails)
    assert projected.words.shape == (2, 3, 16) and projected.sentence.shape == (2, 16)
    assert seen.regions.shape == (2, 16, 4) and seen.pooled.shape == (2, 16)
    assert projected.words[:, 2].abs().max() == 0


def test_heads_give_every_parameter_a_gradient() -> None:
    heads = DamsmHeads(DamsmHeadsConfig(**SIZES))
    text, image, thumbnails = _inputs()
    projected, seen = heads.project_text(text), heads.project_image(image, thumbnails)
    total = sum(part.square().sum() for part in (projected.words, projected.sentence, seen.regions, seen.pooled))
    torch.as_tensor(total).backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in heads.parameters())


def test_heads_see_colour_through_the_thumbnail_only_when_asked() -> None:
    _, image, thumbnails = _inputs()
    for side, differs in ((8, True), (0, False)):
        heads = DamsmHeads(DamsmHeadsConfig(**SIZES, thumbnail_px=side))
        one, other = heads.project_image(image, thumbnails), heads.project_image(image, -thumbnails)
        assert (not torch.equal(one.pooled, other.pooled)) is differs
        assert (not torch.equal(one.regions, other.regions)) is differs


def test_heads_config_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="without text_heads"):
        DamsmHeadsConfig(**SIZES, text_heads=False)
    with pytest.raises(ValueError, match="thumbnail_px"):
        DamsmHeadsConfig(**SIZES, thumbnail_px=-1)


def test_damsm_is_a_text_and_an_image_encoder(model: Damsm) -> None:
    assert isinstance(model, TextEncoder) and isinstance(model, ImageEncoder)
    assert model.encode(["a red bird", ""]).sentence.shape == (2, model.sentence_dim)
    images = torch.zeros(1, 3, 64, 64, requires_grad=True)
    features = model(images)
    assert features.pooled.shape == (1, model.dim)
    assert features.regions.shape == (1, model.region_dim, 16)
    features.pooled.sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in model.parameters()) and not model.train().training


def test_damsm_survives_save_and_load(model: Damsm, tmp_path: Path) -> None:
    model.report = {"r_precision": {"value": 0.5, "n": 2}}
    model.save(tmp_path)
    loaded = Damsm.load(tmp_path)
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    assert torch.equal(loaded(images).pooled, model(images).pooled)
    assert torch.equal(loaded.encode(["a red bird"]).words, model.encode(["a red bird"]).words)
    assert loaded.report == model.report
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json"] * 3 + [".safetensors"] * 2


def test_damsm_reuses_given_encoders(model: Damsm, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = Damsm.load(tmp_path, text_encoder=model.text_encoder, image_encoder=model.image_encoder)
    assert loaded.text_encoder is model.text_encoder and loaded.image_encoder is model.image_encoder


def test_damsm_builds_by_name(model: Damsm, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert encoders.text_encoder("damsm", path=tmp_path).sentence_dim == 256
    assert encoders.image_encoder("damsm", path=tmp_path).dim == 256
    with pytest.raises(WeightsError, match="give the folder of a DAMSM pretraining"):
        encoders.image_encoder("damsm")


def test_damsm_refuses_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no DAMSM model"):
        Damsm.load(tmp_path)
    (tmp_path / "damsm.json").write_text(json.dumps({"heads": {"unknown": 1}}))
    with pytest.raises(WeightsError, match="holds no DAMSM model"):
        Damsm.load(tmp_path)
