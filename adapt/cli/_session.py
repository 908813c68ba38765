"""What every verb knows about the call: where the workspace is and how to answer."""

import os
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapt.errors import AdaptError

if TYPE_CHECKING:
    from catalog.store import Catalog


MAX_SEED = 2**32 - 1
"""Largest seed that torch, NumPy and the database all take."""


DEFAULT_WORKSPACE = Path("adapt-workspace")


@dataclass(frozen=True, kw_only=True)
class Session:
    """One call of the command line."""

    workspace: Path
    """Folder with the catalogue, pictures, runs and exports; made on first use."""
    json: bool = False
    """Print one JSON object on stdout instead of lines."""
    debug: bool = False
    """Let a failure show its traceback."""

    @property
    def runs(self) -> Path:
        """Folder of training runs."""
        return self.workspace / "runs"

    @property
    def datasets(self) -> Path:
        """Folder of frozen datasets."""
        return self.workspace / "datasets"

    @property
    def exports(self) -> Path:
        """Folder of deliveries."""
        return self.workspace / "exports"

    def database_url(self) -> str | None:
        """Return the catalogue's address if one is set, else None for SQLite in the workspace.

        `$ADAPT_DATABASE_URL` wins over `database_url` in the workspace's `adapt.toml`.

        Raises:
            AdaptError: `adapt.toml` cannot be read as TOML.
        """
        return self._setting("database_url", "ADAPT_DATABASE_URL")

    def blobs_url(self) -> str:
        """Return where the picture files are: `$ADAPT_BLOBS_URL`, `blobs_url` in `adapt.toml`, or the workspace.

        Raises:
            AdaptError: `adapt.toml` cannot be read as TOML.
        """
        return self._setting("blobs_url", "ADAPT_BLOBS_URL") or str(self.workspace.resolve() / "blobs")

    def _setting(self, name: str, variable: str) -> str | None:
        if url := os.environ.get(variable):
            return url
        settings = self.workspace / "adapt.toml"
        if not settings.is_file():
            return None
        try:
            value = tomllib.loads(settings.read_text(encoding="utf-8")).get(name)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AdaptError(f"{settings} is not valid TOML ({error}); correct it or remove it") from error
        if value is not None and not isinstance(value, str):
            raise AdaptError(f"{settings}: {name} is {value!r}; write an address in quotes")
        return value

    def typed(self, words: str) -> str:
        """Return `adapt WORDS` as it is to be typed for this workspace: with `-w` unless it is found without."""
        if self.workspace == choose_workspace(None):
            return f"adapt {words}"
        return f"adapt -w {shlex.quote(str(self.workspace))} {words}"

    def open_catalog(self, *, create: bool = True) -> "Catalog":
        """Open the workspace's catalogue; use it in a `with` statement.

        Raises:
            CatalogError: it cannot be opened, or `create` is False and there is none.
        """
        from catalog.store import Catalog

        return Catalog.open(self.workspace, create=create, url=self.database_url(), blobs=self.blobs_url())


def choose_workspace(given: Path | None) -> Path:
    """Return the workspace to use: as given, else `$ADAPT_WORKSPACE`, else `./adapt-workspace`."""
    # A shell leaves `~` alone in `--workspace=~/x` and in files of settings.
    return (given or Path(os.environ.get("ADAPT_WORKSPACE") or DEFAULT_WORKSPACE)).expanduser()
