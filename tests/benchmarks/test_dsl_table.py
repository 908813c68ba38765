"""The arithmetic of the study's table: intervals, and differences seed by seed."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dsl_table import FIGURES, Result, interval, tables


def result(arm: str, seed: int, gap: float) -> Result:
    figures = {name: 0.5 for name in FIGURES} | {"consistency_gap": gap}
    return Result(model="ssa_gan", arm=arm, seed=seed, side=32, steps=7, images=112, seconds=60, figures=figures)


def test_interval_is_students_over_seeds() -> None:
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2.0 and half == pytest.approx(4.303 / 3**0.5)
    assert interval([1.0])[1] != interval([1.0])[1]  # one seed says nothing of its spread


def test_differences_are_taken_seed_by_seed() -> None:
    """Seeds differ far more than arms: only the paired difference shows the effect."""
    control = [result("two captions", seed, 0.1 * seed) for seed in range(3)]
    losses = [result("ff+fr", seed, 0.1 * seed + gain) for seed, gain in enumerate((0.030, 0.031, 0.032))]
    text = tables([*control, *losses])
    (line,) = [line for line in text.splitlines() if line.startswith("| ff+fr − two captions")]
    assert "| **+0.031 ± 0.002** |" in line
    assert "| +0.000 ± 0.000 |" in line


def test_arms_of_one_seed_have_no_difference_line() -> None:
    assert "−" not in tables([result("two captions", 0, 0.1), result("ff", 0, 0.2)])


def test_runs_of_the_search_share_one_table_with_their_difference_from_the_control() -> None:
    control = [result("two captions", seed, 0.1 * seed) for seed in range(3)]
    other = {"variant": ("loss.noises_per_batch=4",)}
    searched = [Result(**(vars(result("ff+fr", seed, 0.1 * seed + 0.02)) | other)) for seed in (0, 2)]
    text = tables([*control, *searched])
    assert text.index("The search:") > text.index("| two captions |")
    assert "| ssa_gan, ff+fr | `loss.noises_per_batch=4` | 2 |" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| − two captions | | 2 |")]
    assert "| **+0.020 ± 0.000** |" in line
