"""One measured figure with everything needed to read it, and its JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.atomic import replacing


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure."""

    value: float
    n: int
    """Sample size: generated pictures, or prompts."""
    extractor: str
    """The network or rule that judged; one that a loss or discriminator used says `(seen in training)`."""
    seed: int
    low: float | None = None
    """Lower end of the 95 % interval, where there is one."""
    high: float | None = None
    chance: float | None = None
    """What a generator that ignores the question would score, where that is known."""
    note: str = ""
    reference: str = ""
    """The real pictures it was compared with, where the value depends on which they are."""
    truncation: str = ""
    """How the noise was truncated; empty for plain noise."""

    def as_dict(self) -> dict[str, Any]:
        """The figure as JSON can hold it; what is not known is left out and NaN becomes null."""
        fields = {name: value for name, value in vars(self).items() if value not in (None, "")}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in fields.items()
        }


def write_report(path: Path, metrics: Mapping[str, Metric], **context: Any) -> None:
    """Write `context` and the figures as one JSON object, whole or not at all."""
    content = {**context, "metrics": {name: metric.as_dict() for name, metric in metrics.items()}}
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def lines(metrics: Mapping[str, Metric]) -> list[str]:
    """The figures as a table for people, one line each."""
    width = max((len(name) for name in metrics), default=0)
    table = []
    for name, metric in metrics.items():
        interval = (
            f" [{metric.low:.4f}, {metric.high:.4f}]" if metric.low is not None and metric.high is not None else ""
        )
        chance = f", chance {metric.chance:.4f}" if metric.chance is not None else ""
        figure = f"{name:<{width}}  {metric.value:.4f}{interval}{chance}"
        source = f"n {metric.n}, {metric.extractor}, seed {metric.seed}"
        table.append(f"{figure}  {source}" + (f"; {metric.note}" if metric.note else ""))
    return table
