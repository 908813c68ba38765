"""Upgrades keep every row, reference and trigger, from each earlier revision, on SQLite and on PostgreSQL."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from catalog import database, decision_log, migrations
from catalog.errors import CatalogError
from catalog.schema import Base, DecisionRow, ReviewerRow, ReviewItemRow
from catalog.store import Catalog

EARLIER = ("0001", "0002", "0003", "0004")
DAY = datetime(2026, 1, 1, 9, 0)
_STATEMENTS = (
    "INSERT INTO source (id, name, root, created_at) VALUES (1, 's', '.', :day)",
    "INSERT INTO product (id, source_id, sku, name, category, lang, status, description, row_hash, origin)"
    " VALUES (1, 1, 'p', 'p', '', 'en', 'active', '', '', '')",
    "INSERT INTO image (id, sha256, pixel_sha256, ext, format, width, height, size_bytes, kind, phash, flags,"
    " created_at) VALUES (1, 'i', '', 'png', 'PNG', 64, 64, 1, 'generated', '', '{}', :day)",
    "INSERT INTO reviewer (id, name, role, locale, settings, created_at)"
    " VALUES (1, 'aki', 'reviewer', 'en', '{}', :day), (2, 'ben', 'reviewer', 'en', '{}', :day)",
    "INSERT INTO generation (id, image_sha256, product_id, run, seed, prompt, scores, created_at)"
    " VALUES (1, 'i', 1, 'r', 0, 'p', '{}', :day), (2, 'i', 1, 'r', 1, 'p', '{}', :day)",
    "INSERT INTO review_item (id, generation_id, state, round, priority, quorum, flagged, policy_version, lease_owner,"
    " lease_token, lease_until, version, created_at) VALUES"
    " (1, 1, 'rejected', 1, 0, 1, :no, 0, NULL, NULL, NULL, 3, :day),"
    " (2, 2, 'pending', 1, 0, 1, :no, 0, 'ben', 'token', :day, 1, :day)",
    "INSERT INTO comment (id, item_id, reviewer_id, body, created_at) VALUES (1, 1, 2, 'why?', :day)",
)
_DECISION = (
    "INSERT INTO decision (id, item_id, round, reviewer_id, verdict, note, decided_at, blind, policy_version,"
    " ui_version, idempotency_key, supersedes_id, prev_hash, hash) VALUES (:id, 1, 1, 1, :verdict, '', :day, :yes, 0,"
    " '', :key, :supersedes, :prev, :hash)"
)


def _released_hash(previous: str, verdict: str, key: str, supersedes: int | None, reasons: list[str]) -> str:
    """The hash of a row as earlier releases wrote it."""
    moment = DAY.replace(tzinfo=UTC).isoformat()
    content = [previous, 1, 1, 1, verdict, "", None, moment, 0, key, supersedes, reasons]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _fill(connection: Connection) -> None:
    """A decision that was undone and made again, with its reason, a comment and a claimed item."""
    values = {"day": DAY, "yes": True, "no": False}
    for statement in _STATEMENTS:
        names = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(text(statement), names)
    previous = ""
    for id, (verdict, reasons) in enumerate([("approve", []), ("void", []), ("reject", ["other"])], start=1):
        supersedes = id - 1 or None
        digest = _released_hash(previous, verdict, f"k{id}", supersedes, reasons)
        row = {"id": id, "verdict": verdict, "key": f"k{id}", "supersedes": supersedes, "prev": previous}
        connection.execute(text(_DECISION), row | {"hash": digest, "day": DAY, "yes": True})
        previous = digest
    connection.execute(text("INSERT INTO decision_reason (id, decision_id, reason_code) VALUES (1, 3, 'other')"))


def _as_released(engine: Engine, revision: str) -> None:
    migrations.run_to(engine, "0001")
    with database.writing(engine) as connection:
        _fill(connection)
    migrations.run_to(engine, revision)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres_url")
        return address
    return database.sqlite_url(tmp_path / "catalog.db")


@pytest.fixture(params=EARLIER)
def upgraded(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Iterator[Catalog]:
    """A workspace of an earlier revision, opened by this release."""
    _as_released(database.engine_for(url), request.param)
    with Catalog.open(tmp_path, url=url) as catalog:
        yield catalog


def test_upgrade_gives_the_tables_of_the_schema(upgraded: Catalog) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with upgraded.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_upgrade_keeps_the_log_and_its_hashes(upgraded: Catalog) -> None:
    assert decision_log.first_broken_decision(upgraded) is None
    with upgraded.read() as session:
        rows = session.scalars(select(DecisionRow).order_by(DecisionRow.id)).all()
        assert [(row.verdict, row.supersedes_id, row.origin) for row in rows] == [
            ("approve", None, "review"),
            ("void", 1, "review"),
            ("reject", 2, "review"),
        ]
        assert session.scalar(text("SELECT reason_code FROM decision_reason")) == "other"
        assert session.scalar(text("SELECT body FROM comment")) == "why?"
        items = session.scalars(select(ReviewItemRow).order_by(ReviewItemRow.id)).all()
        assert [(item.state, item.lease_owner, item.version) for item in items] == [
            ("rejected", None, 3),
            ("pending", "ben", 1),
        ]


def test_upgrade_makes_the_first_reviewer_an_admin(upgraded: Catalog) -> None:
    with upgraded.read() as session:
        people = session.scalars(select(ReviewerRow).order_by(ReviewerRow.id)).all()
        assert [(row.name, row.role, row.active, row.source) for row in people] == [
            ("aki", "admin", True, "local"),
            ("ben", "reviewer", True, "local"),
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET note = 'x'",
        "DELETE FROM decision",
        "UPDATE decision_reason SET reason_code = 'x'",
        "DELETE FROM policy",
    ],
)
def test_upgrade_keeps_the_log_append_only(upgraded: Catalog, statement: str) -> None:
    with upgraded.write() as session:
        session.execute(
            text("INSERT INTO policy (version, rules, author, note, created_at) VALUES (1, '{}', '', '', :day)"),
            {"day": DAY},
        )
    with pytest.raises(DatabaseError, match="append-only"), upgraded.write() as session:
        session.execute(text(statement))


def test_upgrade_takes_the_new_values_and_refuses_others(upgraded: Catalog) -> None:
    with upgraded.write() as session:
        session.execute(text("UPDATE review_item SET state = 'not_chosen' WHERE id = 2"))
    with pytest.raises((DatabaseError, IntegrityError)), upgraded.write() as session:
        session.execute(text("UPDATE review_item SET state = 'sold' WHERE id = 2"))


def test_upgrade_leaves_foreign_keys_in_force(upgraded: Catalog) -> None:
    for statement in (
        "DELETE FROM review_item WHERE id = 1",
        "INSERT INTO decision_reason (id, decision_id, reason_code) VALUES (9, 99, 'other')",
    ):
        with pytest.raises((DatabaseError, IntegrityError)), upgraded.write() as session:
            session.execute(text(statement))


def test_upgrade_that_finds_a_lost_reference_changes_nothing(tmp_path: Path) -> None:
    url = database.sqlite_url(tmp_path / "catalog.db")
    engine = database.engine_for(url)
    _as_released(engine, "0003")
    raw: Any = engine.raw_connection()
    raw.cursor().execute("PRAGMA foreign_keys=OFF")
    raw.cursor().execute("DELETE FROM review_item WHERE id = 1")
    raw.close()
    engine.dispose()
    with pytest.raises(CatalogError, match="refers to a missing one of review_item") as caught:
        Catalog.open(tmp_path, url=url)
    assert "\n" not in str(caught.value)
    assert migrations.current_version(engine) == "0003"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM decision")) == 3
    engine.dispose()
