"""The log for those who check it: search, pages, proof, and a file a spreadsheet cannot be hurt by."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog import audit, people, review
from catalog.audit import Search
from catalog.errors import ReviewRefused
from catalog.roles import NotAllowed
from catalog.store import Catalog

START = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def catalog(queued: Callable[..., Path]) -> Iterator[Catalog]:
    """Four decisions, an hour apart: two approvals, a rejection with a note, and an undo."""
    with Catalog.open(queued(3)) as opened:
        for name, role in (("ada", "admin"), ("lea", "lead"), ("olga", "auditor")):
            people.sign_in(opened, name, role=role)
        at = [START + timedelta(hours=hour) for hour in range(4)]
        review.decide_item(opened, "aki", 1, "approve", clock=lambda: at[0])
        review.decide_item(opened, "ben", 2, "approve", checks={"colour": "match"}, clock=lambda: at[1])
        note = '=HYPERLINK("x")'
        review.decide_item(opened, "aki", 3, "reject", reasons=["other", "copy"], note=note, clock=lambda: at[2])
        review.undo_item(opened, "aki", 1, clock=lambda: at[3])
        yield opened


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        (Search(), [4, 3, 2, 1]),
        (Search(reviewer="aki"), [4, 3, 1]),
        (Search(reviewer="nobody"), []),
        (Search(verdict="approve"), [2, 1]),
        (Search(origin="script"), [3, 2, 1]),
        (Search(item_id=1), [4, 1]),
        (Search(product="ENAMEL"), [4, 3, 2, 1]),
        (Search(product="mug-1", verdict="reject"), [3]),
        (Search(product="%"), []),
        (Search(since=START + timedelta(hours=1), until=START + timedelta(hours=3)), [3, 2]),
    ],
)
def test_entries_finds_what_is_asked_for(catalog: Catalog, search: Search, ids: list[int]) -> None:
    assert [made.id for made in audit.entries(catalog, "olga", search)] == ids


def test_entries_come_in_pages(catalog: Catalog) -> None:
    assert [made.id for made in audit.entries(catalog, "ada", limit=2)] == [4, 3]
    assert [made.id for made in audit.entries(catalog, "ada", before_id=3, limit=2)] == [2, 1]


@pytest.mark.parametrize("actor", ["aki", "nobody"])
def test_only_auditors_leads_and_admins_read_the_log(catalog: Catalog, tmp_path: Path, actor: str) -> None:
    for attempt in (
        lambda: audit.entries(catalog, actor),
        lambda: audit.check(catalog, actor),
        lambda: audit.export(catalog, actor, tmp_path / "log.csv"),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert not (tmp_path / "log.csv").exists()


def test_check_says_that_all_is_well(catalog: Catalog) -> None:
    assert audit.check(catalog, "olga") == audit.Check(decisions=4, broken=None, differences=())


def test_export_writes_every_row_as_jsonl(catalog: Catalog, tmp_path: Path) -> None:
    assert audit.export(catalog, "olga", tmp_path / "log.jsonl") == 4
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [4, 3, 2, 1]
    assert (rows[1]["reasons"], rows[1]["note"]) == (["other", "copy"], '=HYPERLINK("x")')
    assert (rows[2]["checks"], rows[3]["superseded"]) == ({"colour": "match"}, True)


def test_export_writes_csv_that_no_spreadsheet_runs(catalog: Catalog, tmp_path: Path) -> None:
    audit.export(catalog, "olga", tmp_path / "log.csv", Search(reviewer="aki", verdict="reject"))
    assert (tmp_path / "log.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")  # Excel reads UTF-8 then
    with (tmp_path / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["note"] == '\'=HYPERLINK("x")'
    assert (row["id"], row["reasons"], row["decided_at"]) == ("3", "other; copy", "2026-05-01T11:00:00+00:00")


@pytest.mark.parametrize("note", ["＝1+1", "\n=1+1", "\ufeff=1+1", "\u202e=1+1", " =1+1", "\t=1+1", "＠x"])
def test_export_writes_csv_as_safe_as_a_delivery(catalog: Catalog, tmp_path: Path, note: str) -> None:
    review.decide_item(catalog, "aki", 1, "approve", note=note)
    audit.export(catalog, "olga", tmp_path / "log.csv", Search(item_id=1))
    audit.export(catalog, "olga", tmp_path / "log.jsonl", Search(item_id=1))
    with (tmp_path / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["note"] == "'" + note.strip(" \n\t\ufeff\u202e")
    assert json.loads((tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()[0])["note"].endswith(note[1:])


def test_export_refuses_in_one_line(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(ReviewRefused, match="the log is written as jsonl or csv, not as 'xlsx'"):
        audit.export(catalog, "olga", tmp_path / "log.xlsx")
    (tmp_path / "log.csv").write_text("mine")
    with pytest.raises(ReviewRefused, match="exists already; choose another file"):
        audit.export(catalog, "olga", tmp_path / "log.csv")
    with pytest.raises(ReviewRefused, match="no verdict 'maybe'; allowed: approve"):
        audit.entries(catalog, "olga", Search(verdict="maybe"))
    assert (tmp_path / "log.csv").read_text() == "mine"


def test_a_lead_sees_what_is_settled_and_no_colleague_on_open_pictures(catalog: Catalog) -> None:
    assert [made.id for made in audit.entries(catalog, "lea")] == [3, 2]
    assert [made.id for made in audit.entries(catalog, "olga")] == [4, 3, 2, 1]
    review.decide_item(catalog, "lea", 1, "approve")
    assert [made.id for made in audit.entries(catalog, "lea")] == [5, 4, 3, 2, 1]
