"""`adapt captions`: list, preview and rebuild captions, and list terms the glossary lacks."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from adapt.cli._output import emit, progress
from adapt.cli._session import MAX_SEED, Session
from catalog.caption import CaptionReport, UnknownTerm, list_captions, preview, rebuild_captions, stale_captions
from catalog.errors import CatalogError
from catalog.glossary import COLUMNS, OWN_NAME
from catalog.store import Catalog

_SHOWN_TERMS = 10


def captions(
    ctx: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Only this product: <source>/<sku>, or a SKU.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write captions anew where records or terms changed.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--preview", help="Show what PRODUCT would get, with facts; store nothing.")
    ] = False,
    unknown: Annotated[bool, typer.Option("--unknown", help="List terms the glossary lacks.")] = False,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    lang: Annotated[str, typer.Option(help="Language of the captions: en or ja.")] = "en",
    wordings: Annotated[int, typer.Option(min=1, max=100, help="Captions a product.")] = 10,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Chooses templates and words.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="Captions or terms to list.")] = 50,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what --rebuild would change, change nothing.")
    ] = False,
) -> None:
    """List captions; preview or rebuild them; list terms that are missing from the glossary."""
    session: Session = ctx.obj
    if sum((rebuild, show, unknown)) > 1:
        raise typer.BadParameter("choose one of --rebuild, --preview and --unknown")
    with session.open_catalog(create=False) as catalog:
        if show:
            _preview(session, catalog, product, lang, wordings, seed)
        elif rebuild or unknown:
            if product is not None:
                raise typer.BadParameter(
                    "PRODUCT goes with the list and with --preview; choose products by --source here"
                )
            with progress() as update:
                report = rebuild_captions(
                    catalog,
                    source=source,
                    wordings=wordings,
                    lang=lang,
                    seed=seed,
                    dry_run=dry_run or unknown,
                    progress=update,
                )
            if unknown:
                lines = list(_terms(report.unknown[:limit], session))
                listed = [asdict(term) | {"is_attribute": term.is_attribute} for term in report.unknown[:limit]]
                emit(session, {"unknown": listed}, lines)
            else:
                emit(session, {**asdict(report), "dry_run": dry_run}, list(_summary(report, session, dry_run)))
        else:
            _list(session, catalog, source, product, lang, limit)


def _list(session: Session, catalog: Catalog, source: str | None, product: str | None, lang: str, limit: int) -> None:
    found = list_captions(catalog, source=source, product=product, lang=lang, limit=limit)
    stale = stale_captions(catalog, lang=lang)
    lines = [f"{key}  {caption.text}" for key, caption in found]
    if not lines:
        lines.append(
            f"no {lang} captions; write them with: adapt -w {session.workspace} captions --rebuild --lang {lang}"
        )
    if stale:
        again = f"adapt -w {session.workspace} captions --rebuild --lang {lang}"
        lines.append(f"{stale} captions are older than the glossary or templates; run: {again}")
    emit(session, {"captions": [{"product": key, **asdict(caption)} for key, caption in found], "stale": stale}, lines)


def _preview(session: Session, catalog: Catalog, product: str | None, lang: str, wordings: int, seed: int) -> None:
    if product is None:
        raise CatalogError("--preview needs a product: adapt captions <source>/<sku> --preview")
    views = preview(catalog, product, lang=lang, wordings=wordings, seed=seed)
    lines = []
    for view in views:
        lines.append(f"{view.product.key}" + (f", variant {view.variant_id}" if view.variant_id is not None else ""))
        lines.append("  facts: " + (", ".join(f"{name}={value}" for name, value in view.sheet.facts.items()) or "none"))
        lines += [f"  unknown: {term.term} ({term.attribute})" for term in view.sheet.unknown]
        lines += [f"  {wording.length:6}  {wording.text}" for wording in view.wordings]
    result = [
        {
            "product": view.product.key,
            "variant_id": view.variant_id,
            "facts": view.sheet.facts,
            "unknown": [asdict(term) for term in view.sheet.unknown],
            "captions": [asdict(wording) for wording in view.wordings],
        }
        for view in views
    ]
    emit(session, {"views": result}, lines)


def _summary(report: CaptionReport, session: Session, dry_run: bool) -> Iterable[str]:
    would = "would be " if dry_run else ""
    yield (
        f"{report.captions} captions of {report.products} products: {report.added} {would}added, "
        f"{report.updated} {would}updated, {report.removed} {would}removed, {report.unchanged} unchanged"
    )
    if report.without:
        shown = ", ".join(report.without[:3])
        yield f"{len(report.without)} products got none, since no term names them: {shown}"
    yield from _terms(report.unknown[:_SHOWN_TERMS], session) if report.unknown else ()


def _terms(terms: Iterable[UnknownTerm], session: Session) -> Iterable[str]:
    listed = list(terms)
    if not listed:
        yield "the glossary knows every term"
        return
    values = [term for term in listed if not term.is_attribute]
    if values:
        yield f"terms the glossary lacks; add rows {','.join(COLUMNS)} to {session.workspace / OWN_NAME}:"
    for term in values:
        fate = "used as it stands" if term.used else "left out"
        yield f"  {term.term}  ({term.attribute}, {_products(term)}, {fate}; e.g. {', '.join(term.examples)})"
    attributes = [term for term in listed if term.is_attribute]
    if attributes:
        yield (
            "attributes no caption uses; what shows in a picture can be mapped to colour, material, pattern, shape, "
            "finish, size or style:"
        )
    for term in attributes:
        yield f"  {term.term}  ({_products(term)}; e.g. {', '.join(term.examples)})"


def _products(term: UnknownTerm) -> str:
    return f"{term.products} product{'' if term.products == 1 else 's'}"
