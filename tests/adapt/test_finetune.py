"""Adaptation with people's decisions: what D sees of them, what they change, and that a stopped run ends the same."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from frozen_tiles import TINY, frozen_tiles
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from adapt.data.pictures import load_pictures, to_model
from adapt.finetune import FinetuneRequest, finetune, plan
from adapt.pretrain import PretrainRequest, pretrain
from catalog import feedback_folder, manifest
from catalog.feedback_folder import Feedback, FeedbackDecision, FeedbackEntry

SETTINGS = (
    "data.batch_size=4", "data.flip=false", "data.margin=1.0", "train.steps=4", "train.checkpoint_every=2",
    "train.sample_every=0", "train.augment=[]", "loss.feature_px=32",
)  # fmt: skip
"""Over the preset `debug`: D sees pictures as they are in the files."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frozen tiles and a base that has hardly learned anything."""
    folder = tmp_path_factory.mktemp("feedback")
    tiles = frozen_tiles(folder)
    settings = (*TINY, "train.steps=2", "train.checkpoint_every=2", "train.sample_every=0")
    request = PretrainRequest(
        dataset="folder", data_dir=tiles, runs=folder / "bases", preset="debug", settings=settings
    )
    pretrain(request)
    return folder


@pytest.fixture(scope="module")
def decisions(root: Path) -> Feedback:
    """Two approved and three rejected pictures of the red tile, of pixels that no photo has."""
    entries = []
    for number, verdict in enumerate(["approve", "approve", "reject", "reject", "reject"]):
        path = root / f"drawn-{number}.png"
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        made = FeedbackDecision(
            reviewer=1,
            verdict=verdict,
            reasons=("blurred",) if verdict == "reject" else (),
            checks={},
            origin="review",
            policy_version=0,
        )
        entries.append(
            FeedbackEntry(
                image=path,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                product="s/0",
                product_id=0,
                category="red",
                run="finetune-1",
                prompt="a red tile",
                seed=number,
                scores={},
                nearest_sha256="f" * 64,
                nearest_similarity=0.4,
                copy_risk=False,
                state="approved" if verdict == "approve" else "rejected",
                quorum=1,
                decisions=(made,),
            )
        )
    return feedback_folder.write(root / "datasets" / "feedback", entries)


def request(root: Path, runs: str, feedback: Feedback | None, *settings: str) -> FinetuneRequest:
    return FinetuneRequest(
        manifest=manifest.read(root / "frozen"),
        base=next((root / "bases").iterdir()),
        runs=root / runs,
        shots=8,
        preset="debug",
        settings=(*SETTINGS, *settings),
        feedback=feedback,
    )


@contextmanager
def judged_pictures(kind: type[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect the largest stage of everything a discriminator of this class is shown."""
    seen: list[Tensor] = []

    def note(module: nn.Module, inputs: Any) -> None:
        if isinstance(module, kind):
            seen.append(inputs[0][-1].detach().float().clone())

    handle = nn.modules.module.register_module_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()


@pytest.fixture(scope="module")
def taught(root: Path, decisions: Feedback) -> tuple[Path, dict[str, Any], list[Tensor]]:
    """A run with feedback: its folder, its summary, and the pictures that D was shown."""
    asked = request(root, "taught", decisions)
    discriminator = type(_discriminator(asked))
    with judged_pictures(discriminator) as seen:
        summary = finetune(asked)
    return root / "taught" / summary["run"], summary, seen


def _discriminator(asked: FinetuneRequest) -> nn.Module:
    from adapt.fewshot.source import load_source

    return load_source(asked.base).discriminator


def _contains(batch: Tensor, pictures: Tensor) -> int:
    """How many of a batch's pictures are among `pictures`."""
    return sum(any(torch.allclose(one, other, atol=1e-6) for other in pictures) for one in batch)


def test_discriminator_sees_approved_pictures_as_real_and_rejected_ones_as_fakes(
    root: Path, decisions: Feedback, taught: tuple[Path, dict[str, Any], list[Tensor]]
) -> None:
    folder, summary, seen = taught
    chosen = plan(request(root, "taught", decisions)).feedback
    assert chosen is not None
    approved, rejected = (to_model(load_pictures(part, 32)) for part in (chosen.approved, chosen.rejected))
    assert summary["approved"] == 2 and summary["rejected"] == 3 and len(seen) == 4 * 4
    for real, fake, extra, of_generator in zip(seen[0::4], seen[1::4], seen[2::4], seen[3::4], strict=True):
        assert len(real) == len(fake) == 4 and _contains(real, approved) <= 1 and not _contains(real, rejected)
        assert len(extra) == 2 and _contains(extra, rejected) == 2
        assert not any(_contains(other, torch.cat([approved, rejected])) for other in (fake, of_generator))
    assert sum(_contains(real, approved) for real in seen[0::4]) > 0
    assert {"d_rejected", "d_fake"} <= set(summary["metrics"])
    record = json.loads((folder / "config.json").read_text())
    assert record["feedback_hash"] == decisions.content_hash and len(record["approved"]) == 2
    assert not set(record["approved"]) & {*record["shots"], *record["held_out"]}
    assert "2 approved pictures as further shots, 3 rejected as fakes" in (folder / "README.md").read_text()


def test_feedback_changes_the_run_and_its_name_and_nothing_else_does(
    root: Path, taught: tuple[Path, dict[str, Any], list[Tensor]]
) -> None:
    folder, _, _ = taught
    plain = finetune(request(root, "plain", None))
    assert plain["run"] != folder.name and "approved" not in plain and "d_rejected" not in plain["metrics"]
    assert "feedback_hash" not in json.loads((root / "plain" / plain["run"] / "config.json").read_text())
    one, other = (load_file(run / "generator.safetensors") for run in (folder, root / "plain" / plain["run"]))
    assert one.keys() == other.keys() and any(not torch.equal(one[name], other[name]) for name in one)


def test_a_run_with_feedback_that_was_stopped_ends_as_one_that_was_not(
    root: Path, decisions: Feedback, taught: tuple[Path, dict[str, Any], list[Tensor]]
) -> None:
    whole = taught[0]
    half = finetune(request(root, "halves", decisions, "train.steps=2"))
    torch.rand(7)  # whatever else draws from the global generator in between
    resumed = root / "halves" / whole.name
    (root / "halves" / half["run"]).rename(resumed)
    (resumed / "summary.json").unlink()
    finetune(request(root, "halves", decisions))
    for file in ("checkpoint.safetensors", "generator.safetensors"):
        one, other = load_file(whole / file), load_file(resumed / file)
        assert one.keys() == other.keys() and not [name for name in one if not torch.equal(one[name], other[name])]


@pytest.mark.parametrize("verdict", ["approved", "rejected"])
def test_one_kind_of_decision_is_enough(root: Path, decisions: Feedback, verdict: str) -> None:
    some = replace(decisions, entries=tuple(entry for entry in decisions.entries if entry.state == verdict))
    summary = finetune(request(root, verdict, some, "train.steps=2"))
    assert ("d_rejected" in summary["metrics"]) == (verdict == "rejected")
    assert sorted(root.joinpath(verdict).iterdir())[0].name == summary["run"]
