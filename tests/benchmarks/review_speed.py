"""Speed and memory of the review screens with a full queue, in one table. See README.md.

    python tests/benchmarks/review_speed.py --folder ~/review_speed --write

`adapt review` runs as it is started for people; Debian's Chromium is driven by Playwright on the same machine, and all
times are those of the page. Workspaces are made once and kept in `--folder`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import review_pages
from bench import HEADER, processor, write_readme
from playwright.sync_api import sync_playwright
from review_rows import ROWS, Bench
from review_server import cores
from review_workspace import DECIDED, SEED, workspace

SIZES = (10_000, 100_000)
PRESSES = 60
ONLY_FULL = ("memory", "screens")
"""What is measured with the largest queue alone."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the workspaces are kept (2 GB); default is made anew")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="candidates in the queue, multiples of 8")
    parser.add_argument("--decided", type=float, default=DECIDED, help="share of the queue that was decided before")
    parser.add_argument("--presses", type=int, default=PRESSES, help="approvals that are timed")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="NAME", help=f"some of: {', '.join(ROWS)}")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    if options.write and (options.only or tuple(options.sizes) != SIZES or options.presses < PRESSES):
        parser.error("--write takes the whole table; leave out --only, --sizes and --presses")
    if options.folder is not None:
        report(options, options.folder)
        return
    with tempfile.TemporaryDirectory(prefix="review_speed_") as folder:
        report(options, Path(folder))


def report(options: argparse.Namespace, folder: Path) -> None:
    """Measure, print the table, and write what was asked for."""
    begun = time.monotonic()
    figures: dict[str, Any] = {"machine": machine()}
    lines: list[str] = []
    with sync_playwright() as playwright:
        for size in options.sizes:
            made = workspace(folder, size, options.decided)
            bench = Bench(playwright=playwright, workspace=made, candidates=size, presses=options.presses)
            for name in options.only or ROWS:
                if name not in ONLY_FULL or size == max(options.sizes):
                    lines += measured(name, bench)
            figures[str(size)] = bench.figures
    text = "\n".join([heading(options), "", HEADER, *lines])
    print(text)
    print(f"{time.monotonic() - begun:.0f} s in all", file=sys.stderr)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if options.write:
        write_readme("review_speed", text)


def measured(name: str, bench: Bench) -> list[str]:
    """Return the lines of one measurement; one that fails must not cost the others."""
    begun, lines = time.monotonic(), []
    try:
        for line in ROWS[name](bench):
            lines.append(line.markdown())
            print(lines[-1], file=sys.stderr)
    except Exception as error:  # a screen that does not come is a finding
        said = str(error).strip().splitlines() or [type(error).__name__]
        lines.append(f"| {name}, {bench.candidates:,} candidates | not measured: {said[0][:150]} | | | |")
    print(f"{name}, {bench.candidates:,}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return lines


def machine() -> dict[str, str]:
    """Return what it was measured on."""
    chromium = subprocess.run([str(review_pages.CHROMIUM), "--version"], capture_output=True, text=True).stdout
    names = ("streamlit", "sqlalchemy", "pillow", "playwright")
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{processor()}, {cores()} cores for server and browser together",
        "python": platform.python_version(),
        "versions": ", ".join([*(f"{name} {version(name)}" for name in names), " ".join(chromium.split()[:2])]),
    }


def heading(options: argparse.Namespace) -> str:
    """Return the lines above the table."""
    on = machine()
    return (
        f"{on['date']}; {on['processor']}; Python {on['python']}; {on['versions']}.\n"
        f"Workspaces by `review_workspace.py` from seed {SEED}, {options.decided:.0%} decided before; "
        f"{options.presses} approvals timed."
    )


if __name__ == "__main__":
    main()
