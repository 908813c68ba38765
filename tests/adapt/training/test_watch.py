"""A collapsed run stops with what was seen and what to try; a healthy or a young one does not."""

from pathlib import Path

import pytest
import torch
from frozen_tiles import TINY, frozen_tiles
from torch import Tensor, nn

from adapt.errors import ConfigError, TrainingError
from adapt.models.interfaces import Drawing
from adapt.models.ssa_gan import SSAGenerator
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.watch import CollapseWatch, spread

HEALTHY = {"d_real": 0.4, "d_fake": 0.3, "d_penalty": 0.0}


def test_spread_is_the_mean_difference_of_two_pictures() -> None:
    images = torch.stack([torch.full((3, 20, 20), value) for value in (0.0, 0.5, 1.0)])
    assert float(spread(images)) == pytest.approx((0.5 + 1.0 + 0.5) / 3)
    assert float(spread(images[:1])) == 0.0
    assert float(spread(torch.ones(4, 3, 8, 8, dtype=torch.bfloat16))) == 0.0


def test_pictures_that_stay_alike_stop_the_run_at_the_last_of_a_row() -> None:
    watch = CollapseWatch(patience=3, every=10)
    assert [step for step in range(1, 31) if watch.due(step)] == [10, 20, 30]
    for step, fake in ((10, 0.001), (20, 0.001), (30, 0.2), (40, 0.001), (50, 0.002)):
        watch.check(step, HEALTHY, fake=fake, real=0.4)
    with pytest.raises(TrainingError, match=r"from step 40 to 60 .*less than 5%.*\(0\.50% at the last\).*gate_init=1"):
        watch.check(60, HEALTHY, fake=0.002, real=0.4)


def test_discriminator_without_loss_stops_the_run_whatever_its_penalty() -> None:
    watch = CollapseWatch(patience=2)
    values = {"d_real": 0.0, "d_fake": 1e-5, "d_penalty": 3.0, "g_adversarial": 9.0}
    watch.check(100, values, fake=0.3, real=0.4)
    with pytest.raises(TrainingError, match=r"step 100 to 200 the discriminator's losses were 0.*penalty_weight=2"):
        watch.check(200, values, fake=0.3, real=0.4)


def test_one_picture_a_batch_is_no_collapse_and_the_watch_can_be_left_out() -> None:
    watch = CollapseWatch(patience=1)
    watch.check(100, HEALTHY, fake=0.0, real=0.0)
    assert not CollapseWatch(patience=0).due(100)


class Deaf(SSAGenerator):
    """Draws one picture whatever it is asked for."""

    def __init__(self, config: object) -> None:
        super().__init__(config)  # type: ignore[arg-type]
        self.picture = nn.Parameter(torch.zeros(1, 3, 32, 32))

    def forward(self, noise: Tensor, texts: object) -> Drawing:
        own = super().forward(noise * 0, texts)  # type: ignore[arg-type]
        return Drawing(stages=((self.picture + 0 * own.images.sum()).expand(len(noise), -1, -1, -1),), terms={})


@pytest.mark.parametrize("patience", [2, 0])
def test_generator_that_ignores_its_input_stops_a_run_unless_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: int
) -> None:
    monkeypatch.setattr("adapt.pretrain.build_generator", lambda config: Deaf(SSAGenerator.config_class(**SIZES)))
    monkeypatch.setattr("adapt.training.watch.CHECK_EVERY", 2)
    settings = (*TINY, f"train.collapse_patience={patience}")
    request = PretrainRequest(
        dataset="folder", data_dir=frozen_tiles(tmp_path), runs=tmp_path, preset="debug", settings=settings
    )
    if not patience:
        assert pretrain(request)["steps"] == 6
        return
    with pytest.raises(TrainingError, match=r"from step 2 to 4 .*\(0\.00% at the last\).*collapse_patience=0"):
        pretrain(request)
    (run,) = tmp_path.glob("pretrain-*")
    assert (run / "checkpoint.safetensors").is_file() and not (run / "summary.json").exists()


SIZES = {"image_px": 32, "widths": (8, 8, 8, 8), "gate_init": 1.0}


def test_negative_patience_is_refused() -> None:
    from adapt.config import TrainConfig

    with pytest.raises(ConfigError, match=r"train.collapse_patience=-1; it is at least 0"):
        TrainConfig(collapse_patience=-1)
