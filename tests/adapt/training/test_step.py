"""Accumulated parts give the step of the whole batch, where a term is a mean over pictures."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from frozen_tiles import TINY, frozen_tiles
from lightning_fabric import Fabric
from step_parts import BATCH, LOSS, TRAIN, batches, gradients, training_step, without_comparison
from torch import nn

from adapt.config import TrainConfig
from adapt.data.batches import ExtraFakes
from adapt.errors import ConfigError
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.step import unmoved_statistics


def stepped(loss: object = LOSS, train: TrainConfig = TRAIN) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    players = training_step(Fabric(devices=1, accelerator="cpu"), loss, train)  # type: ignore[arg-type]
    terms = players(batches().batch(5), 5, images_seen=BATCH)
    return gradients(players), terms


@pytest.mark.parametrize("parts", [2, 4])
def test_parts_give_the_gradients_of_the_whole_batch(parts: int) -> None:
    whole, terms = stepped(without_comparison(LOSS))
    summed, means = stepped(without_comparison(LOSS), replace(TRAIN, accumulate=parts))
    assert whole.keys() == summed.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(summed[name], gradient, rtol=2e-3, atol=1e-3 * float(gradient.abs().max()))
    assert means == pytest.approx(terms, rel=1e-4)


@pytest.mark.parametrize(("parts", "extra"), [(2, 1), (2, 2), (4, 2)])
def test_parts_see_each_extra_fake_once(parts: int, extra: int) -> None:
    torch.manual_seed(2)
    images, places = torch.rand(extra, 3, 32, 32) * 2 - 1, torch.arange(extra)
    fakes = ExtraFakes(
        images=images, sentences=torch.rand(extra, 26), beside=places * BATCH // extra, places=places, whole=extra
    )
    results = []
    for accumulate in (1, parts):
        players = training_step(
            Fabric(devices=1, accelerator="cpu"), without_comparison(LOSS), replace(TRAIN, accumulate=accumulate)
        )
        players.objective = replace(players.objective, rejected_share=extra / (BATCH + extra))
        results.append(players(replace(batches().batch(5), extra_fakes=fakes), 5, images_seen=BATCH))
    assert results[0]["d_rejected"] > 0
    assert results[1]["d_rejected"] == pytest.approx(results[0]["d_rejected"], rel=1e-4)
    assert results[1]["d_fake"] == pytest.approx(results[0]["d_fake"], rel=1e-4)


def noises(loss: object, train: TrainConfig = TRAIN) -> list[torch.Tensor]:
    """Noise of the first branch of each drawing for the generator's own turn."""
    players = training_step(Fabric(devices=1, accelerator="cpu"), loss, train)  # type: ignore[arg-type]
    seen: list[torch.Tensor] = []
    players.networks.generator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].chunk(2)[0]))
    players(batches().batch(5), 5, images_seen=BATCH)
    return seen


def test_pictures_of_a_batch_share_as_many_noises_as_asked() -> None:
    (own,) = noises(LOSS)
    (shared,) = noises(replace(LOSS, noises_per_batch=2))
    assert len(own.unique(dim=0)) == BATCH
    assert torch.equal(shared, own[[0, 1, 0, 1]])
    parts = noises(replace(LOSS, noises_per_batch=2), replace(TRAIN, accumulate=2))
    assert torch.equal(torch.cat(parts[:2]), shared)


def test_negatives_of_parts_are_fewer_than_those_of_the_batch() -> None:
    _, terms = stepped()
    _, means = stepped(train=replace(TRAIN, accumulate=2))
    assert means["g_fake_to_real"] < 0.8 * terms["g_fake_to_real"]  # ln 2 against ln 4 where all are alike
    assert means["d_penalty"] == pytest.approx(terms["d_penalty"], rel=1e-4)


def test_drawing_for_the_discriminator_moves_no_statistics() -> None:
    norm, images = nn.BatchNorm2d(3), torch.randn(4, 3, 5, 5) + 2
    with unmoved_statistics(norm):
        drawn = norm(images)
    assert float(norm.running_mean.abs().max()) == 0.0 and norm.momentum == 0.1  # type: ignore[union-attr]
    assert torch.equal(norm(images), drawn) and float(norm.running_mean.abs().max()) > 0  # type: ignore[union-attr]


def test_steps_and_pictures_count_whole_batches(tmp_path: Path) -> None:
    dataset = frozen_tiles(tmp_path)
    settings = (*TINY, "train.steps=2", "train.accumulate=2")
    request = PretrainRequest(dataset="folder", data_dir=dataset, runs=tmp_path, preset="debug", settings=settings)
    result = pretrain(request)
    assert (result["steps"], result["images_seen"]) == (2, 8)
    with pytest.raises(ConfigError, match=r"data.batch_size=4 does not fall into 3 equal parts.*batch_size=3"):
        pretrain(replace(request, settings=(*settings, "train.accumulate=3")))


def test_discriminator_is_never_compiled() -> None:
    for name in ("both", "discriminator"):
        with pytest.raises(ConfigError, match=rf"train.compile='{name}'; allowed is generator alone.*gradient penalty"):
            TrainConfig(compile=name)


@pytest.mark.slow
def test_compiled_generator_has_the_gradients_of_a_plain_one() -> None:
    plain, terms = stepped()
    compiled, same = stepped(train=replace(TRAIN, compile="generator"))
    assert same == pytest.approx(terms, rel=1e-3)
    for name, gradient in plain.items():
        torch.testing.assert_close(compiled[name], gradient, rtol=1e-2, atol=1e-2 * float(gradient.abs().max()))
