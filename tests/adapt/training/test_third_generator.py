"""A generator and a discriminator that no loss has heard of train with every loss: two stages, words, terms of its own.

Both are registered here and nowhere else; adapt/losses and adapt/training know only `Drawing` and `Judgement`.
"""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from frozen_tiles import frozen_tiles
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from adapt.data.batches import Batch
from adapt.errors import ConfigError
from adapt.fewshot.config import FewShotConfig
from adapt.fewshot.source import Source
from adapt.fewshot.terms import AdaptationTerms
from adapt.models.interfaces import Drawing, Judgement, TextFeatures
from adapt.models.registries import DISCRIMINATORS, GENERATORS
from adapt.plan import plan
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.inference import load_generator


@dataclass(frozen=True, kw_only=True)
class TwoStageConfig:
    """Sizes of both networks."""

    image_px: int = 32
    noise_dim: int = 6
    sentence_dim: int = 256
    word_dim: int = 256


@GENERATORS.register("two_stage")
class TwoStageGenerator(nn.Module):
    """16 px from noise and sentence, 32 px with a glance at the words; samples its condition as AttnGAN does."""

    config_class = TwoStageConfig
    uses_words = True

    def __init__(self, config: TwoStageConfig) -> None:
        super().__init__()
        self.config = config
        self.condition = nn.Linear(config.sentence_dim, 8)
        self.seed = nn.Linear(config.noise_dim + 4, 8 * 16 * 16)
        self.norm = nn.BatchNorm2d(8)
        self.query = nn.Linear(config.word_dim, 8)
        self.small = nn.Conv2d(8, 3, 3, padding=1)
        self.large = nn.Conv2d(16, 3, 3, padding=1)

    def forward(self, noise: Tensor, text: TextFeatures) -> Drawing:
        """Draw both stages."""
        assert text.mask.any(dim=1).all(), "each caption has a word to attend to"
        mean, log_variance = self.condition(text.sentence).float().chunk(2, dim=1)
        code = mean + torch.randn_like(mean) * (log_variance / 2).exp() if self.training else mean
        x = F.relu(self.norm(self.seed(torch.cat([noise, code], dim=1)).view(-1, 8, 16, 16)))
        keys = self.query(text.words)  # (B, T, 8)
        scores = torch.einsum("bchw,btc->bthw", x, keys).masked_fill(~text.mask[:, :, None, None], float("-inf"))
        context = torch.einsum("bthw,btc->bchw", scores.softmax(dim=1), keys)
        large = F.interpolate(torch.cat([x, context], dim=1), scale_factor=2.0)
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).mean()
        stages = (self.small(x).tanh(), self.large(large).tanh())
        return Drawing(stages=stages, terms={"g_conditioning": divergence})


@DISCRIMINATORS.register("two_stage")
class TwoStageDiscriminator(nn.Module):
    """For each stage a head that sees the sentence and one that does not."""

    config_class = TwoStageConfig

    def __init__(self, config: TwoStageConfig) -> None:
        super().__init__()
        self.config = config
        self.trunks = nn.ModuleList(nn.Conv2d(3, 8, 4, stride=4) for _ in range(2))
        self.text = nn.ModuleList(nn.Linear(config.sentence_dim, 8) for _ in range(2))
        self.alone = nn.ModuleList(nn.Conv2d(8, 1, 1) for _ in range(2))

    def forward(self, stages: tuple[Tensor, ...], sentences: Tensor) -> Judgement:
        """Judge each stage by itself."""
        assert [stage.shape[-1] for stage in stages] == [16, 32]
        matching, realism = [], []
        for stage, trunk, text, alone in zip(stages, self.trunks, self.text, self.alone, strict=True):
            patches = F.leaky_relu(trunk(stage), 0.2)
            realism.append(alone(patches).flatten(1))
            matching.append(torch.einsum("bchw,bsc->bshw", patches, text(sentences).to(patches.dtype)).flatten(2))
        return Judgement(matching=tuple(matching), realism=tuple(realism))


