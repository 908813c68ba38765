"""A delivery is whole or not there, whatever stops the export, and the next one goes on from what is there."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from approved_pictures import Thing, approve, draw
from PIL import Image
from sqlalchemy import event, select, text

from catalog import delivery_log, export, people, review, summary
from catalog.deliveries import deliveries
from catalog.errors import CatalogUnwritable, ExportRefused
from catalog.lock import file_lock
from catalog.schema import ExportRunRow
from catalog.store import Catalog

pytestmark = pytest.mark.slow
PICTURES = 40

STOPPED = """
import os, resource, signal, sys
from pathlib import Path
from catalog import delivery_log, export
from catalog.errors import CatalogError
from catalog.exporters.part_folder import PartFolder
from catalog.store import Catalog

workspace, out, format, how, when = sys.argv[1:]

def stop():
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "interrupt":
        raise KeyboardInterrupt
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

def progress(description, done, total):
    if when == f"{description} {done}":
        stop()

def with_stop(function):
    def stopped(*arguments):
        result = function(*arguments)
        stop()
        return result
    return stopped

if when == "tables":
    export.fill = with_stop(export.fill)
elif when == "noted":
    delivery_log.note = with_stop(delivery_log.note)
elif when == "named":  # synced, one call away from the name
    Path.rename = lambda path, to, rename=Path.rename: rename(path, to) if path.name == "plan.new" else stop()
elif when == "published":
    PartFolder.publish = with_stop(PartFolder.publish)
with Catalog.open(Path(workspace)) as catalog:
    try:
        base_url = 'https://cdn.example.com' if format == 'shopify' else ''
        export.export(catalog, out=Path(out), format=format, base_url=base_url, progress=progress)
    except (CatalogError, KeyboardInterrupt) as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def approved(tmp_path: Path) -> Path:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"), Thing(sku="MUG-2")), PICTURES // 2)
    with Catalog.open(workspace) as catalog:
        approve(catalog, range(1, PICTURES + 1))
    return workspace


