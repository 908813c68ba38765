"""`adapt finetune`: adapt a base to the catalogue from a few dozen pictures."""

from pathlib import Path
from typing import Annotated, Any

import typer

from adapt.cli._output import emit, note, progress
from adapt.cli._session import MAX_SEED, Session


def finetune(
    ctx: typer.Context,
    feedback_dir: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="With --feedback: frozen feedback to learn from.")
    ] = None,
    shots: Annotated[int, typer.Option(help="Pictures to learn from.")] = 50,
    base: Annotated[str | None, typer.Option(help="Run or base to start from; default: the shipped base.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source of the workspace.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="A frozen dataset instead of the workspace's catalogue.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="lora, affine or full; default: the preset's.")] = None,
    preset: Annotated[
        str, typer.Option(help="Preset (default, debug) or a TOML file; debug only tries the machinery.")
    ] = "default",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SECTION.FIELD=VALUE",
            help="Override a config field, such as train.steps=200 or optim.generator_lr=1e-3.",
        ),
    ] = None,
    feedback: Annotated[
        bool,
        typer.Option(
            "--feedback",
            help="Learn from decisions too: those frozen in DIR, else those that stand in the workspace now.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the shots and of everything random.")] = 0,
    new: Annotated[bool, typer.Option("--new", help="Start another run of the same request.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; train nothing.")] = False,
) -> None:
    """Adapt a base to the catalogue from a few dozen pictures; the same command resumes an unfinished run."""
    from adapt.cli._datasets import workspace_dataset, workspace_feedback
    from adapt.cli._runs import default_base, find_run
    from adapt.errors import AdaptError
    from adapt.finetune import FinetuneRequest, plan
    from adapt.finetune import finetune as adapt_base

    session: Session = ctx.obj
    if data_dir is not None and source is not None:
        raise AdaptError("--data-dir and --source exclude each other; give one")
    if feedback_dir is not None and not feedback:
        raise typer.BadParameter(
            f"{feedback_dir} is read only with --feedback: adapt finetune --feedback {feedback_dir}"
        )
    request = FinetuneRequest(
        manifest=workspace_dataset(session, source=source, folder=data_dir, dry_run=dry_run),
        base=find_run(session, base) if base else default_base(session),
        runs=session.runs,
        shots=shots,
        seed=seed,
        preset=preset,
        settings=[*([f"fewshot.method={method}"] if method else []), *(settings or [])],
        cache=session.workspace / "cache",
        new=new,
        feedback=workspace_feedback(session, folder=feedback_dir, dry_run=dry_run) if feedback else None,
    )
    chosen = plan(request)
    found = len(chosen.support.shots)
    if found < shots:
        note(f"--shots {shots}: the catalogue has {found} different captioned pictures; all of them are used")
    decided: dict[str, Any] = {}
    if chosen.feedback is not None:
        decided = {"approved": len(chosen.feedback.approved), "rejected": len(chosen.feedback.rejected)}
        left = ", ".join(f"{count} {why.replace('_', ' ')}" for why, count in chosen.feedback.left_out.items())
        note(
            f"feedback {chosen.feedback.feedback.folder}: {decided['approved']} approved and {decided['rejected']} "
            f"rejected pictures are learned from; left out: {left or 'none'}"
        )
    if dry_run:
        planned = {
            "run": chosen.folder.name,
            "base": chosen.base.name,
            "shots": found,
            "held_out": len(chosen.support.held_out),
            "categories": len({entry.category for entry in chosen.support.shots}),
            "method": chosen.config.fewshot.method,
            "steps": chosen.config.train.steps,
            **decided,
            "dry_run": True,
        }
        emit(session, planned, [f"{name}: {value}" for name, value in planned.items()])
        return
    with progress() as update:
        result = adapt_base(request, progress=update)
    state = "is finished already; --new starts another" if result["already_finished"] else f"took {result['seconds']} s"
    emit(
        session,
        result,
        [
            f"{result['run']} {state}: {result['shots']} shots, {result['steps']} steps",
            f"look at {session.runs / result['run'] / 'samples'}; next: {session.typed('generate --per-caption 4')}",
        ],
    )
