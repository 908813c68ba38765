"""Engines and sessions: SQLite in WAL mode with explicit transactions, or PostgreSQL.

SQLAlchemy's default for SQLite begins a transaction only at the first write, so two processes that
read and then write lose updates silently. Here the driver never begins by itself; read sessions
emit BEGIN, write sessions BEGIN IMMEDIATE.

PostgreSQL gets the same rules: a read session sees one snapshot, and write transactions come one at a time, by an
advisory lock of the database. What reads and then writes is therefore safe on both; transactions are kept short.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import JSON, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError
from sqlalchemy.orm import Session

from catalog.errors import CatalogError, CatalogUnwritable
from catalog.phrases import say
from catalog.turns import turns_at

BUSY_TIMEOUT_S = 30
CACHE_KIB = 64 * 1024
"""Pages of the SQLite file a connection keeps in memory."""
MAX_VARIABLES = 999
"""Values in one statement that any build of SQLite takes."""
_BEGIN = "sqlite_begin"


def sqlite_url(path: Path) -> str:
    """Return the SQLAlchemy URL of a SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(path))}"


def engine_for(url: str) -> Engine:
    """Return an engine for `url` with the transaction rules of this module.

    Raises:
        CatalogError: The URL names a database nobody has a driver for.
    """
    try:
        if not url.startswith("sqlite"):
            return _server_engine(url)
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})
    except (ImportError, ValueError, TypeError, ArgumentError) as error:
        reason = str(error).splitlines()[0]
        raise CatalogError(
            say(
                "cannot use this database URL ({reason}); allowed: sqlite:///FILE or postgresql://USER@HOST/NAME",
                reason=reason,
            )
        ) from error
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _server_engine(url: str) -> Engine:
    address = make_url(url)
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+pg8000")  # the driver our extra `postgres` installs
    engine = create_engine(address, pool_pre_ping=True)
    if engine.dialect.name == "postgresql":
        # This driver sends a row at a time; many rows in one statement are 30 times as fast.
        engine.dialect.use_insertmanyvalues_wo_returning = True
        event.listen(engine, "begin", _begin_postgres)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # Indexes of a hundred thousand products fit; with the default of 2 MB they were read and written again and again.
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "")
    connection.exec_driver_sql(f"BEGIN {mode}".strip())


def _begin_postgres(connection: Connection) -> None:
    if connection.get_execution_options().get(_BEGIN):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key("write")})
    elif connection.get_isolation_level() != "AUTOCOMMIT":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


@contextmanager
def named_lock(engine: Engine, what: str) -> Iterator[None]:
    """Hold a lock of a PostgreSQL server, which lets go of it when this process dies.

    Args:
        engine: The database.
        what: What is going on under the lock; its name and the message.

    Raises:
        CatalogUnwritable: Another process, here or on another machine, holds it.
    """
    with _translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"key": _lock_key(what)}
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            raise CatalogUnwritable(
                say("another {what} is running on this database; wait for it to end and run this again", what=what)
            )
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"adapt {name}".encode()).digest()[:8], signed=True)


@contextmanager
def read_session(engine: Engine) -> Iterator[Session]:
    """Yield a session for reading one consistent snapshot; nothing is committed."""
    with _translated(), Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session


def write_connection(engine: Engine) -> Connection:
    """Return a connection, not yet in a transaction, whose transactions hold the write lock."""
    return engine.execution_options(**{_BEGIN: "IMMEDIATE"}).connect()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in one write transaction, for statements that have no session."""
    with write_connection(engine) as connection, connection.begin():
        yield connection


@contextmanager
def write_session(engine: Engine) -> Iterator[Session]:
    """Yield a session that holds the write lock from its first statement; commits at the end."""
    writer = engine.execution_options(**{_BEGIN: "IMMEDIATE"})
    with _translated(), _turn(engine), Session(writer, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait until no other thread of this process writes to a SQLite file; a server keeps the order by itself."""
    if engine.dialect.name != "sqlite":
        yield
        return
    with turns_at(str(engine.url)).mine(BUSY_TIMEOUT_S) as came:
        if not came:
            raise CatalogUnwritable(_busy())
        yield


def _busy() -> str:
    return say(
        "the catalogue was busy for {seconds} s; wait for the other command to end and run this again",
        seconds=BUSY_TIMEOUT_S,
    )


def insert_rows(session: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows of plain values.

    Args:
        session: A write session.
        table: Where to; columns that are not named get what the database gives them, usually NULL.
        columns: Names of columns whose values are text, numbers or NULL, or dictionaries for JSON.
        rows: Values in the order of `columns`.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        json_places = {place for place, name in enumerate(columns) if isinstance(table.c[name].type, JSON)}
        if json_places:
            rows = [
                tuple(json.dumps(value) if place in json_places else value for place, value in enumerate(row))
                for row in rows
            ]
        # The driver takes tuples as they are; SQLAlchemy would look at each value of each row. Several rows a
        # statement save a third of the time.
        together = MAX_VARIABLES // len(columns)
        whole = len(rows) - len(rows) % together
        groups = [tuple(chain.from_iterable(rows[at : at + together])) for at in range(0, whole, together)]
        rest = list(rows[whole:])
        for size, values in ((together, groups), (1, rest)):
            if values:
                marks = ", ".join([f"({', '.join('?' * len(columns))})"] * size)
                connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {marks}", values)
    else:
        connection.execute(table.insert(), [dict(zip(columns, row, strict=True)) for row in rows])


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the few database failures a user can put right into one line."""
    try:
        yield
    except DBAPIError as error:
        advice = advice_for(error)
        if advice is None:
            raise
        raise CatalogUnwritable(advice) from error


def advice_for(error: DBAPIError) -> str | None:
    """Return one line for a failure of the disk, of locking or of the way to a server, or None for any other error."""
    said = str(error.orig).lower()
    if isinstance(error, InterfaceError) or "connection" in said:
        return say(
            "cannot reach the database ({orig}); check its address and that it runs, then run this again",
            orig=str(error.orig),
        )
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        return say(
            "cannot write the catalogue ({orig}); the workspace must be writable: choose another with -w DIR",
            orig=str(error.orig),
        )
    if "full" in said or "disk i/o" in said:
        return say(
            "cannot write the catalogue ({orig}); free some disk space and run the same command again",
            orig=str(error.orig),
        )
    if "locked" in said:
        return _busy()
    if "not a database" in said or "malformed" in said:
        return say(
            "the catalogue file is damaged ({orig}); restore a backup beside it or choose another -w DIR",
            orig=str(error.orig),
        )
    return None
