"""Bring a database to the tables of this release: on open, under a lock, after a backup.

A new step is made with Alembic's autogenerate against `catalog.schema` (see CONTRIBUTING). On
SQLite a step that recreates a table drops the table's triggers in silence: it must create the
append-only triggers again. Foreign keys are off while steps run, since dropping the old table would
delete what refers to it; all references are checked before the upgrade is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from catalog.database import advice_for, write_connection, writing
from catalog.errors import CatalogError, CatalogTooNew, CatalogUnwritable
from catalog.lock import file_lock
from catalog.phrases import say

FOLDER = Path(__file__).parent
LOCK_WAIT_S = 60.0
VERSION_TABLE = "alembic_version"
HEAD = "0005"
"""Newest revision; a constant, since Alembic takes 0.2 s to import and most opens have nothing to do."""


def upgrade(engine: Engine, workspace: Path) -> None:
    """Create or upgrade the tables of a database; does nothing when they are of this release.

    Args:
        engine: The database.
        workspace: Folder for the lock and, with SQLite, for the backup of an older database.

    Raises:
        CatalogTooNew: A newer release wrote the database.
        CatalogUnwritable: It cannot be written, is damaged, or another process holds the lock.
    """
    try:
        if current_version(engine) == HEAD:
            return
        with file_lock(workspace / ".upgrade.lock", say("upgrade"), wait_s=LOCK_WAIT_S):
            version = current_version(engine)
            if version == HEAD:
                return
            _refuse_unknown(version, engine)
            if version is not None:
                backup(engine, workspace, version)
            run_to(engine, HEAD)
    except DBAPIError as error:
        advice = advice_for(error)
        if advice is None:
            raise
        raise CatalogUnwritable(advice) from error


def current_version(engine: Engine) -> str | None:
    """Return the revision a database is at, or None for an empty one."""
    with engine.connect() as connection:
        if VERSION_TABLE not in inspect(connection).get_table_names():
            return None
        return connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))


def backup(engine: Engine, workspace: Path, version: str) -> Path | None:
    """Copy a SQLite database beside itself before it is changed; an existing copy of that version stays.

    Returns:
        The copy's path, or None for a database that is no file: its server keeps the backups.
    """
    if engine.dialect.name != "sqlite":
        return None
    target = workspace / f"catalog.before-{version}.db"
    if not target.exists():
        part = target.with_suffix(".part")
        part.unlink(missing_ok=True)
        # The bare driver connection: VACUUM is refused inside the transaction SQLAlchemy would begin.
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("VACUUM INTO ?", (str(part),))
        finally:
            connection.close()
        part.replace(target)
    return target


def _refuse_unknown(version: str | None, engine: Engine) -> None:
    if version is not None and version not in _known_revisions():
        raise CatalogTooNew(
            say(
                "the catalogue at {url} is of version {version}, this release knows up to {known}; update adapt, or "
                "choose another workspace with -w DIR",
                url=engine.url.render_as_string(),
                version=version,
                known=HEAD,
            )
        )
    if version is None:
        with engine.connect() as connection:
            foreign = sorted(inspect(connection).get_table_names())
        if foreign:
            raise CatalogError(
                say(
                    "the database at {url} holds tables that are not adapt's ({tables}); choose another workspace "
                    "with -w DIR",
                    url=engine.url.render_as_string(),
                    tables=", ".join(foreign[:3]),
                )
            )


@lru_cache(maxsize=1)
def _known_revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions())


def run_to(engine: Engine, revision: str) -> None:
    """Bring the tables to a revision in one transaction; `upgrade` calls it under its lock, after its backup."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with _upgrading(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@contextmanager
def _upgrading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in one write transaction whose foreign keys are checked at its end only."""
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    with write_connection(engine) as connection:
        # The bare driver connection: inside a transaction SQLite ignores this setting.
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise CatalogError(
                        say(
                            "the upgrade found a row of {table} that refers to a missing one of {parent}, so nothing "
                            "was changed; restore a copy of the database and run this again",
                            table=str(broken[0]),
                            parent=str(broken[2]),
                        )
                    )
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
