"""`adapt generate`: draw candidates for the catalogue's captions and queue them for review."""

import time
from typing import Annotated

import typer

from adapt.cli._output import emit, progress
from adapt.cli._session import MAX_SEED, Session


def generate(
    ctx: typer.Context,
    per_caption: Annotated[int, typer.Option(min=1, max=1000, help="Pictures a caption, each with its own noise.")] = 4,
    captions: Annotated[int, typer.Option(min=1, help="Captions (wordings) a product.")] = 1,
    run: Annotated[str | None, typer.Option(help="Run to draw with; default: the newest fine-tuned one.")] = None,
    source: Annotated[str | None, typer.Option(help="Only products of this source.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many products.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the noise.")] = 0,
    requested: Annotated[
        bool,
        typer.Option("--requested", help="Draw again what reviewers asked for, each once; --limit takes the oldest."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be drawn; draw nothing.")] = False,
) -> None:
    """Draw candidates with scores and put them into the review queue; what is there already is not drawn again."""
    from adapt.cli._datasets import workspace_dataset
    from adapt.cli._requested import serve_requests
    from adapt.cli._runs import default_tuned_run, find_run
    from adapt.generate import Prompt
    from adapt.generate import generate as draw
    from adapt.scoring import CandidateScorer
    from adapt.training.inference import load_generator
    from catalog.dataset import captions_without_picture
    from catalog.generation import enqueue

    session: Session = ctx.obj
    if requested:
        _refuse_beside_requested(ctx)
        serve_requests(session, run=run, limit=limit, dry_run=dry_run)
        return
    begun = time.perf_counter()
    folder = find_run(session, run) if run else default_tuned_run(session)
    dataset = workspace_dataset(session, source=source, dry_run=dry_run)
    by_product = {entry.product_id: entry.captions for entry in dataset.entries if entry.captions}
    with session.open_catalog(create=False) as catalog:
        by_product |= captions_without_picture(catalog, source=source)
    chosen = sorted(by_product)[:limit]
    prompts = [
        Prompt(product_id=product, caption_id=caption.id, text=caption.text)
        for product in chosen
        # The wordings that state most come first: a prompt should carry the whole specification.
        for caption in sorted(by_product[product], key=lambda caption: -len(caption.facts))[:captions]
    ]
    if dry_run:
        planned = {"run": folder.name, "prompts": len(prompts), "images": len(prompts) * per_caption, "dry_run": True}
        emit(session, planned, [f"{name}: {value}" for name, value in planned.items()])
        return
    generator = load_generator(folder)
    with progress() as update:
        scorer = CandidateScorer(
            dataset, image_px=generator.image_px, cache=session.workspace / "cache", progress=update
        )
        drawn = draw(
            generator,
            prompts,
            session.workspace / "candidates" / folder.name,
            per_caption=per_caption,
            seed=seed,
            scorer=scorer,
            progress=update,
        )
    with session.open_catalog() as catalog:
        added = enqueue(catalog, folder.name, drawn)
    seconds = round(time.perf_counter() - begun, 1)
    result = {"run": folder.name, "candidates": added, "images": len(drawn), "seconds": seconds}
    emit(
        session,
        result,
        [f"{len(drawn)} pictures of {len(chosen)} products, {added} new in the queue; next: {session.typed('review')}"],
    )


def _refuse_beside_requested(ctx: typer.Context) -> None:
    """A request says itself what is drawn, how often and with which seed."""
    for name in ("per_caption", "captions", "source", "seed"):
        source = ctx.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            raise typer.BadParameter(f"--requested draws what was asked for; leave --{name.replace('_', '-')} out")
