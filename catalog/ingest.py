"""Stage 1 of 9. Reads a catalogue dump. Writes products, pictures and captions. Next: `adapt captions`.

The same dump twice changes nothing. Work is committed in batches, so a run that was killed is
completed by the same command. What cannot be taken is quarantined with its reason, never fatal.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from catalog import sync
from catalog.books import document_books, picture_books
from catalog.caption import rebuild_captions
from catalog.copies import best_digests
from catalog.database import insert_rows
from catalog.duplicates import find_duplicates
from catalog.errors import IngestRefused
from catalog.intake import PictureIntake
from catalog.mapping import FILE_NAME
from catalog.paths import IMAGE_SUFFIXES, Dump, checked_root
from catalog.phrases import say, stated
from catalog.readers import read_dump
from catalog.readers.correcting import originals
from catalog.readers.draft import DraftCatalogue, DraftPicture, DraftProduct
from catalog.readers.refine import refine
from catalog.records import IngestReport, Issue, ProductSample
from catalog.report import corrections_of, edited_mapping, keep_corrections
from catalog.schema import Base, CaptionRow, IngestRunRow, ProductRow, QuarantineRow, SourceRow, now
from catalog.store import Catalog
from catalog.sync import KnownSource
from catalog.upsert import Accepted, write_files, write_images, write_products
from catalog.workers import CALLS_A_WORKER, WorkerPool

BATCH_IMAGES = 64
BATCH_PRODUCTS = 2000
LOOK_AHEAD = 256
"""Pictures, or products, planned ahead of the one that is written, at least: workers go on during a transaction."""
YOUNG_OBJECTS = 100_000
"""New objects after which the cycle collector looks; a transaction makes thousands of rows that hold no cycles."""
PROGRESS_EVERY = 10
SAMPLES = 3
"""Products that a report shows."""
_QUARANTINE = Base.metadata.tables["quarantine"]
Progress = Callable[[str, float, float | None], None]


@dataclass(kw_only=True)
class _Work:
    """The state of one run."""

    drafts: DraftCatalogue
    dump: Dump
    known: KnownSource
    intake: PictureIntake
    progress: Progress
    delta: bool
    look_ahead: int
    encoding: str | None
    """As given, not as found out."""
    issues: list[Issue] = field(default_factory=list)
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    links: int = 0
    stored: dict[str, str | None] = field(default_factory=dict)
    """Path of a picture → digest of its content, None when it was refused."""
    keepers: dict[str, str] = field(default_factory=dict)
    """Digest of a picture → digest of the largest one that shows the same."""


def ingest(
    catalog: Catalog | None,
    dump: Path,
    *,
    source: str | None = None,
    dry_run: bool = False,
    prune: bool = False,
    accept_shrink: bool = False,
    delta: bool = False,
    verify: bool = False,
    encoding: str | None = None,
    mapping: Path | None = None,
    corrections: Path | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Bring one source of the catalogue to what a dump folder holds.

    Args:
        catalog: Open catalogue; may be None in a dry run where none exists yet.
        dump: Folder with tables, texts and pictures.
        source: Name of this source; default is the folder's name.
        dry_run: Read and check everything, change nothing.
        prune: Delete products the dump no longer has; those with generated pictures are kept.
        accept_shrink: Go on although more than `sync.SHRINK_LIMIT` of the products are gone.
        delta: The dump holds changes only: products it lacks stay as they are.
        verify: Read pictures again even if size and time of their files are as before.
        encoding: Encoding of tables and texts; default is to find out.
        mapping: A mapping file; default is `mapping.toml` in the dump, else that of an earlier run if a person has
            edited it, else to find out.
        corrections: A corrected `rejects.csv`; its rows count from now on, as long as those of the dump stay as they
            were.
        workers: Most processes that decode pictures; default is one a core.
        executor: Decodes pictures instead of processes of our own, e.g. on a cluster; it is not shut down.
        progress: Called with (description, done, total).

    Raises:
        IngestRefused: The dump holds nothing usable, or the run would remove too much.
        CatalogUnwritable: The workspace cannot be written, or another ingest is running in it.
    """
    started = time.monotonic()
    if catalog is None and not dry_run:
        raise ValueError("catalog may be None only in a dry run")
    if delta and prune:
        raise ValueError("a delta run leaves absent products alone: prune has nothing to do")
    workspace = None if catalog is None else catalog.workspace
    name = sync.source_name(checked_root(dump), source)
    corrected = corrections_of(workspace, name, corrections)
    listing = Dump(dump, leave_out=workspace, corrections=corrected)
    if mapping is None and FILE_NAME not in listing.files and workspace is not None:
        mapping = edited_mapping(workspace, name)
    # What is known is read under the lock: another run may be about to end.
    lock = nullcontext() if dry_run or catalog is None else catalog.ingesting(name)
    with lock, _executor(executor, workers) as running, _collector_at_rest() as wake_collector:
        known = KnownSource() if catalog is None else sync.load(catalog, name)
        if isinstance(running, WorkerPool) and not known.files:
            running.warm(len(listing.with_suffix(IMAGE_SUFFIXES)))  # while the tables are read
        drafts = read_dump(listing, encoding, mapping)
        refine(drafts)
        wake_collector()
        missing = [] if delta else sync.missing_skus(known, drafts.products)
        sync.guard_shrink(name, known, missing, accepted=accept_shrink)
        # A picture whose file is gone from the store is taken in again.
        stored = set(known.stored) if catalog is None else known.stored & catalog.blobs.digests()
        intake = PictureIntake(
            executor=running,
            blobs=None if dry_run or catalog is None else catalog.blobs.root,
            remembered=known.files,
            stored=set(stored),
            known_sizes=known.sizes,
            verify=verify,
        )
        work = _Work(
            drafts=drafts,
            dump=listing,
            known=known,
            intake=intake,
            progress=progress or _silent,
            delta=delta,
            look_ahead=max(LOOK_AHEAD, CALLS_A_WORKER * getattr(running, "size", 1)),
            issues=list(drafts.issues),
            encoding=encoding,
        )
        if not dry_run and catalog is not None:
            report = _run(catalog, work, name, missing, prune, started)
            if corrections is not None:
                keep_corrections(catalog.workspace, name, corrected)
            return report
        for _ in _batches(work):
            intake.handed_over()
        pruned = len(missing) if prune else 0
        return _report(work, name, None, started, missing=len(missing) - pruned, pruned=pruned)


