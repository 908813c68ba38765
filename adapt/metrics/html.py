"""The report of an evaluation as one HTML file: figures, plots and pictures, with nothing fetched from anywhere."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from adapt.metrics.charts import curve, intervals
from adapt.metrics.glossary import MEANINGS, OTHER, SUBJECTS, Meaning, meaning
from adapt.metrics.report import Metric
from adapt.metrics.suite.sheets import Sheet
from catalog.atomic import replacing

_TEMPLATE = "report.html.j2"
_LARGE = 12.0
"""More than any share, cosine or stage distance: a Fréchet distance."""
_PICTURE_PX = 128
"""Side that small pictures are enlarged to, without smoothing."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """The figures of one subject."""

    subject: str
    rows: Sequence[tuple[str, Metric, Meaning]]
    plots: Sequence[Markup]


def write_html(
    path: Path,
    metrics: Mapping[str, Metric],
    *,
    title: str,
    facts: Mapping[str, Any],
    sheets: Sequence[Sheet] = (),
    log: Path | None = None,
) -> None:
    """Write the report, whole or not at all.

    Args:
        path: File to write.
        metrics: Figures by name.
        title: Heading.
        facts: What was scored and how, by name.
        sheets: Pictures to show.
        log: The run's metrics.jsonl, for the training curves; nothing is drawn when it is not there.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"number": shown_number, "picture": data_uri}
    page = environment.get_template(_TEMPLATE).render(
        title=title, facts=facts, sections=sections(metrics), sheets=sheets, curves=training_curves(log)
    )
    with replacing(path) as part:
        # A caption may hold half a surrogate pair, which no encoding can.
        part.write_text(page, encoding="utf-8", errors="replace")


def sections(metrics: Mapping[str, Metric]) -> list[Section]:
    """Figures by subject, controls beside what they control, figures of further extractors last."""
    found, order = [], list(MEANINGS)
    for subject in (*SUBJECTS, OTHER):
        rows = [(name, metric, meaning(name)) for name, metric in metrics.items() if meaning(name).subject == subject]
        rows.sort(key=lambda row: order.index(row[0]) if row[0] in MEANINGS else len(order))
        if rows:
            figures = {name: metric for name, metric, _ in rows}
            found.append(Section(subject=subject, rows=rows, plots=_plots(figures)))
    return found


def training_curves(log: Path | None) -> list[Markup]:
    """One plot for each value of a metrics.jsonl; half a line, as a kill leaves it, is passed over."""
    if log is None or not log.is_file():
        return []
    series: dict[str, tuple[list[float], list[float]]] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
            step = float(row.pop("step"))
            values = {str(name): float(value) for name, value in row.items() if isinstance(value, int | float)}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        for name, value in values.items():
            steps, drawn = series.setdefault(name, ([], []))
            steps.append(step)
            drawn.append(value)
    return [curve(name, *points) for name, points in series.items() if len(points[0]) > 1]


def data_uri(pixels: UInt8[np.ndarray, "H W 3"]) -> str:
    """A picture as text that stands in the page itself."""
    image = Image.fromarray(pixels)
    scale = max(1, _PICTURE_PX // max(image.size))
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def shown_number(value: float | None) -> str:
    """Four digits; a dash for what is not there or is no number."""
    return "–" if value is None or not np.isfinite(value) else f"{value:.4g}"


def _plots(metrics: Mapping[str, Metric]) -> list[Markup]:
    """One plot for shares and cosines, one for what reaches far beyond them: on one axis the small would vanish."""
    large = {name: metric for name, metric in metrics.items() if abs(metric.value) > _LARGE}
    small = {name: metric for name, metric in metrics.items() if name not in large}
    return [plot for plot in (intervals(small), intervals(large)) if plot]
