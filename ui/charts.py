"""Charts as HTML that takes its colours from the page, light or dark. Each stands beside a table with its numbers."""

from collections.abc import Sequence
from html import escape

from ui.tables import Markup

LABELS_UP_TO = 31
"""Columns that still have room for their number."""


def columns(label: str, values: Sequence[tuple[str, int]]) -> str:
    """Return a column chart.

    Args:
        label: What a screen reader says instead of it.
        values: (name, number) from left to right; only the first and the last name are drawn.
    """
    if not values:
        return ""
    most = max(1, *(number for _, number in values))
    drawn = "".join(
        f'<div class="column" title="{escape(f"{name}: {number:,}")}">'
        f"{f'{number:,}' if number and len(values) <= LABELS_UP_TO else ''}"
        f'<i style="height:{84 * number / most:.1f}%"></i></div>'
        for name, number in values
    )
    first, last = values[0][0], values[-1][0]
    return (
        f'<div role="img" aria-label="{escape(label)}" style="max-width:{max(16, 3.2 * len(values)):.0f}rem">'
        f'<div class="columns">{drawn}</div>'
        f'<div class="ends"><span>{escape(first)}</span><span>{escape(last)}</span></div></div>'
    )


def meter(share: float) -> Markup:
    """Return a bar beside a number, for the eye only; `share` is from 0 to 1."""
    width = 100 * min(1.0, max(0.0, share))
    return Markup(f'<span class="meter" aria-hidden="true"><i style="width:{width:.1f}%"></i></span>')
