"""The record of an ingest in the database: begun with its source, ended with its counts and issues."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from catalog.database import insert_rows
from catalog.phrases import stated
from catalog.readers.draft import DraftCatalogue
from catalog.records import IngestReport
from catalog.schema import Base, IngestRunRow, QuarantineRow, SourceRow, now

_QUARANTINE = Base.metadata.tables["quarantine"]


def begin(
    session: Session, source: str, root: str, drafts: DraftCatalogue, *, delta: bool
) -> tuple[int, int, list[int]]:
    """Open a run under the lock of the source.

    Args:
        session: Open for writing.
        source: Name of the source; it is made when it is new.
        root: Where its dump lies now.
        drafts: What was read.
        delta: Whether products the dump lacks stay as they are.

    Returns:
        Ids of the source and of the run, and of the runs before it that did not end.
    """
    source_id = session.scalar(select(SourceRow.id).where(SourceRow.name == source))
    if source_id is None:
        row = SourceRow(name=source, root=root)
        session.add(row)
        session.flush()
        source_id = row.id
    else:
        session.execute(update(SourceRow).where(SourceRow.id == source_id).values(root=root))
    mine = IngestRunRow.source_id == source_id
    ended = select(func.coalesce(func.max(IngestRunRow.id), 0)).where(mine, IngestRunRow.state == "done")
    unfinished = list(session.scalars(select(IngestRunRow.id).where(mine, IngestRunRow.id > ended.scalar_subquery())))
    # The lock is ours, so a run that still says it is running was killed.
    session.execute(
        update(IngestRunRow).where(mine, IngestRunRow.state == "running").values(state="failed", ended_at=now())
    )
    run = IngestRunRow(
        source_id=source_id,
        reader=drafts.reader,
        encoding=drafts.encoding,
        evidence="\n".join(drafts.evidence),
        mapping=str(drafts.mapping),
        mode="delta" if delta else "full",
        counts={},
    )
    session.add(run)
    session.flush()
    return source_id, run.id, unfinished


def finish(session: Session, run_id: int, report: IngestReport) -> None:
    """Close a run with what it came to."""
    session.execute(delete(QuarantineRow).where(QuarantineRow.run_id == run_id))
    rows = [
        (run_id, issue.source, issue.line, issue.reason, str(issue.detail), stated(issue.detail), issue.severity)
        for issue in report.issues
    ]
    insert_rows(session, _QUARANTINE, ("run_id", "source", "line", "reason", "detail", "params", "severity"), rows)
    session.execute(
        update(IngestRunRow)
        .where(IngestRunRow.id == run_id)
        .values(state="done", ended_at=now(), counts=counts_of(report))
    )


def counts_of(report: IngestReport) -> dict[str, int | float]:
    """Return the numbers of a report by name, as stored with a run and printed by the command line."""
    names = (
        "products_added", "products_updated", "products_unchanged", "products_missing", "products_pruned", "variants",
        "images_added", "images_reused", "images_decoded", "images_linked", "quarantined", "warnings", "captions",
        "seconds",
    )  # fmt: skip
    return {name: getattr(report, name) for name in names}
