"""DAMSM as the first stage of pretraining: trained once, kept beside the generator, felt by it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from frozen_tiles import frozen_tiles

from adapt.config import LossConfig, NetworkConfig, RunConfig, apply_settings, from_dict, read_preset
from adapt.damsm_options import DamsmOptions
from adapt.data.batches import Batch
from adapt.errors import ConfigError
from adapt.models.damsm import Damsm
from adapt.models.factory import build_discriminator, build_generator
from adapt.models.interfaces import ImageFeatures, TextFeatures
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.checkpoint import read_tensors
from adapt.training.comparison import Comparison
from adapt.training.diffaugment import Augmentation
from adapt.training.features import ComparisonFeatures
from adapt.training.inference import load_generator, save_generator
from adapt.training.objective import Objective
from adapt.training.run_damsm import _suits
from adapt.weights import WeightsError

TINY = (
    "model.widths=[8, 8, 8, 8]", "discriminator.head_width=4", "discriminator.pixel_width=2", "data.batch_size=4",
    "train.steps=2", "train.checkpoint_every=1", "train.sample_every=0", "loss.feature_px=32", "damsm.steps=2",
)  # fmt: skip
LSTM = ("text.encoder=lstm", "model.sentence_dim=256", "discriminator.sentence_dim=256")
WITH_DAMSM = ("loss.damsm_weight=0.05", 'loss.features=["damsm"]')


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight plain pictures, each with two captions that name its colour; the last two are held out."""
    return frozen_tiles(tmp_path_factory.mktemp("dataset"), count=8)


