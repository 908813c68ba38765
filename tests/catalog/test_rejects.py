"""Rejected rows: written for spreadsheets, corrected, given back."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import messages
from catalog.errors import IngestRefused
from catalog.readers.correcting import row_digest
from catalog.records import Corrections, Issue
from catalog.rejects import (
    COLUMNS,
    corrections_file,
    guarded,
    merged,
    read_corrections,
    released,
    write_rejects,
)

MISSING = Issue(source="items.csv", line=3, reason="FILE_MISSING", detail="'b.jpg' is not in the dump")
NO_NAME = Issue(source="items.csv", line=3, reason="ROW_NO_NAME", detail="no name; key '0012'")
WARNING = Issue(source="items.csv", line=4, reason="ROW_COLUMNS", detail="short", severity="warning")
ROW = {"sku": "0012", "name": "", "note": "=1+1", "picture": "b.jpg"}


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_rejects_hold_the_row_and_what_is_wrong_with_it() -> None:
    data = write_rejects([MISSING, NO_NAME, WARNING], {("items.csv", 3): ROW}, messages.load("en"))
    assert data is not None and data.startswith(b"\xef\xbb\xbf")
    header, row = rows_of(data)
    assert header == [*COLUMNS, "sku", "name", "note", "picture"]
    assert row[:2] == ["items.csv", "3"]
    assert row[3] == "FILE_MISSING ROW_NO_NAME"
    assert "'b.jpg' is not in the dump" in row[4] and "fill in its name" in row[5]
    assert row[6:] == ["'0012", "", "'=1+1", "b.jpg"]


def test_rejects_are_not_written_without_rejected_rows() -> None:
    assert write_rejects([WARNING], {}, messages.load("ja")) is None


@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8-sig"), (";", "cp932"), ("\t", "utf-16")])
def test_corrections_come_back_as_excel_saves_them(tmp_path: Path, separator: str, encoding: str) -> None:
    data = write_rejects([NO_NAME], {("品目.csv", 3): ROW} | {("items.csv", 3): ROW}, messages.load("ja"))
    assert data is not None
    header, row = rows_of(data)
    row[header.index("name")] = "湯呑み"
    path = tmp_path / "fixed.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows([header, row])
    corrections = read_corrections(path)
    assert corrections.rows["items.csv", 3] == ROW | {"name": "湯呑み"}
    assert corrections.digests["items.csv", 3] == row_digest(ROW.values())


def test_corrections_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("sku,name\n1,x\n", encoding="utf-8")
    with pytest.raises(IngestRefused, match=r"lacks the column _file and _line; give back the rejects\.csv"):
        read_corrections(path)
    path.write_text("_file,_line,sku\na.csv,three,x\n", encoding="utf-8")
    with pytest.raises(IngestRefused, match="line 2: 'three' is no line number"):
        read_corrections(path)
    with pytest.raises(IngestRefused, match="cannot read"):
        read_corrections(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "＝1+1", "\tx", "\rx", "0012", "4971710000123", "3E5", "1-2"]
)
def test_cell_that_a_spreadsheet_would_touch_is_guarded(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@given(st.text(max_size=40))
def test_guarded_cell_comes_back_as_it_was(cell: str) -> None:
    assert released(guarded(cell)) == cell


def test_corrections_are_kept_and_newer_ones_replace_them(tmp_path: Path) -> None:
    kept = Corrections(
        rows={("a.csv", 2): {"sku": "0012"}, ("a.csv", 3): {"sku": "3"}}, digests={("a.csv", 2): "", ("a.csv", 3): "x"}
    )
    given = Corrections(rows={("a.csv", 3): {"sku": "4", "name": "=Cup"}}, digests={("a.csv", 3): "y"})
    path = tmp_path / "corrections.csv"
    path.write_bytes(corrections_file(merged(kept, given)))
    again = read_corrections(path)
    assert again.rows == {("a.csv", 2): {"sku": "0012", "name": ""}, ("a.csv", 3): {"sku": "4", "name": "=Cup"}}
    assert again.digests == {("a.csv", 2): "", ("a.csv", 3): "y"}
