"""`adapt pretrain` as typed: its plan, and what it refuses."""

import json
from pathlib import Path

import pytest
from frozen_tiles import TINY, frozen_tiles
from typer.testing import CliRunner

from adapt.cli import app

runner = CliRunner()


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return frozen_tiles(tmp_path_factory.mktemp("tiles"))


def call(tiles: Path, *more: str, settings: tuple[str, ...] = TINY) -> list[str]:
    sets = [part for text in settings for part in ("--set", text)]
    return ["pretrain", "--dataset", "folder", "--data-dir", str(tiles), "--preset", "debug", *sets, *more]


def test_dry_run_tells_the_whole_plan_and_writes_nothing(tiles: Path, workspace: Path) -> None:
    result = runner.invoke(app, ["-w", str(workspace), "--json", *call(tiles, "--dry-run")])
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert not workspace.exists()
    assert (plan["state"], plan["steps"], plan["steps_left"], plan["batch_size"]) == ("new", 6, 6, 4)
    assert (plan["pictures"], plan["training_pictures"], plan["captions"]) == (10, 8, 16)
    assert plan["parameters"]["generator"] == {"trainable": plan["generator_parameters"], "frozen": 0}
    assert plan["parameters"]["discriminator"]["frozen"] > plan["discriminator_parameters"] > 0
    memory = plan["memory_bytes"]
    assert memory["total"] == sum(value for name, value in memory.items() if name != "total")
    assert memory["activations"] > 0 and plan["seconds_per_step"] > 0
    assert plan["config"]["model"]["options"]["noise_dim"] == 100  # a default of the network, not in the preset


@pytest.mark.slow
def test_dry_run_names_the_folder_that_the_run_takes_and_what_is_left(tiles: Path, workspace: Path) -> None:
    planned = runner.invoke(app, ["-w", str(workspace), "--json", *call(tiles, "--dry-run")])
    done = runner.invoke(app, ["-w", str(workspace), "--json", *call(tiles)])
    assert json.loads(planned.stdout)["run"] == json.loads(done.stdout)["run"]
    again = runner.invoke(app, ["-w", str(workspace), *call(tiles, "--dry-run")])
    run = json.loads(done.stdout)["run"]
    assert f"{workspace / 'runs' / run} (finished)" in again.stdout
    assert "for 0 of 6 steps" in again.stdout and "  train.steps=6\n" in again.stdout
    (workspace / "runs" / run / "summary.json").unlink()
    assert f"{run} (unfinished)" in runner.invoke(app, ["-w", str(workspace), *call(tiles, "--dry-run")]).stdout


def test_dry_run_refuses_what_the_run_would(tiles: Path, workspace: Path) -> None:
    wrong = (*TINY, "model.sentence_dim=7")
    result = runner.invoke(app, ["-w", str(workspace), *call(tiles, "--dry-run", settings=wrong)])
    assert result.exit_code == 1 and "model.sentence_dim=7" in result.stderr
    assert not workspace.exists()
