"""With `--lang ja` nothing an ingest says is English, but for quoted values, paths, codes and a library's own words."""

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hostile.archives import ARCHIVES, picture
from hostile.pictures import write_pictures
from hostile.tables import TABLES, write_dump, write_links
from japanese_dump import write_japanese_dump
from PIL import Image
from typer.testing import CliRunner

from adapt.cli import app
from catalog import messages
from catalog.errors import CatalogError, ImageRejected
from catalog.images import survey
from catalog.paths import Dump
from catalog.readers import read_dump

_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|（[^（）]*）|[!-~]*[/.][!-~]*|[A-Z]+_[A-Z_]+|\b[A-Z][A-Za-z0-9-]*\b|--\w+")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
_ENGLISH = re.compile(r"\b[a-z]{2,}\W{1,2}[a-z]{2,}\b")


def english(lines: Iterable[str]) -> list[str]:
    """Return the lines that are not Japanese, or that have two plain English words in a row."""
    found = []
    for line in lines:
        rest = _VALUES.sub(" ", line)
        if not _JAPANESE.search(rest) or _ENGLISH.search(rest):
            found.append(line)
    return found


def comments(mapping: str) -> list[str]:
    """Return the comments of a mapping."""
    return [line.rpartition("# ")[2] for line in mapping.splitlines() if "# " in line]


def said_of(dump: Path) -> list[str]:
    """Return all that reading a dump says, in Japanese: details, evidence and comments, or the refusal."""
    said = messages.load("ja").said
    try:
        catalogue = read_dump(Dump(dump))
    except CatalogError as error:
        return [said(error.args[0])]
    return [
        *(said(issue.detail) for issue in catalogue.issues),
        *map(said, catalogue.evidence),
        *comments(said(catalogue.mapping)),
    ]


def run(workspace: Path, *arguments: str | Path, exits: int = 0) -> str:
    result = CliRunner().invoke(app, ["-w", str(workspace), "ingest", *map(str, arguments), "--lang", "ja"])
    assert result.exit_code == exits, result.output
    return result.stdout if exits == 0 else result.stderr


def test_english_lines_are_told_from_japanese_ones() -> None:
    assert not english(["'a b.jpg' はダンプにありません", "書庫が壊れています（bad magic number）。やり直してください"])
    assert english(["is not in the dump", "表 table has no rows", "none"]) == [
        "is not in the dump",
        "表 table has no rows",
        "none",
    ]


def test_hostile_tables_and_links_are_reported_in_japanese(tmp_path: Path) -> None:
    said = []
    for case in TABLES:
        said += said_of(write_dump(tmp_path / case.name, case))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.png").write_bytes(picture())
    said += said_of(write_links(tmp_path / "links", tmp_path / "outside"))
    assert len(said) > 100
    assert english(said) == []


def test_hostile_archives_are_reported_in_japanese(tmp_path: Path) -> None:
    said = []
    for case in ARCHIVES:
        folder = tmp_path / case.name / "dump"
        folder.mkdir(parents=True)
        case.write(folder / case.name)
        said += said_of(folder / case.name)
        (folder / "a.png").write_bytes(picture())
        said += said_of(folder)
    assert len(said) > len(ARCHIVES)
    assert english(said) == []


def test_hostile_pictures_are_refused_in_japanese(tmp_path: Path) -> None:
    said = []
    for path in write_pictures(tmp_path):
        try:
            survey(path.read_bytes() if path.is_file() else b"")
        except ImageRejected as error:
            said.append(messages.load("ja").said(error.detail))
    assert len(said) > 30
    assert english(said) == []


