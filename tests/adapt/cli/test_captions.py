"""`adapt captions` and `adapt dataset` on the drawn catalogue."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapt.cli import app
from catalog.ingest import ingest
from catalog.store import Catalog

runner = CliRunner()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, sample_catalogue: Path) -> Path:
    """A workspace with the drawn catalogue in it; copy it before changing it."""
    folder = tmp_path_factory.mktemp("captions") / "workspace"
    with Catalog.open(folder) as catalog:
        ingest(catalog, sample_catalogue, source="sample")
    return folder


def _run(workspace: Path, *arguments: str, code: int = 0) -> Any:
    result = runner.invoke(app, ["-w", str(workspace), *arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else result.output


def test_captions_lists_what_ingest_wrote(filled: Path) -> None:
    listed = _run(filled, "captions", "--limit", "30")
    assert len(listed["captions"]) == 30
    assert listed["stale"] == 0
    assert {"product", "text", "facts", "template"} <= listed["captions"][0].keys()
    product = listed["captions"][0]["product"]
    only = _run(filled, "captions", product)["captions"]
    assert {caption["product"] for caption in only} == {product}
    assert len(only) == 10


def test_captions_preview_shows_facts_and_stores_nothing(filled: Path) -> None:
    product = _run(filled, "captions", "--limit", "1")["captions"][0]["product"]
    views = _run(filled, "captions", product, "--preview", "--lang", "ja")["views"]
    assert views[0]["facts"]["noun"]
    assert len(views[0]["captions"]) == 10
    assert _run(filled, "captions", "--lang", "ja")["captions"] == []
    text = runner.invoke(app, ["-w", str(filled), "captions", product, "--preview"]).stdout
    assert "facts: " in text


def test_captions_rebuild_and_dry_run_count_alike(filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "workspace"
    shutil.copytree(filled, copy)
    dry = _run(copy, "captions", "--rebuild", "--seed", "7", "--dry-run")
    done = _run(copy, "captions", "--rebuild", "--seed", "7")
    again = _run(copy, "captions", "--rebuild", "--seed", "7")
    assert dry["added"] == done["added"] > 0
    assert (again["added"], again["updated"], again["removed"]) == (0, 0, 0)


def test_captions_unknown_names_terms_and_the_file_to_edit(workspace: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "p.csv").write_text("sku,商品名,色\n1,マグカップ,みそ色\n", encoding="utf-8")
    from catalog.schema import AttributeRow, ProductRow, SourceRow

    with Catalog.open(workspace) as catalog, catalog.write() as session:
        source = SourceRow(name="shop", root="x")
        session.add(source)
        session.flush()
        product = ProductRow(source_id=source.id, sku="1", name="マグカップ", lang="ja")
        session.add(product)
        session.flush()
        session.add(AttributeRow(product_id=product.id, name="色", value="みそ色", lang="ja"))
    terms = _run(workspace, "captions", "--unknown")["unknown"]
    assert [(term["term"], term["products"]) for term in terms] == [("みそ色", 1)]
    text = runner.invoke(app, ["-w", str(workspace), "captions", "--unknown"]).stdout
    assert str(workspace / "glossary.csv") in text
    assert _run(workspace, "captions")["captions"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--rebuild", "--preview"), 2),
        (("--preview",), 1),
        (("sample/NOPE", "--preview"), 1),
        (("--source", "nope"), 1),
        (("--lang", "fr", "--rebuild"), 1),
        (("--wordings", "0", "--rebuild"), 2),
    ],
)
def test_captions_refuses_with_the_right_exit_code(filled: Path, arguments: tuple[str, ...], code: int) -> None:
    assert runner.invoke(app, ["-w", str(filled), "captions", *arguments]).exit_code == code


def test_captions_without_a_catalogue_says_what_to_type(workspace: Path) -> None:
    result = runner.invoke(app, ["-w", str(workspace), "captions"])
    assert result.exit_code == 1
    assert "ingest" in result.output


def test_dataset_freezes_once(filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "workspace"
    shutil.copytree(filled, copy)
    dry = _run(copy, "dataset", "--dry-run")
    assert dry["path"] is None
    assert not (copy / "datasets").exists()
    first, second = _run(copy, "dataset"), _run(copy, "dataset")
    assert first == second
    assert first["content_hash"] == dry["content_hash"]
    assert first["products"] == 12
    assert Path(first["path"]).is_dir()


@pytest.mark.parametrize("name", ["../elsewhere", "/x", "a/b", ".hidden", "x" * 101])
def test_dataset_refuses_a_name_that_is_a_path(filled: Path, name: str) -> None:
    for extra in ((), ("--dry-run",)):
        assert "is no name for a dataset" in _run(filled, "dataset", "--name", name, *extra, code=1)


def test_dataset_says_which_language_has_no_captions(filled: Path) -> None:
    assert "no picture with ja captions" in _run(filled, "dataset", "--lang", "ja", code=1)


def test_dry_runs_of_training_verbs_freeze_nothing(filled: Path, tmp_path: Path) -> None:
    from adapt.config import RunConfig, from_dict, read_preset
    from adapt.models.factory import build_generator
    from adapt.training.inference import GENERATOR_FILE, save_generator

    copy = tmp_path / "workspace"
    shutil.copytree(filled, copy)
    config = from_dict(RunConfig, read_preset("pretrain", "debug"))
    save_generator(copy / "runs" / "tiny" / GENERATOR_FILE, build_generator(config.model), config)
    before = sorted(copy.rglob("*"))
    planned = _run(copy, "finetune", "--base", "tiny", "--preset", "debug", "--shots", "4", "--dry-run")
    assert (planned["shots"], planned["dry_run"]) == (4, True)
    assert _run(copy, "generate", "--run", "tiny", "--per-caption", "2", "--dry-run")["images"] == 24
    assert _run(copy, "evaluate", "--run", "tiny", "--dry-run")["training"] > 0
    assert sorted(copy.rglob("*")) == before
    said = _run(copy, "finetune", "--base", "tiny", "--method", "lra", "--dry-run", code=1)
    assert "fewshot.method='lra'; allowed are lora, affine, full" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("finetune", "--seed", "-1"),
        ("generate", "--seed", str(2**64)),
        ("generate", "--per-caption", "0"),
        ("dataset", "--seed", str(2**32)),
        ("pretrain", "--data-dir", ".", "--seed", "-1"),
    ],
)
def test_a_number_out_of_range_is_wrong_usage(filled: Path, arguments: tuple[str, ...]) -> None:
    assert arguments[-2] in _run(filled, *arguments, code=2)