PRESET = """
[model]
name = "two_stage"
[discriminator]
name = "two_stage"
[text]
encoder = "lstm"
[damsm]
steps = 2
[data]
batch_size = 4
[loss]
adversarial = "bce"
head_reduction = "sum"
penalty_weight = 0.1
damsm_weight = 0.5
damsm_word_weight = 1.0
features = ["damsm", "palette"]
feature_px = 32
layout_weight = 1.0
layout_dims = 4
[train]
steps = 4
checkpoint_every = 2
sample_every = 4
augment = ["color", "translation"]
"""
DISCRIMINATOR = {"d_real", "d_fake", "d_mismatch", "d_real_unconditional", "d_fake_unconditional", "d_penalty"}
GENERATOR = {
    "g_adversarial", "g_unconditional", "g_conditioning", "g_damsm", "g_damsm_words", "g_fake_to_fake",
    "g_fake_to_real", "g_layout",
}  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten plain tiles."""
    return frozen_tiles(tmp_path_factory.mktemp("dataset"), count=10)


def train(dataset: Path, runs: Path, *settings: str) -> dict[str, Any]:
    runs.mkdir(exist_ok=True)
    (runs / "two_stage.toml").write_text(PRESET)
    return pretrain(
        PretrainRequest(
            dataset="folder", data_dir=dataset, runs=runs, preset=str(runs / "two_stage.toml"), settings=settings
        )
    )


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with every loss."""
    runs = tmp_path_factory.mktemp("runs")
    return runs / train(dataset, runs)["run"]


def test_every_loss_attaches_to_a_generator_it_does_not_know(run: Path) -> None:
    metrics = json.loads((run / "summary.json").read_text())["metrics"]
    assert set(metrics) == DISCRIMINATOR | GENERATOR
    assert all(value > 0 for value in metrics.values()), metrics


def test_every_parameter_of_both_players_moves(run: Path, dataset: Path, tmp_path: Path) -> None:
    after = load_file(run / "checkpoint.safetensors")
    short = tmp_path / train(dataset, tmp_path, "train.steps=1", f"text.path={run / 'damsm'}")["run"]
    before = load_file(short / "checkpoint.safetensors")
    names = [name for name in after if name.startswith(("network/generator", "network/discriminator"))]
    still = [name for name in names if torch.equal(before[name], after[name])]
    # A bias before a batch norm is taken out by the mean again.
    assert len(names) > 20 and not [name for name in still if "seed.bias" not in name]


def test_words_reach_the_drawn_picture_and_an_empty_caption_draws(run: Path) -> None:
    loaded = load_generator(run)
    texts = ["a red tile", "", "赤い 🙂"]
    images = loaded.generate(texts, loaded.noise(3, seed=1))
    assert images.shape == (3, 3, 32, 32) and bool(images.isfinite().all())
    features = loaded.encoder.encode(texts)
    assert features.words.shape[1] > 1 and bool(features.mask.any(dim=1).all())