def request(dataset: Path, runs: Path, *more: str, grow: Path | None = None) -> PretrainRequest:
    return PretrainRequest(
        dataset="folder", data_dir=dataset, runs=runs, preset="debug", settings=(*TINY, *more), cache=runs / "cache",
        grow=grow,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with an lstm and the DAMSM term."""
    runs = tmp_path_factory.mktemp("runs")
    result = pretrain(request(dataset, runs, *LSTM, *WITH_DAMSM))
    assert result["metrics"]["g_damsm"] > 0
    return runs / result["run"]


@pytest.fixture(scope="module")
def damsm(run: Path) -> Damsm:
    return Damsm.load(run / "damsm")


def test_lstm_is_trained_with_damsm_on_the_training_pictures(run: Path) -> None:
    report = json.loads((run / "damsm" / "damsm.json").read_text())["report"]
    assert report["pictures"] == 6 and report["r_precision"]["n"] == 2
    assert report["config"]["text_encoder"] == "lstm" and report["config"]["input_px"] == 32
    logged = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert logged[-1]["g_damsm"] > 0 and "g_fake_to_fake" in logged[-1]


def test_generator_draws_after_its_run_was_moved(run: Path, tmp_path: Path) -> None:
    assert read_tensors(run / "generator.safetensors")[1]["config"]["text"]["path"] == "damsm"
    texts = ["a red tile", "赤い tile"]
    before = load_generator(run)
    images = before.generate(texts, before.noise(2, seed=1))
    shutil.copytree(run, tmp_path / "moved")
    moved = load_generator(tmp_path / "moved")
    assert Path(moved.config.text.path).parent == tmp_path / "moved"
    assert torch.equal(moved.generate(texts, moved.noise(2, seed=1)), images)
    shutil.rmtree(tmp_path / "moved" / "damsm")
    with pytest.raises(WeightsError, match="holds no trained lstm text encoder"):
        load_generator(tmp_path / "moved")


def test_generator_saved_elsewhere_takes_its_text_encoder_along(run: Path, tmp_path: Path) -> None:
    loaded = load_generator(run)
    for _ in range(2):  # a second save finds the files there
        save_generator(tmp_path / "tuned" / "generator.safetensors", loaded.network, loaded.config)
    again = load_generator(tmp_path / "tuned")
    noise = loaded.noise(1, seed=1)
    assert torch.equal(again.generate(["a red tile"], noise), loaded.generate(["a red tile"], noise))


def test_resumed_run_keeps_its_damsm_and_ends_with_the_same_weights(
    dataset: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapt.training import loop

    def interrupting(step: int, average: object) -> bool:
        return False

    # Stopped at its first checkpoint, as by a kill: a checkpoint, no summary.
    real = loop.fit
    monkeypatch.setattr("adapt.pretrain.fit", lambda *args, **more: real(*args, **more, watcher=interrupting))
    stopped = pretrain(request(dataset, tmp_path, *LSTM, *WITH_DAMSM))
    monkeypatch.undo()
    folder = tmp_path / stopped["run"]
    assert stopped["steps"] == 1 and folder.name == run.name
    (folder / "summary.json").unlink()
    trained = (folder / "damsm" / "damsm.json").stat()
    monkeypatch.setattr("adapt.training.run_damsm.train_damsm", None)
    assert pretrain(request(dataset, tmp_path, *LSTM, *WITH_DAMSM))["steps"] == 2
    assert (folder / "damsm" / "damsm.json").stat().st_mtime_ns == trained.st_mtime_ns
    whole, cut = (read_tensors(path / "checkpoint.safetensors")[0] for path in (run, folder))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_run_that_grows_from_another_takes_its_damsm_over(dataset: Path, run: Path, tmp_path: Path) -> None:
    grown = pretrain(request(dataset, tmp_path, *LSTM, grow=run))
    name = "damsm/text_encoder.safetensors"
    assert (tmp_path / grown["run"] / name).read_bytes() == (run / name).read_bytes()
    assert "g_damsm" not in grown["metrics"]


def test_damsm_over_a_frozen_text_encoder_trains_heads_only(dataset: Path, tmp_path: Path) -> None:
    result = pretrain(request(dataset, tmp_path, "loss.damsm_weight=0.05"))
    assert result["metrics"]["g_damsm"] > 0
    folder = tmp_path / result["run"] / "damsm"
    assert not (folder / "text_encoder.safetensors").exists()
    card = json.loads((folder / "damsm.json").read_text())
    assert card["report"]["config"]["word_weight"] == 0 and card["text_encoder"]["max_words"] > 0
    assert Damsm.load(folder).encode(["a red tile"]).sentence.shape == (1, 256)
    loaded = load_generator(tmp_path / result["run"])
    assert loaded.generate(["a red tile"], loaded.noise(1, seed=0)).shape == (1, 3, 32, 32)


def test_word_losses_over_a_frozen_text_encoder_train_its_word_heads(dataset: Path, tmp_path: Path) -> None:
    words = ("loss.damsm_weight=0.05", "loss.damsm_word_weight=1.0")
    result = pretrain(request(dataset, tmp_path, *words))
    assert result["metrics"]["g_damsm_words"] > 0
    folder = tmp_path / result["run"]
    assert json.loads((folder / "damsm" / "damsm.json").read_text())["report"]["config"]["word_weight"] == 1
    assert len(list((tmp_path / "cache").glob("texts-*"))) == 1 and not list((tmp_path / "cache").glob("sentences-*"))
    # The generator itself reads no words, and a run that grows from one without word heads trains its own.
    assert load_generator(folder).encoder.max_words == 0
    plain = tmp_path / pretrain(request(dataset, tmp_path, words[0]))["run"]
    assert _suits(plain / "damsm", lstm=False, words=False) and not _suits(plain / "damsm", lstm=False, words=True)


def test_width_that_does_not_fit_the_text_encoder_is_one_line(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^model.sentence_dim=384, but text.encoder=lstm gives 256 .*model.*=256"
    ) as e:
        pretrain(request(dataset, tmp_path, "text.encoder=lstm"))
    assert "\n" not in str(e.value) and not list(tmp_path.glob("*/damsm"))
    with pytest.raises(ConfigError, match=r"discriminator.sentence_dim=256, but text.encoder=transformers gives 384"):
        pretrain(request(dataset, tmp_path, "discriminator.sentence_dim=256"))


def test_text_encoder_of_the_users_own_needs_its_damsm_for_the_losses(dataset: Path, run: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(run / "damsm", own)
    (own / "damsm.json").unlink()
    settings = (*LSTM, f"text.path={own}")
    result = pretrain(request(dataset, tmp_path, *settings))  # enough for the text alone
    assert load_generator(tmp_path / result["run"]).encoder.sentence_dim == 256
    with pytest.raises(ConfigError, match=r"holds no DAMSM model, which the losses need.*--set text.path="):
        pretrain(request(dataset, tmp_path, *settings, "loss.damsm_weight=0.05"))


def _networks() -> tuple[torch.nn.Module, torch.nn.Module]:
    torch.manual_seed(0)
    widths = {"image_px": 32, "sentence_dim": 256}
    generator = build_generator(
        NetworkConfig(name="ssa_gan", options={**widths, "widths": [8, 8, 8, 8], "gate_init": 1.0})
    )
    return generator, build_discriminator(NetworkConfig(name="ssa_gan", options={**widths, "width": 4}))


def test_damsm_term_reaches_the_generator_and_leaves_its_judge_alone(damsm: Damsm) -> None:
    generator, discriminator = _networks()
    texts = damsm.encode(["a red tile", "a blue tile"] * 2 + ["a tile that is red", "a tile that is blue"] * 2)
    batch = Batch(
        images=torch.rand(4, 3, 32, 32) * 2 - 1, texts=texts, mismatched=texts.sentence[:4],
        ids=torch.tensor([0, 1, 2, 2]),
    )  # fmt: skip
    objective = Objective(
        loss=LossConfig(damsm_weight=0.05, damsm_word_weight=2.0, features=("damsm",)),
        augmentation=Augmentation(()), features=ComparisonFeatures(("damsm",), feature_px=32, damsm=damsm),
        bf16=False, damsm=damsm,
    )  # fmt: skip
    noise = torch.randn(4, generator.config.noise_dim)  # type: ignore[union-attr, call-overload]
    drawing = objective.draw(generator.eval(), batch, noise)
    second = generator(noise, texts.rows(slice(4, 8))).images
    assert torch.allclose(drawing.images[4:], second, atol=1e-5), "the second half shows second captions"
    terms = objective.generator_terms(drawing, discriminator, batch, torch.Generator().manual_seed(0))
    assert set(terms) == {"g_adversarial", "g_fake_to_fake", "g_fake_to_real", "g_damsm", "g_damsm_words"}
    assert objective.generator_weights()["g_damsm"] == 0.05 and objective.generator_weights()["g_damsm_words"] == 0.1
    for name in ("g_damsm", "g_damsm_words"):
        generator.zero_grad()
        terms[name].backward(retain_graph=True)
        assert sum(float(p.grad.abs().sum()) for p in generator.parameters() if p.grad is not None) > 0, name
    assert all(p.grad is None for p in (*damsm.parameters(), *discriminator.parameters()))


def test_damsm_term_is_the_closed_form_where_all_pictures_are_alike(damsm: Damsm) -> None:
    comparison = Comparison(
        loss=LossConfig(damsm_weight=1.0, damsm_word_weight=1.0), features=None, damsm=damsm, bf16=False
    )
    code = ImageFeatures(regions=torch.ones(6, 256, 4), pooled=torch.ones(6, 256))
    text = TextFeatures(
        words=torch.ones(6, 5, 256), sentence=torch.ones(6, 256), mask=torch.ones(6, 5, dtype=torch.bool)
    )
    both_ways = comparison.matching(code, text, torch.arange(3))
    assert set(both_ways) == {"g_damsm", "g_damsm_words"}
    assert all(float(term) == pytest.approx(2 * np.log(3), abs=1e-5) for term in both_ways.values())
    # Pictures of one product are no negatives of each other: the first two see one negative, the third two.
    masked = comparison.matching(code, text, torch.tensor([0, 0, 1]))
    expected = 2 * (2 * np.log(2) + np.log(3)) / 3
    assert all(float(term) == pytest.approx(expected, abs=1e-5) for term in masked.values())


def test_damsm_code_is_a_feature_space_of_unit_length(damsm: Damsm) -> None:
    features = ComparisonFeatures(("palette", "damsm"), feature_px=32, damsm=damsm)
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    features.centre_on(images)
    found = features(images)
    assert torch.allclose(found.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(found, features(images, damsm(images).pooled))


def test_losses_without_their_model_are_one_line() -> None:
    with pytest.raises(ConfigError, match=r"loss.features names 'damsm'.*\[\"palette\"\]"):
        ComparisonFeatures(("palette", "damsm"), feature_px=32)
    with pytest.raises(ConfigError, match=r"loss.damsm_weight=0.05 needs a DAMSM model.*--set loss.damsm_weight=0"):
        Objective(loss=LossConfig(damsm_weight=0.05), augmentation=Augmentation(()), features=None, bf16=False)
    with pytest.raises(ConfigError, match=r"damsm.steps=0; it is at least 1"):
        DamsmOptions(steps=0)


def test_paper_preset_has_damsm_and_the_others_have_not() -> None:
    config = from_dict(RunConfig, read_preset("pretrain", "paper_64"))
    assert config.text.encoder == "lstm" and config.loss.damsm_weight == 0.05 and config.loss.features == ("damsm",)
    assert config.model.options["sentence_dim"] == config.discriminator.options["sentence_dim"] == 256
    debug = from_dict(RunConfig, read_preset("pretrain", "debug"))
    assert debug.loss.damsm_weight == 0 and debug.text.encoder == "transformers"


def test_runs_without_damsm_keep_the_names_they_had_before_it() -> None:
    config = from_dict(RunConfig, apply_settings(read_preset("pretrain", "debug"), TINY[:1]))
    other = replace(config, loss=replace(config.loss, damsm_weight=0.05))
    assert len({config.digest(), other.digest(), replace(config, damsm=DamsmOptions(steps=7)).digest()}) == 3
    # What a version without DAMSM, stages and branches gave: such a run can still be resumed.
    assert from_dict(RunConfig, read_preset("pretrain", "debug")).digest("cub") == "ff70c49c"
    assert replace(config, loss=replace(config.loss, branches=2)).digest() != config.digest()
