"""Which of a table's first rows is its header: titles, dates and blank rows may stand above it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from catalog.readers import headers

LOOK_ROWS = 20


def header_index(rows: Sequence[Sequence[str]]) -> int:
    """Return the position of the header row; 0 unless another row is clearly it.

    It is the first row with the most known names, where those are three, or two in a wider row than
    all above it, and the first row has fewer than two; else the first row behind those that fill only
    a cell of a wider table.
    """
    look = rows[:LOOK_ROWS]
    known = [sum(headers.is_known_header(cell.strip()) for cell in row) for row in look]
    if not look or known[0] >= 2:
        return 0
    best = known.index(max(known))
    if max(known) >= 3:
        return best
    filled = [sum(bool(cell.strip()) for cell in row) for row in look]
    if max(known) == 2 and not known[0] and all(count < filled[best] for count in filled[:best]):
        return best
    typical = statistics.median_low(filled)
    for index, count in enumerate(filled):
        if count > 1 and not (count == 2 and typical >= 5):
            return index if typical >= 3 or max(known) >= 2 else 0
    return 0
