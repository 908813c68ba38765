"""Both distribution-sensitive losses attach to a generator that they know nothing of.

The generator here is neither SSA-GAN nor AttnGAN: an outer product of rows and columns, of words alone, without a
convolution or a norm. Nothing but its registration connects it with training.
"""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from frozen_tiles import frozen_tiles
from torch import Tensor, nn

from adapt.config import LossConfig
from adapt.data.batches import Batch
from adapt.errors import AdaptError
from adapt.models.interfaces import Drawing, TextFeatures
from adapt.models.registries import GENERATORS
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.comparison import Comparison
from adapt.training.diffaugment import Augmentation
from adapt.training.features import ComparisonFeatures
from adapt.training.inference import load_generator
from adapt.training.objective import Objective
from catalog import manifest


@dataclass(frozen=True, kw_only=True)
class OuterProductConfig:
    """Sizes of the generator."""

    noise_dim: int = 8
    image_px: int = 32
    word_dim: int = 384
    rank: int = 4


class OuterProductGenerator(nn.Module):
    """Draws tanh of a sum of outer products, once small and once in full."""

    config_class = OuterProductConfig
    uses_words = True

    def __init__(self, config: OuterProductConfig) -> None:
        super().__init__()
        self.config = config
        width = 64
        self.words = nn.Linear(config.word_dim, width)
        self.noise = nn.Linear(config.noise_dim, width)
        self.rows = nn.Linear(width, 3 * config.rank * config.image_px)
        self.columns = nn.Linear(width, 3 * config.rank * config.image_px)

    def forward(self, noise: Tensor, text: TextFeatures) -> Drawing:
        mask = text.mask.float()[..., None]
        said = (self.words(text.words) * mask).sum(1) / mask.sum(1)
        hidden = torch.tanh(said + self.noise(noise))
        shape = (len(noise), 3, self.config.rank, self.config.image_px)
        rows, columns = self.rows(hidden).view(shape), self.columns(hidden).view(shape)
        picture = torch.tanh(torch.einsum("bcrh,bcrw->bchw", rows, columns))
        small = nn.functional.avg_pool2d(picture, 2)
        return Drawing(stages=(small, picture), terms={"g_conditioning": hidden.square().mean()})


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> str:
    """The generator under a name, for one test."""
    monkeypatch.setitem(GENERATORS._entries, "outer_product", OuterProductGenerator)
    return "outer_product"


def generator_and_batch(word_dim: int = 6) -> tuple[OuterProductGenerator, Batch]:
    torch.manual_seed(0)
    words = torch.randn(8, 3, word_dim)
    mask = torch.tensor([[True, True, True], [True, False, False]] * 4)
    texts = TextFeatures(words=words * mask[..., None], sentence=torch.randn(8, 5), mask=mask)
    batch = Batch(
        images=torch.rand(4, 3, 16, 16) * 2 - 1, texts=texts, mismatched=torch.randn(4, 5),
        ids=torch.tensor([0, 1, 2, 3]), image_ids=torch.tensor([0, 1, 2, 3]), class_ids=torch.tensor([0, 0, 1, 1]),
    )  # fmt: skip
    return OuterProductGenerator(OuterProductConfig(image_px=16, word_dim=word_dim)), batch


def objective(**changes: object) -> Objective:
    loss = LossConfig(features=("palette",), **changes)  # type: ignore[arg-type]
    features = ComparisonFeatures(loss.features, feature_px=16)
    return Objective(loss=loss, augmentation=Augmentation(()), features=features, bf16=False)


def comparison_terms(of: Objective, generator: nn.Module, batch: Batch) -> dict[str, Tensor]:
    noise = torch.randn(len(batch.ids) * of.noises, 8, generator=torch.Generator().manual_seed(2))
    drawing = of.draw(generator, batch, noise)
    comparison = Comparison(loss=of.loss, features=of.features, damsm=None, bf16=False)
    return comparison.terms(drawing.images, of.texts(batch), batch)


def test_each_loss_reaches_every_parameter_of_the_generator() -> None:
    for pair in ("captions", "noises"):
        generator, batch = generator_and_batch()
        terms = comparison_terms(objective(pair=pair), generator, batch)
        assert set(terms) == {"g_fake_to_fake", "g_fake_to_real"}
        for term in terms.values():
            gradients = torch.autograd.grad(term, list(generator.parameters()), retain_graph=True)
            assert all(bool(g.isfinite().all()) and g.abs().sum() > 0 for g in gradients)


