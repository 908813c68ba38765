"""The same catalogue on a real PostgreSQL server: tables, locks, and what a user is told when it is not there."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DatabaseError

from catalog import database
from catalog.errors import CatalogError, CatalogUnwritable
from catalog.ingest import ingest
from catalog.schema import Base, ImageRow, ProductRow, ReviewerRow, SourceRow
from catalog.store import Catalog


@pytest.fixture
def catalog(tmp_path: Path, postgres_url: str) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "workspace", url=postgres_url) as opened:
        yield opened


def test_open_makes_every_table_of_the_schema(catalog: Catalog) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with catalog.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_ingest_gives_the_same_rows_as_on_sqlite(
    catalog: Catalog, tmp_path: Path, sample_catalogue: Path, catalogue_state: Callable[[Any], Any]
) -> None:
    first = ingest(catalog, sample_catalogue)
    with Catalog.open(tmp_path / "sqlite") as other:
        ingest(other, sample_catalogue)
        expected = catalogue_state(other)
    assert first.products_added == 12 and first.captions > 0
    assert catalogue_state(catalog) == expected
    again = ingest(catalog, sample_catalogue)
    assert (again.products_unchanged, again.images_decoded) == (12, 0)
    assert catalogue_state(catalog) == expected


def test_write_loses_no_update_between_threads(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.add(SourceRow(name="counter", root="0"))

    def add_one_often() -> None:
        for _ in range(10):
            with catalog.write() as session:
                value = int(session.scalar(select(SourceRow.root)) or 0)
                session.execute(update(SourceRow).values(root=str(value + 1)))

    threads = [threading.Thread(target=add_one_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with catalog.read() as session:
        assert session.scalar(select(SourceRow.root)) == "40"


def test_read_sees_one_snapshot(catalog: Catalog) -> None:
    with catalog.read() as session:
        assert session.scalar(select(SourceRow.name)) is None
        with catalog.write() as other:
            other.add(SourceRow(name="late", root="."))
        assert session.scalar(select(SourceRow.name)) is None
    with catalog.read() as session:
        assert session.scalar(select(SourceRow.name)) == "late"


def test_decisions_are_append_only(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.execute(insert(ReviewerRow).values(id=1, name="r", role="lead"))
        session.execute(insert(SourceRow).values(id=1, name="s", root="."))
        session.execute(
            insert(ImageRow).values(sha256="i", ext="png", format="PNG", width=9, height=9, size_bytes=1, flags={})
        )
        session.execute(insert(ProductRow).values(id=1, source_id=1, sku="p", name="p"))
        session.execute(
            text(
                "INSERT INTO generation (id, image_sha256, product_id, run, seed, prompt, scores, created_at)"
                " VALUES (1, 'i', 1, 'r', 0, 'p', '{}', now())"
            )
        )
        session.execute(
            text(
                "INSERT INTO review_item (id, generation_id, state, round, priority, quorum, flagged,"
                " policy_version, version, created_at) VALUES (1, 1, 'pending', 1, 0, 1, false, 0, 0, now())"
            )
        )
        session.execute(
            text(
                "INSERT INTO decision (id, item_id, round, reviewer_id, verdict, origin, note, decided_at, blind,"
                " policy_version, ui_version, idempotency_key, prev_hash, hash)"
                " VALUES (1, 1, 1, 1, 'approve', 'review', '', now(), true, 0, '', 'k', '', '')"
            )
        )
    with pytest.raises(DatabaseError, match="append-only"), catalog.write() as session:
        session.execute(text("UPDATE decision SET note = 'x'"))


def test_one_source_is_ingested_by_one_machine_at_a_time(
    catalog: Catalog, tmp_path: Path, postgres_url: str, sample_catalogue: Path
) -> None:
    # Another workspace on the same database stands for another machine.
    with Catalog.open(tmp_path / "elsewhere", url=postgres_url) as other:
        with other.ingesting("shop"), pytest.raises(CatalogUnwritable, match="another ingest of source 'shop'"):
            ingest(catalog, sample_catalogue, source="shop")
        with other.ingesting("another shop"):
            assert ingest(catalog, sample_catalogue, source="shop").products_added == 12


def test_the_lock_of_an_ingest_ends_with_its_process(catalog: Catalog, postgres_url: str, repository: Path) -> None:
    code = (
        "import sys, time; from catalog import database\n"
        f"with database.named_lock(database.engine_for({postgres_url!r}), \"ingest of source 'shop'\"):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(CatalogUnwritable), catalog.ingesting("shop"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with catalog.engine.connect() as connection:  # the server notices the closed connection at once or soon after
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        while connection.scalar(text(held)):
            connection.rollback()
    with catalog.ingesting("shop"):
        pass


def test_two_machines_may_open_a_new_database_at_once(tmp_path: Path, postgres_url: str) -> None:
    opened: list[Any] = []

    def open_one(name: str) -> None:
        try:
            with Catalog.open(tmp_path / name, url=postgres_url) as catalog, catalog.read() as session:
                opened.append(session.scalar(text("SELECT count(*) FROM product")))
        except Exception as error:
            opened.append(error)

    threads = [threading.Thread(target=open_one, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [0, 0, 0]


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnwritable, match="cannot reach the database") as caught:
        Catalog.open(tmp_path, url="postgresql://adapt@127.0.0.1:1/nothing")
    assert "\n" not in str(caught.value)


def test_plain_addresses_use_the_driver_of_the_extra() -> None:
    assert database.engine_for("postgresql://adapt@127.0.0.1/x").dialect.driver == "pg8000"
    with pytest.raises(CatalogError, match="postgresql://USER@HOST/NAME"):
        database.engine_for("nosuch://host/db")