def test_grids_and_events_show_the_last_stage_and_every_term(run: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with Image.open(run / "samples" / "step-000004.png") as sheet:
        # Two held-out tiles, two noises each, in one row of eight places; enlarged twice, captions below.
        assert sheet.size == (8 * (64 + 8) + 8, 64 + 8 + 26 + 8)
    events = EventAccumulator(str(run / "events"))
    events.Reload()
    tags = events.Tags()
    assert {tag.replace("/", "_") for tag in tags["scalars"]} >= DISCRIMINATOR | GENERATOR
    assert tags["images"] == ["samples"] and [image.step for image in events.Images("samples")] == [4]


def test_parts_train_two_stages_with_every_loss(run: Path, dataset: Path, tmp_path: Path) -> None:
    result = train(dataset, tmp_path, f"text.path={run / 'damsm'}", "train.steps=1", "train.accumulate=2")
    assert set(result["metrics"]) == DISCRIMINATOR | GENERATOR


def test_dry_run_measures_two_stages_before_their_encoder_exists(dataset: Path, tmp_path: Path) -> None:
    file = tmp_path / "two_stage.toml"
    file.write_text(PRESET)
    runs = tmp_path / "runs"
    told = plan(PretrainRequest(dataset="folder", data_dir=dataset, runs=runs, preset=str(file)))
    assert told["memory_bytes"]["activations"] > 0 and told["parameters"]["judges"]["frozen"] > 3_000_000
    assert not runs.exists()


def test_stopped_run_of_two_stages_ends_with_the_same_weights(
    run: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapt.training import loop

    real = loop.fit
    # Stopped at its first checkpoint, as by a kill: a checkpoint, no summary.
    stop = {"watcher": lambda step, average: False}
    monkeypatch.setattr("adapt.pretrain.fit", lambda *args, **more: real(*args, **more, **stop))
    stopped = train(dataset, tmp_path)
    monkeypatch.undo()
    assert stopped["steps"] == 2
    (tmp_path / stopped["run"] / "summary.json").unlink()
    torch.randn(7)  # what another process has drawn so far must not matter
    assert train(dataset, tmp_path)["steps"] == 4
    whole, cut = (load_file(folder / "checkpoint.safetensors") for folder in (run, tmp_path / stopped["run"]))
    assert not [name for name in whole if not torch.equal(whole[name], cut[name])]


@pytest.mark.parametrize(
    "settings",
    [
        ("loss.pair=noises", "loss.batch_norm=separate"),
        ("loss.adversarial=hinge", "loss.head_reduction=mean", "loss.adversarial_branches=1"),
    ],
)
def test_other_choices_train_as_well(settings: tuple[str, ...], run: Path, dataset: Path, tmp_path: Path) -> None:
    result = train(dataset, tmp_path, f"text.path={run / 'damsm'}", "train.steps=2", *settings)
    assert set(result["metrics"]) == DISCRIMINATOR | GENERATOR


def test_adaptation_terms_attach_to_it_too(run: Path) -> None:
    loaded = load_generator(run)
    prompts = {"prompts": ["a red tile", "a tile"]}
    discriminator = TwoStageDiscriminator(TwoStageConfig())
    source = Source(loaded=replace(loaded, metadata=prompts), discriminator=discriminator, sha256="")
    terms = AdaptationTerms(source, FewShotConfig(), distance=0.0, seed=0)
    learner = source.fresh_generator()
    noise, texts = loaded.noise(4, seed=0), loaded.encoder.encode(["a red tile", "a blue tile"] * 4)
    batch = Batch(images=torch.zeros(4, 3, 32, 32), texts=texts, mismatched=texts.sentence[:4], ids=torch.arange(4))
    nn.init.normal_(learner.large.weight)  # type: ignore[union-attr, arg-type]
    found = terms(learner, batch, noise, learner(noise, batch.first).images, torch.Generator().manual_seed(3))
    assert set(found) == {"g_consistency", "g_reconstruction", "g_replay"}
    assert all(bool(value.isfinite()) for value in found.values()) and float(found["g_replay"].detach()) > 0


def test_batch_of_one_trains_without_what_needs_two_and_says_so_once(
    run: Path, dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        result = train(dataset, tmp_path, f"text.path={run / 'damsm'}", "train.steps=3", "data.batch_size=1")
    skipped = {"d_mismatch", "g_damsm", "g_damsm_words", "g_fake_to_fake", "g_fake_to_real"}
    assert set(result["metrics"]) == (DISCRIMINATOR | GENERATOR) - skipped
    said = [record.getMessage() for record in caplog.records if "batch of one picture" in record.getMessage()]
    assert len(said) == 1 and "loss.mismatch_weight" in said[0] and "\n" not in said[0]


def test_word_width_that_does_not_fit_the_text_encoder_is_one_line(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^model.word_dim=8, but text.encoder=lstm gives 256 .*word_dim=256$"):
        train(dataset, tmp_path, "model.word_dim=8")
    assert not list(tmp_path.glob("*/damsm")), "said before the text encoder is trained"
