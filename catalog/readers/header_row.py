"""Which of a table's first rows is its header: titles, dates and blank rows may stand above it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from catalog.readers import headers

LOOK_ROWS = 20


def header_index(rows: Sequence[Sequence[str]]) -> int:
    """Return the position of the header row; 0 unless another row is clearly it.

    It is the first row with the most known names, where those are three and the first row has fewer
    than two; else the first row behind those that fill only a cell of a wider table.
    """
    look = rows[:LOOK_ROWS]
    known = [sum(headers.is_known_header(cell.strip()) for cell in row) for row in look]
    if not look or known[0] >= 2:
        return 0
    if max(known) >= 3:
        return known.index(max(known))
    filled = [sum(bool(cell.strip()) for cell in row) for row in look]
    typical = statistics.median_low(filled)
    for index, count in enumerate(filled):
        if count > 1 and not (count == 2 and typical >= 5):
            return index if typical >= 3 or max(known) >= 2 else 0
    return 0
