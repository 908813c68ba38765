"""Speed and care of `adapt ingest` beside other tools, in one table. See README.md.

Passes run in processes of their own with one thread; those that are compared take turns, and the cheapest round of each
counts. The peers, cleanvision and img2dataset, are installed by `uv` into an environment of their own at run time;
where they cannot be had their cells say so.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench import HEADER, QUICK, Bench, Counts, peer_command, processor, write_readme
from ingest_rows import DAMAGE_SEED, ROWS


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pictures, one round: tries the script, says little")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="NAME", help=f"some of: {', '.join(ROWS)}")
    parser.add_argument("--folder", type=Path, help="where work files go; default is the temporary folder")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="a Python that has the peers already")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write takes the whole table of one full run; leave out --quick and --only")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ingest_speed_", dir=options.folder) as folder:
        counts = QUICK if options.quick else Counts()
        bench = Bench(folder=Path(folder), counts=counts, peer_command=peer_command(options.peers))
        lines = [line for name in options.only or ROWS for line in _measured(name, bench)]
        text = "\n".join([_heading(bench), "", HEADER, *lines])
    print(text)
    print(f"{time.monotonic() - begun:.0f} s in all", file=sys.stderr)
    if options.write:
        write_readme("ingest_speed", text)


def _measured(name: str, bench: Bench) -> list[str]:
    begun = time.monotonic()
    try:
        lines = [line.markdown() for line in ROWS[name](bench)]
    except RuntimeError as error:  # a row that fails must not cost the others
        lines = [f"| {name} | not measured: {error} | | | |"]
    print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return lines


def _heading(bench: Bench) -> str:
    names = ("pillow", "numpy", "simplejpeg", "sqlalchemy", "torch")
    ours = ", ".join(f"{name} {version(name)}" for name in names)
    theirs = ", ".join(f"{name} {number}" for name, number in (bench.peers or {}).items()) or "none used"
    machine = f"{processor()}, {bench.cores} cores, Python {platform.python_version()}"
    return (
        f"{datetime.date.today().isoformat()}; {machine}; {ours}. Peers: {theirs}.\n"
        f"Best of {bench.counts.rounds} rounds in turn, one thread a process. Pictures and tables by `fabricated.py` "
        f"from their numbers 0, 1, 2, ...; damage from seed {DAMAGE_SEED}."
    )


if __name__ == "__main__":
    main()
