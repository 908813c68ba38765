"""`adapt queue`: what waits for review, what was decided, and claims on items."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapt.cli._output import emit
from adapt.cli._reviewer import reviewer_here
from adapt.cli._session import Session
from adapt.errors import AdaptError

if TYPE_CHECKING:
    from catalog.records import Decision, ReviewItem
    from catalog.review import Conflict
    from catalog.store import Catalog


def queue(
    ctx: typer.Context,
    state: Annotated[
        str, typer.Option(help="pending, approved, rejected, conflict, changes, not_chosen, or all.")
    ] = "pending",
    run: Annotated[str | None, typer.Option(help="Only what this run drew.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most items to list.")] = 20,
    item: Annotated[int | None, typer.Option(help="Show one item with its decisions.")] = None,
    reviewer: Annotated[
        str | None, typer.Option(help="Who asks: for --claim, --log and --verify; hides opinions they must not know.")
    ] = None,
    claim: Annotated[
        bool, typer.Option("--claim", help="Take the next item, of --run if given, or --item, for --reviewer.")
    ] = False,
    renew: Annotated[str | None, typer.Option(metavar="TOKEN", help="Hold --item for longer.")] = None,
    release: Annotated[str | None, typer.Option(metavar="TOKEN", help="Give --item back.")] = None,
    log: Annotated[
        Path | None, typer.Option(help="Write the decision log to a .jsonl or .csv file, as an auditor.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that nobody changed the decision log, as an auditor.")
    ] = False,
) -> None:
    """List candidates in queue order, or one with its history."""
    from catalog import queue as service
    from catalog.schema import ITEM_STATES

    session: Session = ctx.obj
    if claim + (renew is not None) + (release is not None) + (log is not None) + verify > 1:
        raise typer.BadParameter("give one of --claim, --renew, --release, --log, --verify at a time")
    if (claim or log is not None or verify) and reviewer is None:
        raise typer.BadParameter("say who you are: --reviewer NAME")
    if (renew is not None or release is not None) and item is None:
        raise typer.BadParameter("--renew and --release need --item NUMBER")
    if state not in (*ITEM_STATES, "all"):
        raise AdaptError(f"no state {state[:80]!r}; allowed: {', '.join(ITEM_STATES)}, all")
    with session.open_catalog(create=False) as catalog:
        if reviewer is not None:
            reviewer = reviewer_here(catalog, reviewer)
        if claim or renew is not None or release is not None:
            emit(session, *_hold(catalog, item, run, reviewer, renew, release))
            return
        if log is not None or verify:
            emit(session, *_audit(catalog, reviewer or "", log))
            return
        if item is not None:
            listed = [service.item(catalog, item)]
        else:
            listed = service.items(catalog, state=None if state == "all" else state, run=run, limit=limit)
        history = service.decisions(catalog, item_id=item, limit=1000, as_seen_by=reviewer) if item is not None else []
        disputed = _disputed(catalog, limit) if state == "conflict" and item is None else {}
        counts = service.progress(catalog)
        needs = {} if item is None else _needs(catalog, listed[0])
    lines = [_item_line(found) for found in listed] + ([_needs_line(listed[0], needs)] if needs else [])
    lines += [line for made in history for line in _decision_lines(made)]
    lines.append(f"{counts.pending} waiting, {counts.approved} approved, {counts.rejected} rejected")
    result = {
        "items": [_item_json(found) | disputed.get(found.id, {}) | needs for found in listed],
        "decisions": [_decision_json(made) for made in history],
        "pending": counts.pending,
        "approved": counts.approved,
        "rejected": counts.rejected,
        "conflict": counts.conflict,
        "changes": counts.changes,
        "not_chosen": counts.not_chosen,
    }
    emit(session, result, lines)


def _hold(
    catalog: "Catalog",
    item: int | None,
    run: str | None,
    reviewer: str | None,
    renew: str | None,
    release: str | None,
) -> tuple[dict[str, Any], list[str]]:
    from catalog import review

    if renew is not None:
        until = review.renew(catalog, item or 0, renew)
        return {"item": item, "held_until": until.isoformat()}, [f"item {item} is yours until {until:%H:%M:%S} UTC"]
    if release is not None:
        freed = review.release(catalog, item or 0, release)
        said = "is free again" if freed else "was not held by this claim any more"
        return {"item": item, "released": freed}, [f"item {item} {said}"]
    taken = review.claim(catalog, reviewer or "", item_id=item, run=run)
    if taken is None or taken.lease_until is None:
        return {"item": None}, ["nothing waits that nobody holds" + (f" in run {run}" if run else "")]
    held = {"token": taken.lease_token, "held_until": taken.lease_until.isoformat()}
    line = f"token {taken.lease_token}, held until {taken.lease_until:%H:%M:%S} UTC"
    return {"item": _item_json(taken)} | held, [_item_line(taken), line]


def _audit(catalog: "Catalog", reviewer: str, log: Path | None) -> tuple[dict[str, Any], list[str]]:
    from catalog import audit

    if log is not None:
        written = audit.export(catalog, reviewer, log)
        return {"path": log, "decisions": written}, [f"{written} decisions written to {log}"]
    found = audit.check(catalog, reviewer)
    if found.broken is not None:
        raise AdaptError(
            f"decision {found.broken} was changed or added outside the review; restore a copy made before that"
        )
    if found.differences:
        first = found.differences[0]
        raise AdaptError(
            f"item {first.item_id} is {first.stored}, its decisions say {first.derived}: the log does not explain "
            f"{len(found.differences)} items; restore a copy of the database"
        )
    return {"decisions": found.decisions, "verified": True}, [
        f"{found.decisions} decisions: nothing was changed, and every item's state follows from them"
    ]


def _disputed(catalog: "Catalog", limit: int) -> dict[int, dict[str, Any]]:
    from catalog import review

    def opinions(found: "Conflict") -> list[dict[str, Any]]:
        return [
            {"verdict": said.verdict, "reasons": list(said.reasons), "note": said.note, "checks": dict(said.checks)}
            for said in found.opinions
        ]

    return {found.item.id: {"opinions": opinions(found)} for found in review.conflicts(catalog, limit=limit)}


def _item_line(found: "ReviewItem") -> str:
    return f"{found.id:>6}  {found.state:<9} {found.product:<32} seed {found.seed:<12} {found.prompt}"


def _needs(catalog: "Catalog", found: "ReviewItem") -> dict[str, Any]:
    """What it takes to approve an item under the rules in force, and why."""
    from catalog import policies

    rules = policies.current(catalog)
    similar = rules.copy_risk(found.nearest_similarity)
    needed = rules.needed(found.quorum, copy_risk=found.flagged or similar)
    return {"approvals_needed": needed, "flagged": found.flagged, "copy_risk": similar}


def _needs_line(found: "ReviewItem", needs: dict[str, Any]) -> str:
    number = needs["approvals_needed"]
    said = f"        needs {number} approval{'s' if number > 1 else ''}"
    if needs["copy_risk"]:
        return f"{said} (may be a copy of a real photo, similarity {found.nearest_similarity:.3f})"
    return f"{said} (flagged)" if needs["flagged"] else said


def _decision_lines(made: "Decision") -> list[str]:
    """What somebody said of an item: verdict and reasons, then the ticks and the note, each in a line of its own."""
    line = f"        {made.decided_at:%Y-%m-%d %H:%M:%S}  {made.verdict:<8} {made.reviewer}  {', '.join(made.reasons)}"
    lines = [line + "  (superseded)" if made.superseded else line.rstrip()]
    if made.checks:
        lines.append(f"            checks: {', '.join(f'{name} {tick}' for name, tick in made.checks.items())}")
    if made.note.strip():
        lines.append(f"            note: {' '.join(made.note.split())}")
    return lines


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
        "origin": made.origin,
        "checks": dict(made.checks),
    }
