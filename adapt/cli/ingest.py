"""`adapt ingest`: read a catalogue dump into the workspace."""

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapt.cli._output import emit, progress
from adapt.cli._session import Session
from catalog.ingest import counts_of
from catalog.ingest import ingest as run_ingest
from catalog.paths import checked_root
from catalog.records import IngestReport, Issue

if TYPE_CHECKING:
    from catalog.cluster import ClusterExecutor

_SHOWN_ISSUES = 5
_LISTED_ISSUES = 100


def ingest(
    ctx: typer.Context,
    dump: Annotated[str, typer.Argument(help="Folder, zip or tar with tables, texts and pictures.")],
    source: Annotated[str | None, typer.Option(help="Name of this source; else the folder's name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, change nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when anything was quarantined.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete products the dump no longer has.")] = False,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="Go on although many products are gone from the dump.")
    ] = False,
    delta: Annotated[
        bool, typer.Option("--delta", help="The dump holds changes only: products it lacks stay as they are.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read pictures again even if size and time are as before.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that decode pictures; default: one a core.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Decode on the Dask cluster of this scheduler, such as tcp://HOST:8786.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of tables and texts, such as cp932.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="What the tables and columns mean; default: mapping.toml in the dump.")
    ] = None,
) -> None:
    """Read a catalogue dump into the workspace; the same dump twice changes nothing."""
    session: Session = ctx.obj
    if delta and prune:
        raise typer.BadParameter("--delta leaves absent products alone, --prune deletes them; leave one out")
    checked_root(dump)  # a mistyped folder leaves no workspace behind
    # A dry run leaves no workspace behind where there was none.
    absent = dry_run and session.database_url() is None and not (session.workspace / "catalog.db").is_file()
    with (
        progress() as update,
        nullcontext() if absent else session.open_catalog() as catalog,
        _cluster(cluster, dump, None if dry_run else session.blobs_url()) as executor,
    ):
        report = run_ingest(
            catalog,
            Path(dump),
            source=source,
            dry_run=dry_run,
            prune=prune,
            accept_shrink=accept_shrink,
            delta=delta,
            verify=verify,
            encoding=encoding,
            mapping=mapping,
            workers=workers,
            executor=executor,
            progress=update,
        )
    result = {
        "run_id": report.run_id,
        "source": report.source,
        "dry_run": dry_run,
        **counts_of(report),
        "reasons": dict(Counter(issue.reason for issue in report.issues)),
        "issues": [asdict(issue) for issue in report.issues[:_LISTED_ISSUES]],
    }
    emit(session, result, list(_lines(report, session, dry_run)))
    if strict and report.quarantined:
        raise typer.Exit(1)


def _cluster(
    address: str | None, dump: Path | str, blobs: str | None
) -> "AbstractContextManager[ClusterExecutor | None]":
    if address is None:
        return nullcontext()
    from catalog.cluster import cluster_executor

    return cluster_executor(address, Path(dump), blobs)


def _lines(report: IngestReport, session: Session, dry_run: bool) -> Iterable[str]:
    if dry_run:
        yield "dry run: nothing was changed"
        yield from report.evidence
    yield (
        f"{report.source}: {report.products_added} products added, {report.products_updated} updated, "
        f"{report.products_unchanged} unchanged, {report.products_missing} missing, {report.products_pruned} pruned"
    )
    yield (
        f"pictures: {report.images_added} added, {report.images_reused} known, {report.images_linked} linked; "
        f"{report.captions} captions; {report.seconds:.1f} s"
    )
    if report.issues:
        yield f"{report.quarantined} quarantined, {report.warnings} warnings"
    reasons = Counter(issue.reason for issue in report.issues)
    for reason, count in reasons.most_common(_SHOWN_ISSUES):
        first = next(issue for issue in report.issues if issue.reason == reason)
        yield f"  {count} x {reason}, first {_where(first)}: {first.detail}"
    if not dry_run:
        yield f"next: adapt -w {session.workspace} captions"


def _where(issue: Issue) -> str:
    return issue.source if issue.line is None else f"{issue.source} line {issue.line}"
