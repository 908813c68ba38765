"""`adapt export`: deliver the approved pictures, or check a delivery."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapt.cli._output import emit, note, progress
from adapt.cli._session import Session
from adapt.errors import AdaptError

if TYPE_CHECKING:
    from catalog.export import ExportReport

_FORMATS = "folder, imagefolder, webdataset, coco, merchant or shopify"


def export(
    ctx: typer.Context,
    format: Annotated[str | None, typer.Option("--format", help=f"{_FORMATS}; default folder.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to make; default exports/FORMAT-NUMBER.")] = None,
    base_url: Annotated[
        str, typer.Option("--base-url", help="https address the folder will be found under (merchant, shopify).")
    ] = "",
    c2pa: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--c2pa", metavar="CERT KEY", help="Sign each picture with these PEM files (extra c2pa)."),
    ] = None,
    c2pa_tsa: Annotated[
        str, typer.Option("--c2pa-tsa", metavar="URL", help="Ask this time-stamp service to stamp each signature.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be delivered; write nothing.")] = False,
    verify: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Check this delivery instead of making one.")
    ] = None,
) -> None:
    """Write approved pictures with their provenance, and read them back."""
    session: Session = ctx.obj
    if verify is not None:
        if format is not None or out or base_url or c2pa or c2pa_tsa or dry_run:
            raise AdaptError("--verify reads everything from the delivery; give it alone: adapt export --verify DIR")
        _verify(session, verify)
        return
    from catalog import export as service

    with session.open_catalog(create=False) as catalog, progress() as update:
        report = service.export(
            catalog,
            format="folder" if format is None else format,
            out=out,
            base_url=base_url,
            c2pa=c2pa,
            c2pa_tsa=c2pa_tsa,
            dry_run=dry_run,
            progress=update,
        )
    emit(
        session,
        {"path": report.path, "images": report.images, "excluded": report.excluded, "verified": report.verified},
        _lines(report, dry_run=dry_run, signed=c2pa is not None),
    )


def _verify(session: Session, folder: Path) -> None:
    from catalog import export as service

    found = service.verify(folder)
    for problem in found.problems:
        note(problem)
    if not found.ok:
        count = f"{len(found.problems)} problems" if len(found.problems) > 1 else found.problems[0]
        raise AdaptError(f"{folder} does not verify: {count}; export again")
    proof = "digest, provenance mark and C2PA signature" if found.signed else "digest and provenance mark"
    emit(
        session,
        {"path": folder, "images": found.files, "excluded": {}, "verified": found.verified},
        [f"{found.verified} of {found.files} pictures verified in {folder} ({found.format}: {proof})"],
    )


def _lines(report: "ExportReport", *, dry_run: bool, signed: bool) -> list[str]:
    left = ", ".join(f"{count} {reason}" for reason, count in report.excluded.items())
    lines = [
        f"{'would deliver' if dry_run else 'delivered'} {report.images} pictures to {report.path}",
        f"left out: {left or 'none'}" + ("" if dry_run or not left else "; each with its reason in excluded.csv"),
    ]
    if report.small:
        size = f"{report.asked_px} x {report.asked_px} px"
        lines.append(f"{report.small} of them are smaller than the {size} that this format's readers ask for")
    if report.reused:
        lines.append(f"went on from an export that was stopped: {report.reused} files were there already")
    if not dry_run:
        proof = "file digest, provenance mark and C2PA signature" if signed else "file digest and provenance mark"
        lines.append(f"verified: {report.verified} ({proof} read back)")
    return lines
