"""A delivery holds exactly what was approved, proves where it comes from, and is complete or not there."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from catalog import delivery_log, export, provenance, queue, review
from catalog.errors import CatalogUnwritable, ExportRefused
from catalog.exporters.manifest import slug
from catalog.policy import Policy
from catalog.schema import ExportFileRow, ExportRunRow
from catalog.store import Catalog

NO_WAIT = Policy(min_view_s=0)


def judge(catalog: Catalog, item_id: int, verdict: str) -> None:
    item = review.claim(catalog, "aiko", item_id=item_id)
    assert item is not None
    reasons = ("other",) if verdict == "reject" else ()
    review.decide(catalog, item.id, item.lease_token or "", verdict, reasons=reasons, scripted=True)


@pytest.fixture
def judged(queued: Callable[..., Path]) -> Path:
    """A workspace with five candidates: two approved, one rejected, one undone, one undecided."""
    workspace = queued(5)
    with Catalog.open(workspace) as catalog:
        for item_id, verdict in ((1, "approve"), (2, "reject"), (3, "approve"), (4, "approve")):
            judge(catalog, item_id, verdict)
        review.undo(catalog, "aiko")
    return workspace


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_export_delivers_the_approved_marked_and_unchanged(queued: Callable[..., Path], fmt: str) -> None:
    with Catalog.open(queued(3, fmt=fmt)) as catalog:
        judge(catalog, 2, "approve")
        report = export.export(catalog)
        assert (report.images, report.verified, report.excluded) == (1, 1, {"undecided": 2})
        row = json.loads((report.path / "manifest.jsonl").read_text())
        data = (report.path / row["file_name"]).read_bytes()
        assert provenance.source_type(data) == provenance.TRAINED
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["source_sha256"] == queue.item(catalog, 2).image_sha256


def test_export_follows_the_standing_decisions(judged: Path) -> None:
    with Catalog.open(judged) as catalog:
        report = export.export(catalog)
        assert (report.images, report.excluded) == (2, {"rejected": 1, "undecided": 2})
        rows = [json.loads(line) for line in (report.path / "manifest.jsonl").read_text().splitlines()]
        assert [row["source_sha256"] for row in rows] == [queue.item(catalog, number).image_sha256 for number in (1, 3)]
        assert "aiko" not in (report.path / "manifest.jsonl").read_text()
        assert rows[0]["attributes"][0] == {"lang": "en", "name": "colour", "unit": None, "value": "blue"}
        with catalog.read() as session:
            run = session.scalars(select(ExportRunRow)).one()
            assert (run.state, run.counts) == ("done", {"images": 2, "excluded": report.excluded})
            assert all(session.scalars(select(ExportFileRow.verified)))


def test_export_of_the_same_state_is_the_same_bytes(judged: Path) -> None:
    with Catalog.open(judged) as catalog:
        first, second = export.export(catalog), export.export(catalog)
    assert (first.path.name, second.path.name) == ("folder-001", "folder-002")
    assert files_of(first.path) == files_of(second.path)


def test_export_dry_run_writes_nothing(judged: Path, tmp_path: Path) -> None:
    with Catalog.open(judged) as catalog:
        report = export.export(catalog, out=tmp_path / "out", dry_run=True)
        assert (report.images, report.verified) == (2, 0)
        with catalog.read() as session:
            assert session.scalars(select(ExportRunRow)).all() == []
    assert not (tmp_path / "out").exists()


def test_export_delivers_nothing_when_the_log_was_tampered_with(judged: Path, tmp_path: Path) -> None:
    with Catalog.open(judged) as catalog:
        with catalog.write() as session:
            session.execute(
                text(
                    "INSERT INTO decision(item_id, round, reviewer_id, verdict, note, decided_at, blind,"
                    " policy_version, ui_version, idempotency_key, prev_hash, hash) SELECT 5, 1, reviewer_id,"
                    " 'approve', '', decided_at, 0, 0, '', 'forged', '', 'forged' FROM decision LIMIT 1"
                )
            )
            session.execute(text("UPDATE review_item SET state = 'approved' WHERE id = 5"))
        with pytest.raises(ExportRefused, match="was changed or added outside the review"):
            export.export(catalog, out=tmp_path / "delivery")
    assert not (tmp_path / "delivery").exists()


def test_export_never_delivers_a_photo_of_the_catalogue(judged: Path, tmp_path: Path) -> None:
    with Catalog.open(judged) as catalog:
        with catalog.write() as session:
            session.execute(text("UPDATE image SET kind = 'catalogue'"))
        report = export.export(catalog, out=tmp_path / "delivery", dry_run=True)
    assert report.images == 0 and report.excluded["not_generated"] == 2


def test_export_refuses_an_address(judged: Path) -> None:
    with Catalog.open(judged) as catalog, pytest.raises(ExportRefused, match="is an address"):
        export.export(catalog, out=Path("s3://bucket/delivery"))


def test_export_refuses_to_overwrite(judged: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with Catalog.open(judged) as catalog, pytest.raises(ExportRefused, match="exists already; choose another folder"):
        export.export(catalog, out=tmp_path / "out")
    assert files_of(tmp_path / "out") == {}


def test_export_refuses_when_nothing_is_approved(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(2)) as catalog:
        with pytest.raises(ExportRefused, match=r"no approved picture to export \(2 undecided\)"):
            export.export(catalog)
        assert not (catalog.workspace / "exports").exists()


def test_export_refuses_an_unknown_format(queued: Callable[..., Path]) -> None:
    with (
        Catalog.open(queued(1)) as catalog,
        pytest.raises(ExportRefused, match="no export format 'zip'; allowed: folder"),
    ):
        export.export(catalog, format="zip")


def test_export_leaves_out_a_picture_whose_file_is_gone(judged: Path) -> None:
    with Catalog.open(judged) as catalog:
        catalog.blobs.path(queue.item(catalog, 1).image_sha256).unlink()
        report = export.export(catalog)
    assert (report.images, report.excluded["picture_missing"]) == (1, 1)


def test_export_that_fails_leaves_no_folder(judged: Path, tmp_path: Path) -> None:
    with Catalog.open(judged) as catalog:
        catalog.blobs.path(queue.item(catalog, 3).image_sha256).write_bytes(b"damaged")
        with pytest.raises(ExportRefused, match="changed on disk since it was reviewed"):
            export.export(catalog, out=tmp_path / "deliveries" / "out")
    assert list((tmp_path / "deliveries").iterdir()) == []


def test_verify_finds_what_was_changed(judged: Path) -> None:
    with Catalog.open(judged) as catalog:
        folder = export.export(catalog).path
    assert export.verify(folder).ok
    first, second = sorted(name for name in files_of(folder) if name.startswith("images/"))
    (folder / first).write_bytes((folder / first).read_bytes() + b"x")
    (folder / second).unlink()
    (folder / "images" / "extra.png").write_bytes(b"")
    found = export.verify(folder)
    assert (found.files, found.verified, found.ok) == (2, 0, False)
    assert found.problems == (
        f"{first}: changed since the export",
        f"{second}: missing",
        "images/extra.png: not in the manifest",
    )


def test_verify_refuses_a_folder_that_is_no_delivery(tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="is no complete delivery"):
        export.verify(tmp_path)
    with pytest.raises(ExportRefused, match="no folder"):
        export.verify(tmp_path / "missing")


@pytest.mark.parametrize(
    ("sku", "expected"),
    [("MUG-1", "MUG-1"), ("../../etc/passwd", "etc-passwd"), ("マグ", "item"), ("", "item"), (".hidden", "hidden")],
)
def test_slug_is_a_safe_file_name(sku: str, expected: str) -> None:
    assert slug(sku) == expected


def test_export_survives_line_separators_in_a_name(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(1, name="Mug\u2028blue\u0085new")) as catalog:
        judge(catalog, 1, "approve")
        assert export.verify(export.export(catalog).path).ok


def test_export_that_cannot_be_recorded_leaves_no_delivery(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise CatalogUnwritable("the disk is full")

    with Catalog.open(judged) as catalog:
        monkeypatch.setattr(delivery_log, "note", full)  # a disk that fills up in this very moment
        with pytest.raises(CatalogUnwritable):
            export.export(catalog)
    assert list((judged / "exports").iterdir()) == []
