"""Opening a workspace: tables, transactions, upgrades, and what a user is told when it cannot be."""

import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog import database, migrations
from catalog.errors import CatalogError, CatalogMissing, CatalogTooNew, CatalogUnwritable
from catalog.schema import (
    AttributeRow,
    Base,
    DecisionRow,
    GenerationRow,
    ImageRow,
    IngestRunRow,
    ProductRow,
    QuarantineRow,
    ReviewerRow,
    ReviewItemRow,
    SourceRow,
)
from catalog.store import Catalog


def one_line(error: BaseException) -> str:
    message = str(error)
    assert "\n" not in message
    return message


def test_open_makes_every_table_of_the_schema(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with Catalog.open(tmp_path) as catalog, catalog.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_head_is_the_newest_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(migrations.FOLDER)).get_current_head() == migrations.HEAD


def test_sqlite_runs_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    with Catalog.open(tmp_path) as catalog, catalog.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        assert session.scalar(text("PRAGMA busy_timeout")) == database.BUSY_TIMEOUT_S * 1000


def test_write_commits_and_an_error_rolls_back(tmp_path: Path) -> None:
    with Catalog.open(tmp_path) as catalog:
        with catalog.write() as session:
            session.add(SourceRow(name="kept", root="."))
        with pytest.raises(RuntimeError), catalog.write() as session:
            session.add(SourceRow(name="lost", root="."))
            session.flush()
            raise RuntimeError
        with catalog.read() as session:
            assert list(session.scalars(select(SourceRow.name))) == ["kept"]


def test_write_loses_no_update_between_threads(tmp_path: Path) -> None:
    with Catalog.open(tmp_path) as catalog:
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


def add_decision(session: Session) -> None:
    """Add one decision and all it hangs on."""
    rows = (
        SourceRow(id=1, name="s", root="."),
        ReviewerRow(id=1, name="r"),
        ImageRow(sha256="i", ext="png", format="PNG", width=64, height=64, size_bytes=1),
        ProductRow(id=1, source_id=1, sku="p", name="p"),
        GenerationRow(id=1, image_sha256="i", product_id=1, run="r", seed=0, prompt="p"),
        ReviewItemRow(id=1, generation_id=1),
        DecisionRow(item_id=1, reviewer_id=1, verdict="approve", idempotency_key="k"),
    )
    for row in rows:
        session.add(row)
        session.flush()


@pytest.mark.parametrize("statement", ["UPDATE decision SET note = 'x'", "DELETE FROM decision"])
def test_decisions_are_append_only(tmp_path: Path, statement: str) -> None:
    with Catalog.open(tmp_path) as catalog:
        with catalog.write() as session:
            add_decision(session)
        with pytest.raises(IntegrityError, match="append-only"), catalog.write() as session:
            session.execute(text(statement))


def test_open_without_create_says_how_to_make_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogMissing) as caught:
        Catalog.open(tmp_path / "none", create=False)
    assert "ingest DUMP" in one_line(caught.value)
    assert not (tmp_path / "none").exists()


def test_open_refuses_a_database_of_a_newer_release(tmp_path: Path) -> None:
    Catalog.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "catalog.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CatalogTooNew) as caught:
        Catalog.open(tmp_path)
    assert "9999" in one_line(caught.value) and "update adapt" in str(caught.value)


def test_open_refuses_a_damaged_database(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"not a database" * 100)
    with pytest.raises(CatalogUnwritable) as caught:
        Catalog.open(tmp_path)
    assert "damaged" in one_line(caught.value)


def test_open_refuses_another_program_s_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "catalog.db") as connection:
        connection.execute("CREATE TABLE customers (id)")
    with pytest.raises(CatalogError) as caught:
        Catalog.open(tmp_path)
    assert "customers" in one_line(caught.value)


