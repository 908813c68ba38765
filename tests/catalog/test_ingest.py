"""Ingest: the same dump twice changes nothing, an edit changes one product, nothing bad is fatal."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select, text, update

from catalog.errors import CatalogUnwritable, IngestRefused
from catalog.ingest import ingest
from catalog.lock import file_lock
from catalog.records import IngestReport
from catalog.schema import (
    AttributeRow,
    GenerationRow,
    ImageRow,
    IngestRunRow,
    ProductImageRow,
    ProductRow,
    QuarantineRow,
    SourceFileRow,
    VariantRow,
)
from catalog.store import Catalog

PRODUCTS = 10


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    with Catalog.open(tmp_path / "workspace") as opened:
        yield opened


def draw(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 48, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=90)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Ten products, a picture each, two of them with the same bytes."""
    root = tmp_path / "dump"
    rows = [f"S{n},Mug {n},mugs,{'red' if n % 2 else 'blue'},img/{n}.jpg" for n in range(PRODUCTS)]
    for n in range(PRODUCTS):
        draw(root / f"img/{n}.jpg", seed=min(n, PRODUCTS - 2))
    (root / "products.csv").write_text("sku,name,category,color,image\n" + "\n".join(rows) + "\n")
    return root


def edit(dump: Path, old: str, new: str) -> None:
    table = dump / "products.csv"
    content = table.read_text()
    assert old in content
    table.write_text(content.replace(old, new))


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.products_added, report.products_updated, report.products_unchanged, report.products_missing


