"""`adapt status`: what the workspace holds and what to do next."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adapt.cli._output import emit
from adapt.cli._session import Session

if TYPE_CHECKING:
    from catalog.summary import Summary

_RARE = ("conflict", "changes", "not_chosen")
"""States that are told of where there are any, so that the states of the candidates add up."""


def status(ctx: typer.Context) -> None:
    """Count what the workspace holds: products, pictures, captions, runs, candidates, decisions."""
    session: Session = ctx.obj
    runs = sorted((path for path in session.runs.glob("*/") if path.is_dir()), key=lambda path: path.stat().st_mtime)
    summary = _summary(session, may_be_absent=bool(runs))
    counts = {
        "products": summary.products,
        "images": summary.images,
        "captions": summary.captions,
        "runs": len(runs),
        "candidates": summary.candidates,
        "pending": summary.states.get("pending", 0),
        "approved": summary.states.get("approved", 0),
        "rejected": summary.states.get("rejected", 0),
        "conflict": summary.states.get("conflict", 0),
        "changes": summary.states.get("changes", 0),
        "not_chosen": summary.states.get("not_chosen", 0),
        "exported": summary.exported,
    }
    lines = [f"workspace   {session.workspace}", f"dumps       {', '.join(summary.sources) or 'none'}"]
    lines += [f"{name:<11} {count}" for name, count in counts.items() if count or name not in _RARE]
    lines += [f"  run       {run.name}{_how_far(run)}" for run in runs]
    trained = any(run.name.startswith("finetune") and (run / "summary.json").is_file() for run in runs)
    names = {"sources": list(summary.sources), "run_names": [run.name for run in runs]}
    emit(session, counts | names, [*lines, f"next        {session.typed(_next_step(counts, trained))}"])


def _summary(session: Session, *, may_be_absent: bool) -> "Summary":
    """Counts of the catalogue; who only pretrains has runs and none, which counts as an empty one."""
    from catalog.errors import CatalogError
    from catalog.summary import Summary, summarize

    try:
        with session.open_catalog(create=False) as catalog:
            return summarize(catalog)
    except CatalogError:
        if not may_be_absent or (session.workspace / "catalog.db").exists() or session.database_url():
            raise
    return Summary(sources=(), products=0, images=0, captions=0, candidates=0, states={}, exported=0)


def _next_step(counts: dict[str, int], trained: bool) -> str:
    """Return the verb and options that most likely comes next; `trained`: whether a fine-tuning is finished."""
    if not counts["products"]:
        return "ingest DUMP"
    if not counts["captions"]:
        return "captions --rebuild"
    if not trained:
        return "finetune --shots 50"
    if not counts["candidates"]:
        return "generate --per-caption 4"
    if counts["pending"]:
        return "review"
    return "export --format folder" if counts["approved"] > counts["exported"] else "evaluate"


def _how_far(run: Path) -> str:
    """What is said beside a run that is not finished; one that was refused at its start has saved nothing."""
    if (run / "summary.json").is_file():
        return ""
    if any(run.rglob("*.safetensors")):
        return " (unfinished: the same command goes on)"
    return " (nothing trained yet: the same command starts it, or says why it cannot)"