def test_open_says_when_the_workspace_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("")
    with pytest.raises(CatalogUnwritable) as caught:
        Catalog.open(tmp_path / "w")
    assert "-w DIR" in one_line(caught.value)


def test_open_refuses_a_url_without_a_driver(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        Catalog.open(tmp_path, url="nosuch://host/db")
    assert "sqlite:///FILE" in one_line(caught.value)


def test_open_says_when_the_workspace_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        if _can_write(tmp_path):
            pytest.skip("this user may write anywhere")
        with pytest.raises(CatalogUnwritable) as caught:
            Catalog.open(tmp_path)
        assert "-w DIR" in one_line(caught.value)
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def _can_write(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    return True


def test_write_says_when_the_disk_is_full(tmp_path: Path) -> None:
    with Catalog.open(tmp_path) as catalog, pytest.raises(CatalogUnwritable) as caught, catalog.write() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        session.execute(text("INSERT INTO source VALUES (1, :name, '.', '2026-01-01')"), {"name": "x" * 1_000_000})
    assert "free some disk space" in one_line(caught.value)


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Migrations with one more step that adds a column and, asked by a file, fails after it."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder)
    (folder / "versions" / "9000_add_colour.py").write_text(
        "import pathlib\nimport sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '9000'\ndown_revision = {migrations.HEAD!r}\n"
        "def upgrade():\n    op.add_column('source', sa.Column('colour', sa.String()))\n"
        f"    if pathlib.Path({str(folder / 'fail')!r}).exists():\n        raise RuntimeError('step failed')\n"
    )
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(migrations, "HEAD", "9000")
    migrations._known_revisions.cache_clear()
    yield folder
    migrations._known_revisions.cache_clear()


@pytest.fixture
def first_release(tmp_path: Path) -> Path:
    """A workspace as the first release left it: a decision and all it hangs on."""
    from alembic import command
    from alembic.config import Config

    workspace = tmp_path / "first"
    workspace.mkdir()
    engine = database.engine_for(database.sqlite_url(workspace / "catalog.db"))
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    with database.writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in _FIRST_ROWS:
            connection.execute(text(statement))
    engine.dispose()
    return workspace


_DAY = "'2026-01-01 00:00:00'"
_FIRST_ROWS = (
    f"INSERT INTO source (id, name, root, created_at) VALUES (1, 's', '.', {_DAY})",
    "INSERT INTO ingest_run (id, source_id, state, reader, counts, evidence, started_at)"
    f" VALUES (1, 1, 'done', 'table', '{{}}', '', {_DAY})",
    "INSERT INTO product (id, source_id, sku, name, category, lang, status, description, row_hash, origin)"
    " VALUES (1, 1, 'p', 'p', '', 'en', 'active', '', '', '')",
    "INSERT INTO attribute (id, product_id, name, value, value_raw, lang, source, kind, position)"
    " VALUES (1, 1, 'height', '8.5', '8.5', 'en', '', 'fact', 0)",
    "INSERT INTO quarantine (id, run_id, source, reason, detail, severity) VALUES (1, 1, 'a', 'B', '', 'error')",
    "INSERT INTO image (id, sha256, pixel_sha256, ext, format, width, height, size_bytes, kind, phash, flags,"
    f" created_at) VALUES (1, 'i', '', 'png', 'PNG', 64, 64, 1, 'catalogue', '8000000000000001', '{{}}', {_DAY})",
    "INSERT INTO reviewer (id, name, role, locale, settings, created_at)"
    f" VALUES (1, 'r', 'lead', 'en', '{{}}', {_DAY})",
    "INSERT INTO generation (id, image_sha256, product_id, run, seed, prompt, scores, created_at)"
    f" VALUES (1, 'i', 1, 'r', 0, 'p', '{{}}', {_DAY})",
    "INSERT INTO review_item (id, generation_id, state, round, priority, quorum, flagged, policy_version, version,"
    f" created_at) VALUES (1, 1, 'approved', 1, 0, 1, 0, 0, 1, {_DAY})",
    "INSERT INTO decision (id, item_id, round, reviewer_id, verdict, note, decided_at, blind, policy_version,"
    f" ui_version, idempotency_key, prev_hash, hash) VALUES (1, 1, 1, 1, 'approve', '', {_DAY}, 1, 0, '', 'k', '', '')",
)


@pytest.fixture
def older_workspace(tmp_path: Path) -> Path:
    """A workspace of this release with one row."""
    with Catalog.open(tmp_path / "w") as catalog, catalog.write() as session:
        session.add(SourceRow(name="kept", root="."))
    return tmp_path / "w"


def test_open_upgrades_an_older_database_after_a_backup(older_workspace: Path, next_release: Path) -> None:
    with Catalog.open(older_workspace) as catalog, catalog.read() as session:
        assert session.execute(text("SELECT name, colour FROM source")).all() == [("kept", None)]
    (backup,) = older_workspace.glob("catalog.before-*.db")
    with sqlite3.connect(backup) as connection:
        assert connection.execute("SELECT name FROM source").fetchall() == [("kept",)]


def test_open_upgrades_the_first_release_and_keeps_its_rows(first_release: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with Catalog.open(first_release) as catalog:
        with catalog.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        with catalog.read() as session:
            image = session.scalars(select(ImageRow)).one()
            # An empty fingerprint: an older algorithm's, so it is made again before pictures are compared.
            assert (image.sha256, image.fingerprint, image.compared, image.placeholder) == ("i", "", False, False)
            assert image.band0 is None
            run = session.scalars(select(IngestRunRow)).one()
            assert (run.mode, run.mapping, run.reader) == ("full", "", "table")
            assert session.scalars(select(QuarantineRow)).one().params == {}
            fact = session.scalars(select(AttributeRow)).one()
            assert (fact.value, fact.number) == ("8.5", None)
            assert session.scalars(select(DecisionRow)).one().verdict == "approve"
        with pytest.raises(IntegrityError, match="append-only"), catalog.write() as session:
            session.execute(text("DELETE FROM decision"))
    (backup,) = first_release.glob("catalog.before-0001.db")
    with sqlite3.connect(backup) as connection:
        assert connection.execute("SELECT verdict FROM decision").fetchall() == [("approve",)]


def test_an_image_row_gets_the_bands_of_its_hash(tmp_path: Path) -> None:
    shared = {"ext": "png", "format": "PNG", "width": 64, "height": 64, "size_bytes": 1}
    with Catalog.open(tmp_path) as catalog:
        with catalog.write() as session:
            rows = [{"sha256": "a", "phash": "0001ffff80000010", **shared}, {"sha256": "b", "phash": "", **shared}]
            session.execute(insert(ImageRow), rows)
        with catalog.read() as session:
            bands = session.execute(
                select(ImageRow.band0, ImageRow.band1, ImageRow.band2, ImageRow.band3).order_by(ImageRow.sha256)
            )
            assert [tuple(row) for row in bands] == [(1, 0xFFFF, 0x8000, 0x10), (None, None, None, None)]


def test_a_failed_upgrade_leaves_the_older_tables(older_workspace: Path, next_release: Path) -> None:
    (next_release / "fail").touch()
    with pytest.raises(RuntimeError, match="step failed"):
        Catalog.open(older_workspace)
    with sqlite3.connect(older_workspace / "catalog.db") as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(source)")]
    assert "colour" not in columns
    (next_release / "fail").unlink()
    Catalog.open(older_workspace).close()


@pytest.mark.parametrize("name", ["what?x=1", "50%41", "a#b", "日本 +&"])
def test_workspace_may_have_any_name(tmp_path: Path, name: str) -> None:
    with Catalog.open(tmp_path / "deep" / name):
        pass
    assert (tmp_path / "deep" / name / "catalog.db").is_file()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == [name]
