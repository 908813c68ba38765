"""The workspace's catalogue: open it, read from it, write to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from catalog import database, migrations
from catalog.blobs import BlobStore
from catalog.errors import CatalogMissing, CatalogUnwritable
from catalog.lock import file_lock
from catalog.phrases import say, told

DATABASE_NAME = "catalog.db"
BLOBS_NAME = "blobs"


class Catalog:
    """An open catalogue. Use as a context manager, or call `close()`.

    Attributes:
        workspace: Folder that holds database, blobs, datasets, runs and exports.
        engine: SQLAlchemy engine; use `read()` and `write()` instead where a session will do.
        blobs: The picture files.
    """

    def __init__(self, workspace: Path, engine: Engine, blobs: BlobStore) -> None:
        """Wrap parts that are already open; callers use `Catalog.open`."""
        self.workspace = workspace
        self.engine = engine
        self.blobs = blobs

    @classmethod
    def open(cls, workspace: Path, *, create: bool = True, url: str | None = None, blobs: str | None = None) -> Catalog:
        """Open the catalogue of a workspace and bring its tables up to date.

        Args:
            workspace: Folder; made when `create` is true.
            create: Whether a missing catalogue is made or is an error.
            url: SQLAlchemy URL; default is `<workspace>/catalog.db`.
            blobs: fsspec URL of the blob store; default is `<workspace>/blobs`.

        Raises:
            CatalogMissing: There is none and `create` is false.
            CatalogTooNew: A newer release wrote it.
            CatalogUnwritable: The workspace cannot be written.
        """
        workspace = Path(workspace).expanduser().resolve()
        try:
            str(workspace).encode()
        except UnicodeEncodeError as error:
            # A database is opened by an address, which is text.
            raise CatalogUnwritable(
                say(
                    "the workspace {path} has a name that is no text in this locale; choose another folder with -w DIR",
                    path=ascii(str(workspace)),
                )
            ) from error
        file = workspace / DATABASE_NAME
        if url is None and not create and not file.is_file():
            raise CatalogMissing(
                say("no catalogue in {workspace}; make one with: adapt -w {workspace} ingest DUMP", workspace=workspace)
            )
        try:
            workspace.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogUnwritable(
                say(
                    "cannot make the workspace {workspace} ({error}); choose another folder with -w DIR",
                    workspace=workspace,
                    error=told(error),
                )
            ) from error
        engine = database.engine_for(url or database.sqlite_url(file))
        try:
            migrations.upgrade(engine, workspace)
        except BaseException:
            engine.dispose()
            raise
        return cls(workspace, engine, BlobStore(blobs or str(workspace / BLOBS_NAME)))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading one consistent snapshot."""
        with database.read_session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session that holds the write lock; commits at the end, rolls back on an error."""
        with database.write_session(self.engine) as session:
            yield session

    @contextmanager
    def ingesting(self, source: str) -> Iterator[None]:
        """Hold the lock of an ingest: one at a time in a workspace, or of one source on a database server.

        Raises:
            CatalogUnwritable: Another one is running, or the workspace cannot be written.
        """
        if self.engine.dialect.name == "sqlite":
            with file_lock(self.workspace / ".ingest.lock", say("ingest")):
                yield
        else:
            # Several machines share a server, and no folder need be common to them.
            with database.named_lock(self.engine, say("ingest of source '{source}'", source=source)):
                yield

    def close(self) -> None:
        """Release all connections."""
        self.engine.dispose()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
