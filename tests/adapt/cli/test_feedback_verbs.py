"""What people decide goes back: `finetune --feedback` and `generate --requested`, from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frozen_tiles import TINY, frozen_tiles
from typer.testing import CliRunner

from adapt import scoring
from adapt.cli import app
from adapt.pretrain import PretrainRequest, pretrain
from catalog import queue, regeneration, review
from catalog.store import Catalog

runner = CliRunner()
SMALL = [part for text in (
    "data.batch_size=4", "train.steps=2", "train.checkpoint_every=2", "train.sample_every=0", "loss.feature_px=32",
) for part in ("--set", text)]  # fmt: skip
TUNE = ("finetune", "--preset", "debug", "--shots", "6", *SMALL)


def run(workspace: Path, *arguments: str, exits: int = 0) -> dict[str, Any]:
    """Run a verb with --json and return its answer, or what it said when it must fail."""
    done = runner.invoke(app, ["-w", str(workspace), "--json", *arguments])
    assert done.exit_code == exits, done.output
    if exits == 0:
        return {**json.loads(done.stdout), "said": done.stderr}
    assert done.stdout == ""
    return {"said": done.stderr.strip()}


@pytest.fixture(scope="module")
def workspace(sample_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve products, a run that hardly learned anything, and three of its candidates in the queue."""
    root = tmp_path_factory.mktemp("workspace")
    settings = (*TINY, "train.steps=1", "train.checkpoint_every=1", "train.sample_every=0")
    tiles = frozen_tiles(tmp_path_factory.mktemp("tiles"))
    pretrain(PretrainRequest(dataset="folder", data_dir=tiles, runs=root / "runs", preset="debug", settings=settings))
    run(root, "ingest", str(sample_catalogue))
    base = next((root / "runs").iterdir()).name
    run(root, *TUNE, "--base", base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "DamsmConfig", short_matcher(scoring.DamsmConfig))
        assert run(root, "generate", "--per-caption", "1", "--limit", "3")["candidates"] == 3
    return root


def short_matcher(config: type) -> Callable[..., Any]:
    """The matcher's config with a single step: what it says of a picture does not matter here."""
    return lambda **options: config(**{**options, "steps": 1})


def tune(workspace: Path, *arguments: str, exits: int = 0) -> dict[str, Any]:
    base = next(path for path in (workspace / "runs").iterdir() if path.name.startswith("pretrain")).name
    return run(workspace, *TUNE, "--base", base, *arguments, exits=exits)


def test_folders_that_hold_no_feedback_are_refused(workspace: Path) -> None:
    said = tune(workspace, str(workspace / "datasets"), exits=2)["said"]
    assert "is read only with --feedback" in said
    assert "no feedback at" in tune(workspace, "--feedback", str(workspace), exits=1)["said"]
    frozen = next(path for path in (workspace / "datasets").iterdir() if not path.name.startswith("feedback"))
    assert "holds a dataset of photos, not feedback" in tune(workspace, "--feedback", str(frozen), exits=1)["said"]


def test_decisions_go_into_the_next_run_and_a_refused_picture_is_drawn_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "DamsmConfig", short_matcher(scoring.DamsmConfig))
    for extra in ((), ("--dry-run",)):
        assert "nothing is decided yet" in tune(workspace, "--feedback", *extra, exits=1)["said"]
    answer = run(workspace, "generate", "--requested")
    assert (answer["run"], answer["candidates"], answer["images"]) == (None, 0, 0)
    with Catalog.open(workspace) as catalog:
        review.decide_item(catalog, "aki", 1, "approve")
    reject = ("decide", "2", "--reject", "--reason", "distorted", "--reviewer", "aki")
    assert "--prompt goes with --again" in run(workspace, *reject, "--prompt", "a mug", exits=2)["said"]
    assert run(workspace, *reject, "--again", "--dry-run")["requests"] == []
    decided = run(workspace, *reject, "--again", "--prompt", "a red mug with one handle")
    with Catalog.open(workspace) as catalog:
        (asked,) = regeneration.pending(catalog)
    assert (decided["requests"], decided["decisions"]) == ([asked.id], [asked.decision_id])
    before = sorted(path.name for path in (workspace / "datasets").iterdir())
    planned = tune(workspace, "--feedback", "--dry-run")
    # One that may be a copy is not learned from; which pictures this untrained run draws is not for this test to say.
    assert planned["rejected"] == 1 and planned["approved"] in (0, 1)
    assert sorted(path.name for path in (workspace / "datasets").iterdir()) == before
    taught = tune(workspace, "--feedback")
    (frozen,) = (workspace / "datasets").glob("feedback-*")
    assert taught["run"] == planned["run"] and taught["rejected"] == 1 and str(frozen) in taught["said"]
    assert tune(workspace, "--feedback", str(frozen))["already_finished"] is True

    plan = run(workspace, "generate", "--requested", "--dry-run")
    assert (plan["run"], plan["images"]) == (taught["run"], 1)
    assert plan["requests"][0] == {
        "id": asked.id, "item": 2, "product": asked.product, "prompt": asked.prompt, "seed": asked.seed,
    }  # fmt: skip
    answer = run(workspace, "generate", "--requested")
    assert (answer["run"], answer["candidates"], answer["images"]) == (taught["run"], 1, 1)
    with Catalog.open(workspace) as catalog:
        assert regeneration.pending(catalog) == []
        first = queue.items(catalog, state="pending")[0]
        assert (first.prompt, first.seed, first.run) == ("a red mug with one handle", asked.seed, taught["run"])
    assert run(workspace, "generate", "--requested")["candidates"] == 0
    assert run(workspace, "generate", "--requested", "--dry-run")["requests"] == []


def test_an_approval_asks_for_no_other_picture(workspace: Path) -> None:
    said = run(workspace, "decide", "3", "--approve", "--reviewer", "aki", "--again", exits=2)["said"]
    assert "--again goes with --reject or --changes" in said


@pytest.mark.parametrize("option", ["--per-caption", "--captions", "--seed"])
def test_what_a_request_says_itself_is_not_said_beside_it(workspace: Path, option: str) -> None:
    assert f"leave {option} out" in run(workspace, "generate", "--requested", option, "2", exits=2)["said"]
