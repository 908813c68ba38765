"""`adapt demo`: the whole road, with a catalogue drawn by our own code."""

import json
import shlex
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import typer

from adapt.cli._output import emit, note, progress
from adapt.cli._session import DEFAULT_WORKSPACE, MAX_SEED, Session
from adapt.errors import AdaptError

SOURCE = "demo-catalogue"
WORKSPACE = Path("adapt-demo")
"""Where the demo goes unless a workspace is named: its drawn products must not mix with somebody's own."""
RECORD = "demo.json"


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """What decides the outcome; a finished demo with an equal plan is not run again."""

    products: int
    """Products to draw."""
    shots: int
    """Pictures to learn from."""
    per_caption: int
    """Pictures to draw a caption."""
    seed: int
    """Decides the catalogue, the shots and the noise."""
    base: str | None = None
    """Run or base to start from; None for the shipped one."""
    preset: str = "default"
    """Preset of the adaptation."""

    def steps(self, dump: Path) -> list[list[str]]:
        """Return the commands of the road up to the review, as they are typed after `adapt`."""
        seed = ["--seed", str(self.seed)]
        finetune = ["finetune", "--shots", str(self.shots), "--source", SOURCE, *seed]
        finetune += ["--base", self.base] if self.base else []
        finetune += ["--preset", self.preset] if self.preset != "default" else []
        return [
            ["ingest", str(dump), "--source", SOURCE],
            ["captions", "--rebuild", "--source", SOURCE],
            ["dataset", "--source", SOURCE],
            finetune,
            ["generate", "--per-caption", str(self.per_caption), "--source", SOURCE, *seed],
        ]


def demo(
    ctx: typer.Context,
    products: Annotated[int, typer.Option(min=10, max=300, help="Products to draw.")] = 64,
    shots: Annotated[int, typer.Option(min=2, help="Pictures to learn from.")] = 50,
    per_caption: Annotated[int, typer.Option(min=1, help="Pictures to draw a caption.")] = 2,
    base: Annotated[str | None, typer.Option(help="Run or base to start from; default: the shipped base.")] = None,
    preset: Annotated[str, typer.Option(help="Preset of the adaptation, or a TOML file.")] = "default",
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of everything random.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands; change nothing.")] = False,
) -> None:
    """Walk the whole road with a drawn catalogue: ingest, captions, dataset, finetune, generate, contact sheet.

    Stopped half way, the same command goes on; once finished, it answers at once.
    """
    session: Session = ctx.obj
    if session.workspace == DEFAULT_WORKSPACE:
        session = ctx.obj = replace(session, workspace=WORKSPACE)
    plan = DemoPlan(products=products, shots=shots, per_caption=per_caption, seed=seed, base=base, preset=preset)
    dump = session.workspace / SOURCE
    if dry_run:
        typed = [_typed(session, step) for step in plan.steps(dump)]
        emit(session, {"dry_run": True, "commands": typed}, [f"draw {products} products in {dump}", *typed])
        return
    result = _finished(session, plan)
    if result is None:
        _refuse_other_products(session)
        result = _walk(session, plan, dump)
    emit(session, result, _what_to_look_at(session, result))


def _refuse_other_products(session: Session) -> None:
    from catalog.summary import summarize

    if not (session.workspace / "catalog.db").is_file() and session.database_url() is None:
        return
    with session.open_catalog(create=False) as catalog:
        others = [name for name in summarize(catalog).sources if name != SOURCE]
    if others:
        raise AdaptError(
            f"workspace {session.workspace} holds {', '.join(others[:3])}, which the drawn products would mix with; "
            f"give the demo a folder of its own: adapt -w {WORKSPACE} demo"
        )


def _walk(session: Session, plan: DemoPlan, dump: Path) -> dict[str, Any]:
    """Run the steps; each is a command that does nothing when its work is done already."""
    from catalog.atomic import replacing
    from catalog.contact_sheet import sheet_of_run
    from catalog.sample import draw_sample_catalogue

    started = time.monotonic()
    note(f"drawing a catalogue of {plan.products} products in {dump}")
    with progress() as update:
        draw_sample_catalogue(dump, products=plan.products, seed=plan.seed, progress=update)
    answers: dict[str, dict[str, Any]] = {}
    for step in plan.steps(dump):
        if step[0] == "generate":  # a newer run of the user's own must not take the place of this one
            step = [*step, "--run", answers["finetune"]["run"]]
        note(f"$ {_typed(session, step)}")
        answers[step[0]] = _run(session, step)
    run = answers["generate"]["run"]
    with session.open_catalog(create=False) as catalog:
        sheet = sheet_of_run(catalog, run, session.workspace / "contact-sheet.png", products=plan.products)
    result = {
        "run": run,
        "contact_sheet": str(sheet),
        "candidates": answers["generate"]["images"],
        "seconds": round(time.monotonic() - started, 1),
        "plan": vars(plan),
        "already_finished": False,
    }
    with replacing(session.workspace / RECORD) as part:
        part.write_text(json.dumps(result), encoding="utf-8")
    return result


def _typed(session: Session, words: list[str]) -> str:
    return f"adapt -w {shlex.quote(str(session.workspace))} {shlex.join(words)}"


def _run(session: Session, words: list[str]) -> dict[str, Any]:
    """Run one verb as if it were typed, with its progress on stderr, and return its JSON answer.

    Raises:
        typer.Exit: it failed; its one line is on stderr already.
    """
    from typer.main import get_command

    from adapt.cli import app

    shared = ["-w", str(session.workspace), "--json", *(["--debug"] if session.debug else [])]
    answer = StringIO()
    with redirect_stdout(answer):
        code = get_command(app).main([*shared, *words], prog_name="adapt", standalone_mode=False)
    if code:
        raise typer.Exit(code)
    parsed: dict[str, Any] = json.loads(answer.getvalue())
    return parsed


def _finished(session: Session, plan: DemoPlan) -> dict[str, Any] | None:
    """Return the answer of a finished demo of the same plan, if its contact sheet is still there."""
    record = session.workspace / RECORD
    if not record.is_file():
        return None
    try:
        result: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        return None  # damaged: walk again, every step knows what is done
    if result.get("plan") != vars(plan) or not Path(result["contact_sheet"]).is_file():
        return None
    return result | {"already_finished": True}


def _what_to_look_at(session: Session, result: dict[str, Any]) -> list[str]:
    done = "was finished before" if result["already_finished"] else f"finished in {result['seconds']:.0f} s"
    where = shlex.quote(str(session.workspace))
    return [
        f"demo {done}: {result['candidates']} candidates drawn by {result['run']}",
        f"look at {result['contact_sheet']}",
        "  left of each line a real product picture, right what was drawn from its text: compare colour, kind and form",
        f"approve or reject: adapt -w {where} review",
        f"then deliver:      adapt -w {where} export --format folder",
    ]
