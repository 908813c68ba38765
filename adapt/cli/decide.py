"""`adapt decide`: verdicts, rulings, bulk verdicts, choices and undo by item number, from a script."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapt.cli._output import emit
from adapt.cli._reviewer import reviewer_here
from adapt.cli._session import Session
from adapt.errors import AdaptError
from catalog.policy import REJECT_REASONS

if TYPE_CHECKING:
    from catalog.records import Decision, ReviewItem
    from catalog.store import Catalog

_VERDICTS = ("approve", "reject", "changes", "skip", "undo", "choose")
_SAID = {
    "approve": ("approved", "would approve"),
    "reject": ("rejected", "would reject"),
    "changes": ("asked for changes to", "would ask for changes to"),
    "skip": ("skipped", "would skip"),
    "undo": ("took back the decision on", "would take back the decision on"),
    "choose": ("chose", "would choose"),
    "pass": ("did not choose", "would not choose"),
}
"""Verdict, or what a choice does to the others → how it is told once done, and beforehand."""


def decide(
    ctx: typer.Context,
    items: Annotated[list[int], typer.Argument(help="Item numbers, as `adapt queue` lists them.")],
    reviewer: Annotated[str, typer.Option(help="Who decides; kept with the decision.")],
    approve: Annotated[bool, typer.Option("--approve", help="Approve the items.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject them; needs --reason.")] = False,
    changes: Annotated[bool, typer.Option("--changes", help="Ask for others; needs --note or --reason.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Pass them on undecided.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back this reviewer's decision on them.")] = False,
    choose: Annotated[
        bool, typer.Option("--choose", help="Approve the first and mark the others as not chosen.")
    ] = False,
    reason: Annotated[
        list[str] | None,
        typer.Option(help=f"Why; may be given several times: {', '.join(REJECT_REASONS)}."),
    ] = None,
    note: Annotated[str, typer.Option(help="Free text kept with the decision.")] = "",
    check: Annotated[
        list[str] | None,
        typer.Option(metavar="ATTRIBUTE=match", help="Tick an attribute: match, mismatch or not_visible."),
    ] = None,
    adjudicate: Annotated[
        bool, typer.Option("--adjudicate", help="As a lead's ruling on items others decided; needs --note.")
    ] = False,
    bulk: Annotated[
        bool, typer.Option("--bulk", help="As one bulk verdict of a lead; needs --seen and --count.")
    ] = False,
    seen: Annotated[
        list[int] | None, typer.Option(help="An item you looked at, for --bulk; at least 5 of them.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="How many items, for --bulk.")] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Have another picture of each drawn by generate --requested; --changes does anyway.",
        ),
    ] = False,
    prompt: Annotated[str | None, typer.Option(help="A corrected text to draw, for --again and one item.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the items and change nothing.")] = False,
) -> None:
    """Decide items that were looked at elsewhere; each becomes a row of the decision log."""
    from catalog import queue

    session: Session = ctx.obj
    items = list(dict.fromkeys(items))
    given = dict(zip(_VERDICTS, (approve, reject, changes, skip, undo, choose), strict=True))
    if sum(given.values()) != 1:
        raise typer.BadParameter("give exactly one of --approve, --reject, --changes, --skip, --undo, --choose")
    verdict = next(name for name, is_given in given.items() if is_given)
    if (adjudicate or bulk) and ((adjudicate and bulk) or verdict not in ("approve", "reject", "changes")):
        raise typer.BadParameter("--adjudicate or --bulk, not both, goes with --approve, --reject or --changes")
    if check and (adjudicate or bulk or verdict in ("undo", "choose")):
        raise typer.BadParameter("--check goes with a verdict of one reviewer")
    if again and verdict not in ("reject", "changes"):
        raise typer.BadParameter("--again goes with --reject or --changes")
    if prompt is not None and (not again or len(items) > 1):
        raise typer.BadParameter("--prompt goes with --again and one item")
    checks = _checks(check or ())
    options: dict[str, Any] = {"reasons": reason or (), "note": note}
    made: list[Decision] = []
    with session.open_catalog(create=False) as catalog:
        with catalog.read() as reading:
            before = queue.read_items(reading, items)
        reviewer = reviewer_here(catalog, reviewer)
        _check_items(catalog, reviewer, before, verdict, options, ruling=adjudicate)
        if not dry_run:
            if adjudicate:
                from catalog.review import adjudicate as rule

                made = [rule(catalog, reviewer, item, verdict, **options) for item in items]
            elif bulk:
                from catalog.review import bulk as decide_all

                sample: dict[str, Any] = {"seen": seen or (), "typed_count": count or 0}
                made = decide_all(catalog, reviewer, items, verdict, **options, **sample)
            else:
                made = _one_by_one(catalog, reviewer, items, verdict, options | {"checks": checks})
        asked = _ask_again(catalog, reviewer, made, prompt) if again else []
    result: dict[str, Any] = {
        "verdict": verdict,
        "items": items,
        "decisions": [decision.id for decision in made],
        "dry_run": dry_run,
        **({"requests": asked} if again else {}),
    }
    lines = []
    for found in before:
        done, planned = _SAID["pass" if verdict == "choose" and found.id != items[0] else verdict]
        said = planned if dry_run else done
        lines.append(f"{said} item {found.id}: {found.product_name} (was {found.state})")
    emit(session, result, lines)


def _ask_again(catalog: "Catalog", reviewer: str, made: "Sequence[Decision]", prompt: str | None) -> list[int]:
    from catalog import regeneration

    return [regeneration.request(catalog, one.id, prompt=prompt, actor=reviewer).id for one in made]


def _checks(given: Sequence[str]) -> dict[str, str]:
    checks: dict[str, str] = {}
    for word in given:
        name, equals, verdict = word.rpartition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{word!r}: write --check ATTRIBUTE=match, =mismatch or =not_visible")
        checks[name] = verdict
    return checks


def _check_items(
    catalog: "Catalog",
    reviewer: str,
    before: "Sequence[ReviewItem]",
    verdict: str,
    options: dict[str, Any],
    *,
    ruling: bool,
) -> None:
    """Refuse a list as a whole where it can be known: one that is half done is hard to repeat."""
    from catalog import review

    if verdict == "undo":
        for found in before:
            review.standing_decision(catalog, reviewer, found.id)
        return
    if verdict != "choose":
        review.checked_reasons(verdict, options["reasons"], options["note"])
    settled = [found for found in before if found.state != "pending"]
    if settled and not ruling:
        raise AdaptError(
            f"item {settled[0].id} is {settled[0].state} already, nothing was decided; leave it out or undo it"
        )


def _one_by_one(
    catalog: "Catalog", reviewer: str, items: Sequence[int], verdict: str, options: dict[str, Any]
) -> "list[Decision]":
    from catalog import review

    if verdict == "undo":
        return [review.undo_item(catalog, reviewer, item, scripted=True) for item in items]
    if verdict == "choose":
        return review.choose(catalog, reviewer, items[0], items[1:], note=options["note"], scripted=True)
    return [review.decide_item(catalog, reviewer, item, verdict, **options) for item in items]