@contextmanager
def _executor(given: Executor | None, workers: int | None) -> Iterator[Executor]:
    """Yield the executor to use; processes of our own end here, also on Ctrl-C."""
    if given is not None:
        yield given
        return
    pool = WorkerPool(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _collector_at_rest() -> Iterator[Callable[[], None]]:
    """Keep the cycle collector from going through millions of drafts again and again; they hold no cycles.

    Yields a function to call when the drafts are there: from then on the collector looks at what is newer only.
    """
    was_on, thresholds = gc.isenabled(), gc.get_threshold()
    gc.disable()

    def wake() -> None:
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, *thresholds[1:])
        if was_on:
            gc.enable()

    try:
        yield wake
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        if was_on:
            gc.enable()


def _run(catalog: Catalog, work: _Work, name: str, missing: list[str], prune: bool, started: float) -> IngestReport:
    with catalog.write() as session:
        source_id, run_id, unfinished = _begin(session, name, work)
    changed: set[int] = set()
    for batch in _batches(work):
        with catalog.write() as session:
            write_images(session, work.intake.new_images)
            write_files(session, source_id, run_id, work.intake.new_files)
            changed |= write_products(session, source_id, run_id, batch)
        work.intake.handed_over()
    with catalog.write() as session:
        pruned = sync.retire(session, source_id, missing, prune=prune)
    work.issues += find_duplicates(catalog, source=name).issues
    with catalog.read() as session:
        work.keepers = best_digests(session)
    captions = _rebuild_captions(catalog, name, changed, unfinished, work.progress)
    report = _report(work, name, run_id, started, missing=len(missing) - pruned, pruned=pruned, captions=captions)
    with catalog.write() as session:
        _finish(session, run_id, report)
    return report


def _begin(session: Session, name: str, work: _Work) -> tuple[int, int, list[int]]:
    """Open a run; return ids of source and run, and of the runs before it that did not end."""
    root = str(work.dump.root)
    source_id = session.scalar(select(SourceRow.id).where(SourceRow.name == name))
    if source_id is None:
        row = SourceRow(name=name, root=root)
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
        reader=work.drafts.reader,
        encoding=work.drafts.encoding,
        evidence="\n".join(work.drafts.evidence),
        mapping=str(work.drafts.mapping),
        mode="delta" if work.delta else "full",
        counts={},
    )
    session.add(run)
    session.flush()
    return source_id, run.id, unfinished


def _batches(work: _Work) -> Iterator[list[Accepted]]:
    """Take in the pictures of each product and yield what must be written, a transaction at a time."""
    batch: list[Accepted] = []
    total = len(work.drafts.products)
    for number, draft in enumerate(_looked_ahead(work), start=1):
        accepted = _accept(work, draft)
        if accepted is not None:
            batch.append(accepted)
        pending = len(work.intake.new_files)
        if len(batch) >= BATCH_PRODUCTS or pending >= BATCH_IMAGES:
            yield batch
            batch = []
        if number % PROGRESS_EVERY == 0:
            work.progress(say("products"), number, total)
    if batch or work.intake.new_files:
        yield batch
    work.progress(say("products"), total, total)


def _looked_ahead(work: _Work) -> Iterator[DraftProduct]:
    """Yield the products in order; the pictures of those that follow are with the workers already."""
    ahead: deque[DraftProduct] = deque()
    for draft in work.drafts.products:
        for picture in draft.pictures:
            work.intake.plan(work.dump.files[picture.path])
        ahead.append(draft)
        while ahead and max(work.intake.pending, len(ahead)) > work.look_ahead:
            yield ahead.popleft()
    yield from ahead


