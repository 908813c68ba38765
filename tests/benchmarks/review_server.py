"""`adapt review` as a process of its own, and what it and its children hold in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STOP_LIMIT_S = 20


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    pid: int

    def memory_mb(self) -> float:
        """Return the proportional set size of the process and all its children: shared pages count once."""
        return sum(map(_pss_kib, _tree(self.pid))) / 1024

    def cpu_s(self) -> float:
        """Return the seconds of CPU time the process and its children have used."""
        ticks = 0
        for pid in _tree(self.pid):
            # Behind the name, which may hold spaces: user and system time are the 14th and 15th field.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(workspace: Path) -> Iterator[Server]:
    """Run the screens of a workspace on a free port until the block ends."""
    command = [sys.executable, "-m", "adapt.cli", "-w", str(workspace), "review", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "http://" not in line:
                raise RuntimeError(f"adapt review did not start: {line.strip()}")
            yield Server(url=line.split()[-1], pid=process.pid)
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_S)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/{pid}/smaps_rollup names no Pss")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