def stopped(workspace: Path, out: Path, *, format: str, how: str, when: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", STOPPED, str(workspace), str(out), format, how, when],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def runs(catalog: Catalog) -> list[ExportRunRow]:
    with catalog.read() as session:
        return list(session.scalars(select(ExportRunRow).order_by(ExportRunRow.id)))


@pytest.mark.parametrize(
    ("format", "when", "reused"),
    [
        ("folder", "exporting 25", 25),
        ("shopify", "tables", PICTURES),
        ("folder", "reading back 0", PICTURES),
        ("coco", "noted", PICTURES),
        ("imagefolder", "named", 0),  # what was needed to go on is gone by then
        ("webdataset", "exporting 30", 0),  # in the middle of the first archive
        ("webdataset", "reading back 0", 1),
    ],
)
def test_export_goes_on_after_a_kill(approved: Path, tmp_path: Path, format: str, when: str, reused: int) -> None:
    out = tmp_path / "deliveries" / "out"
    base_url = "https://cdn.example.com" if format == "shopify" else ""
    done = stopped(approved, out, format=format, how="kill", when=when)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert sorted(path.name for path in out.parent.iterdir()) == [".out.part", ".out.part.lock"]
    with Catalog.open(approved) as catalog:
        report = export.export(catalog, out=out, format=format, base_url=base_url)
        assert (report.images, report.verified, report.reused) == (PICTURES, PICTURES, reused)
        assert [path.name for path in out.parent.iterdir()] == ["out"]
        fresh = export.export(catalog, out=tmp_path / "fresh", format=format, base_url=base_url)
        assert [run.state for run in runs(catalog)][-2:] == ["done", "done"]
        assert len({run.path for run in runs(catalog) if run.state == "done"}) == 2
    assert fresh.reused == 0 and files_of(out) == files_of(fresh.path)


def test_export_killed_after_its_name_is_found_by_the_next(approved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = stopped(approved, out, format="folder", how="kill", when="published")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert export.verify(out).ok and not (tmp_path / ".out.part").exists()
    with Catalog.open(approved) as catalog:
        assert [run.state for run in runs(catalog)] == ["running"] and summary.summarize(catalog).exported == 0
        with pytest.raises(ExportRefused, match="exists already"):
            export.export(catalog, out=out)
        assert [run.state for run in runs(catalog)] == ["done"] and summary.summarize(catalog).exported == PICTURES


def test_export_killed_after_its_name_is_listed(approved: Path, tmp_path: Path) -> None:
    stopped(approved, tmp_path / "out", format="folder", how="kill", when="published")
    with Catalog.open(approved) as catalog:
        people.sign_in(catalog, "lea", role="lead")
        with file_lock(approved / ".export.lock", "export"):
            assert deliveries(catalog, "lea") == []  # another export may be the one that noted it
        (found,) = deliveries(catalog, "lea")
        assert (found.path, found.images) == (tmp_path / "out", PICTURES)


def test_delivery_that_was_noted_and_is_not_the_folder_there_is_given_up(approved: Path, tmp_path: Path) -> None:
    stopped(approved, tmp_path / "out", format="folder", how="kill", when="noted")
    with Catalog.open(approved) as catalog:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "export.json").write_text("{}")
        delivery_log.settle(catalog)
        assert [run.state for run in runs(catalog)] == ["failed"] and summary.summarize(catalog).exported == 0


def test_export_that_cannot_be_confirmed_says_that_it_is_there(
    approved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise CatalogUnwritable("the disk is full")

    with Catalog.open(approved) as catalog:
        monkeypatch.setattr(delivery_log, "_settle", full)  # a disk that fills up in this very moment
        with pytest.raises(CatalogUnwritable, match=r"is complete, but .* \(the disk is full\); nothing is to be made"):
            export.export(catalog, out=tmp_path / "out")
        monkeypatch.undo()
        delivery_log.settle(catalog)
        assert [run.state for run in runs(catalog)] == ["done"]
    assert export.verify(tmp_path / "out").ok


def test_export_writes_again_what_is_not_intact(approved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped(approved, out, format="folder", how="kill", when="exporting 25")
    images = sorted((tmp_path / ".out.part" / "images").iterdir())
    images[0].write_bytes(images[0].read_bytes()[:-5])
    images[1].unlink()
    images[2].unlink()
    images[2].symlink_to(images[3])
    with Catalog.open(approved) as catalog:
        assert export.export(catalog, out=out).reused == 22
    assert export.verify(out).ok and not images[2].is_symlink()


def test_export_starts_anew_for_another_state(approved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped(approved, out, format="folder", how="kill", when="exporting 25")
    with Catalog.open(approved) as catalog:
        approve(catalog, [3], by=("bo",), verdict="reject")
        report = export.export(catalog, out=out)
        assert (report.images, report.excluded, report.reused) == (PICTURES - 1, {"conflict": 1}, 0)
    assert export.verify(out).ok


def test_export_stopped_by_hand_goes_on(approved: Path, tmp_path: Path) -> None:
    done = stopped(approved, tmp_path / "out", format="folder", how="interrupt", when="exporting 10")
    assert done.stdout.startswith("KeyboardInterrupt") and not (tmp_path / "out").exists()
    with Catalog.open(approved) as catalog:
        assert export.export(catalog, out=tmp_path / "out").reused == 10


def test_export_on_a_full_disk_is_one_line_and_goes_on(approved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = stopped(approved, out, format="folder", how="full", when="exporting 10")
    assert done.stdout.startswith(f"CatalogUnwritable cannot write the delivery {out} (File too large); free space")
    assert f"the same command goes on from {tmp_path / '.out.part'}" in done.stdout and done.stdout.count("\n") == 1
    assert not out.exists()
    with Catalog.open(approved) as catalog:
        assert export.export(catalog, out=out).reused == 10


def test_export_waits_for_no_other(approved: Path, tmp_path: Path) -> None:
    with (
        Catalog.open(approved) as catalog,
        file_lock(approved / ".export.lock", "export"),
        pytest.raises(CatalogUnwritable, match="another export is running in"),
    ):
        export.export(catalog, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_export_takes_nothing_for_its_folder_that_appears_meanwhile(approved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def appear(description: str, done: float, total: float | None) -> None:
        if (description, done) == ("exporting", 5):
            out.mkdir()

    with Catalog.open(approved) as catalog, pytest.raises(ExportRefused, match="exists by now; choose another folder"):
        export.export(catalog, out=out, progress=appear)
    assert list(out.iterdir()) == [] and not (tmp_path / ".out.part").exists()


def test_export_refuses_a_link_in_its_place(approved: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".out.part").symlink_to(tmp_path / "elsewhere")
    with Catalog.open(approved) as catalog, pytest.raises(ExportRefused, match="is a link; remove it"):
        export.export(catalog, out=tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("place", [".work", ".work/plan", ".work/plan.new", ".work/state", ".work/pictures", "images"])
@pytest.mark.parametrize("begun", [False, True])
def test_export_never_follows_a_link_in_its_part_folder(
    approved: Path, tmp_path: Path, place: str, begun: bool
) -> None:
    out, part, victim = tmp_path / "out", tmp_path / ".out.part", tmp_path / "victim"
    if begun:
        stopped(approved, out, format="folder", how="kill", when="exporting 25")
    victim.mkdir()
    for name in ("thesis.txt", "state", "pictures"):
        (victim / name).write_text("years of work")
    before = files_of(victim)
    link = part / place
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.exists():
        link.rename(tmp_path / "aside")
    link.symlink_to(victim / "thesis.txt" if place in (".work/state", ".work/pictures") else victim)
    with Catalog.open(approved) as catalog:
        assert export.export(catalog, out=out).images == PICTURES
    assert files_of(victim) == before and export.verify(out).ok


def test_export_follows_no_link_that_appears_while_it_runs(approved: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()

    def appear(description: str, done: float, total: float | None) -> None:
        if (description, done) == ("exporting", 5):
            (tmp_path / ".out.part" / "images").rename(tmp_path / "aside")
            (tmp_path / ".out.part" / "images").symlink_to(tmp_path / "victim")

    with Catalog.open(approved) as catalog, pytest.raises(ExportRefused, match="images is a link; remove it"):
        export.export(catalog, out=tmp_path / "out", progress=appear)
    assert files_of(tmp_path / "victim") == {} and not (tmp_path / "out").exists()


def test_export_makes_no_lock_through_a_link(approved: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.part.lock").symlink_to(tmp_path / "elsewhere")
    with Catalog.open(approved) as catalog, pytest.raises(ExportRefused, match=r"\.lock is a link; remove it"):
        export.export(catalog, out=tmp_path / "out")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"x" * 100_000])
def test_export_starts_anew_when_its_notes_are_damaged(approved: Path, tmp_path: Path, content: bytes) -> None:
    out = tmp_path / "out"
    stopped(approved, out, format="folder", how="kill", when="exporting 25")
    (tmp_path / ".out.part" / ".work" / "state").write_bytes(content)
    with Catalog.open(approved) as catalog:
        assert export.export(catalog, out=out).reused == 0
    assert export.verify(out).ok


def test_two_workspaces_never_work_in_one_folder(approved: Path, tmp_path: Path) -> None:
    other, out = draw(tmp_path / "other" / "workspace", (Thing(sku="MUG-3"),), 3), tmp_path / "deliveries" / "out"
    said = []

    with Catalog.open(approved) as catalog, Catalog.open(other) as second:
        approve(second, range(1, 4))

        def meanwhile(description: str, done: float, total: float | None) -> None:
            if (description, done) in (("exporting", 5), ("reading back", 0)):
                with pytest.raises(CatalogUnwritable) as refused:
                    export.export(second, out=out)
                said.append(str(refused.value))

        assert export.export(catalog, out=out, progress=meanwhile).verified == PICTURES
    assert said == [f"another export is running in {out.parent}; wait for it to end and run this again"] * 2
    assert export.verify(out).files == PICTURES and [path.name for path in out.parent.iterdir()] == ["out"]


def test_export_delivers_no_approval_that_was_taken_back_meanwhile(approved: Path, tmp_path: Path) -> None:
    with Catalog.open(approved) as catalog:

        def meanwhile(description: str, done: float, total: float | None) -> None:
            if (description, done) == ("reading back", 0):
                for item_id in range(1, 8):
                    review.undo_item(catalog, "aki", item_id)

        with pytest.raises(ExportRefused) as refused:
            export.export(catalog, out=tmp_path / "out", progress=meanwhile)
        assert str(refused.value) == (
            "approvals were taken back while the export ran: item 1, 2, 3, 4, 5 and 2 more; nothing was delivered, "
            "run the same command again"
        )
        assert not list(tmp_path.glob("*out*")) and not list(tmp_path.glob(".out*"))
        assert export.export(catalog, out=tmp_path / "out").images == PICTURES - 7
        assert [run.state for run in runs(catalog)] == ["failed", "done"]


def test_export_lets_go_what_was_approved_all_along(approved: Path, tmp_path: Path) -> None:
    with Catalog.open(approved) as catalog:

        def meanwhile(description: str, done: float, total: float | None) -> None:
            if (description, done) == ("reading back", 0):
                review.undo_item(catalog, "aki", 1)
                review.decide_item(catalog, "bo", 1, "approve")

        assert export.export(catalog, out=tmp_path / "out", progress=meanwhile).images == PICTURES


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_export_into_a_folder_that_may_not_be_written(approved: Path, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    with Catalog.open(approved) as catalog, pytest.raises(CatalogUnwritable, match="Permission denied"):
        export.export(catalog, out=tmp_path / "shut" / "out")


def test_export_refuses_a_picture_that_changed_since(approved: Path, tmp_path: Path) -> None:
    other = io.BytesIO()
    Image.new("RGB", (12, 10)).save(other, "PNG")
    with Catalog.open(approved) as catalog:
        with catalog.read() as session:
            sha256 = session.scalar(text("SELECT image_sha256 FROM generation WHERE id = 7"))
        catalog.blobs.path(sha256).write_bytes(other.getvalue())
        with pytest.raises(ExportRefused, match=r"item 7 changed on disk .* adapt decide 7 --undo") as caught:
            export.export(catalog, out=tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*out*"))


def test_export_asks_the_database_by_the_batch(
    tmp_path: Path, count_statements: Callable[[Catalog], list[str]]
) -> None:
    counts = []
    for pictures in (10, 200):
        workspace = draw(tmp_path / f"{pictures}" / "workspace", (Thing(sku="MUG-1"),), pictures)
        with Catalog.open(workspace) as catalog:
            approve(catalog, range(1, pictures + 1))
            said = count_statements(catalog)
            export.export(catalog, out=tmp_path / f"out-{pictures}")
            counts.append(len(said))
    assert counts[0] == counts[1]


@pytest.fixture
def count_statements() -> Callable[[Catalog], list[str]]:
    """Return a function that gives a list every statement on a catalogue is added to from now on."""

    def watch(catalog: Catalog) -> list[str]:
        said: list[str] = []

        def add(connection: object, cursor: object, statement: str, *rest: object) -> None:
            said.append(statement)

        event.listen(catalog.engine, "before_cursor_execute", add)
        return said

    return watch
