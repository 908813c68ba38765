"""`adapt ingest` as typed: JSON keys, exit codes, and one line for every mistake."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from adapt.cli import app

runner = CliRunner()


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Two products, one of them with a picture that is missing."""
    root = tmp_path / "dump"
    root.mkdir()
    Image.linear_gradient("L").convert("RGB").save(root / "a.jpg")
    (root / "p.csv").write_text("sku,name,color,image\n1,Mug,red,a.jpg\n2,Cup,blue,none.jpg\n")
    return root


def run(workspace: Path, *arguments: str | Path, exits: int = 0) -> str:
    result = runner.invoke(app, ["-w", str(workspace), *map(str, arguments)])
    assert result.exit_code == exits, result.output
    return result.stdout if exits == 0 else result.stderr


def test_ingest_prints_one_json_object_with_the_agreed_keys(workspace: Path, dump: Path) -> None:
    answer = json.loads(run(workspace, "ingest", dump, "--json"))
    agreed = (
        "run_id products_added products_updated products_unchanged products_missing images_added images_reused"
        " quarantined captions seconds"
    )
    assert set(agreed.split()) <= set(answer)
    assert (answer["products_added"], answer["images_added"], answer["quarantined"]) == (2, 1, 1)
    again = json.loads(run(workspace, "ingest", dump, "--json"))
    assert (again["products_added"], again["products_unchanged"]) == (0, 2)


def test_strict_makes_a_quarantined_item_a_failure_but_keeps_the_work(workspace: Path, dump: Path) -> None:
    run(workspace, "ingest", dump, "--strict", exits=1)
    assert json.loads(run(workspace, "ingest", dump, "--json"))["products_unchanged"] == 2


def test_dry_run_leaves_no_workspace_behind(workspace: Path, dump: Path) -> None:
    answer = json.loads(run(workspace, "ingest", dump, "--dry-run", "--json"))
    assert answer["products_added"] == 2 and answer["run_id"] is None
    assert not workspace.exists()
    assert "column 'image'" in run(workspace, "ingest", dump, "--dry-run")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        ("missing", "no such dump"),
        ("empty", "no files"),
        ("no pictures", "no pictures in"),
        ("empty table", "TABLE_EMPTY"),
        ("unreadable table", "FILE_UNREADABLE"),
        ("bad encoding", "unknown encoding"),
        ("workspace is a file", "-w DIR"),
    ],
)
def test_mistakes_are_one_line_and_exit_1(workspace: Path, dump: Path, prepare: str, said: str) -> None:
    arguments: list[str | Path] = ["ingest", dump]
    if prepare == "missing":
        arguments = ["ingest", dump / "none"]
    elif prepare == "empty":
        for path in dump.iterdir():
            path.unlink()
    elif prepare == "no pictures":
        (dump / "a.jpg").unlink()
    elif prepare == "empty table":
        (dump / "p.csv").write_text("")
    elif prepare == "unreadable table":
        (dump / "p.csv").unlink()
        (dump / "p.json").write_text("[{")
    elif prepare == "bad encoding":
        arguments += ["--encoding", "klingon"]
    else:
        workspace.write_text("")
    message = run(workspace, *arguments, exits=1)
    assert said in message
    assert len(message.strip().splitlines()) == 1


def test_a_mistyped_dump_leaves_no_workspace_behind(workspace: Path, dump: Path) -> None:
    assert "no such dump" in run(workspace, "ingest", dump / "typo", exits=1)
    assert not workspace.exists()


def test_ingest_takes_changes_only_and_reads_files_again(workspace: Path, sample_catalogue: Path) -> None:
    first = runner.invoke(app, ["-w", str(workspace), "ingest", str(sample_catalogue), "--workers", "1", "--json"])
    assert first.exit_code == 0, first.stderr
    again = runner.invoke(app, ["-w", str(workspace), "ingest", str(sample_catalogue), "--delta", "--verify", "--json"])
    answer = json.loads(again.stdout)
    assert (answer["products_unchanged"], answer["images_decoded"], answer["reasons"]) == (12, 0, {})


def test_ingest_refuses_options_that_contradict_each_other(workspace: Path, sample_catalogue: Path) -> None:
    result = runner.invoke(app, ["-w", str(workspace), "ingest", str(sample_catalogue), "--delta", "--prune"])
    assert result.exit_code == 2 and "leave one out" in result.stderr
    assert runner.invoke(app, ["ingest", str(sample_catalogue), "--workers", "0"]).exit_code == 2
    assert not workspace.exists()


