"""The loop resumes exactly, also after kill -9; stops on NaN; leaves what a run should leave."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from frozen_tiles import frozen_tiles
from safetensors.torch import load_file

from adapt.errors import AdaptError, CheckpointError, TrainingError
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.checkpoint import read_tensors
from adapt.training.inference import load_generator
from adapt.training.loop import _check_finite, deferred_interrupt

SETTINGS = (
    "model.widths=[8, 8, 8, 8]", "discriminator.head_width=4", "discriminator.pixel_width=2", "data.batch_size=4",
    "train.steps=6", "train.checkpoint_every=3", "train.sample_every=6", "loss.feature_px=32",
)  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten plain pictures, each with two captions that name its colour."""
    return frozen_tiles(tmp_path_factory.mktemp("dataset"), count=10)


def request(dataset: Path, runs: Path, *more: str) -> PretrainRequest:
    return PretrainRequest(dataset="folder", data_dir=dataset, runs=runs, preset="debug", settings=(*SETTINGS, *more))


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "checkpoint.safetensors")


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert not different, different[:3]


def test_run_leaves_config_log_samples_and_a_usable_generator(dataset: Path, tmp_path: Path) -> None:
    result = pretrain(request(dataset, tmp_path))
    run = tmp_path / result["run"]
    assert result["steps"] == 6 and result["images_seen"] == 24 and not result["already_finished"]
    assert json.loads((run / "config.json").read_text())["config"]["train"]["steps"] == 6
    assert [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()] == [6]
    assert (run / "samples" / "step-000006.png").is_file() and list((run / "events").iterdir())
    loaded = load_generator(run)
    images = loaded.generate(["a red tile", "ein 赤い tile 🙂", ""], loaded.noise(3, seed=1))
    assert images.shape == (3, 3, 32, 32) and bool(images.isfinite().all())
    assert pretrain(request(dataset, tmp_path))["already_finished"]
    again = PretrainRequest(
        dataset="folder", data_dir=dataset, runs=tmp_path, preset="debug", settings=SETTINGS, new=True
    )
    assert pretrain(again)["run"] != result["run"]


