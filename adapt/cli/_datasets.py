"""The frozen folder a verb works on: the one given, else the workspace as it is now."""

from pathlib import Path
from typing import TYPE_CHECKING

from adapt.cli._session import Session

if TYPE_CHECKING:
    from catalog.feedback_folder import Feedback
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


def workspace_feedback(session: Session, *, folder: Path | None = None, dry_run: bool = False) -> "Feedback":
    """Read frozen feedback, or freeze the decisions that stand; the same decisions give the same folder.

    A dry run describes the feedback with the pictures of the store, and writes nothing.

    Raises:
        CatalogError: no catalogue, nothing decided in it, or a folder that is damaged or of another kind.
    """
    from catalog import feedback_folder
    from catalog.feedback import freeze, plan

    if folder is not None:
        return feedback_folder.read(folder)
    with session.open_catalog(create=False) as catalog:
        return (plan if dry_run else freeze)(catalog)