def state(catalog: Catalog) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that describe the catalogue, without the numbers of runs."""
    queries = {
        "products": "SELECT sku, name, category, status, description, row_hash FROM product ORDER BY sku",
        "attributes": "SELECT p.sku, a.name, a.value FROM attribute a JOIN product p ON p.id = a.product_id"
        " ORDER BY 1, 2, 3",
        "images": "SELECT sha256, width, height FROM image ORDER BY sha256",
        "links": "SELECT p.sku, i.sha256, l.position FROM product_image l JOIN product p ON p.id = l.product_id"
        " JOIN image i ON i.id = l.image_id ORDER BY 1, 2",
        "captions": "SELECT p.sku, c.text FROM caption c JOIN product p ON p.id = c.product_id ORDER BY 1, 2",
        "files": "SELECT path, sha256, reason FROM source_file ORDER BY path",
    }
    with catalog.read() as session:
        return {name: [tuple(row) for row in session.execute(text(query))] for name, query in queries.items()}


def count(catalog: Catalog, row: Any) -> int:
    with catalog.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_ingest_stores_products_pictures_facts_and_captions(catalog: Catalog, dump: Path) -> None:
    report = ingest(catalog, dump)
    assert counts(report) == (PRODUCTS, 0, 0, 0)
    assert (report.images_added, report.images_reused, report.images_linked) == (PRODUCTS - 1, 1, PRODUCTS)
    assert report.source == "dump" and report.quarantined == 0 and report.captions > 0
    with catalog.read() as session:
        product = session.scalars(select(ProductRow).where(ProductRow.sku == "S1")).one()
        facts = session.execute(
            select(AttributeRow.name, AttributeRow.value).where(AttributeRow.product_id == product.id)
        )
        assert (product.name, product.category) == ("Mug 1", "mugs")
        assert ("color", "red") in [tuple(row) for row in facts]
        image = session.scalars(select(ImageRow)).first()
        assert image is not None and (image.width, image.height) == (48, 40)
        stored = catalog.blobs.read(image.sha256)
    assert stored in [(dump / f"img/{n}.jpg").read_bytes() for n in range(PRODUCTS)]


def test_the_same_dump_twice_changes_nothing_and_decodes_nothing(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    before = state(catalog)
    report = ingest(catalog, dump)
    assert counts(report) == (0, 0, PRODUCTS, 0)
    assert (report.images_added, report.images_reused, report.images_decoded) == (0, PRODUCTS, 0)
    assert state(catalog) == before


def test_an_edited_row_updates_one_product_and_keeps_its_id(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    edit(dump, "S3,Mug 3,mugs,red", "S3,Mug 3,mugs,green")
    with catalog.read() as session:
        before = session.scalar(select(ProductRow.id).where(ProductRow.sku == "S3"))
    assert counts(ingest(catalog, dump)) == (0, 1, PRODUCTS - 1, 0)
    with catalog.read() as session:
        assert session.scalar(select(ProductRow.id).where(ProductRow.sku == "S3")) == before
        values = session.scalars(select(AttributeRow.value).where(AttributeRow.product_id == before))
        assert "green" in list(values)


def test_a_new_row_above_the_others_adds_one_product(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    edit(dump, "image\n", "image\nS99,New mug,mugs,red,img/0.jpg\n")
    assert counts(ingest(catalog, dump)) == (1, 0, PRODUCTS, 0)


def test_a_changed_picture_updates_its_product(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    draw(dump / "img/2.jpg", seed=77)
    report = ingest(catalog, dump)
    assert counts(report) == (0, 1, PRODUCTS - 1, 0)
    assert report.images_added == 1


def test_a_moved_picture_is_not_decoded_again(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    (dump / "img/2.jpg").rename(dump / "img/two.jpg")
    edit(dump, "img/2.jpg", "img/two.jpg")
    report = ingest(catalog, dump)
    assert counts(report) == (0, 1, PRODUCTS - 1, 0)
    assert (report.images_added, report.images_decoded) == (0, 0)


def test_a_missing_row_is_marked_and_comes_back(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    row = "S3,Mug 3,mugs,red,img/3.jpg\n"
    edit(dump, row, "")
    assert counts(ingest(catalog, dump)) == (0, 0, PRODUCTS - 1, 1)
    assert count(catalog, ProductRow) == PRODUCTS
    edit(dump, "image\n", "image\n" + row)
    assert counts(ingest(catalog, dump)) == (0, 1, PRODUCTS - 1, 0)


def test_prune_deletes_missing_products_but_none_with_generated_pictures(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    with catalog.write() as session:
        used = session.scalars(select(ProductRow.id).where(ProductRow.sku == "S4")).one()
        sha256 = session.scalars(select(ImageRow.sha256)).first()
        session.add(GenerationRow(image_sha256=sha256, product_id=used, run="r", seed=0, prompt="p"))
    edit(dump, "S3,Mug 3,mugs,red,img/3.jpg\n", "")
    edit(dump, "S4,Mug 4,mugs,blue,img/4.jpg\n", "")
    report = ingest(catalog, dump, prune=True)
    assert (report.products_pruned, report.products_missing) == (1, 1)
    with catalog.read() as session:
        skus = set(session.scalars(select(ProductRow.sku)))
    assert "S3" not in skus and "S4" in skus


def test_a_dump_that_lost_most_products_is_refused_until_accepted(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    before = state(catalog)
    (dump / "products.csv").write_text("sku,name,category,color,image\nS0,Mug 0,mugs,blue,img/0.jpg\n")
    with pytest.raises(IngestRefused) as caught:
        ingest(catalog, dump)
    assert "--accept-shrink" in str(caught.value) and "--source NAME" in str(caught.value)
    assert state(catalog) == before
    assert ingest(catalog, dump, accept_shrink=True).products_missing == PRODUCTS - 1


def test_two_dumps_in_one_workspace_leave_each_other_alone(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    report = ingest(catalog, dump, source="second shop")
    assert counts(report) == (PRODUCTS, 0, 0, 0)
    assert (report.images_added, report.images_reused) == (0, PRODUCTS)
    assert counts(ingest(catalog, dump)) == (0, 0, PRODUCTS, 0)


def test_bad_pictures_and_rows_are_quarantined_with_line_and_reason(catalog: Catalog, dump: Path) -> None:
    whole = (dump / "img/1.jpg").read_bytes()
    (dump / "img/1.jpg").write_bytes(whole[: len(whole) // 2])
    (dump / "img/2.jpg").write_text("<!DOCTYPE html><h1>404</h1>")
    edit(dump, "img/3.jpg", "../../img/3.jpg")
    expected = {("IMG_TRUNCATED", 3), ("IMG_NOT_IMAGE", 4), ("FILE_ESCAPES_ROOT", 5)}
    for added in (PRODUCTS, 0):
        report = ingest(catalog, dump)
        assert report.products_added == added and report.quarantined == 3
        assert {(issue.reason, issue.line) for issue in report.issues} == expected
    with catalog.read() as session:
        rows = session.execute(
            select(QuarantineRow.reason, QuarantineRow.line, QuarantineRow.source).where(
                QuarantineRow.run_id == report.run_id
            )
        )
        assert {tuple(row) for row in rows} == {(reason, line, "products.csv") for reason, line in expected}
    (dump / "img/1.jpg").write_bytes(whole)
    assert ingest(catalog, dump).quarantined == 2


def test_variants_keep_their_ids_when_a_product_changes(catalog: Catalog, dump: Path) -> None:
    (dump / "products.csv").write_text(
        "name,sku,optionGroups,optionValues,assets\nMug,M1,size,S,img/0.jpg\n,M2,,L,\nCup,C1,,,img/1.jpg\n"
    )
    assert ingest(catalog, dump).variants == 3
    with catalog.read() as session:
        before = {sku: id_ for sku, id_ in session.execute(select(VariantRow.sku, VariantRow.id))}
    edit(dump, ",M2,,L,", ",M2,,XL,")
    assert ingest(catalog, dump).products_updated == 1
    with catalog.read() as session:
        assert {sku: id_ for sku, id_ in session.execute(select(VariantRow.sku, VariantRow.id))} == before
        assert "XL" in list(session.scalars(select(AttributeRow.value).where(AttributeRow.variant_id == before["M2"])))


def test_a_picture_that_is_not_plain_is_stored_as_plain_pixels(catalog: Catalog, dump: Path) -> None:
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(dump / "img/0.png")
    edit(dump, "img/0.jpg", "img/0.png")
    ingest(catalog, dump)
    with catalog.read() as session:
        row = session.scalars(
            select(ImageRow).join(ProductImageRow).join(ProductRow).where(ProductRow.sku == "S0")
        ).one()
        assert row.flags == {"alpha": True, "alpha_share": 0.0}
        with catalog.blobs.open(row.sha256) as file:
            assert Image.open(file).convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert counts(ingest(catalog, dump)) == (0, 0, PRODUCTS, 0)


def test_dry_run_reports_the_same_and_changes_nothing(catalog: Catalog, dump: Path) -> None:
    planned = ingest(None, dump, dry_run=True)
    assert counts(planned) == (PRODUCTS, 0, 0, 0) and planned.run_id is None
    before = state(catalog)
    assert ingest(catalog, dump, dry_run=True).images_added == PRODUCTS - 1
    assert state(catalog) == before and count(catalog, IngestRunRow) == 0
    assert not (catalog.workspace / "blobs").exists()


def test_names_that_are_no_source_names_are_refused(catalog: Catalog, dump: Path) -> None:
    for name in ("", "a/b", "x" * 101, "a\nb"):
        with pytest.raises(IngestRefused, match="--source NAME"):
            ingest(catalog, dump, source=name)


def test_products_whose_pictures_are_all_bad_are_refused(catalog: Catalog, dump: Path) -> None:
    for path in (dump / "img").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(IngestRefused, match=r"no usable picture for any of 10 products .*IMG_NOT_IMAGE"):
        ingest(catalog, dump)


def test_a_second_ingest_at_the_same_time_is_refused(catalog: Catalog, dump: Path) -> None:
    with file_lock(catalog.workspace / ".ingest.lock", "ingest"), pytest.raises(CatalogUnwritable, match="wait for it"):
        ingest(catalog, dump)


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(
    catalog: Catalog, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("os.replace", _no_space)
        with (
            ThreadPoolExecutor(1) as here,
            pytest.raises(CatalogUnwritable, match=r"No space left on device.*run the same command again") as caught,
        ):
            ingest(catalog, dump, executor=here)
        assert "\n" not in str(caught.value)
    assert counts(ingest(catalog, dump)) == (PRODUCTS, 0, 0, 0)


def _no_space(source: str, target: str) -> None:
    raise OSError(28, "No space left on device")


def test_a_killed_run_is_completed_by_the_same_command(tmp_path: Path) -> None:
    root = tmp_path / "dump"
    for n in range(100):
        draw(root / f"img/{n}.jpg", seed=n)
    rows = "".join(f"S{n},Mug {n},red,img/{n}.jpg\n" for n in range(100))
    (root / "products.csv").write_text("sku,name,color,image\n" + rows)
    with Catalog.open(tmp_path / "whole") as whole:
        ingest(whole, root)
        expected = state(whole)
    code = (
        "import os, signal; from pathlib import Path\n"
        "from catalog.ingest import ingest; from catalog.store import Catalog\n"
        "def stop(description, done, total):\n"
        "    if description == 'products' and done >= 64: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"ingest(Catalog.open(Path({str(tmp_path / 'killed')!r})), Path({str(root)!r}), progress=stop)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    died = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    with Catalog.open(tmp_path / "killed") as killed:
        assert 0 < count(killed, ProductRow) < 100
        report = ingest(killed, root)
        assert report.products_added + report.products_unchanged == 100
        assert state(killed) == expected
        with killed.read() as session:
            assert list(session.scalars(select(IngestRunRow.state).order_by(IngestRunRow.id))) == ["failed", "done"]


def test_a_remembered_file_whose_picture_is_gone_is_read_again(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    with catalog.write() as session:
        session.execute(update(SourceFileRow).where(SourceFileRow.path == "img/0.jpg").values(image_id=None))
    assert counts(ingest(catalog, dump)) == (0, 0, PRODUCTS, 0)


def test_a_workspace_inside_the_dump_is_no_part_of_it(dump: Path) -> None:
    (dump / "products.csv").unlink()
    with Catalog.open(dump / "adapt-workspace") as inside:
        assert ingest(inside, dump).products_added == PRODUCTS
        assert counts(ingest(inside, dump)) == (0, 0, PRODUCTS, 0)


def test_links_that_leave_and_unreadable_files_are_quarantined(catalog: Catalog, dump: Path, tmp_path: Path) -> None:
    draw(tmp_path / "outside.jpg", seed=5)
    (dump / "img/out.jpg").symlink_to(tmp_path / "outside.jpg")
    (dump / "img/loop.jpg").symlink_to(dump / "img/loop.jpg")
    report = ingest(catalog, dump)
    assert ("FILE_ESCAPES_ROOT", "img/out.jpg") in [(issue.reason, issue.source) for issue in report.issues]
    assert report.images_linked == PRODUCTS


def test_prune_does_not_switch_the_shrink_guard_off(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    (dump / "products.csv").write_text("sku,name,category,color,image\nS0,Mug 0,mugs,blue,img/0.jpg\n")
    with pytest.raises(IngestRefused, match="--accept-shrink"):
        ingest(catalog, dump, prune=True)
    report = ingest(catalog, dump, prune=True, accept_shrink=True)
    assert (report.products_pruned, count(catalog, ProductRow)) == (PRODUCTS - 1, 1)


def test_sources_are_read_without_following_time(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    os.utime(dump / "img/0.jpg", (time.time() + 60, time.time() + 60))
    report = ingest(catalog, dump)
    assert counts(report) == (0, 0, PRODUCTS, 0) and report.images_added == 0


def test_ingest_tries_an_unreadable_file_again(catalog: Catalog, dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalog.paths import DumpFile

    read = DumpFile.read

    def refused(file: DumpFile, limit: int) -> bytes:
        if file.path == "img/0.jpg":
            raise PermissionError(13, "Permission denied")
        return read(file, limit)

    monkeypatch.setattr(DumpFile, "read", refused)  # the tests may run as root, whom no permission stops
    with ThreadPoolExecutor(1) as here:
        first = ingest(catalog, dump, executor=here)
    assert [issue.reason for issue in first.issues] == ["FILE_UNREADABLE"]
    monkeypatch.undo()
    again = ingest(catalog, dump)
    assert (again.issues, again.images_added, counts(again)) == ((), 1, (0, 1, PRODUCTS - 1, 0))


def test_ingest_restores_a_picture_that_the_store_lost(catalog: Catalog, dump: Path) -> None:
    ingest(catalog, dump)
    before = state(catalog)
    lost = next((catalog.workspace / "blobs").rglob("*.jpg"))
    lost.unlink()
    again = ingest(catalog, dump)
    assert lost.is_file() and catalog.blobs.read(lost.stem)
    assert (again.images_added, counts(again)) == (1, (0, 0, PRODUCTS, 0))
    assert state(catalog) == before
