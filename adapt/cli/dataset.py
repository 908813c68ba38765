"""`adapt dataset`: freeze captions and pictures into a dataset folder."""

from typing import Annotated

import typer

from adapt.cli._output import emit
from adapt.cli._session import Session


def dataset(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only this source; else all of the catalogue.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the dataset; else the source's.")] = None,
    test_share: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of the products to hold out.")] = 0.2,
    lang: Annotated[str, typer.Option(help="Language of the captions.")] = "en",
    seed: Annotated[int, typer.Option(min=0, help="Draws the products to hold out.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be frozen, write nothing.")] = False,
) -> None:
    """Freeze captions and pictures as they are now; the same content gives the same folder.

    The other verbs freeze what they need by themselves: this one is for looking, for moving a dataset elsewhere, and for
    `adapt pretrain --dataset folder`.
    """
    from catalog.dataset import freeze, select_entries

    session: Session = ctx.obj
    with session.open_catalog(create=False) as catalog:
        if dry_run:
            entries = select_entries(catalog, source=source, seed=seed, test_share=test_share, lang=lang)
            folder, digest = None, None
        else:
            frozen = freeze(catalog, source=source, name=name, seed=seed, test_share=test_share, lang=lang)
            entries, folder, digest = list(frozen.entries), frozen.folder, frozen.content_hash
    result = {
        "path": folder,
        "hash": digest,
        "images": len(entries),
        "products": len({entry.product for entry in entries}),
        "captions": len({caption.id for entry in entries for caption in entry.captions}),
        "held_out_products": len({entry.product for entry in entries if entry.split == "test"}),
        "dry_run": dry_run,
    }
    lines = [
        f"{result['images']} pictures of {result['products']} products with {result['captions']} captions, "
        f"{result['held_out_products']} products held out",
        "dry run: nothing was written" if folder is None else f"dataset: {folder}",
    ]
    emit(session, result, lines)
