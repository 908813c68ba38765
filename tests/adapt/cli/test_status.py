"""`adapt status`: what is said of runs."""

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from adapt.cli import app
from catalog import review
from catalog.store import Catalog


def test_status_tells_refused_runs_from_unfinished_ones(tmp_path: Path) -> None:
    Catalog.open(tmp_path).close()
    for name, file in (("done", "summary.json"), ("half", "checkpoint.safetensors"), ("refused", "config.json")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / file).write_text("{}")
    result = CliRunner().invoke(app, ["status", "-w", str(tmp_path)])
    said = {line.split()[1]: line for line in result.stdout.splitlines() if line.startswith("  run ")}
    assert said["done"].endswith("done")
    assert said["half"].endswith("(unfinished: the same command goes on)")
    assert said["refused"].endswith("(nothing trained yet: the same command starts it, or says why it cannot)")


def test_status_lists_runs_where_nothing_was_ingested_and_makes_no_catalogue(tmp_path: Path) -> None:
    (tmp_path / "runs" / "pretrain-cub").mkdir(parents=True)
    result = CliRunner().invoke(app, ["status", "-w", str(tmp_path), "--json"])
    found = json.loads(result.stdout)
    assert found["run_names"] == ["pretrain-cub"] and found["products"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_status_of_nothing_says_what_to_type(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", "-w", str(tmp_path)])
    assert result.exit_code == 1


def test_status_tells_of_every_state_so_that_they_add_up(queued: Callable[..., Path]) -> None:
    workspace = queued(4)
    runner = CliRunner()
    assert "changes" not in runner.invoke(app, ["status", "-w", str(workspace)]).stdout
    with Catalog.open(workspace) as catalog:
        review.decide_item(catalog, "aki", 1, "changes", note="thinner")
        review.choose(catalog, "aki", 2, [3], scripted=True)
    said = runner.invoke(app, ["status", "-w", str(workspace)]).stdout
    assert "changes     1" in said and "not_chosen  1" in said and "conflict" not in said
    counts = json.loads(runner.invoke(app, ["status", "-w", str(workspace), "--json"]).stdout)
    states = ("pending", "approved", "rejected", "conflict", "changes", "not_chosen")
    assert sum(counts[state] for state in states) == counts["candidates"] == 4
