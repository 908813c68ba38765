"""`adapt dataset`: freeze captions and pictures into a dataset folder."""

from collections import Counter
from typing import Annotated

import typer

from adapt.cli._output import emit
from adapt.cli._session import MAX_SEED, Session
from catalog.dataset import freeze, plan


def dataset(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the dataset; else the source, or catalogue.")] = None,
    test_share: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of products to hold out.")] = 0.2,
    lang: Annotated[str, typer.Option(help="Language of the captions: en or ja.")] = "en",
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Draws the products to hold out.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be frozen, write nothing.")] = False,
) -> None:
    """Freeze captions and pictures into a dataset folder; the same content gives the same folder."""
    session: Session = ctx.obj
    with session.open_catalog(create=False) as catalog:
        take = plan if dry_run else freeze
        manifest = take(catalog, source=source, name=name, seed=seed, test_share=test_share, lang=lang)
    path, digest, counts = None if dry_run else manifest.folder, manifest.content_hash, manifest.counts
    categories = Counter(entry.category for entry in manifest.entries)
    lines = [
        f"{counts['images']} pictures of {counts['products']} products with {counts['captions']} captions: "
        f"{counts['train']} train, {counts['test']} test",
        f"would be frozen (hash {digest[:8]})" if path is None else f"frozen in {path}",
    ]
    emit(session, {"path": path, "content_hash": digest, "dry_run": dry_run, **counts, "categories": categories}, lines)
