"""The tables of the study of the two losses: means over seeds, and differences seed by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FIGURES = {
    "kid": "KID",
    "consistency_within": "C within",
    "consistency_between": "C between",
    "consistency_gap": "gap",
    "wording_ratio": "wording / item",
    "consistency_top1": "top-1",
    "real_top1": "finds photo",
    "r_precision": "R-precision",
    "colour_moved": "colour moved",
}
"""Measured figures and their columns."""
_STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""97.5 % point of Student's t for that many seeds."""
CONTROL = "two captions"
LOWER_IS_BETTER = {"kid"}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measured run."""

    model: str
    arm: str
    seed: int
    side: int
    steps: int
    images: int
    seconds: float
    figures: dict[str, float]
    variant: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, int, tuple[str, ...]]:
        """What tells it from the other runs of a study."""
        return self.model, self.arm, self.seed, self.variant


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval by Student's t; the width of one value is not known."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.nan
    return mean, _STUDENT[len(values)] * statistics.stdev(values) / math.sqrt(len(values))


def tables(results: Sequence[Result]) -> str:
    """One table a model, and one of the runs whose settings differ from the study's, as Markdown."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        if not result.variant:
            groups.setdefault(result.model, []).append(result)
    parts = [_group(model, rows) for model, rows in sorted(groups.items(), reverse=True)]
    searched = [result for result in results if result.variant]
    return "\n\n".join([*parts, *([_search(searched, groups)] if searched else [])])


def _search(results: Sequence[Result], groups: Mapping[str, Sequence[Result]]) -> str:
    """The search for causes: a row for each setting that was tried, and its difference from the study's control."""
    columns = ("model, arm", "differs in", "seeds", *FIGURES.values())
    lines = [
        "The search: runs that differ from the study's in the settings named. The control draws two captions and has "
        "neither loss, so that none of these settings changes it.",
        "",
        f"| {' | '.join(columns)} |",
        "| --- " * len(columns) + "|",
    ]
    tried: dict[tuple[str, str, tuple[str, ...]], list[Result]] = {}
    for result in results:
        tried.setdefault((result.model, result.arm, result.variant), []).append(result)
    for (model, arm, variant), rows in tried.items():
        settings = ", ".join(f"`{setting}`" for setting in variant)
        cells = (_cell([row.figures[name] for row in rows]) for name in FIGURES)
        lines.append(f"| {model}, {arm} | {settings} | {len(rows)} | {' | '.join(cells)} |")
        pairs = _paired(rows, groups.get(model, ()))
        if len(pairs) > 1:
            lines.append(f"| − {CONTROL} | | {len(pairs)} | {' | '.join(_differences(pairs))} |")
    return "\n".join(lines)


def _group(model: str, rows: Sequence[Result]) -> str:
    arms = list(dict.fromkeys(row.arm for row in rows))
    steps, images = {row.steps for row in rows}, {row.images for row in rows}
    title = f"`{model}`, {rows[0].side} px, {_one(steps)} generator steps, {_one(images)} pictures seen:"
    head = "| arm | seeds | " + " | ".join(FIGURES.values()) + " | s a run |"
    lines = [title, "", head, "| --- " * (len(FIGURES) + 3) + "|"]
    for arm in arms:
        own = [row for row in rows if row.arm == arm]
        cells = (_cell([row.figures[name] for row in own]) for name in FIGURES)
        lines.append(f"| {arm} | {len(own)} | {' | '.join(cells)} | {statistics.fmean(r.seconds for r in own):.0f} |")
    lines += [_difference(arm, rows) for arm in arms if arm != CONTROL]
    return "\n".join(line for line in lines if line is not None)


def _difference(arm: str, rows: Sequence[Result]) -> str | None:
    """The line of an arm minus the control; None where they share no two seeds."""
    pairs = _paired([row for row in rows if row.arm == arm], rows)
    if len(pairs) < 2:
        return None
    return f"| {arm} − {CONTROL} | {len(pairs)} | {' | '.join(_differences(pairs))} | |"


def _paired(rows: Sequence[Result], among: Sequence[Result]) -> list[tuple[Result, Result]]:
    """Each run with the control of the same seed."""
    control = {row.seed: row for row in among if row.arm == CONTROL}
    return [(row, control[row.seed]) for row in rows if row.seed in control]


def _differences(pairs: Sequence[tuple[Result, Result]]) -> list[str]:
    """Figures minus the control's, seed by seed."""
    return [_cell([own.figures[name] - other.figures[name] for own, other in pairs], sign=True) for name in FIGURES]


def _cell(values: Sequence[float], *, sign: bool = False) -> str:
    mean, half = interval(values)
    shown = f"{mean:+.3f}" if sign else f"{mean:.3f}"
    if math.isnan(half):
        return shown
    # Bold where the interval of a difference leaves out 0.
    return f"**{shown} ± {half:.3f}**" if sign and abs(mean) > half else f"{shown} ± {half:.3f}"


def _one(values: Iterable[int]) -> str:
    return " or ".join(str(value) for value in sorted(values))
