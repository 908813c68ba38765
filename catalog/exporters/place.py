"""Where a delivery may be made: not among what the workspace keeps, not inside another delivery, with a plain name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from catalog.errors import ExportRefused
from catalog.exporters.delivery import SUMMARY
from catalog.exporters.part_folder import lock_of
from catalog.phrases import printable, say, told

KEPT = ("blobs", "cache", "candidates", "datasets", "ingest", "runs")
"""Folders of a workspace that hold something else."""
_NAME_SHOWN_CHARS = 80


def is_address(path: Path) -> bool:
    """Say whether a path was meant as an address of the web or of a store; of two slashes a path keeps one."""
    return re.match(r"^[a-z][a-z0-9+.-]+:/", str(path)) is not None


def check_place(workspace: Path, target: Path) -> None:
    """Refuse a folder in which no delivery can be, or where it would spoil something.

    Args:
        workspace: Folder of the catalogue.
        target: The folder to make, absolute.

    Raises:
        ExportRefused: A sign of its name cannot be shown, the name is too long, or it is in one of `KEPT` or in a
            delivery.
    """
    name = str(target)
    if printable(name) != name or "\n" in name or "\t" in name:
        raise ExportRefused(
            say(
                "the folder {name!r} has signs in its name that cannot be shown; choose another with --out DIR",
                name=name,
            )
        )
    for path in (target, target.with_name(f".{target.name}.part"), lock_of(target)):
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            pass  # as it should be, and what is no folder is told when it is made
        except OSError as error:
            shown = name if len(name) <= _NAME_SHOWN_CHARS else f"{name[:_NAME_SHOWN_CHARS]}…"
            raise ExportRefused(
                say(
                    "cannot make the folder {name} ({error}); choose another with --out DIR",
                    name=shown,
                    error=told(error),
                )
            ) from error
    home = workspace.absolute()
    # Where it really is: links and `..` lead elsewhere than they look.
    real = Path(os.path.realpath(target))
    for kept in KEPT:
        if target.is_relative_to(home / kept) or real.is_relative_to(os.path.realpath(home / kept)):
            raise ExportRefused(
                say(
                    "{target} is inside {kept}, which the workspace needs for itself; choose another with --out DIR",
                    target=target,
                    kept=home / kept,
                )
            )
    for parent in dict.fromkeys((*target.parents, *real.parents)):
        if (parent / SUMMARY).is_file():
            raise ExportRefused(
                say(
                    "{target} is inside the delivery {parent}, which would not verify any more; "
                    "choose another with --out DIR",
                    target=target,
                    parent=parent,
                )
            )