def test_losses_alone_bring_drawings_of_one_item_and_its_photo_together() -> None:
    generator, batch = generator_and_batch()
    attached = objective(fake_to_fake_temperature=0.2, fake_to_real_temperature=0.2)
    assert attached.features is not None
    attached.features.centre_on(batch.images)
    optimizer = torch.optim.Adam(generator.parameters(), lr=3e-3, betas=(0.0, 0.9))
    history = []
    for _ in range(60):
        terms = comparison_terms(attached, generator, batch)
        history.append({name: float(term.detach()) for name, term in terms.items()})
        optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
    assert history[-1]["g_fake_to_fake"] < 0.5 * history[0]["g_fake_to_fake"] < math.log(7)
    assert history[-1]["g_fake_to_real"] < history[0]["g_fake_to_real"] - 0.1


def test_mask_and_directions_of_the_config_reach_the_losses() -> None:
    generator, batch = generator_and_batch()
    plain = comparison_terms(objective(), generator, batch)
    by_class = comparison_terms(objective(mask=("product", "class")), generator, batch)
    one_way = comparison_terms(objective(fake_to_fake_directions=1, fake_to_real_directions=1), generator, batch)
    for name, term in plain.items():
        assert by_class[name] < term, "fewer negatives cost less"
        assert not torch.isclose(one_way[name], term)
    assert torch.equal(comparison_terms(objective(mask=("image",)), generator, batch)["g_fake_to_real"],
                       plain["g_fake_to_real"])  # fmt: skip


def test_run_of_the_generator_needs_only_its_name(registered: str, tmp_path: Path) -> None:
    folder = frozen_tiles(tmp_path, count=8)
    preset = tmp_path / "third.toml"
    preset.write_text(
        f'[model]\nname = "{registered}"\n[discriminator]\nname = "ssa_gan"\nimage_px = 32\nwidth = 4\n'
        '[data]\nbatch_size = 4\npairs = "same_facts"\n'
        '[loss]\nfeatures = ["palette"]\nmask = ["image", "product", "class"]\n'
        "[train]\nsteps = 2\ncheckpoint_every = 2\nsample_every = 0\n"
    )
    result = pretrain(PretrainRequest(dataset="folder", data_dir=folder, runs=tmp_path / "runs", preset=str(preset)))
    assert result["metrics"]["g_fake_to_fake"] > 0 and result["metrics"]["g_fake_to_real"] > 0
    run = tmp_path / "runs" / result["run"]
    saved = json.loads((run / "config.json").read_text())["config"]
    assert saved["model"]["name"] == registered and saved["loss"]["mask"] == ["image", "product", "class"]
    loaded = load_generator(run)
    assert loaded.generate(["a red tile"], loaded.noise(1, seed=0)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (('loss.features=["inception_v3"]', "loss.feature_px=75"), r"loss.features names 'inception_v3': no weights"),
        (
            ('loss.mask=["image"]', "data.limit=1"),
            r"1 of the 6 pictures .* are for training; two are the least: .*--set data.limit=0",
        ),
        (('loss.mask=["image"]', "data.limit=2"), r"loss.mask names 'image', but all 2 pictures are of one image"),
    ],
)
def test_run_that_cannot_compare_stops_before_its_long_stages(
    settings: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path / "none"))
    monkeypatch.delenv("ADAPT_ALLOW_DOWNLOAD", raising=False)
    runs, tiles = tmp_path / "runs", manifest.read(frozen_tiles(tmp_path, count=6)).entries
    data = manifest.write(tmp_path / "one", [replace(tile, group="one") for tile in tiles], name="one").folder
    with pytest.raises(AdaptError, match=message):
        pretrain(
            PretrainRequest(
                dataset="folder", data_dir=data, runs=runs, preset="debug",
                settings=("text.encoder=lstm", "model.sentence_dim=256", "discriminator.sentence_dim=256", *settings),
            )
        )  # fmt: skip
    assert not list(runs.glob("*/damsm")), "the text encoder was not trained in vain"
