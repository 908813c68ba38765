"""The demo's frame: its plan, its memory of being finished, its stop at the first failure."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapt.cli import app
from adapt.cli.demo import RECORD, SOURCE, DemoPlan

runner = CliRunner()


def _record(workspace: Path, **changes: object) -> None:
    workspace.mkdir()
    sheet = workspace / "contact-sheet.png"
    sheet.write_bytes(b"png")
    plan = DemoPlan(products=64, shots=50, per_caption=2, seed=0)
    result = {"run": "r", "contact_sheet": str(sheet), "candidates": 3, "seconds": 9.0, "plan": vars(plan)}
    (workspace / RECORD).write_text(json.dumps(result | {"already_finished": False} | changes))


def test_demo_dry_run_prints_commands_and_changes_nothing(workspace: Path) -> None:
    result = runner.invoke(app, ["demo", "--dry-run", "-w", str(workspace)])
    assert result.exit_code == 0, result.output
    assert f"{workspace} finetune --shots 50 --source demo-catalogue --seed 0" in result.stdout
    assert not workspace.exists()


def test_finished_demo_answers_at_once(workspace: Path) -> None:
    _record(workspace)
    result = runner.invoke(app, ["demo", "-w", str(workspace)])
    assert result.exit_code == 0, result.output
    assert "was finished before" in result.stdout
    assert f"adapt -w {workspace} review" in result.stdout
    assert not (workspace / SOURCE).exists()


def test_demo_goes_into_a_workspace_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ADAPT_WORKSPACE", raising=False)
    result = runner.invoke(app, ["demo", "--dry-run"])
    assert "adapt -w adapt-demo ingest" in result.stdout and "adapt-workspace" not in result.stdout


def test_demo_does_not_mix_with_a_catalogue(sample_catalogue: Path, workspace: Path) -> None:
    assert runner.invoke(app, ["-w", str(workspace), "ingest", str(sample_catalogue)]).exit_code == 0
    result = runner.invoke(app, ["-w", str(workspace), "demo"])
    assert result.exit_code == 1 and f"holds {sample_catalogue.name}" in result.stderr
    assert result.stderr.rstrip().endswith("adapt -w adapt-demo demo")


def test_generate_draws_no_birds_for_products(sample_catalogue: Path, workspace: Path) -> None:
    assert runner.invoke(app, ["-w", str(workspace), "ingest", str(sample_catalogue)]).exit_code == 0
    result = runner.invoke(app, ["-w", str(workspace), "generate"])
    assert result.exit_code == 1 and "no fine-tuned run in this workspace" in result.stderr
    assert f"adapt -w {workspace} finetune --shots 50" in result.stderr and "birds_64" in result.stderr


def test_generate_does_not_draw_from_an_unfinished_run(sample_catalogue: Path, workspace: Path) -> None:
    assert runner.invoke(app, ["-w", str(workspace), "ingest", str(sample_catalogue)]).exit_code == 0
    run = workspace / "runs" / "finetune-2shots-abc"
    run.mkdir(parents=True)
    (run / "generator.safetensors").write_bytes(b"")
    result = runner.invoke(app, ["-w", str(workspace), "generate"])
    assert result.exit_code == 1 and "run finetune-2shots-abc is not finished" in result.stderr


def test_workspace_below_home_is_one_folder_for_every_verb(
    sample_catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(app, ["-w", "~/shop", "ingest", str(sample_catalogue)]).exit_code == 0
    assert runner.invoke(app, ["dataset", "-w", "~/shop"]).exit_code == 0
    assert (tmp_path / "home" / "shop" / "datasets").is_dir() and not (tmp_path / "~").exists()


def test_demo_stops_at_the_first_step_that_fails(workspace: Path) -> None:
    _record(workspace)
    (workspace / "catalog.db").write_bytes(b"this is no database" * 100)
    result = runner.invoke(app, ["demo", "-w", str(workspace), "--products", "10"])
    assert result.exit_code == 1
    assert result.stdout == ""
    failed = [line for line in result.stderr.splitlines() if line.startswith("adapt:")]
    assert len(failed) == 1, result.stderr
    assert "finetune" not in result.stderr
