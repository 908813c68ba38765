"""The whole road on the drawn catalogue, as typed: every stage of `adapt.pipeline` but the screen itself."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from adapt.cli import app

runner = CliRunner()


def run(workspace: Path, *words: str) -> dict[str, Any]:
    """Type a command and return its JSON answer."""
    result = runner.invoke(app, ["-w", str(workspace), "--json", *words])
    assert result.exit_code == 0, f"{words}: {result.stderr}"
    assert result.stdout.count("\n") == 1, "exactly one JSON object"
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.slow
@pytest.mark.timeout(420)  # trains twice; a busy machine takes its time
def test_road_from_dump_to_delivery(sample_catalogue: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "base", tmp_path / "shop"
    assert run(first, "ingest", str(sample_catalogue))["products_added"] == 12
    assert run(first, "ingest", str(sample_catalogue))["products_unchanged"] == 12
    data = run(first, "dataset")["path"]
    few = ["--preset", "debug", "--set", "train.steps=2"]
    base = run(first, "pretrain", "--dataset", "folder", "--data-dir", data, "--model", "ssa-gan", *few)["run"]

    demo = ["demo", "--products", "10", "--shots", "6", "--preset", "debug", "--base", str(first / "runs" / base)]
    walked = run(second, *demo)
    assert walked["candidates"] == 20 and not walked["already_finished"]
    with Image.open(walked["contact_sheet"]) as sheet:
        assert sheet.width > 600
    assert run(second, *demo) == walked | {"already_finished": True}

    merged = Path(run(second, "merge", "--run", walked["run"])["path"])
    tuned, folded = (load_file(folder / "generator.safetensors") for folder in (merged.parent / walked["run"], merged))
    assert tuned.keys() == folded.keys()
    assert all(torch.equal(tuned[name], folded[name]) for name in tuned)

    Path(walked["contact_sheet"]).unlink()
    again = run(second, *demo)
    assert (again["run"], again["candidates"]) == (walked["run"], 20)
    assert run(second, "status")["candidates"] == 20, "walking again draws and queues nothing twice"

    run(second, "decide", "1", "2", "--reviewer", "ann", "--approve")
    run(second, "decide", "3", "--reviewer", "ann", "--reject", "--reason", "distorted")
    delivery = run(second, "export", "--format", "folder")
    assert delivery["images"] == 2 and delivery["verified"]
    counts = run(second, "status")
    assert (counts["approved"], counts["rejected"], counts["pending"], counts["exported"]) == (2, 1, 17, 2)
