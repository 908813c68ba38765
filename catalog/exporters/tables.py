"""Tables for spreadsheets and shops: CSV whose cells are one line each and never a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from catalog.alt_text import one_line

_FORMULA_STARTS = tuple("=+-@＝＋－＠")
"""Spreadsheets run what begins so; Japanese ones read the full-width forms alike."""


def cell(value: Any) -> str:
    """Return a value as a cell: text in one line, with an apostrophe before what a spreadsheet would run.

    Numbers stay as they are; the value of nothing is an empty cell.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    text = one_line(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


class TableFile:
    """Writes rows to a binary file, one at a time."""

    def __init__(self, file: BinaryIO, columns: Sequence[str], *, delimiter: str = ",", for_people: bool = False):
        """Write the header.

        Args:
            file: Where to.
            columns: Names of the columns.
            delimiter: Between cells.
            for_people: Begin with the mark that makes spreadsheets read UTF-8; programs may trip over it.
        """
        self._file, self._delimiter = file, delimiter
        file.write(b"\xef\xbb\xbf" if for_people else b"")
        self.add(columns)

    def add(self, cells: Iterable[Any]) -> None:
        """Write one row."""
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=self._delimiter, lineterminator="\r\n").writerow(map(cell, cells))
        self._file.write(line.getvalue().encode())