def test_stopped_run_ends_with_the_weights_of_an_uninterrupted_one(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pretrain(request(dataset, tmp_path / "whole"))
    # Ctrl-C in the middle of the fourth step: the loop finishes the step, saves and stops.
    from adapt.training import step

    counted = iter(range(100))
    real = step.weighted_sum

    def interrupting(*args: object) -> torch.Tensor:
        if next(counted) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(step, "weighted_sum", interrupting)
    with pytest.raises(KeyboardInterrupt):
        pretrain(request(dataset, tmp_path / "cut"))
    monkeypatch.undo()
    assert read_tensors(tmp_path / "cut" / whole["run"] / "checkpoint.safetensors")[1]["step"] == 4
    resumed = pretrain(request(dataset, tmp_path / "cut"))
    assert resumed["steps"] == 6
    assert_same(weights(tmp_path / "whole" / whole["run"]), weights(tmp_path / "cut" / whole["run"]))


def test_killed_run_ends_with_the_weights_of_an_uninterrupted_one(dataset: Path, tmp_path: Path) -> None:
    settings = [part for text in (*SETTINGS[:-3], "train.steps=24", "train.checkpoint_every=2", "train.sample_every=0")
                for part in ("--set", text)]  # fmt: skip
    verb = ["pretrain", "--dataset", "folder", "--data-dir", str(dataset), "--preset", "debug", *settings]
    command = [sys.executable, "-m", "adapt.cli", *verb]

    def workspace(name: str) -> list[str]:
        return [*command, "-w", str(tmp_path / name), "--json"]

    process = subprocess.Popen(workspace("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "killed").glob("runs/*/checkpoint.safetensors")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    (run,) = (tmp_path / "killed" / "runs").iterdir()
    assert not (run / "summary.json").exists(), "the run was over before it could be killed"
    for name in ("killed", "whole"):
        done = subprocess.run(workspace(name), capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["steps"] == 24
    assert_same(weights(run), weights(tmp_path / "whole" / "runs" / run.name))


def test_corrupt_checkpoint_is_one_line(dataset: Path, tmp_path: Path) -> None:
    result = pretrain(request(dataset, tmp_path))
    run = tmp_path / result["run"]
    (run / "summary.json").unlink()
    (run / "checkpoint.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(
        CheckpointError, match=r"is damaged .*delete it and run the same command again: the run then starts from step 0"
    ):
        pretrain(request(dataset, tmp_path))
    (run / "generator.safetensors").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match=r"damaged"):
        load_generator(run)


def test_penalty_and_hinge_train_together_in_the_papers_recipe(dataset: Path, tmp_path: Path) -> None:
    file = tmp_path / "paper.toml"
    file.write_text(
        '[model]\nname = "ssa_gan"\nimage_px = 32\nwidths = [8, 8, 8, 8]\n'
        '[discriminator]\nname = "ssa_gan"\nimage_px = 32\nwidth = 4\n'
        "[data]\nbatch_size = 4\n[loss]\npenalty_weight = 2.0\n[train]\nsteps = 2\ncheckpoint_every = 2\n"
    )
    result = pretrain(PretrainRequest(dataset="folder", data_dir=dataset, runs=tmp_path, preset=str(file)))
    assert result["metrics"]["d_penalty"] > 0


def test_step_that_breaks_the_weights_is_not_saved(dataset: Path, tmp_path: Path) -> None:
    # The terms of the step are numbers, only what they do to the generator is none: no later step is there to show it.
    with pytest.raises(TrainingError, match=r"^generator: '.*' became NaN or infinity in step 1; .*optim.generator_lr"):
        pretrain(request(dataset, tmp_path, "train.steps=1", "loss.fake_to_real_weight=1e39"))
    (run,) = tmp_path.iterdir()
    assert not list(run.glob("*.safetensors")) and not (run / "summary.json").is_file()


def test_unknown_dataset_and_empty_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(AdaptError, match=r"unknown dataset 'cup'.*try cub"):
        pretrain(PretrainRequest(dataset="cup", data_dir=tmp_path, runs=tmp_path, preset="debug"))
    with pytest.raises(AdaptError, match=r"is not CUB-200-2011"):
        pretrain(PretrainRequest(dataset="cub", data_dir=tmp_path, runs=tmp_path, preset="debug"))


def test_values_that_are_not_finite_stop_the_run_with_advice() -> None:
    with pytest.raises(TrainingError, match=r"d_real became nan at step 7.*optim.generator_lr"):
        _check_finite({"d_real": float("nan")}, 7)


def test_interrupt_is_held_back_until_asked_for() -> None:
    with deferred_interrupt() as came:
        assert not came()
        os.kill(os.getpid(), signal.SIGINT)
        assert came()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_networks_that_do_not_fit_are_refused_before_a_folder_is_made(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(AdaptError, match=r"model.widths has 4 entries"):
        pretrain(request(dataset, tmp_path, "model.image_px=64"))
    assert not list(tmp_path.iterdir())


def test_grown_run_starts_from_the_weights_that_fit(dataset: Path, tmp_path: Path) -> None:
    from adapt.config import NetworkConfig
    from adapt.models.factory import build_discriminator, build_generator
    from adapt.training.growth import grow_from

    run = tmp_path / pretrain(request(dataset, tmp_path))["run"]
    options = {"image_px": 64, "widths": [8, 8, 8, 8, 8]}
    larger = build_generator(NetworkConfig(name="ssa_gan", options=options))
    judge = build_discriminator(
        NetworkConfig(name="projected", options={"backbone_px": 64, "head_width": 4, "pixel_width": 2})
    )
    taken, fresh = grow_from(run, larger, judge)
    assert taken > fresh > 0
    trained = load_file(run / "generator.safetensors")
    assert torch.equal(larger.state_dict()["blocks.3.conv1.weight"], trained["blocks.3.conv1.weight"])
    with pytest.raises(CheckpointError, match=r"no generator.safetensors in .*adapt pretrain"):
        grow_from(tmp_path, larger, judge)
