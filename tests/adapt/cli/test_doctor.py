"""`adapt doctor` says what can be used without a network, and how to get the rest."""

import json
from pathlib import Path

import pytest
import torch
from tiny_encoders import tiny_clip
from typer.testing import CliRunner

from adapt.cli import app
from adapt.damsm_options import IMAGE_ENCODERS
from adapt.metrics.features import EXTRACTORS
from adapt.models.encoders import TEXT_ENCODERS

runner = CliRunner()


def doctor(workspace: Path) -> dict[str, dict[str, dict[str, object]]]:
    result = runner.invoke(app, ["-w", str(workspace), "doctor", "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, dict[str, dict[str, object]]] = json.loads(result.stdout)
    return found


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADAPT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_doctor_lists_every_encoder_and_judge_that_can_be_chosen(workspace: Path) -> None:
    encoders = doctor(workspace)["encoders"]
    uses = " ".join(str(use) for encoder in encoders.values() for use in encoder["uses"])  # type: ignore[attr-defined]
    for name in set(TEXT_ENCODERS) - {"damsm"}:  # which is a run's own
        assert f"text.encoder={name}" in uses
    for name in IMAGE_ENCODERS:
        assert f"damsm.image_encoder={name}" in uses
    assert "--judge efficientnet_lite1" in uses and "inception_v3" in EXTRACTORS.names()
    assert encoders["minilm"]["offline"] and encoders["lstm"]["offline"] and encoders["efficientnet_lite1"]["needed"]


def test_doctor_says_how_to_get_what_is_not_here(workspace: Path, cache: Path) -> None:
    clip = doctor(workspace)["encoders"]["open_clip"]
    assert not clip["offline"] and not clip["needed"]
    assert "four ways" in str(clip["detail"]) and str(cache) in str(clip["detail"])
    tiny_clip(cache / "laion--CLIP-ViT-B-32-laion2B-s34B-b79K")
    assert doctor(workspace)["encoders"]["open_clip"]["offline"]


def test_doctor_prints_one_table_and_a_line_for_what_is_missing(workspace: Path) -> None:
    lines = runner.invoke(app, ["-w", str(workspace), "doctor"]).stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("encoder or judge"))
    table = {line.split()[0]: line.split()[1] for line in lines[start + 1 : start + 7]}
    assert table["minilm"] == table["lstm"] == "yes" and table["open_clip"] == table["inception_v3"] == "no"
    assert any(line.startswith("inception_v3: no weights") and "ADAPT_ALLOW_DOWNLOAD=1" in line for line in lines)


def test_doctor_tells_threads_devices_and_bf16(workspace: Path) -> None:
    findings = doctor(workspace)["findings"]
    assert str(findings["threads"]["detail"]).startswith(f"{torch.get_num_threads()} of ")
    assert findings["GPU"]["found"] == torch.cuda.is_available()
    assert "train.precision=auto" in str(findings["bf16"]["detail"]) and not findings["bf16"]["needed"]
