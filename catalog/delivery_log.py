"""The catalogue's own notes about deliveries, which a kill at any moment leaves right or easy to put right.

A delivery is noted before it gets its name and confirmed afterwards. What was noted and never confirmed is looked for
on the disk: the folder is there, whole, with the summary that was noted, or it never came to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from catalog.errors import CatalogError, CatalogUnwritable
from catalog.exporters.delivery import MANIFEST, SUMMARY
from catalog.exporters.filling import Plan
from catalog.exporters.manifest import read_rows
from catalog.exporters.plain_files import digest_of
from catalog.lock import file_lock
from catalog.phrases import say
from catalog.schema import ExportFileRow, ExportRunRow
from catalog.schema import now as utc_now
from catalog.store import Catalog

LOCK = ".export.lock"
"""File in the workspace that is held while an export runs."""
_ROWS_AT_ONCE = 1000
_SUMMARY_DIGEST = "summary_sha256"


def note(catalog: Catalog, plan: Plan, made_in: Path, target: Path) -> int:
    """Note a delivery that is complete but not there yet, with each of its files.

    Args:
        catalog: An open catalogue.
        plan: What the delivery was made of.
        made_in: Where it is now.
        target: Where it will be.

    Returns:
        The number to confirm it by.
    """
    signed = "Valid" if plan.signer is not None else "none"
    with catalog.write() as session:
        run = ExportRunRow(
            format=plan.exporter.name,
            path=str(target),
            state="running",
            options={
                "base_url": plan.base_url,
                "c2pa": plan.signer is not None,
                _SUMMARY_DIGEST: digest_of(made_in / SUMMARY),
            },
            counts={"images": plan.images, "excluded": plan.excluded},
            policy_version=plan.policy.version,
        )
        session.add(run)
        session.flush()
        rows = read_rows(made_in / MANIFEST)
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            session.execute(insert(ExportFileRow), [_file(run.id, row, signed) for row in batch])
        return run.id


def confirm(catalog: Catalog, run_id: int) -> None:
    """Say that a delivery that was noted has its name now.

    Raises:
        CatalogUnwritable: The catalogue takes nothing at the moment; `settle` will find the delivery.
    """
    try:
        _settle(catalog, run_id, "done")
    except CatalogError as error:
        raise CatalogUnwritable(
            say(
                "the delivery is complete, but the catalogue could not confirm it ({detail}); "
                "nothing is to be made again: the next export or the Export screen confirms it",
                detail=str(error),
            )
        ) from error


def settle(catalog: Catalog) -> None:
    """Confirm or give up what a killed export had noted; nothing is done while another export runs."""
    if not _unconfirmed(catalog):
        return
    try:
        with file_lock(catalog.workspace / LOCK, "export"):
            for run_id, path, options in _unconfirmed(catalog):
                found = digest_of(path / SUMMARY)
                is_there = found is not None and found == options.get(_SUMMARY_DIGEST)
                _settle(catalog, run_id, "done" if is_there else "failed")
    except CatalogUnwritable:
        # Whoever holds the lock confirms their own; where nothing can be written, the note waits.
        return


def _unconfirmed(catalog: Catalog) -> list[tuple[int, Path, Mapping[str, Any]]]:
    query = select(ExportRunRow.id, ExportRunRow.path, ExportRunRow.options).where(ExportRunRow.state == "running")
    with catalog.read() as session:
        return [(row.id, Path(row.path), row.options) for row in session.execute(query)]


def _settle(catalog: Catalog, run_id: int, state: str) -> None:
    with catalog.write() as session:
        session.execute(update(ExportRunRow).where(ExportRunRow.id == run_id).values(state=state, ended_at=utc_now()))


def _file(run_id: int, row: Mapping[str, Any], signed: str) -> dict[str, Any]:
    return {
        "export_run_id": run_id,
        "generation_id": row["generation_id"],
        "path": row["file_name"],
        "sha256": row["sha256"],
        "source_sha256": row["source_sha256"],
        "verified": True,
        "c2pa_state": signed,
    }
