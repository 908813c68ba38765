"""Two processes give the gradients of one, for every term; what would hide that is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import step_parts
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from step_parts import BATCH, LOSS, batches, gradients, training_step, without_comparison
from torch import Tensor, nn

from adapt.errors import ConfigError, TrainingError
from adapt.training.distributed import (
    equal_shares,
    forbid_calls_past_forward,
    gathered,
    synchronise_batch_norms,
    widest,
)

TERMS = {
    "d_real", "d_fake", "d_mismatch", "d_penalty", "g_adversarial", "g_fake_to_fake", "g_fake_to_real", "g_damsm",
    "g_damsm_words",
}  # fmt: skip


def deviation(one: dict[str, Tensor], other: dict[str, Tensor], player: str) -> float:
    """Largest difference of a gradient, relative to that gradient's largest entry."""
    names = [name for name in one if name.startswith(player)]
    assert names and set(names) == {name for name in other if name.startswith(player)}
    return max(float((one[n] - other[n]).abs().max() / one[n].abs().max().clamp_min(1e-6)) for n in names)


def alone(loss: step_parts.LossConfig = LOSS, share: tuple[int, int] = (0, 1)) -> dict[str, Tensor]:
    players = training_step(Fabric(devices=1, accelerator="cpu"), loss)
    terms = players(batches(share=share).batch(5), 5, images_seen=BATCH)
    return gradients(players) | {f"t.{name}": torch.tensor(value) for name, value in terms.items()}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """What two real processes wrote, joined by a file."""
    folder = tmp_path_factory.mktemp("pair")
    environment = os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, step_parts.__file__]
    processes = [
        subprocess.Popen(
            [*command, str(rank), "2", str(folder / "store"), str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=150)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)[-3000:]
    return folder


def test_two_processes_have_the_gradients_of_one(pair: Path) -> None:
    whole, ranks = alone(), [load_file(pair / f"one-{rank}.safetensors") for rank in range(2)]
    assert {name[2:] for name in whole if name.startswith("t.")} == TERMS
    for rank in ranks:
        assert deviation(whole, rank, "d.") < 1e-3
        assert deviation(whole, rank, "g.") < 1e-3
        assert deviation(whole, rank, "t.") < 1e-4, "logged terms are those of the whole batch"


def test_missing_synchronisation_would_show() -> None:
    whole = alone()
    half, unpenalised = alone(share=(0, 2)), alone(step_parts.replace(LOSS, penalty_weight=0.0))
    assert deviation(whole, half, "d.") > 0.1 and deviation(whole, half, "g.") > 0.1
    assert deviation(whole, unpenalised, "d.") > 0.5


def test_two_processes_with_two_parts_each_have_the_gradients_of_one(pair: Path) -> None:
    whole = alone(without_comparison(LOSS))
    for rank in range(2):
        parts = load_file(pair / f"two-{rank}.safetensors")
        assert deviation(whole, parts, "d.") < 1e-3 and deviation(whole, parts, "g.") < 1e-3


def test_shares_of_a_batch_are_the_batch() -> None:
    whole, parts = batches().batch(7), [batches(share=(i, 2)).batch(7) for i in range(2)]
    for name in ("images", "mismatched", "ids", "places"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    assert torch.equal(torch.cat([part.sentences for part in parts]), whole.sentences)
    assert all(part.whole == BATCH for part in parts)


def test_batch_larger_than_the_data_works_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert equal_shares(8, 100, processes=1, accumulate=1) == 8 and not caplog.messages
    assert equal_shares(64, 3, processes=1, accumulate=1) == 3
    assert caplog.messages == ["data.batch_size=64, but there are 3 training pictures: a step takes 3"]


def test_unequal_shares_are_refused_with_a_size_that_fits() -> None:
    with pytest.raises(ConfigError, match=r"data.batch_size=10 does not fall into 4 equal parts .*batch_size=8"):
        equal_shares(10, 100, processes=2, accumulate=2)
    with pytest.raises(ConfigError, match=r"3 pictures for 4 parts"):
        equal_shares(8, 3, processes=4, accumulate=1)
    assert equal_shares(8, 7, processes=2, accumulate=1) == 6


def test_layer_called_past_forward_is_refused() -> None:
    network, images = nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.Tanh()), torch.ones(1, 2)
    forbid_calls_past_forward(network)
    assert network(images).shape == (1, 2)
    with pytest.raises(RuntimeError):
        network(torch.ones(1, 3))  # an error inside forward leaves the guard as it was
    with pytest.raises(TrainingError, match=r"a Sequential of Sequential was called past its forward.*--devices 1"):
        network[0](images)


def test_one_process_gathers_nothing_and_keeps_its_batch_norms() -> None:
    rows, network = torch.randn(3, 2, requires_grad=True), nn.Sequential(nn.BatchNorm2d(3))
    assert gathered(rows) is rows and widest(5, rows.device) == 5
    synchronise_batch_norms(Fabric(devices=1, accelerator="cpu"), network)
    assert type(network[0]) is nn.BatchNorm2d
