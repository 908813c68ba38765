"""`adapt generate --requested`: draw again what reviewers asked for."""

import time
from typing import TYPE_CHECKING, Any

from adapt.cli._output import emit, note, progress
from adapt.cli._session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from catalog.records import Candidate
    from catalog.regeneration import Regeneration


def serve_requests(session: Session, *, run: str | None, limit: int | None, dry_run: bool) -> None:
    """Draw the pictures that are asked for, put them first in the queue and mark the requests as served.

    A stop at any moment loses nothing: what is drawn is not drawn again, what is queued is not queued again.
    """
    from adapt.cli._runs import default_tuned_run, find_run
    from catalog import regeneration
    from catalog.generation import enqueue

    begun = time.perf_counter()
    with session.open_catalog(create=False) as catalog:
        waiting = regeneration.pending(catalog, limit=limit)
        dropped = 0 if dry_run else regeneration.drop_undone(catalog)
    if dropped:
        note(f"requests dropped, since their decisions were undone: {dropped}")
    if not waiting:
        nothing: dict[str, Any] = {"run": None, "candidates": 0, "images": 0, "seconds": 0.0}
        nothing |= {"requests": [], "dry_run": True} if dry_run else {}
        emit(session, nothing, [f"no picture is waiting to be drawn again; next: {session.typed('review')}"])
        return
    folder = find_run(session, run) if run else default_tuned_run(session)
    if dry_run:
        asked = [
            {"id": one.id, "item": one.item_id, "product": one.product, "prompt": one.prompt, "seed": one.seed}
            for one in waiting
        ]
        lines = [f"request {one.id} of item {one.item_id}: {one.product}, {one.prompt!r}" for one in waiting]
        planned = {"run": folder.name, "images": len(waiting), "requests": asked, "dry_run": True}
        emit(session, planned, [f"run: {folder.name}", *lines])
        return
    drawn = _draw(session, folder, waiting)
    with session.open_catalog() as catalog:
        added = enqueue(catalog, folder.name, drawn, priority=regeneration.PRIORITY)
        for one in waiting:
            regeneration.served(catalog, one.id, folder.name)
    seconds = round(time.perf_counter() - begun, 1)
    result = {"run": folder.name, "candidates": added, "images": len(drawn), "seconds": seconds}
    emit(session, result, [f"{len(drawn)} pictures drawn again, {added} new; next: {session.typed('review')}"])


def _draw(session: Session, folder: "Path", waiting: "Sequence[Regeneration]") -> "list[Candidate]":
    from adapt.cli._datasets import workspace_dataset
    from adapt.generate import Prompt, draw
    from adapt.scoring import CandidateScorer
    from adapt.training.inference import load_generator

    generator = load_generator(folder)
    jobs = [
        (Prompt(product_id=one.product_id, caption_id=one.caption_id, text=one.prompt), one.seed) for one in waiting
    ]
    with progress() as update:
        scorer = CandidateScorer(
            workspace_dataset(session), image_px=generator.image_px, cache=session.workspace / "cache", progress=update
        )
        return draw(generator, jobs, session.workspace / "candidates" / folder.name, scorer=scorer, progress=update)
