"""Plots as SVG text, for a report that needs no network, no script and no plotting library."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from adapt.metrics.glossary import is_control
from adapt.metrics.report import Metric

WIDTH_PX = 720
_LABEL_PX, _ROW_PX, _AXIS_PX, _END_PX = 270, 24, 26, 16
_CURVE_PX = (224, 92)
"""Width and height of one curve."""
_POINTS = 400


def intervals(metrics: Mapping[str, Metric]) -> Markup:
    """One row a figure on a common axis: its interval, its value, and a tick where chance is.

    Figures that are no number are left out; nothing is drawn when none is left.
    """
    rows = {name: metric for name, metric in metrics.items() if math.isfinite(metric.value)}
    if not rows:
        return Markup("")
    axis = _Axis.around([value for metric in rows.values() for value in _marks(metric)])
    height = len(rows) * _ROW_PX + _AXIS_PX
    parts = [_grid(axis, len(rows) * _ROW_PX)]
    for number, (name, metric) in enumerate(rows.items()):
        parts.append(_interval(name, metric, axis, number * _ROW_PX + _ROW_PX / 2))
    return _svg(WIDTH_PX, height, "Values with 95 % intervals", parts)


def curve(name: str, steps: Sequence[float], values: Sequence[float]) -> Markup:
    """One value over training, with its first and last number; points that are no number leave a gap."""
    width, height = _CURVE_PX
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Markup("")
    low, high = min(finite), max(finite)
    span, length = (high - low) or 1.0, (max(steps) - min(steps)) or 1.0
    stride = max(1, math.ceil(len(steps) / _POINTS))
    parts, pen = [], "M"
    for step, value in list(zip(steps, values, strict=True))[::stride]:
        if not math.isfinite(value):
            pen = "M"
            continue
        x = 4 + (step - min(steps)) / length * (width - 8)
        y = 22 + (high - value) / span * (height - 40)
        parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    drawn = [
        Markup('<text x="4" y="12" class="name">{}</text>').format(name),
        Markup('<path d="{}" class="curve"/>').format(" ".join(parts)),
        Markup('<text x="4" y="{}">{:.4g} to {:.4g}</text>').format(height - 4, low, high),
        Markup('<text x="{}" y="{}" text-anchor="end">last {:.4g}</text>').format(width - 4, height - 4, finite[-1]),
    ]
    return _svg(width, height, f"{name} over training", drawn)


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """From values to pixels, with round ticks."""

    low: float
    high: float
    tick: float

    @classmethod
    def around(cls, values: Sequence[float]) -> "_Axis":
        low, high = min(0.0, *values), max(0.0, *values)
        span = (high - low) or 1.0
        power = 10 ** math.floor(math.log10(span / 4))
        tick = next(step * power for step in (1, 2, 5, 10) if span / (step * power) <= 6)
        return cls(low=math.floor(low / tick) * tick, high=math.ceil(high / tick) * tick or tick, tick=tick)

    def x(self, value: float) -> float:
        return _LABEL_PX + (value - self.low) / (self.high - self.low) * (WIDTH_PX - _LABEL_PX - _END_PX)

    def ticks(self) -> list[float]:
        return [self.low + number * self.tick for number in range(round((self.high - self.low) / self.tick) + 1)]


def _marks(metric: Metric) -> list[float]:
    marks = (metric.value, metric.low, metric.high, metric.chance)
    return [mark for mark in marks if mark is not None and math.isfinite(mark)]


def _grid(axis: _Axis, bottom: float) -> Markup:
    parts = []
    for tick in axis.ticks():
        x = axis.x(tick)
        parts.append(Markup('<line x1="{:.1f}" x2="{:.1f}" y1="0" y2="{}" class="grid"/>').format(x, x, bottom))
        shown = f"{tick:.10g}" if abs(tick) > axis.tick / 2 else "0"
        parts.append(Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x, bottom + 16, shown))
    return Markup("").join(parts)


def _interval(name: str, metric: Metric, axis: _Axis, y: float) -> Markup:
    kind = "control" if is_control(name) else "figure"
    parts = [Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(_LABEL_PX - 10, y + 4, name)]
    if metric.low is not None and metric.high is not None and math.isfinite(metric.low + metric.high):
        ends = axis.x(metric.low), axis.x(metric.high)
        line = Markup('<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" class="interval {}"/>')
        parts.append(line.format(*ends, y, y, kind))
    if metric.chance is not None and math.isfinite(metric.chance):
        x = axis.x(metric.chance)
        tick = Markup('<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" class="chance"/>')
        parts.append(tick.format(x, x, y - 8, y + 8))
    dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" class="{}"/>')
    parts.append(dot.format(axis.x(metric.value), y, kind))
    return Markup("").join(parts)


def _svg(width: int, height: int, title: str, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img"><title>{}</title>')
    return head.format(width, height, width, height, escape(title)) + Markup("").join(parts) + Markup("</svg>")