def _accept(work: _Work, draft: DraftProduct) -> Accepted | None:
    """Return what to write for a product, or None when it is as the catalogue has it."""
    pictures: list[tuple[DraftPicture, str]] = []
    for picture in draft.pictures:
        seen = work.intake.settle(work.dump.files[picture.path])
        if seen.image_sha256 is not None:
            pictures.append((picture, seen.image_sha256))
            if remark := work.intake.remarks.pop(picture.path, None):
                work.issues.append(_issue(picture, *remark, severity="warning"))
        elif picture.path not in work.stored:
            work.issues.append(_issue(picture, seen.reason, seen.detail))
        work.stored[picture.path] = seen.image_sha256
    work.links += len({(picture.variant_key, digest) for picture, digest in pictures})
    content = f"{draft.content_hash()} {' '.join(digest for _, digest in pictures)}"
    row_hash = hashlib.sha256(content.encode()).hexdigest()
    known = work.known.products.get(draft.sku)
    if known is None:
        work.added += 1
        return Accepted(draft=draft, row_hash=row_hash, pictures=pictures, product_id=None)
    if known.row_hash == row_hash and known.status == "active":
        work.unchanged += 1
        return None
    work.updated += 1
    return Accepted(draft=draft, row_hash=row_hash, pictures=pictures, product_id=known.id)


def _issue(picture: DraftPicture, reason: str, detail: str, severity: str = "error") -> Issue:
    return Issue(
        source=picture.origin or picture.path,
        line=picture.line,
        reason=reason,
        detail=say("{path}: {detail}", path=picture.path, detail=detail) if picture.origin else detail,
        severity=severity,
    )


def _finish(session: Session, run_id: int, report: IngestReport) -> None:
    rows = [
        (run_id, issue.source, issue.line, issue.reason, str(issue.detail), stated(issue.detail), issue.severity)
        for issue in report.issues
    ]
    session.execute(delete(QuarantineRow).where(QuarantineRow.run_id == run_id))
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


def _report(
    work: _Work, name: str, run_id: int | None, started: float, *, missing: int, pruned: int, captions: int = 0
) -> IngestReport:
    if not work.links and not work.known.products:
        reasons = sorted({issue.reason for issue in work.issues})
        raise IngestRefused(
            say(
                "no usable picture for any of {count} products in {root} ({reasons}); check the paths in the "
                "table against the files",
                count=len(work.drafts.products),
                root=work.dump.root,
                reasons=", ".join(reasons) or say("the tables name none"),
            )
        )
    return IngestReport(
        run_id=run_id,
        source=name,
        products_added=work.added,
        products_updated=work.updated,
        products_unchanged=work.unchanged,
        products_missing=missing,
        products_pruned=pruned,
        captions=captions,
        variants=sum(len(draft.variants) for draft in work.drafts.products),
        images_added=work.intake.images_added,
        images_reused=work.intake.images_reused,
        images_decoded=work.intake.images_decoded,
        images_linked=work.links,
        quarantined=sum(issue.severity == "error" for issue in work.issues),
        warnings=sum(issue.severity == "warning" for issue in work.issues),
        seconds=round(time.monotonic() - started, 3),
        issues=tuple(work.issues),
        evidence=tuple(work.drafts.evidence),
        reader=work.drafts.reader,
        encoding=work.drafts.encoding,
        rows=work.drafts.rows,
        pictures=picture_books(work.dump, work.drafts, work.stored, work.keepers),
        documents=document_books(work.dump, work.drafts, work.issues),
        mapping=work.drafts.mapping,
        samples=tuple(map(_sample, work.drafts.products[:SAMPLES])),
        rejected=originals(work.issues, work.encoding, work.dump),
    )


def _sample(draft: DraftProduct) -> ProductSample:
    return ProductSample(
        sku=draft.sku,
        name=draft.name,
        category=draft.category,
        facts={fact.name: fact.value for fact in draft.attributes if fact.kind == "fact"},
        variants=len(draft.variants),
        pictures=tuple(picture.path for picture in draft.pictures),
    )


def _rebuild_captions(
    catalog: Catalog, name: str, changed: Set[int], unfinished: Sequence[int], progress: Progress
) -> int:
    """Bring the captions of changed products up to date and return how many the source has now.

    A product without captions is tried again, and so is one that was written by a run that did not end.
    """
    with catalog.read() as session:
        source_id = session.scalar(select(SourceRow.id).where(SourceRow.name == name))
        mine = ProductRow.source_id == source_id
        bare = ~exists().where(CaptionRow.product_id == ProductRow.id)
        left = ProductRow.last_run_id.in_(unfinished)
        due = set(session.scalars(select(ProductRow.id).where(mine, bare | left))) | changed
    if due:
        rebuild_captions(
            catalog,
            source=name,
            products=due,
            progress=lambda _, done, total: progress(say("captions"), done, total),
        )
    with catalog.read() as session:
        return session.scalar(select(func.count(CaptionRow.id)).join(ProductRow).where(mine)) or 0


def _silent(description: str, done: float, total: float | None) -> None:
    """Show no progress."""
