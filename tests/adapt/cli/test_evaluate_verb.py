"""`adapt evaluate` on a tiny untrained run and a dataset of drawn pictures."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from adapt.cli import app
from catalog.manifest import write
from catalog.records import Caption, ManifestEntry

runner = CliRunner()


@pytest.fixture(scope="module")
def scored_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an untrained run of 32 px and a frozen dataset of twelve pictures."""
    from adapt.config import RunConfig, from_dict, read_preset
    from adapt.models.factory import build_generator
    from adapt.training.inference import GENERATOR_FILE, save_generator

    workspace = tmp_path_factory.mktemp("evaluate") / "workspace"
    config = from_dict(RunConfig, read_preset("pretrain", "debug"))
    save_generator(workspace / "runs" / "tiny" / GENERATOR_FILE, build_generator(config.model), config)
    rng = np.random.default_rng(0)
    entries = []
    for number in range(12):
        path = workspace.parent / f"{number}.png"
        Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(path)
        entries.append(_entry(path, number))
    manifest = write(workspace / "datasets" / "shop-0", entries, name="shop")
    _configure(workspace, dataset_hash=manifest.content_hash)
    return workspace


def _configure(workspace: Path, **settings: object) -> dict[str, object]:
    """Change config.json of the run; the former content comes back."""
    file = workspace / "runs" / "tiny" / "config.json"
    before = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps(before | settings))
    return before


def _entry(path: Path, number: int) -> ManifestEntry:
    import hashlib

    captions = tuple(
        Caption(id=None, text=text, lang="en", template="", facts={"n": str(number)})
        for text in (f"a red mug {number}", f"red mug number {number}")
    )
    return ManifestEntry(
        image=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        product=f"shop/{number}",
        product_id=number,
        category="mug",
        split="train" if number < 6 else "test",
        captions=captions,
        group=str(number),
    )


def _call(workspace: Path, *arguments: str, code: int = 0) -> str:
    done = runner.invoke(app, ["-w", str(workspace), "evaluate", *arguments])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


def test_evaluate_scores_the_newest_run_and_writes_the_report(scored_workspace: Path) -> None:
    answer = json.loads(_call(scored_workspace, "--json", "--pictures", "6"))
    assert answer["run"] == "tiny"
    for metric in answer["metrics"].values():
        assert {"value", "n", "extractor", "seed"} <= set(metric)
    assert answer["metrics"]["kid"]["n"] == 6
    assert answer["metrics"]["kid_efficientnet_lite0"]["extractor"].endswith("(seen in training)")
    report = json.loads((scored_workspace / "runs" / "tiny" / "metrics.json").read_text())
    assert report["metrics"] == answer["metrics"]
    assert (report["dataset"], report["held_out"], report["training"]) == ("shop-0", 6, 6)
    assert report["reference"] == "held-out pictures of shop-0, resized to 38 px, the middle 32 px"
    page = (scored_workspace / "runs" / "tiny" / "report.html").read_text(encoding="utf-8")
    assert answer["report"].endswith("report.html") and "tiny on shop-0" in page and "data:image/png" in page


def test_evaluate_keeps_truncation_with_the_figures(scored_workspace: Path) -> None:
    answer = json.loads(_call(scored_workspace, "--json", "--pictures", "4", "--truncation", "truncnorm:0.88"))
    assert {metric["truncation"] for metric in answer["metrics"].values()} == {"truncnorm:0.88"}
    assert (
        json.loads((scored_workspace / "runs" / "tiny" / "metrics.json").read_text())["truncation"] == "truncnorm:0.88"
    )


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["cub", "coco"])
def test_evaluate_scores_a_run_on_a_public_layout_without_a_catalogue(
    scored_workspace: Path, shared_data: Path, tmp_path: Path, dataset: str
) -> None:
    run = str(scored_workspace / "runs" / "tiny")
    data = ["--dataset", dataset, "--data-dir", str(small_copy(shared_data, tmp_path, dataset))]
    answer = json.loads(_call(tmp_path / "new", "--json", "--run", run, *data, "--pictures", "8"))
    assert answer["metrics"]["r_precision_real"]["n"] >= 2
    assert answer["metrics"]["consistency_gap"]["extractor"] == "efficientnet_lite1"
    assert not list((tmp_path / "new").rglob("*.db"))


def small_copy(shared_data: Path, folder: Path, dataset: str) -> Path:
    """The folder's layout with some of the pictures: reading all of them takes longer than the rest of a test."""
    import shutil

    source, target = shared_data / dataset, folder / dataset
    target.mkdir()
    if dataset == "coco":
        shutil.copytree(source / "annotations", target / "annotations", ignore=shutil.ignore_patterns("*val2017*"))
        pictures = sorted((source / "val2014").iterdir())[:80]
    else:
        for path in source.glob("*.txt"):
            shutil.copy(path, target)
        for name in ("text", "attributes"):
            (target / name).symlink_to(source / name)
        captioned = sorted(path.name for path in (source / "text").iterdir())[:3]
        pictures = [path for name in captioned for path in sorted((source / "images" / name).iterdir())[:40]]
    for path in pictures:
        to = target / path.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.symlink_to(path)
    return target


