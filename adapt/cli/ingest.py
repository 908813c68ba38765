"""`adapt ingest`: read a catalogue dump into the workspace."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapt.cli._output import emit, progress
from adapt.cli._session import Session
from catalog.ingest import ingest as run_ingest
from catalog.messages import Messages, choose_language, load
from catalog.paths import checked_root
from catalog.phrases import say
from catalog.readers.table import DOUBT
from catalog.records import IngestReport
from catalog.report import REJECTS, REPORT, books_of, folder_of, summary, write_report
from catalog.runs import counts_of

if TYPE_CHECKING:
    from catalog.cluster import ClusterExecutor

_SHOWN_FACTS = 8
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
    corrections: Annotated[
        Path | None, typer.Option(help="The rejects.csv of an earlier run, corrected; kept for later runs.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the messages, en or ja; default: the locale's.")] = None,
) -> None:
    """Read a catalogue dump into the workspace; the same dump twice changes nothing."""
    session: Session = ctx.obj
    messages = load(choose_language(lang))
    if delta and prune:
        odd = say("--delta leaves absent products alone, --prune deletes them; leave one out")
        raise typer.BadParameter(messages.said(odd))
    with messages.refusals():
        checked_root(dump)  # a mistyped folder leaves no workspace behind
    # A dry run leaves no workspace behind where there was none.
    absent = dry_run and session.database_url() is None and not (session.workspace / "catalog.db").is_file()
    with (
        messages.refusals(),
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
            corrections=corrections,
            workers=workers,
            executor=executor,
            progress=lambda what, done, total: update(messages.said(what), done, total),
        )
    result = {
        "run_id": report.run_id,
        "source": report.source,
        "dry_run": dry_run,
        **counts_of(report),
        "reader": report.reader,
        "books": books_of(report),
        "mapping": messages.said(report.mapping),
        "reasons": dict(Counter(issue.reason for issue in report.issues)),
        "issues": [asdict(issue) | {"detail": messages.said(issue.detail)} for issue in report.issues[:_LISTED_ISSUES]],
    }
    lines = list(_concluded(report, messages)) if dry_run else list(_doubts(report, messages))
    lines += summary(report, messages)
    if not dry_run:
        write_report(session.workspace, report, messages, counts_of(report))
        lines += _where_next(report, session, messages)
    emit(session, result, lines)
    if strict and report.quarantined:
        raise typer.Exit(1)


def _cluster(
    address: str | None, dump: Path | str, blobs: str | None
) -> "AbstractContextManager[ClusterExecutor | None]":
    if address is None:
        return nullcontext()
    from catalog.cluster import cluster_executor

    return cluster_executor(address, Path(dump), blobs)


def _concluded(report: IngestReport, messages: Messages) -> Iterator[str]:
    """Yield what a dry run shows before its summary: what was concluded, and products to judge it by."""
    yield messages.text("dry_run")
    yield from map(messages.said, report.evidence)
    yield messages.text("mapping")
    yield from (f"  {line}".rstrip() for line in messages.said(report.mapping).splitlines())
    yield messages.text("samples")
    for sample in report.samples:
        yield messages.text(
            "sample",
            sku=sample.sku,
            name=sample.name,
            category=sample.category or "-",
            facts=len(sample.facts),
            variants=sample.variants,
            pictures=len(sample.pictures),
        )
        if sample.facts:
            yield "    " + ", ".join(f"{name}={value}" for name, value in list(sample.facts.items())[:_SHOWN_FACTS])


def _doubts(report: IngestReport, messages: Messages) -> Iterator[str]:
    """Yield what a person should read before trusting the rest."""
    yield from (messages.said(line) for line in report.evidence if line.startswith(DOUBT))


def _where_next(report: IngestReport, session: Session, messages: Messages) -> Iterator[str]:
    """Yield where the report lies and what to type next; a dry run leaves none."""
    folder = folder_of(session.workspace, report.source)
    yield messages.text("report", path=folder / REPORT)
    if (folder / REJECTS).is_file():
        yield messages.text("rejects", path=folder / REJECTS)
    yield messages.text("next", command=f"adapt -w {session.workspace} captions")
