"""`adapt export`: deliver the approved pictures, or check a delivery."""

from pathlib import Path
from typing import Annotated

import typer

from adapt.cli._output import emit, progress
from adapt.cli._session import Session
from adapt.errors import AdaptError


def export(
    ctx: typer.Context,
    format: Annotated[str, typer.Option("--format", help="Delivery format: folder.")] = "folder",
    out: Annotated[Path | None, typer.Option(help="Folder to make; default exports/FORMAT-NUMBER.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be delivered; write nothing.")] = False,
    verify: Annotated[Path | None, typer.Option(help="Check this delivery instead of making one.")] = None,
) -> None:
    """Write approved pictures with their provenance, and read them back."""
    from catalog import export as service

    session: Session = ctx.obj
    if verify is not None:
        found = service.verify(verify, format=format)
        if not found.ok:
            more = f" and {len(found.problems) - 1} more" if len(found.problems) > 1 else ""
            raise AdaptError(f"{verify} does not verify: {found.problems[0]}{more}; export again")
        emit(
            session,
            {"path": verify, "images": found.files, "excluded": {}, "verified": found.verified},
            [f"{found.verified} of {found.files} pictures verified in {verify}"],
        )
        return
    with session.open_catalog(create=False) as catalog, progress() as update:
        report = service.export(catalog, format=format, out=out, dry_run=dry_run, progress=update)
    left = ", ".join(f"{count} {reason}" for reason, count in report.excluded.items())
    lines = [
        f"{'would deliver' if dry_run else 'delivered'} {report.images} pictures to {report.path}",
        f"left out: {left or 'none'}",
    ]
    if not dry_run:
        lines.append(f"verified: {report.verified} (file digest and provenance mark read back)")
    emit(
        session,
        {"path": report.path, "images": report.images, "excluded": report.excluded, "verified": report.verified},
        lines,
    )
