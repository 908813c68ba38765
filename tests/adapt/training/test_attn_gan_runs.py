"""AttnGAN in the loop: exact resume with and without style blocks, the papers' recipe, one picture a step."""

import json
from pathlib import Path

import pytest
import torch
from frozen_tiles import frozen_tiles
from safetensors.torch import load_file
from typer.testing import CliRunner

from adapt.cli import app
from adapt.errors import ConfigError
from adapt.pretrain import PretrainRequest, pretrain, resolve_config, run_folder
from adapt.training.inference import load_generator

TINY = (
    "model.width=4", "discriminator.width=2", "data.batch_size=3", "train.checkpoint_every=5", "train.sample_every=0",
    "loss.feature_px=32",
)  # fmt: skip
STYLES = {
    "plain": (),
    "adain": ("model.style_blocks=true",),
    "modulated": ("model.style_blocks=true", "model.style_reading=modulated", "discriminator.style_blocks=true"),
}


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return frozen_tiles(tmp_path_factory.mktemp("tiles"))


def request(tiles: Path, runs: Path, *settings: str, preset: str = "debug_attn_gan") -> PretrainRequest:
    return PretrainRequest(dataset="folder", data_dir=tiles, runs=runs, preset=preset, settings=(*TINY, *settings))


@pytest.mark.parametrize("style", sorted(STYLES))
def test_ten_steps_equal_five_and_five_after_a_resume(tiles: Path, tmp_path: Path, style: str) -> None:
    ten = request(tiles, tmp_path / "whole", *STYLES[style], "train.steps=10")
    whole = run_folder(ten, resolve_config(ten))
    pretrain(ten)
    half = pretrain(request(tiles, tmp_path / "halves", *STYLES[style], "train.steps=5"))
    torch.rand(7)  # whatever else draws from the global generator in between
    resumed = tmp_path / "halves" / whole.name
    (tmp_path / "halves" / half["run"]).rename(resumed)
    (resumed / "summary.json").unlink()
    assert pretrain(request(tiles, tmp_path / "halves", *STYLES[style], "train.steps=10"))["steps"] == 10
    one, other = (load_file(folder / "checkpoint.safetensors") for folder in (whole, resumed))
    assert one.keys() == other.keys()
    assert not [name for name in one if not torch.equal(one[name], other[name])]


def test_run_logs_every_term_and_draws_any_text(tiles: Path, tmp_path: Path) -> None:
    result = pretrain(request(tiles, tmp_path, "train.steps=2", "model.style_blocks=true"))
    assert {
        "d_real", "d_fake", "d_mismatch", "d_real_unconditional", "d_fake_unconditional",
        "g_adversarial", "g_unconditional", "g_conditioning", "g_fake_to_fake", "g_fake_to_real",
    } == set(result["metrics"])  # fmt: skip
    loaded = load_generator(tmp_path / result["run"])
    texts = ["a red tile", "赤いタイル 🙂", "", "tile " * 5000]
    images = loaded.generate(texts, loaded.noise(4, seed=1))
    assert images.shape == (4, 3, 32, 32) and bool(images.isfinite().all())
    assert torch.equal(images, loaded.generate(texts, loaded.noise(4, seed=1)))


@pytest.mark.parametrize("style", sorted(STYLES))
def test_one_picture_a_step_trains(tiles: Path, tmp_path: Path, style: str) -> None:
    one = ("data.batch_size=1", "train.steps=2", "loss.fake_to_fake_weight=0")
    result = pretrain(request(tiles, tmp_path, *STYLES[style], *one))
    assert result["steps"] == 2 and "d_mismatch" not in result["metrics"]


@pytest.mark.parametrize("preset", ["attn_gan_64", "attn_gan_style_64"])
def test_published_recipe_trains_lstm_judge_and_networks(tiles: Path, tmp_path: Path, preset: str) -> None:
    small = ("damsm.steps=2", "damsm.batch_size=4", "train.steps=2")
    result = pretrain(request(tiles, tmp_path, *small, preset=preset))
    assert {"g_damsm", "g_damsm_words", "g_conditioning"} <= set(result["metrics"])


def test_command_line_finds_the_models_own_debug_preset(tiles: Path, tmp_path: Path) -> None:
    settings = [part for text in (*TINY, "train.steps=1", "model.style_blocks=true") for part in ("--set", text)]
    verb = ["pretrain", "--dataset", "folder", "--data-dir", str(tiles), "--model", "attn-gan", "--preset", "debug"]
    result = CliRunner().invoke(app, [*verb, *settings, "-w", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    (run,) = (tmp_path / "runs").iterdir()
    config = json.loads((run / "config.json").read_text())["config"]
    assert config["model"]["name"] == config["discriminator"]["name"] == "attn_gan"
    assert config["model"]["options"]["style_blocks"] is True and config["loss"]["adversarial"] == "bce"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "model.word_dim=77",
            r"model.word_dim=77, but text.encoder=transformers gives 384 numbers a word: --set model.word_dim=384",
        ),
        ("model.sentence_dim=7", r"model.sentence_dim=7, .* 384 numbers a caption: --set model.sentence_dim=384 "),
        ("discriminator.image_px=64", r"judges pictures of 16, 32, 64 px, the generator draws 8, 16, 32 px"),
    ],
)
def test_networks_that_do_not_fit_are_one_line(tiles: Path, tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pretrain(request(tiles, tmp_path, setting))
