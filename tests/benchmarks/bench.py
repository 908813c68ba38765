"""The table of a benchmark, and how its passes are started: each in a process of its own, one thread."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import fabricated

HERE = Path(__file__).parent
PEERS = ("cleanvision==0.3.7", "img2dataset==1.47.0")
_PEER_PYTHON = ">=3.11,<3.13"  # img2dataset needs `imghdr`, which later ones lack
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class NotMeasured(RuntimeError):  # noqa: N818
    """A row cannot be measured here; says why in one line."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much is measured."""

    photographs: int = 500
    damaged: int = 60
    colourful: int = 120
    table_rows: int = 100_000
    captioned_rows: int = 10_000
    small_pictures: tuple[int, ...] = (1_000, 5_000, 20_000)
    rounds: int = 3


QUICK = Counts(
    photographs=40,
    damaged=20,
    colourful=24,
    table_rows=5_000,
    captioned_rows=500,
    small_pictures=(200, 500, 1_000),
    rounds=1,
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table."""

    measured: str
    ours: str
    beside: str = ""
    """What it is compared with."""
    result: str = ""
    wanted: str = ""
    met: bool | None = None
    """None where nothing is wanted."""

    def markdown(self) -> str:
        """Return the line of a Markdown table."""
        wanted = self.wanted if self.met is not False else f"{self.wanted}: **missed**"
        return f"| {self.measured} | {self.ours} | {self.beside} | {self.result} | {wanted} |"


HEADER = "| measured | adapt | beside it | result | wanted |\n| --- | --- | --- | --- | --- |"


def at_least(ratio: float, wanted: float) -> dict[str, Any]:
    """Return the last cells of a line whose ratio should be this high."""
    return {"result": f"{ratio:.2f} x", "wanted": f">= {wanted} x", "met": ratio >= wanted}


@dataclass(kw_only=True)
class Bench:
    """Where things lie and what was made once for several rows."""

    folder: Path
    counts: Counts
    peer_command: list[str]
    """Starts Python where the peers are installed."""
    peers: dict[str, str] | None = None
    """Their versions; empty when they cannot be installed, None before that was tried."""

    @property
    def cores(self) -> int:
        """Cores this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @cached_property
    def photographs(self) -> Path:
        """A dump of a table and a photograph a product."""
        dump = self.folder / "photographs"
        fabricated.write_picture_table(dump, fabricated.write_photographs(dump, self.counts.photographs))
        return dump

    def workspace(self) -> Path:
        """Return an empty folder; the one given before is removed."""
        workspace = self.folder / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        return workspace

    def ours(self, name: str, *arguments: Any) -> dict[str, Any]:
        """Run a pass of `passes.py`."""
        return _answer([sys.executable, str(HERE / "passes.py")], name, arguments, os.environ)

    def peer(self, name: str, *arguments: Any) -> Any:
        """Run something of `peers.py`.

        Raises:
            NotMeasured: The peers cannot be installed, or fail.
        """
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        try:
            return _answer([*self.peer_command, str(HERE / "peers.py")], name, arguments, environment)
        except (RuntimeError, OSError) as error:
            raise NotMeasured(str(error)) from error

    def best(self, **passes: Callable[[], dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Run passes in turn, so that a drifting machine slows all alike, and return each one's cheapest round."""
        rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in passes}
        for _ in range(self.counts.rounds):
            for name, one_pass in passes.items():
                rounds[name].append(one_pass())
        return {name: min(taken, key=lambda one: float(one["cpu"])) for name, taken in rounds.items()}


def peer_command(python: Path | None) -> list[str]:
    """Return how to start Python with the peers: a ready one, or one `uv` makes for it."""
    if python is not None:
        return [str(python)]
    packages = [part for peer in PEERS for part in ("--with", peer)]
    return ["uv", "run", "--no-project", "--isolated", "--quiet", "--python", _PEER_PYTHON, *packages, "python"]


def processor() -> str:
    """Return what the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write_readme(name: str, text: str) -> None:
    """Put the text between the marks of this name in README.md."""
    readme = HERE / "README.md"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = readme.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{readme} has no {begin} and {end}; put them back")
    readme.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _answer(command: list[str], name: str, arguments: tuple[Any, ...], environment: Mapping[str, str]) -> Any:
    words = [str(argument) if isinstance(argument, Path) else argument for argument in arguments]
    done = subprocess.run(
        [*command, name, json.dumps(words)], env={**environment, **_ONE_THREAD}, capture_output=True, text=True
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        raise RuntimeError(f"{name}: {said[-1][:200]}")
    return json.loads(done.stdout.splitlines()[-1])