def test_evaluate_dry_run_says_what_it_would_score(scored_workspace: Path) -> None:
    plan = json.loads(_call(scored_workspace, "--json", "--dry-run"))
    assert plan["dry_run"] and plan["held_out"] == 6


def test_evaluate_scores_what_no_shot_and_no_selection_has_seen(scored_workspace: Path) -> None:
    manifest = scored_workspace / "datasets" / "shop-0" / "manifest.jsonl"
    digests = [json.loads(line)["sha256"] for line in manifest.read_text().splitlines()]
    before = _configure(scored_workspace, shots=digests[:2], held_out=digests[2:5])
    try:
        plan = json.loads(_call(scored_workspace, "--json", "--dry-run"))
    finally:
        (scored_workspace / "runs" / "tiny" / "config.json").write_text(json.dumps(before))
    assert (plan["held_out"], plan["training"]) == (7, 2)


def test_evaluate_frames_photos_as_the_run_whose_shots_it_leaves_out(scored_workspace: Path) -> None:
    """A base is compared with the run that came of it on the same pictures, cut the same way."""
    manifest = scored_workspace / "datasets" / "shop-0" / "manifest.jsonl"
    digests = [json.loads(line)["sha256"] for line in manifest.read_text().splitlines()]

    def between_photos(margin: float) -> float:
        before = _configure(scored_workspace, shots=digests[:4], config={"data": {"margin": margin}})
        try:
            answer = json.loads(_call(scored_workspace, "--json", "--pictures", "4", "--shots-of", "tiny"))
        finally:
            (scored_workspace / "runs" / "tiny" / "config.json").write_text(json.dumps(before))
        return float(answer["metrics"]["kid_real"]["value"])

    assert between_photos(1.0) != between_photos(1.5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--run", "tin"], "no run 'tin'"),
        (["--dataset", "cub"], "add --data-dir"),
        (["--dataset", "cob", "--data-dir", "."], "unknown dataset 'cob'"),
        (["--judge", "efficientnet_lite9"], "unknown feature extractor"),
        (["--truncation", "0.7"], "write psi:F or truncnorm:F"),
    ],
)
def test_evaluate_says_in_one_line_what_is_wrong(scored_workspace: Path, arguments: list[str], words: str) -> None:
    message = _call(scored_workspace, *arguments, code=1)
    assert words in message
    assert len(message.strip().splitlines()) == 1


def test_evaluate_without_a_catalogue_says_so_in_one_line(scored_workspace: Path, tmp_path: Path) -> None:
    message = _call(tmp_path / "empty", "--run", str(scored_workspace / "runs" / "tiny"), code=1)
    assert "ingest DUMP" in message
    assert len(message.strip().splitlines()) == 1


def test_evaluate_refuses_a_truncation_that_style_blocks_undo(scored_workspace: Path) -> None:
    from adapt.config import RunConfig, from_dict, read_preset
    from adapt.models.factory import build_generator
    from adapt.training.inference import GENERATOR_FILE, save_generator

    values = read_preset("pretrain", "debug_attn_gan")
    values["model"]["style_blocks"] = True
    config = from_dict(RunConfig, values)
    home, tiny = (scored_workspace / "runs" / name for name in ("styled", "tiny"))
    save_generator(home / GENERATOR_FILE, build_generator(config.model), config)
    (home / "config.json").write_text((tiny / "config.json").read_text())
    told = _call(scored_workspace, "--run", "styled", "--pictures", "4", "--truncation", "psi:0.7", code=1)
    shutil.rmtree(home)
    assert "style blocks" in told and "leave --truncation out" in told


def test_evaluate_says_when_a_run_learned_from_everything(scored_workspace: Path) -> None:
    manifest = scored_workspace / "datasets" / "shop-0" / "manifest.jsonl"
    digests = [json.loads(line)["sha256"] for line in manifest.read_text().splitlines()]
    before = _configure(scored_workspace, shots=digests[:-1], held_out=digests[-1:])
    try:
        message = _call(scored_workspace, "--dry-run", code=1)
    finally:
        (scored_workspace / "runs" / "tiny" / "config.json").write_text(json.dumps(before))
    assert "finetune with fewer --shots" in message and len(message.strip().splitlines()) == 1


def test_evaluate_leaves_the_figures_of_a_shipped_base_alone(scored_workspace: Path) -> None:
    from adapt.cli._runs import shipped_bases

    base = shipped_bases()[-1]
    before = (base / "metrics.json").read_bytes()
    data = ["--dataset", "folder", "--data-dir", str(scored_workspace / "datasets" / "shop-0")]
    words = ["evaluate", "--run", base.name, "--pictures", "4", *data]
    result = runner.invoke(app, ["-w", str(scored_workspace), *words])
    assert result.exit_code == 0, result.stderr
    assert (base / "metrics.json").read_bytes() == before
    assert list((scored_workspace / "evaluations").glob(f"{base.name}-*.json"))
    assert list((scored_workspace / "evaluations").glob(f"{base.name}-*.html"))
    assert not (base / "report.html").exists()
