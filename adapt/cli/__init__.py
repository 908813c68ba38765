"""Command line of adapt: verbs in pipeline order, each imported only when it is called.

Everything a user can cause ends in one line on stderr: exit 1 when refused or failed, 2 when typed wrongly. A traceback
needs `--debug`.
"""

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from adapt.cli._failure import describe
from adapt.cli._session import Session, choose_workspace
from adapt.pipeline import VERBS

__all__ = ["app", "main"]

_WORKSPACE = typer.Option("--workspace", "-w", help="Workspace folder; else $ADAPT_WORKSPACE, else ./adapt-workspace.")
_JSON = typer.Option("--json", help="Print one JSON object on stdout.")
_DEBUG = typer.Option("--debug", help="Show the traceback of a failure.")


class _LazyVerb(TyperCommand):
    """Stands in for a verb in the help; importing its module waits until the verb is called."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Build the real command and parse with it."""
        return _load(str(self.name)).make_context(info_name, args, parent=parent, **extra)


class _Verbs(TyperGroup):
    """The command group: pipeline order, near names for typos, one line for every failure."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the verbs in pipeline order."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a stand-in for a known verb; `run_x` and `run-x` are one name."""
        if cmd_name not in VERBS:
            return None
        return _LazyVerb(cmd_name, help=VERBS[cmd_name], rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb; an unknown one is answered with the near ones, or with all."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            near = get_close_matches(args[0], VERBS, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"choose one of {', '.join(VERBS)}."
            ctx.fail(f"no verb '{args[0]}': {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; turn what a user can cause into one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, Exception) as error:
            line = None if getattr(ctx.find_root().obj, "debug", False) else describe(error)
            if line is None:
                raise
            typer.echo(f"adapt: {line}", err=True)
            raise typer.Exit(1) from error


_PLAIN: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
app = typer.Typer(cls=_Verbs, no_args_is_help=True, **_PLAIN)


def _load(verb: str) -> Any:
    """Import a verb's module and return its command, with the options every verb shares."""
    function = getattr(importlib.import_module(f"adapt.cli.{verb}"), verb)
    single = typer.Typer(**_PLAIN)
    single.command(name=verb)(_with_shared_options(function))
    return get_command(single)


def _with_shared_options(function: Callable[..., None]) -> Callable[..., None]:
    """Return `function` with `-w`, `--json`, `--debug` added to its signature; what is given after the verb wins."""

    @wraps(function)
    def verb(
        *, ctx: typer.Context, workspace: Path | None = None, json: bool = False, debug: bool = False, **rest: Any
    ) -> None:
        session: Session = ctx.obj
        session = replace(session, json=session.json or json, debug=session.debug or debug)
        if workspace is not None:
            session = replace(session, workspace=choose_workspace(workspace))
        ctx.obj = ctx.find_root().obj = session
        function(ctx, **rest)

    def shared(name: str, annotation: object, default: object) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)

    own = inspect.signature(function, eval_str=True).parameters.values()
    parameters = [
        *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
        shared("workspace", Annotated[Path | None, _WORKSPACE], None),
        shared("json", Annotated[bool, _JSON], False),
        shared("debug", Annotated[bool, _DEBUG], False),
    ]
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return verb


def _version(show: bool) -> None:
    if show:
        from importlib.metadata import version

        typer.echo(f"adapt {version('adapt')}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    workspace: Annotated[Path | None, _WORKSPACE] = None,
    json: Annotated[bool, _JSON] = False,
    debug: Annotated[bool, _DEBUG] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Learn to draw your products from their spec text, and let people approve each picture."""
    _prepare_environment()
    ctx.obj = Session(workspace=choose_workspace(workspace), json=json, debug=debug)


def _prepare_environment() -> None:
    """Set what must stand in the environment before torch or albumentations is imported."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(cores))
    # By default OpenMP's threads spin while they wait for each other: beside any other busy process two trainings on
    # two cores then ran 60 times slower. Short spinning costs an idle machine nothing (tests/benchmarks/README.md).
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")


def main() -> None:
    """Entry point of the `adapt` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A console that lacks a letter of a product's name shows its number instead.
            stream.reconfigure(errors="backslashreplace")
    app(args=sys.argv[1:], prog_name="adapt")
