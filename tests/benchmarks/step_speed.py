"""Speed and memory of training and drawing, in one table. See README.md.

    uv run python tests/benchmarks/step_speed.py --write

Trainings run in processes of their own (`step_passes.py`) and take turns, so that a drifting machine slows all alike;
the fastest round of each counts, and its least memory.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import torch
from bench import HEADER, HERE, Line, at_least, processor, write_readme

LAYOUTS = ("ours", "published")


def training(side_px: int, width: int, batch_size: int, *, steps: int, rounds: int) -> dict[str, dict[str, float]]:
    """Rate in pictures a second and memory in MB of both layouts."""
    taken: dict[str, list[dict[str, float]]] = {layout: [] for layout in LAYOUTS}
    for _ in range(rounds):
        for layout in LAYOUTS:
            words = json.dumps([layout, side_px, width, batch_size, steps])
            command = [sys.executable, str(HERE / "step_passes.py"), words]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())
            taken[layout].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        layout: {
            "rate": max(one["rate"] for one in own),
            "memory_mb": min(one["memory_mb"] for one in own),
        }
        for layout, own in taken.items()
    }


def training_lines(side_px: int, width: int, batch_size: int, wanted: float, **amount: int) -> Iterator[Line]:
    """Speed and memory of one size."""
    ours, published = (training(side_px, width, batch_size, **amount)[layout] for layout in LAYOUTS)
    what = f"SSA-GAN {side_px} px, NF {width}, batch {batch_size}, hinge and penalty"
    yield Line(
        measured=f"training step: {what}",
        ours=f"{ours['rate']:.1f} pictures/s",
        beside=f"published layout: {published['rate']:.1f} pictures/s",
        **at_least(ours["rate"] / published["rate"], wanted),
    )
    ratio = ours["memory_mb"] / published["memory_mb"]
    yield Line(
        measured="peak memory of the same, above what imports take",
        ours=f"{ours['memory_mb']:.0f} MB",
        beside=f"published layout: {published['memory_mb']:.0f} MB",
        result=f"{ratio:.2f} x",
        wanted="<= 0.8 x",
        met=ratio <= 0.8,
    )


def loader_line(side_px: int, batch_size: int, step_rate: float) -> Line:
    """Batches as the loop asks for them, beside what a step consumes."""
    from step_passes import batches

    source = batches(side_px, batch_size)
    rate = batch_size / statistics.median(_seconds(lambda step=step: source.batch(step)) for step in range(20))
    return Line(
        measured=f"loader, {side_px} px, batch {batch_size}: crop, flip, texts, to float",
        ours=f"{rate:.0f} pictures/s",
        beside=f"the step consumes {step_rate:.1f}",
        **at_least(rate / step_rate, 2.0),
    )


def drawing_lines(counts: list[int]) -> Iterator[Line]:
    """The shipped base draws and writes PNG files with their records; a process for each count."""
    taken = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(HERE / "draw_pass.py"), str(count), folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())
            taken[count] = json.loads(done.stdout.splitlines()[-1])
    rates = {count: count / one["seconds"] for count, one in taken.items()}
    largest = max(counts)
    yield Line(
        measured=f"drawing with the shipped base, PNG and record written, {largest:,} pictures",
        ours=f"{rates[largest]:.0f} pictures/s",
        result=f"{rates[largest]:.0f} pictures/s",
        wanted=">= 100 pictures/s",
        met=rates[largest] >= 100,
    )
    ratio = max(rates.values()) / min(rates.values())
    yield Line(
        measured="cost of a picture by how many are drawn",
        ours=", ".join(f"{count:,}: {1000 / rates[count]:.1f} ms" for count in counts),
        result=f"{ratio:.2f} x between them",
        wanted="<= 1.25 x",
        met=ratio <= 1.25,
    )
    memory = [taken[count]["memory_mb"] for count in counts]
    yield Line(
        measured="peak memory by how many are drawn",
        ours=", ".join(f"{count:,}: {taken[count]['memory_mb']:.0f} MB" for count in counts),
        result=f"{max(memory) / min(memory):.2f} x between them",
        wanted="<= 1.25 x",
        met=max(memory) / min(memory) <= 1.25,
    )


def _environment() -> dict[str, str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {**os.environ, "OMP_NUM_THREADS": str(cores)}


def _seconds(work: object) -> float:
    begun = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5, help="counted steps a round")
    parser.add_argument("--draw", nargs="+", type=int, default=[100, 1_000, 10_000, 100_000], help="pictures drawn")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    amount = {"steps": options.steps, "rounds": options.rounds}
    lines = [*training_lines(64, 32, 24, 5.0, **amount)]
    rate = float(lines[0].ours.split()[0])
    lines += [*training_lines(256, 32, 4, 3.0, **amount), loader_line(64, 24, rate), *drawing_lines(options.draw)]
    heading = (
        f"{datetime.date.today().isoformat()}; {processor()}, {_environment()['OMP_NUM_THREADS']} threads, Python "
        f"{platform.python_version()}, torch {torch.__version__}; fastest of {options.rounds} rounds in "
        f"turn, median of {options.steps} steps each."
    )
    text = "\n".join([heading, "", HEADER, *(line.markdown() for line in lines)])
    print(text)
    if options.write:
        write_readme("step_speed", text)


if __name__ == "__main__":
    main()
