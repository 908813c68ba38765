"""The frozen dataset a verb works on: the one given, else the workspace's catalogue as it is now."""

from pathlib import Path
from typing import TYPE_CHECKING

from adapt.cli._session import Session

if TYPE_CHECKING:
    from catalog.manifest import Manifest


def workspace_dataset(
    session: Session, *, source: str | None = None, folder: Path | None = None, dry_run: bool = False
) -> "Manifest":
    """Read a frozen dataset, or freeze the catalogue; the same content gives the same folder.

    A dry run describes the dataset with the pictures of the store, and writes nothing.

    Raises:
        CatalogError: no catalogue, nothing captioned in it, or a damaged folder.
    """
    from catalog import manifest
    from catalog.dataset import freeze, plan

    if folder is not None:
        return manifest.read(folder)
    with session.open_catalog(create=False) as catalog:
        return (plan if dry_run else freeze)(catalog, source=source)