def test_a_japanese_dump_is_described_in_japanese(tmp_path: Path) -> None:
    write_japanese_dump(tmp_path / "商品データ")
    said = said_of(tmp_path / "商品データ")
    assert len(said) > 10
    assert english(said) == []


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder in CP932 with a sound product, and rows and files that are wrong."""
    folder = tmp_path / "shop"
    folder.mkdir()
    Image.linear_gradient("L").convert("RGB").save(folder / "皿.jpg")
    (folder / "鉢.jpg").write_bytes(b"<html>")
    Image.new("RGB", (8, 8)).save(folder / "盆.png")
    rows = [
        ("0001", "皿", "赤", "4901234567890", "皿.jpg"),
        ("0001", "皿", "青", "", "皿.jpg"),
        ("0002", "", "青", "", "皿.jpg"),
        ("0003", "鉢", "青", "", "鉢.jpg"),
        ("0004", "盆", "黒", "", "盆.png"),
        ("0005", "碗", "白", "", "ない.jpg"),
        ("0006", "壺", "白", "", "http://example.com/a.jpg"),
        ("0007", "箸", "白", "", "../a.jpg", "余り"),
    ]
    lines = ["品番,商品名,色,JANコード,画像", *(",".join(row) for row in rows)]
    (folder / "商品.csv").write_bytes("\r\n".join(lines).encode("cp932"))
    (folder / "説明.pdf").write_bytes(b"%PDF-broken")
    return folder


def test_ingest_speaks_japanese_throughout(workspace: Path, shop: Path) -> None:
    head, _, rest = run(workspace, shop, "--dry-run").partition("対応表（mapping.toml）:\n")
    mapping, _, rest = rest.partition("最初の商品:\n")
    assert english(head.splitlines()) == []
    assert comments(mapping) and english(comments(mapping)) == []
    assert english(line for line in rest.splitlines() if " | " not in line and "=" not in line[:8]) == []
    run(workspace, shop)
    folder = workspace / "ingest" / "shop"
    report = json.loads((folder / "report.json").read_text("utf-8"))
    wrong = {"FILE_MISSING", "ROW_DUP_KEY", "ROW_COLUMNS", "IMG_NOT_IMAGE", "IMG_SMALL", "GTIN_CHECK"}
    assert wrong <= report["codes"].keys()
    assert english([issue["detail"] for issue in report["issues"]] + report["evidence"]) == []
    rows = list(csv.DictReader((folder / "rejects.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) >= 6 and english(row[name] for row in rows for name in ("_message", "_suggestion")) == []
    assert english(comments((folder / "mapping.toml").read_text("utf-8"))) == []


def test_what_is_remembered_can_be_said_in_the_other_language(workspace: Path, shop: Path) -> None:
    run(workspace, shop)
    mapping = workspace / "ingest" / "shop" / "mapping.toml"
    details = {issue["reason"]: issue["detail"] for issue in json.loads(run(workspace, shop, "--json"))["issues"]}
    assert details["IMG_SMALL"] == "盆.png: 8 x 8 px。一辺 16 px 以上が必要です"
    answer = CliRunner().invoke(app, ["-w", str(workspace), "ingest", str(shop), "--lang", "en", "--json"])
    details = {issue["reason"]: issue["detail"] for issue in json.loads(answer.stdout)["issues"]}
    assert details["IMG_SMALL"] == "盆.png: 8 x 8 px; at least 16 px a side are needed"
    # Nobody has edited the mapping: its comments follow the language.
    assert "found by evidence" in mapping.read_text("utf-8")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("reader = 'shopfy'", "リーダー 'shopfy' はありません。shopify のことですか？"),
        ("[tables", "TOML ではありません"),
        ("tables = 3", "tables: 書き方が違います。[tables] と書いてください"),
        (
            "[tables]\nproduct = 'p.csv'\n[product]\nkey = 'sku'\nname = 'nam'",
            "列 'nam' がありません。name のことですか？",
        ),
        ("[tables]\nproduct = 'q.csv'\n[product]\nkey = 'sku'\nname = 'name'", "ファイル 'q.csv' がダンプにありません"),
        (
            "[tables]\nproduct = 'p.csv'\n[product]\nkey = 'sku'\nname = 'name'\nfiles = 'x'",
            "product.files: ['x'] は使えません",
        ),
    ],
)
def test_wrong_mappings_are_refused_in_japanese(workspace: Path, tmp_path: Path, mapping: str, said: str) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "a.png").write_bytes(picture())
    (dump / "p.csv").write_text("sku,name,image\n1,Mug,a.png\n")
    (dump / "mapping.toml").write_text(mapping)
    line = run(workspace, dump, exits=1)
    assert said in line and line.count("\n") == 1


def test_what_is_no_dump_is_refused_in_japanese(workspace: Path, tmp_path: Path) -> None:
    assert "ダンプがありません" in run(workspace, tmp_path / "none", exits=1)
    (tmp_path / "empty").mkdir()
    assert "読めるファイルがありません" in run(workspace, tmp_path / "empty", exits=1)
    Image.new("RGB", (64, 64)).save(tmp_path / "empty" / "a.png")
    (tmp_path / "empty" / "p.csv").write_text("sku,name,image\n1,Mug,a.png\n")
    assert "文字コード 'no-such' は使えません" in run(workspace, tmp_path / "empty", "--encoding", "no-such", exits=1)
    assert "ソースの名前に使えません" in run(workspace, tmp_path / "empty", "--source", "a/b", exits=1)
