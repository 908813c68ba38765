"""`adapt decide`: approve, reject or undo by item number, from a script."""

from typing import Annotated, Any

import typer

from adapt.cli._output import emit
from adapt.cli._session import Session
from adapt.errors import AdaptError
from catalog.policy import REJECT_REASONS


def decide(
    ctx: typer.Context,
    items: Annotated[list[int], typer.Argument(help="Item numbers, as `adapt queue` lists them.")],
    reviewer: Annotated[str, typer.Option(help="Who decides; kept with the decision.")],
    approve: Annotated[bool, typer.Option("--approve", help="Approve the items.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject them; needs --reason.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back this reviewer's decision on them.")] = False,
    reason: Annotated[
        list[str] | None,
        typer.Option(help=f"Why, for --reject; may be given several times: {', '.join(REJECT_REASONS)}."),
    ] = None,
    note: Annotated[str, typer.Option(help="Free text kept with the decision.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the items and change nothing.")] = False,
) -> None:
    """Decide items that were looked at elsewhere; each becomes a row of the decision log."""
    from catalog import queue, review
    from catalog.records import Decision

    session: Session = ctx.obj
    items = list(dict.fromkeys(items))
    if approve + reject + undo != 1:
        raise typer.BadParameter("give exactly one of --approve, --reject, --undo")
    verdict = "approve" if approve else "reject" if reject else "undo"
    if not undo:
        review.checked_reasons(verdict, reason or ())
    made: list[Decision] = []
    with session.open_catalog(create=False) as catalog:
        before = [queue.item(catalog, item) for item in items]
        settled = [found for found in before if found.state != "pending"]
        # All or nothing where it can be known: a list that is half done is hard to repeat.
        if settled and not undo:
            raise AdaptError(
                f"item {settled[0].id} is {settled[0].state} already, nothing was decided; leave it out or undo it"
            )
        if undo:
            for item in items:
                review.standing_decision(catalog, reviewer, item)
        if not dry_run:
            for item in items:
                if undo:
                    made.append(review.undo_item(catalog, reviewer, item))
                else:
                    made.append(review.decide_item(catalog, reviewer, item, verdict, reasons=reason or (), note=note))
    result: dict[str, Any] = {
        "verdict": verdict,
        "items": items,
        "decisions": [decision.id for decision in made],
        "dry_run": dry_run,
    }
    said = "would" if dry_run else "did"
    lines = [f"{said} {verdict} item {found.id}: {found.product_name} (was {found.state})" for found in before]
    emit(session, result, lines)
