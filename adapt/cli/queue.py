"""`adapt queue`: what waits for review, and what was decided."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapt.cli._output import emit
from adapt.cli._session import Session

if TYPE_CHECKING:
    from catalog.records import Decision, ReviewItem


def queue(
    ctx: typer.Context,
    state: Annotated[str, typer.Option(help="pending, approved, rejected, conflict, changes, or all.")] = "pending",
    run: Annotated[str | None, typer.Option(help="Only what this run drew.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most items to list.")] = 20,
    item: Annotated[int | None, typer.Option(help="Show one item with its decisions.")] = None,
) -> None:
    """List candidates in queue order, or one with its history."""
    from catalog import queue as service

    session: Session = ctx.obj
    with session.open_catalog(create=False) as catalog:
        if item is not None:
            listed = [service.item(catalog, item)]
        else:
            listed = service.items(catalog, state=None if state == "all" else state, run=run, limit=limit)
        history = service.decisions(catalog, item_id=item, limit=1000) if item is not None else []
        counts = service.progress(catalog)
    lines = [_item_line(found) for found in listed] + [_decision_line(made) for made in history]
    lines.append(f"{counts.pending} waiting, {counts.approved} approved, {counts.rejected} rejected")
    result = {
        "items": [_item_json(found) for found in listed],
        "decisions": [_decision_json(made) for made in history],
        "pending": counts.pending,
        "approved": counts.approved,
        "rejected": counts.rejected,
        "conflict": counts.conflict,
    }
    emit(session, result, lines)


def _item_line(found: "ReviewItem") -> str:
    return f"{found.id:>6}  {found.state:<9} {found.product:<32} seed {found.seed:<12} {found.prompt}"


def _decision_line(made: "Decision") -> str:
    line = f"        {made.decided_at:%Y-%m-%d %H:%M:%S}  {made.verdict:<8} {made.reviewer}  {', '.join(made.reasons)}"
    return line + "  (superseded)" if made.superseded else line.rstrip()


def _item_json(found: "ReviewItem") -> dict[str, Any]:
    return {
        "id": found.id,
        "state": found.state,
        "product": found.product,
        "name": found.product_name,
        "prompt": found.prompt,
        "run": found.run,
        "seed": found.seed,
        "scores": found.scores,
        "image_sha256": found.image_sha256,
        "nearest_similarity": found.nearest_similarity,
        "held_by": found.lease_owner,
    }


def _decision_json(made: "Decision") -> dict[str, Any]:
    return {
        "id": made.id,
        "verdict": made.verdict,
        "reviewer": made.reviewer,
        "reasons": list(made.reasons),
        "note": made.note,
        "decided_at": made.decided_at.isoformat(),
        "supersedes": made.supersedes_id,
        "superseded": made.superseded,
    }
