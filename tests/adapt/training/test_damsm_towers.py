"""DAMSM heads over frozen towers of other people's: CLIP, any transformer, Inception-v3."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_encoders import tiny_clip, tiny_transformer
from torchvision.models import inception_v3

from adapt.config import RunConfig, from_dict, read_preset, to_dict, without_later_fields
from adapt.damsm_options import DamsmOptions
from adapt.errors import ConfigError
from adapt.models.damsm import Damsm
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.damsm import train_damsm
from adapt.training.damsm_config import DamsmConfig
from adapt.training.inference import load_generator
from catalog import manifest
from catalog.records import Caption, ManifestEntry

COLOURS = {"red": (220, 30, 30), "blue": (40, 60, 210)}
TINY = {"image_px": 32, "input_px": 32, "feature_dim": 16, "batch_size": 4, "steps": 2, "held_out_share": 0.0}


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[ManifestEntry]:
    folder = tmp_path_factory.mktemp("discs")
    found = []
    for number in range(6):
        colour = list(COLOURS)[number % 2]
        path = folder / f"{number}.png"
        Image.fromarray(np.full((32, 32, 3), COLOURS[colour], np.uint8) - np.uint8(number)).save(path)
        texts = (f"a {colour} disc", f"disc in {colour}")
        captions = tuple(Caption(number * 2 + i, text, "en", "t", {"colour": colour}) for i, text in enumerate(texts))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(ManifestEntry(path, digest, f"s/{number}", number, colour, "train", captions, str(number)))
    return found


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("towers") / "clip")


def assert_loads_again(model: Damsm, folder: Path) -> Damsm:
    model.save(folder)
    loaded = Damsm.load(folder)
    texts, images = ["a red disc", "赤い disc"], torch.zeros(2, 3, 32, 32)
    assert torch.equal(loaded.encode(texts).sentence, model.encode(texts).sentence)
    assert torch.equal(loaded(images).pooled, model(images).pooled)
    return loaded


def test_heads_over_both_towers_of_one_clip(entries: list[ManifestEntry], clip: Path, tmp_path: Path) -> None:
    config = DamsmConfig(**TINY, text_encoder="open_clip", text_path=str(clip), image_encoder="open_clip")
    model = train_damsm(entries, config, cache=tmp_path / "cache")
    assert model.image_encoder is model.text_encoder  # loaded once
    assert model.heads.config.sentence_dim == 16 and model.heads.config.word_dim == 32
    assert model.encode(["a red disc"]).words.shape == (1, 3, 16) and model(torch.zeros(1, 3, 64, 64)).pooled.shape == (
        1,
        16,
    )
    loaded = assert_loads_again(model, tmp_path / "damsm")
    assert loaded.image_encoder is loaded.text_encoder


def test_features_of_two_models_are_never_mixed_up(entries: list[ManifestEntry], tmp_path: Path) -> None:
    def sentence(folder: Path, encoder: str) -> torch.Tensor:
        config = DamsmConfig(**{**TINY, "steps": 1}, text_encoder=encoder, text_path=str(folder), word_weight=0.0)
        train_damsm(entries, config, cache=tmp_path / "cache")
        return torch.tensor(len(list((tmp_path / "cache").glob("words-*"))))

    for number, seed in enumerate((0, 1), start=1):  # the same name, other weights
        assert sentence(tiny_transformer(tmp_path / f"{seed}" / "model", seed=seed), "transformers") == number
    for number, seed in enumerate((0, 1), start=3):
        assert sentence(tiny_clip(tmp_path / f"{seed}" / "clip", seed=seed), "open_clip") == number


@pytest.mark.parametrize("kind", ["bert", "t5", "gpt2"])
def test_heads_over_any_transformer_by_path(entries: list[ManifestEntry], tmp_path: Path, kind: str) -> None:
    folder = tiny_transformer(tmp_path / kind, kind)
    model = train_damsm(entries, DamsmConfig(**TINY, text_path=str(folder)))
    assert model.heads.config.word_dim == 24
    assert_loads_again(model, tmp_path / "damsm")
    shutil.rmtree(folder)
    with pytest.raises(Exception, match=f"no weights for minilm at {folder}; give an existing file or folder"):
        Damsm.load(tmp_path / "damsm")


def test_heads_over_inception_by_path(entries: list[ManifestEntry], tmp_path: Path) -> None:
    file = tmp_path / "inception.pth"
    with torch.random.fork_rng(devices=[]):
        torch.save(inception_v3(weights=None, init_weights=False).state_dict(), file)
    settings = {**TINY, "input_px": 75, "image_encoder": "inception_v3", "image_path": str(file)}
    model = train_damsm(entries, DamsmConfig(**settings))
    assert model.heads.config.region_dim == 768 and model.heads.config.image_dim == 2048
    assert_loads_again(model, tmp_path / "damsm")
    with pytest.raises(ConfigError, match=r"Inception-v3 takes pictures of 75 px or more and would see 64: --set"):
        DamsmConfig(**{**settings, "input_px": 64})


def test_run_trains_on_clip_text_with_damsm_over_its_towers(
    entries: list[ManifestEntry], clip: Path, tmp_path: Path
) -> None:
    dataset = manifest.write(tmp_path / "frozen", entries, name="discs").folder
    settings = (
        "model.widths=[8, 8, 8, 8]", "discriminator.head_width=4", "discriminator.pixel_width=2", "data.batch_size=2",
        "train.steps=1", "train.sample_every=0", "loss.feature_px=32", "damsm.steps=1", "damsm.image_encoder=open_clip",
        "text.encoder=open_clip", f"text.path={clip}", "model.sentence_dim=16", "discriminator.sentence_dim=16",
        "loss.damsm_weight=0.05", 'loss.features=["damsm"]',
    )  # fmt: skip
    request = PretrainRequest(
        dataset="folder", data_dir=dataset, runs=tmp_path / "runs", preset="debug", settings=settings
    )
    result = pretrain(request)
    assert result["metrics"]["g_damsm"] > 0
    run = tmp_path / "runs" / result["run"]
    card = json.loads((run / "damsm" / "damsm.json").read_text())
    assert card["text_encoder"] == card["image_encoder"] and card["text_encoder"]["name"] == "open_clip"
    loaded = load_generator(run)
    assert loaded.generate(["a red disc"], loaded.noise(1, seed=0)).shape == (1, 3, 32, 32)


def test_runs_older_than_the_choice_of_an_image_encoder_keep_their_names() -> None:
    config = from_dict(RunConfig, read_preset("pretrain", "paper_64"))
    values = without_later_fields(to_dict(config))
    assert "image_encoder" not in values["damsm"] and "image_path" not in values["damsm"]
    assert config.digest() == hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
    with pytest.raises(
        ConfigError, match=r"damsm.image_encoder='resnet'; allowed are efficientnet_lite0, .*--set damsm"
    ):
        DamsmOptions(image_encoder="resnet")
