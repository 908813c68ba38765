"""The report of an ingest, for people and for programs."""

import json
from pathlib import Path

from catalog import messages
from catalog.records import FileBooks, IngestReport, Issue, RowBooks
from catalog.report import edited_mapping, folder_of, summary, write_report

MAPPING = '[tables]\nproduct = "items.csv"\n'
REPORT = IngestReport(
    run_id=3,
    source="shop",
    products_added=2,
    images_linked=3,
    quarantined=2,
    warnings=1,
    reader="table",
    rows=RowBooks(read=4, accepted=2, duplicate=1, quarantined=1),
    pictures=FileBooks(present=4, linked=3, unreferenced=("spare.png",)),
    mapping=MAPPING,
    rejected={("items.csv", 3): {"sku": "12"}},
    issues=(
        Issue(source="items.csv", line=3, reason="ROW_NO_NAME", detail="no name; key '12'"),
        Issue(source="items.csv", line=4, reason="FILE_MISSING", detail="'b.jpg' is not in the dump"),
        Issue(source="items.csv", line=5, reason="FILE_MISSING", detail="'c.jpg' is not in the dump"),
    ),
)
COUNTS = {"products_added": 2}


def test_summary_names_the_commonest_codes_with_what_to_do() -> None:
    lines = list(summary(REPORT, messages.load("en")))
    assert "rows: 4 read = 2 accepted + 1 duplicate + 1 quarantined" in lines
    assert (
        "picture files: 4 present = 3 linked + 0 duplicate + 0 quarantined + 1 unreferenced" in lines
    ) and "named by nothing: spare.png" in lines
    first = lines.index(
        "  2 x FILE_MISSING (a file that is not in the dump), first items.csv line 4: 'b.jpg' is not in the dump"
    )
    assert lines[first + 1] == "      add the file, or correct its name in the table"


def test_summary_speaks_japanese() -> None:
    text = "\n".join(summary(REPORT, messages.load("ja")))
    assert "行: 読み取り 4 = 採用 2 + 重複 1 + 隔離 1" in text
    assert "2 × ファイルがダンプにありません（FILE_MISSING）、最初は items.csv 4 行目" in text


def test_report_files_hold_books_issues_and_rows(tmp_path: Path) -> None:
    folder = write_report(tmp_path, REPORT, messages.load("en"), COUNTS)
    assert folder == folder_of(tmp_path, "shop")
    value = json.loads((folder / "report.json").read_text("utf-8"))
    assert value["books"]["rows"] == {"read": 4, "accepted": 2, "duplicate": 1, "quarantined": 1}
    assert value["books"]["pictures"]["unreferenced"] == ["spare.png"]
    assert value["codes"]["FILE_MISSING"]["count"] == 2
    assert [issue["line"] for issue in value["issues"]] == [3, 4, 5]
    assert (folder / "rejects.csv").read_text("utf-8-sig").count("\n") == 4
    assert folder.joinpath("mapping.toml").read_text("utf-8").endswith(MAPPING)


def test_report_without_rejected_rows_leaves_no_old_rejects(tmp_path: Path) -> None:
    folder = write_report(tmp_path, REPORT, messages.load("en"), COUNTS)
    write_report(tmp_path, IngestReport(run_id=4, source="shop"), messages.load("en"), COUNTS)
    assert not (folder / "rejects.csv").exists()


def test_mapping_that_a_person_edited_is_kept_and_found(tmp_path: Path) -> None:
    path = write_report(tmp_path, REPORT, messages.load("en"), COUNTS) / "mapping.toml"
    assert edited_mapping(tmp_path, "shop") is None
    path.write_text(path.read_text("utf-8").replace("items", "other"), "utf-8")
    assert edited_mapping(tmp_path, "shop") == path
    write_report(tmp_path, REPORT, messages.load("en"), COUNTS)
    assert "other.csv" in path.read_text("utf-8")
