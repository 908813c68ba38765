"""Runs after the first: changes only, files that moved, rotted or went, and runs that were killed."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select

from catalog.errors import IngestRefused
from catalog.ingest import ingest
from catalog.readers.draft import DraftAttribute, DraftPicture, DraftProduct, DraftVariant
from catalog.records import IngestReport
from catalog.schema import CaptionRow, IngestRunRow, ProductRow
from catalog.store import Catalog
from catalog.workers import WorkerPool

PRODUCTS = 10
HEADER = "sku,name,category,color,image\n"
State = Callable[[Catalog], dict[str, list[tuple[Any, ...]]]]


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    with Catalog.open(tmp_path / "workspace") as opened:
        yield opened


def draw(path: Path, seed: int, side_px: int = 40) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (side_px, 48, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=90)


def row(n: int) -> str:
    return f"S{n},Mug {n},mugs,{'red' if n % 2 else 'blue'},img/{n}.jpg\n"


def make_dump(root: Path, products: int) -> Path:
    for n in range(products):
        draw(root / f"img/{n}.jpg", seed=n)
    (root / "products.csv").write_text(HEADER + "".join(row(n) for n in range(products)))
    return root


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return make_dump(tmp_path / "dump", PRODUCTS)


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.products_added, report.products_updated, report.products_unchanged, report.products_missing


def statuses(catalog: Catalog) -> dict[str, str]:
    with catalog.read() as session:
        return {sku: status for sku, status in session.execute(select(ProductRow.sku, ProductRow.status))}


def test_delta_leaves_absent_products_alone(catalog: Catalog, dump: Path, catalogue_state: State) -> None:
    ingest(catalog, dump)
    # One product of ten: a full run would be refused as a shrink.
    (dump / "products.csv").write_text(HEADER + row(3).replace("Mug 3", "Cup 3"))
    with pytest.raises(IngestRefused, match="--accept-shrink"):
        ingest(catalog, dump)
    report = ingest(catalog, dump, delta=True)
    assert counts(report) == (0, 1, 0, 0)
    assert set(statuses(catalog).values()) == {"active"}
    names = {entry[1]: entry[2] for entry in catalogue_state(catalog)["product"]}
    assert names["S3"] == "Cup 3" and names["S4"] == "Mug 4"


def test_a_run_says_whether_it_was_a_delta(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    ingest(catalog, dump, delta=True)
    with catalog.read() as session:
        assert list(session.scalars(select(IngestRunRow.mode).order_by(IngestRunRow.id))) == ["full", "delta"]


def test_delta_with_prune_is_a_mistake(catalog: Catalog, dump: Path) -> None:
    with pytest.raises(ValueError, match="prune"):
        ingest(catalog, dump, delta=True, prune=True)


def test_delta_does_not_bring_a_missing_product_back(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    (dump / "products.csv").write_text(HEADER + "".join(row(n) for n in range(PRODUCTS) if n != 3))
    assert ingest(catalog, dump).products_missing == 1
    (dump / "products.csv").write_text(HEADER + row(4))
    assert ingest(catalog, dump, delta=True).products_missing == 0
    assert statuses(catalog)["S3"] == "missing"


def rot(path: Path) -> None:
    """Change a byte in the middle and leave size and time as they are."""
    info = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def test_verify_finds_bit_rot_and_keeps_the_stored_picture(
    catalog: Catalog, dump: Path, catalogue_state: State
) -> None:
    ingest(catalog, dump)
    before = catalogue_state(catalog)
    rot(dump / "img/2.jpg")
    assert ingest(catalog, dump).issues == ()
    report = ingest(catalog, dump, verify=True)
    assert [(i.reason, i.severity, i.source, i.line) for i in report.issues] == [
        ("IMG_BIT_ROT", "warning", "products.csv", 4)
    ]
    assert "img/2.jpg" in report.issues[0].detail and "backup" in report.issues[0].detail
    assert (report.images_decoded, counts(report)) == (0, (0, 0, PRODUCTS, 0))
    after = catalogue_state(catalog)
    assert {**after, "quarantine": []} == {**before, "quarantine": []}


def test_verify_of_a_sound_dump_changes_nothing(catalog: Catalog, dump: Path, catalogue_state: State) -> None:
    ingest(catalog, dump)
    before = catalogue_state(catalog)
    report = ingest(catalog, dump, verify=True)
    assert (report.images_decoded, report.issues, counts(report)) == (0, (), (0, 0, PRODUCTS, 0))
    assert catalogue_state(catalog) == before


def test_verify_takes_in_a_refused_file_that_was_mended(catalog: Catalog, dump: Path) -> None:
    whole = (dump / "img/2.jpg").read_bytes()
    (dump / "img/2.jpg").write_bytes(whole[:-200] + bytes(200))
    assert next(issue.reason for issue in ingest(catalog, dump).issues).startswith("IMG_")
    info = (dump / "img/2.jpg").stat()
    (dump / "img/2.jpg").write_bytes(whole)
    os.utime(dump / "img/2.jpg", ns=(info.st_atime_ns, info.st_mtime_ns))
    report = ingest(catalog, dump, verify=True)
    assert (report.images_added, report.issues) == (1, ())


def test_copies_within_a_dump_are_decoded_once(catalog: Catalog, dump: Path) -> None:
    for n in range(5):
        (dump / f"img/{n}.jpg").write_bytes((dump / "img/9.jpg").read_bytes())
    report = ingest(catalog, dump)
    assert (report.images_decoded, report.images_added, report.images_reused) == (5, 5, 5)


def test_pictures_of_another_source_are_not_decoded_again(catalog: Catalog, dump: Path, tmp_path: Path) -> None:
    ingest(catalog, dump)
    report = ingest(catalog, make_dump(tmp_path / "second", PRODUCTS))
    assert (report.images_decoded, report.images_reused) == (0, PRODUCTS)


def test_a_removed_picture_leaves_its_product(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    (dump / "img/2.jpg").unlink()
    report = ingest(catalog, dump)
    assert [issue.reason for issue in report.issues] == ["FILE_MISSING"]
    assert (counts(report), report.images_linked) == ((0, 1, PRODUCTS - 1, 0), PRODUCTS - 1)


def test_an_edited_product_keeps_captions_people_wrote(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    with catalog.write() as session:
        product = session.scalars(select(ProductRow.id).where(ProductRow.sku == "S3")).one()
        other = session.scalars(select(CaptionRow.id).where(CaptionRow.product_id != product)).all()
        session.add(CaptionRow(product_id=product, text="the mug we approved", origin="human"))
    (dump / "products.csv").write_text((dump / "products.csv").read_text().replace("Mug 3", "Cup 3"))
    ingest(catalog, dump)
    with catalog.read() as session:
        assert "the mug we approved" in list(
            session.scalars(select(CaptionRow.text).where(CaptionRow.product_id == product))
        )
        kept = session.scalars(select(CaptionRow.id).where(CaptionRow.product_id != product)).all()
    assert sorted(kept) == sorted(other)


def test_the_second_run_writes_no_row_but_its_own(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    with catalog.read() as session:
        before = session.execute(select(ProductRow.id, ProductRow.row_hash, ProductRow.last_run_id)).all()
    ingest(catalog, dump)
    with catalog.read() as session:
        assert session.execute(select(ProductRow.id, ProductRow.row_hash, ProductRow.last_run_id)).all() == before
        assert session.scalar(select(func.count()).select_from(IngestRunRow)) == 2


def test_a_product_edited_by_a_killed_run_gets_its_captions(
    catalog: Catalog, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(catalog, dump)
    (dump / "products.csv").write_text(
        (dump / "products.csv").read_text().replace("Mug 3,mugs,red", "Mug 3,mugs,green")
    )
    with monkeypatch.context() as patched:
        # As a kill between the last row and the first caption.
        patched.setattr("catalog.ingest.rebuild_captions", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ingest(catalog, dump)
    assert "green" not in " ".join(captions(catalog, "S3"))
    assert counts(ingest(catalog, dump)) == (0, 0, PRODUCTS, 0)
    assert "green" in " ".join(captions(catalog, "S3"))


def captions(catalog: Catalog, sku: str) -> list[str]:
    with catalog.read() as session:
        return list(session.scalars(select(CaptionRow.text).join(ProductRow).where(ProductRow.sku == sku)))


def test_every_field_of_a_draft_but_the_line_counts_as_content() -> None:
    def draft() -> DraftProduct:
        return DraftProduct(
            sku="a",
            name="b",
            attributes=[DraftAttribute(name="c", value="d")],
            variants=[DraftVariant(key="e", sku="f", attributes=[DraftAttribute(name="g", value="h")])],
            pictures=[DraftPicture(path="i")],
        )

    parts = [lambda d: d, lambda d: d.attributes[0], lambda d: d.variants[0], lambda d: d.pictures[0]]
    parts.append(lambda d: d.variants[0].attributes[0])
    before = draft().content_hash()
    for part in parts:
        for name in (field.name for field in fields(part(draft()))):
            changed = draft()
            value = getattr(part(changed), name)
            setattr(part(changed), name, [] if isinstance(value, list) else 7.5 if name == "number" else "other")
            assert (changed.content_hash() == before) == (name == "line"), name


def ids(catalog: Catalog) -> list[Any]:
    from sqlalchemy import text

    queries = (
        "SELECT id, sku, first_run_id, last_run_id FROM product ORDER BY id",
        "SELECT id, sha256 FROM image ORDER BY id",
        "SELECT id, path, image_id FROM source_file ORDER BY id",
        "SELECT id, product_id, name, value FROM attribute ORDER BY id",
        "SELECT id, product_id, image_id FROM product_image ORDER BY id",
        "SELECT id, product_id, text FROM caption ORDER BY id",
        "SELECT source, line, reason, detail FROM quarantine ORDER BY id",
    )
    with catalog.read() as session:
        return [session.execute(text(query)).all() for query in queries]


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    root = make_dump(tmp_path / "dump", 150)
    for n in range(0, 150, 10):  # large ones among small ones, so that workers overtake each other
        draw(root / f"img/{n}.jpg", seed=n, side_px=1500)
    (root / "img/33.jpg").write_bytes((root / "img/140.jpg").read_bytes())
    (root / "img/44.jpg").write_text("<html>")
    found = []
    for workers in (1, 2, None):
        with Catalog.open(tmp_path / f"w{workers}") as catalog:
            executor = ThreadPoolExecutor(4) if workers is None else None
            report = ingest(catalog, root, workers=workers, executor=executor)
            found.append(
                (ids(catalog), report.images_added, report.images_reused, report.images_decoded, report.issues)
            )
            if executor is not None:
                executor.shutdown()
    assert found[0] == found[1] == found[2]
    assert found[0][1:4] == (148, 1, 149)


class PoolBeforePipe(WorkerPool):
    """Workers that find a pipe in the place of one picture, as on a file server that does not answer."""

    def __init__(self, path: Path, **settings: Any) -> None:
        super().__init__(1, **settings)
        self.path, self.aside = path, path.with_suffix(".aside")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if args and getattr(args[0], "actual", None) == self.path:
            self.path.rename(self.aside)
            os.mkfifo(self.path)
        return super().submit(fn, *args, **kwargs)

    def give_back(self) -> None:
        """Put the picture back, with its time as it was."""
        self.aside.replace(self.path)
        self.shutdown()


def test_a_picture_that_takes_too_long_is_one_row_and_is_tried_again(catalog: Catalog, dump: Path) -> None:
    draw(dump / "img/4.jpg", seed=4, side_px=64)  # of a size of its own, so that nobody compares it with another
    pool = PoolBeforePipe(dump / "img/4.jpg", timeout_s=2.0)
    report = ingest(catalog, dump, executor=pool)
    pool.give_back()
    assert [(issue.reason, issue.line) for issue in report.issues] == [("IMG_TIMEOUT", 6)]
    assert (report.products_added, report.images_added) == (PRODUCTS, PRODUCTS - 1)
    again = ingest(catalog, dump)
    assert (again.images_decoded, again.issues) == (1, ())


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def test_a_crash_while_decoding_is_one_row(catalog: Catalog, dump: Path) -> None:
    draw(dump / "img/4.jpg", seed=4, side_px=64)
    pool = PoolBeforePipe(dump / "img/4.jpg")
    worker = pool.submit(os.getpid).result()
    with ThreadPoolExecutor(1) as beside:
        run = beside.submit(ingest, catalog, dump, executor=pool)
        end = _open_end(dump / "img/4.jpg", run)
        os.kill(worker, signal.SIGKILL)
        report = run.result()
    os.close(end)
    pool.give_back()
    assert [(issue.reason, issue.line) for issue in report.issues] == [("IMG_CRASHED", 6)]
    assert "SIGKILL" in report.issues[0].detail and report.images_added == PRODUCTS - 1
    assert ingest(catalog, dump).images_decoded == 1


def _open_end(pipe: Path, run: Future[Any]) -> int:
    """Open the writing end of a pipe as soon as a worker reads from it, which then waits until the end is closed."""
    while not run.done():
        if pipe.is_fifo():
            try:
                return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                assert error.errno == errno.ENXIO  # nobody reads from it yet
        time.sleep(0.001)
    raise AssertionError("the run ended without reading the picture")


def await_end(workers: list[int]) -> bool:
    """Whether these processes end; one that init has not collected yet counts as ended."""

    def ended(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    deadline = time.monotonic() + 10
    while not all(map(ended, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return all(map(ended, workers))


def stored(workspace: Path) -> int:
    return len(list((workspace / "blobs").glob("*/*")))


def test_a_run_killed_at_any_moment_is_completed_by_the_same_command(
    tmp_path: Path, repository: Path, catalogue_state: State
) -> None:
    root = make_dump(tmp_path / "dump", 140)
    (root / "img/5.jpg").write_text("no picture")
    with Catalog.open(tmp_path / "whole") as whole:
        ingest(whole, root, source="dump")
        expected = catalogue_state(whole)
    command = [sys.executable, "-m", "adapt.cli", "-w", str(tmp_path / "killed"), "ingest", str(root)]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    moments = random.Random(0)
    for _ in range(3):
        run = subprocess.Popen(command, cwd=repository, env=environment, stdout=subprocess.DEVNULL)
        # A moment of the work, not of the start: at a number of stored pictures, and up to the captions after it.
        have = stored(tmp_path / "killed")
        wanted = moments.randint(have + 1, 139) if have < 139 else 139
        while stored(tmp_path / "killed") < wanted and run.poll() is None:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.6) if moments.random() < 0.5 else 0)
        workers = children(run.pid) if run.poll() is None else []
        run.kill()
        run.wait()
        assert await_end(workers)
    subprocess.run(command, cwd=repository, env=environment, stdout=subprocess.DEVNULL, check=True)
    with Catalog.open(tmp_path / "killed") as killed:
        assert catalogue_state(killed) == expected
        assert not list((tmp_path / "killed" / "blobs").rglob("*.part"))


def test_a_dump_of_changes_keeps_pictures_it_does_not_hold(catalog: Catalog, dump: Path, tmp_path: Path) -> None:
    first = ingest(catalog, dump)
    changes = tmp_path / "changes"
    changes.mkdir()
    header, *rows = (dump / "products.csv").read_text("utf-8").splitlines()
    (changes / "products.csv").write_text("\n".join([header, *rows[:2]]).replace("red", "green") + "\n", "utf-8")
    report = ingest(catalog, changes, source=first.source, delta=True, verify=True)
    assert (report.issues, report.images_decoded, report.images_linked, report.products_missing) == ((), 0, 2, 0)
    assert report.pictures.present == 0 and report.rows.read == 2
    again = ingest(catalog, dump)
    assert again.images_decoded == 0 and again.products_missing == 0