def test_ingest_names_the_first_line_of_each_problem(workspace: Path, dump: Path) -> None:
    said = run(workspace, "ingest", dump, "--lang", "en")
    assert "1 quarantined" in said
    assert (
        "1 x FILE_MISSING (a file that is not in the dump), first p.csv line 3: 'none.jpg' is not in the dump" in said
    )
    assert "rows: 2 read = 2 accepted + 0 duplicate + 0 quarantined" in said
    assert "picture files: 1 present = 1 linked + 0 duplicate + 0 quarantined + 0 unreferenced" in said
    said = run(workspace, "ingest", dump, "--lang", "ja")
    assert "画像ファイル: 1 = 紐付け 1" in said and "最初は p.csv 3 行目" in said


def test_ingest_in_an_unknown_language_is_refused(workspace: Path, dump: Path) -> None:
    assert "use one of en, ja" in run(workspace, "ingest", dump, "--lang", "fr", exits=1)
    assert not workspace.exists()


def test_ingest_leaves_a_report_and_the_rejected_rows(workspace: Path, dump: Path) -> None:
    run(workspace, "ingest", dump)
    folder = workspace / "ingest" / "dump"
    assert json.loads((folder / "report.json").read_text("utf-8"))["codes"]["FILE_MISSING"]["count"] == 1
    assert "FILE_MISSING" in (folder / "rejects.csv").read_text("utf-8-sig")
    assert 'images = "image"' in (folder / "mapping.toml").read_text("utf-8")


def test_rejected_rows_are_corrected_and_count_from_then_on(workspace: Path, dump: Path) -> None:
    run(workspace, "ingest", dump)
    rejects = workspace / "ingest" / "dump" / "rejects.csv"
    fixed = dump.parent / "fixed.csv"
    fixed.write_text(rejects.read_text("utf-8-sig").replace(",none.jpg", ",a.jpg"), "utf-8-sig")
    answer = json.loads(run(workspace, "ingest", dump, "--corrections", fixed, "--json"))
    assert (answer["products_updated"], answer["quarantined"], answer["images_linked"]) == (1, 0, 2)
    assert not rejects.exists()
    again = json.loads(run(workspace, "ingest", dump, "--json"))
    assert (again["products_unchanged"], again["quarantined"]) == (2, 0)
    # A row that the company itself corrects is not corrected again.
    (dump / "p.csv").write_text("sku,name,color,image\n1,Mug,red,a.jpg\n2,Cup,green,none.jpg\n")
    later = json.loads(run(workspace, "ingest", dump, "--json"))
    assert later["reasons"] == {"ROW_CHANGED_SINCE": 1, "FILE_MISSING": 1}


def test_a_mapping_that_was_edited_is_used_the_next_time(workspace: Path, dump: Path) -> None:
    run(workspace, "ingest", dump)
    mapping = workspace / "ingest" / "dump" / "mapping.toml"
    mapping.write_text(mapping.read_text("utf-8").replace('name = "name"', 'name = "{color} {name}"'), "utf-8")
    answer = json.loads(run(workspace, "ingest", dump, "--json"))
    assert answer["products_updated"] == 2
    assert "red Mug" in run(workspace, "ingest", dump, "--dry-run")
    assert '"{color} {name}"' in mapping.read_text("utf-8")


def test_a_mapping_may_name_the_reader(workspace: Path, dump: Path) -> None:
    (dump / "mapping.toml").write_text('reader = "folder"\n')
    assert json.loads(run(workspace, "ingest", dump, "--json"))["products_added"] == 1
    (dump / "mapping.toml").write_text('reader = "shopfy"\n')
    assert "no reader 'shopfy'; did you mean shopify?" in run(workspace, "ingest", dump, exits=1)
    (dump / "mapping.toml").write_text('reader = "shopify"\n')
    assert "the reader 'shopify' finds no product" in run(workspace, "ingest", dump, exits=1)


def test_dry_run_shows_the_mapping_and_three_products(workspace: Path, dump: Path) -> None:
    said = run(workspace, "ingest", dump, "--dry-run", "--lang", "en")
    assert '  images = "image"' in said and "[product]" in said
    assert "  1: Mug | - | 1 facts, 0 variants, 1 pictures\n    color=red" in said


def test_a_doubtful_reading_is_said_without_being_asked(workspace: Path, dump: Path) -> None:
    (dump / "p.csv").write_text("id,image,x\n1,a.jpg,q\n2,none.jpg,r\n")
    assert "doubt: little speaks for this reading" in run(workspace, "ingest", dump, "--lang", "en")
