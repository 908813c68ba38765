"""Answers on stdout, progress on stderr."""

import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from adapt.cli._session import Session

LOG_EVERY_S = 30.0


class Update(Protocol):
    """Reports how far a piece of work is."""

    def __call__(self, description: str, done: float, total: float | None) -> None:
        """Show `description` with `done` of `total` units; None when the total is not known."""


def emit(session: Session, result: Mapping[str, Any], lines: Sequence[str]) -> None:
    """Print a verb's answer: `result` as one JSON object with `--json`, else `lines`."""
    if any(os.environ.get(name, "0") != "0" for name in ("RANK", "LOCAL_RANK")):
        return  # one of several processes of a training; the first one answers
    if session.json:
        unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        lines = [json.dumps(_plain(result), ensure_ascii=not unicode)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def note(message: str) -> None:
    """Print a remark on stderr, where it does not disturb the answer."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


@contextmanager
def progress() -> Iterator[Update]:
    """Show a progress bar with rate and time left on stderr; where that is no terminal, a line now and then.

    Each new description starts a bar of its own, so a verb of several parts shows one line a part.
    """
    if not sys.stderr.isatty():
        yield _LogLines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, Any] = {}

        def update(description: str, done: float, total: float | None) -> None:
            if description not in tasks:
                tasks[description] = bar.add_task(description, total=total, rate="")
            task = tasks[description]
            speed = bar.tasks[bar.task_ids.index(task)].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:.1f}/s" if speed else "")

        yield update


class _LogLines:
    """Progress for log files: a line every half minute, so that short work stays silent."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, description: str, done: float, total: float | None) -> None:
        if time.monotonic() - self._last < LOG_EVERY_S:
            return
        self._last = time.monotonic()
        note(f"{description}: {done:g}" + (f" of {total:g}" if total is not None else ""))


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: paths as text, NumPy numbers as Python's, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
