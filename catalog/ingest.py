"""Stage 1 of 9. Reads a catalogue dump. Writes products, pictures and captions. Next: `adapt captions`.

The same dump twice changes nothing. Work is committed in batches, so a run that was killed is
completed by the same command. What cannot be taken is quarantined with its reason, never fatal.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import exists, func, select

from catalog import runs, sync
from catalog.acceptance import LOOK_AHEAD, Acceptance, Progress
from catalog.books import document_books, picture_books
from catalog.caption import rebuild_captions
from catalog.copies import best_digests
from catalog.duplicates import find_duplicates
from catalog.errors import IngestRefused
from catalog.intake import PictureIntake
from catalog.mapping import FILE_NAME
from catalog.path_rules import shown_path
from catalog.paths import IMAGE_SUFFIXES, Dump, checked_root
from catalog.phrases import say
from catalog.readers import read_dump
from catalog.readers.correcting import originals, unused_corrections
from catalog.readers.draft import DraftCatalogue, DraftProduct
from catalog.readers.refine import refine
from catalog.records import IngestReport, ProductSample
from catalog.report import corrections_of, edited_mapping, keep_corrections
from catalog.schema import CaptionRow, ProductRow, SourceRow
from catalog.store import BLOBS_NAME, Catalog
from catalog.sync import KnownSource
from catalog.upsert import write_files, write_images, write_products
from catalog.workers import CALLS_A_WORKER, WorkerPool

YOUNG_OBJECTS = 100_000
"""New objects after which the cycle collector looks; a transaction makes thousands of rows that hold no cycles."""
SAMPLES = 3
"""Products that a report shows."""


@dataclass(kw_only=True)
class _Run:
    """One run: what was read, and what comes of it."""

    source: str
    started: float
    """By the monotonic clock, in seconds."""
    dump: Dump
    encoding: str | None
    """As given, not as found out."""
    delta: bool
    known: KnownSource
    drafts: DraftCatalogue
    missing: list[str]
    """SKUs the dump no longer has."""
    acceptance: Acceptance
    progress: Progress
    id: int | None = None
    """None in a dry run."""
    pruned: int = 0
    captions: int = 0
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
    if workspace is not None and _is_in_store(checked_root(dump), workspace):
        raise IngestRefused(
            say("{dump} is the workspace itself; give the folder or archive that a catalogue came in", dump=dump)
        )
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
        if delta:
            listing.recall(
                {path: (seen.size, seen.mtime_ns) for path, seen in known.files.items() if seen.image_sha256}
            )
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
            recalled=listing.recalled,
        )
        acceptance = Acceptance(
            intake=intake,
            files=listing.files,
            known=known.products,
            look_ahead=max(LOOK_AHEAD, CALLS_A_WORKER * getattr(running, "size", 1)),
            progress=progress or _silent,
            issues=[*drafts.issues, *unused_corrections(listing)],
        )
        run = _Run(
            source=name,
            started=started,
            dump=listing,
            encoding=encoding,
            delta=delta,
            known=known,
            drafts=drafts,
            missing=missing,
            acceptance=acceptance,
            progress=progress or _silent,
        )
        if dry_run or catalog is None:
            for _ in acceptance.batches(drafts.products):
                intake.handed_over()
            run.pruned = len(missing) if prune else 0
            return _report(run)
        report = _carried_out(catalog, run, prune)
        if corrections is not None:
            keep_corrections(catalog.workspace, name, corrected)
        return report


def _is_in_store(root: Path, workspace: Path) -> bool:
    """Whether a dump is the workspace or its pictures, which would be taken in as products of their own."""
    return root == workspace or root.is_relative_to(workspace / BLOBS_NAME)


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


def _carried_out(catalog: Catalog, run: _Run, prune: bool) -> IngestReport:
    """Write what was read, compare its pictures with all others, caption it, and return what the run came to."""
    acceptance, intake = run.acceptance, run.acceptance.intake
    with catalog.write() as session:
        source_id, run.id, unfinished = runs.begin(
            session, run.source, shown_path(str(run.dump.root)), run.drafts, delta=run.delta
        )
    changed: set[int] = set()
    for batch in acceptance.batches(run.drafts.products):
        with catalog.write() as session:
            write_images(session, intake.new_images)
            write_files(session, source_id, run.id, intake.new_files)
            changed |= write_products(session, source_id, run.id, batch)
        intake.handed_over()
    with catalog.write() as session:
        run.pruned = sync.retire(session, source_id, run.missing, prune=prune)
    acceptance.issues += find_duplicates(catalog, source=run.source).issues
    with catalog.read() as session:
        run.keepers = best_digests(session)
    run.captions = _rebuild_captions(catalog, run.source, changed, unfinished, run.progress)
    report = _report(run)
    with catalog.write() as session:
        runs.finish(session, run.id, report)
    return report


def _report(run: _Run) -> IngestReport:
    acceptance, intake, drafts = run.acceptance, run.acceptance.intake, run.drafts
    issues = acceptance.issues
    if not acceptance.links and not run.known.products:
        reasons = sorted({issue.reason for issue in issues})
        raise IngestRefused(
            say(
                "no usable picture for any of {count} products in {root} ({reasons}); check the paths in the "
                "table against the files",
                count=len(drafts.products),
                root=run.dump.root,
                reasons=", ".join(reasons) or say("the tables name none"),
            )
        )
    return IngestReport(
        run_id=run.id,
        source=run.source,
        products_added=acceptance.added,
        products_updated=acceptance.updated,
        products_unchanged=acceptance.unchanged,
        products_missing=len(run.missing) - run.pruned,
        products_pruned=run.pruned,
        captions=run.captions,
        variants=sum(len(draft.variants) for draft in drafts.products),
        images_added=intake.images_added,
        images_reused=intake.images_reused,
        images_decoded=intake.images_decoded,
        images_linked=acceptance.links,
        quarantined=sum(issue.severity == "error" for issue in issues),
        warnings=sum(issue.severity == "warning" for issue in issues),
        seconds=round(time.monotonic() - run.started, 3),
        issues=tuple(issues),
        evidence=tuple(drafts.evidence),
        reader=drafts.reader,
        encoding=drafts.encoding,
        rows=drafts.rows,
        pictures=picture_books(run.dump, drafts, acceptance.stored, run.keepers),
        documents=document_books(run.dump, drafts, issues),
        mapping=drafts.mapping,
        samples=tuple(map(_sample, drafts.products[:SAMPLES])),
        rejected=originals(issues, run.encoding, run.dump, run.drafts.headers),
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
