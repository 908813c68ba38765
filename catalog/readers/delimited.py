"""Delimited text to rows: CSV, TSV and the like, as people and old systems really write them.

Every line of the text ends in a row or in an issue that names its line.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from catalog.paths import DumpFile
from catalog.phrases import say
from catalog.readers import headers
from catalog.readers.cell_table import Row, Table
from catalog.readers.header_row import LOOK_ROWS, header_index
from catalog.records import Issue

MAX_CELL_CHARS = 4 << 20
MAX_COLUMNS = 4096
_DELIMITERS = (",", "\t", ";", "|")
_RARE_DELIMITERS = ("^", "~", ":")
_ONE_COLUMN = "\x1f"
"""A delimiter that does not occur."""
_QUOTED = re.compile(r'(?:(?<=[,;\t|^~:\n])|^)"(?:[^"]|""){0,4000}"(?=[,;\t|^~:\r\n]|$)')
_SEP_LINE = re.compile(r"^\"?sep=([^\w\" ])\"?[ \t]*$", re.I)
_VOTERS = 50


def read_delimited(file: DumpFile, text: str, encoding: str, delimiter: str | None = None) -> Table:
    """Parse delimited text into a table without header; the delimiter is found by vote when None."""
    lines = (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text).split("\n")
    first = 0
    said = _SEP_LINE.match(lines[0])
    if said:
        first, delimiter = 1, delimiter or said[1]
    delimiter = delimiter or _vote(lines[first:])
    table = Table(file=file, encoding=encoding, layout=_layout(delimiter))
    _Parser(table, lines, delimiter).parse(first)
    index = header_index([row.cells for row in table.rows[: LOOK_ROWS + 1]])
    if index:
        above = " ".join(cell.strip() for row in table.rows[:index] for cell in row.cells if cell.strip())
        detail = say("{index} lines above the header are no products: {above!r}", index=index, above=above[:80])
        table.issues.append(_issue(table, table.rows[0].line, "TABLE_PREAMBLE", detail, "warning"))
        del table.rows[:index]
    return table


class _Parser:
    """Reads the rows of one table."""

    def __init__(self, table: Table, lines: Sequence[str], delimiter: str) -> None:
        self.table, self.lines, self.delimiter = table, lines, delimiter
        self.width = 0
        # The module's default of 131,072 is below pictures and specifications kept inside cells.
        csv.field_size_limit(MAX_CELL_CHARS)

    def parse(self, first: int) -> None:
        lines = (line + "\n" for line in islice(self.lines, first, None))
        reader = csv.reader(lines, delimiter=self.delimiter, skipinitialspace=self.delimiter == ",")
        rows, before = self.table.rows, first
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._say(before + 1, *_meaning(error))
                before = first + reader.line_num
                continue
            start, before = before + 1, first + reader.line_num
            if not any(cells) or not any(map(str.strip, cells)):
                continue
            self.width = self.width or len(cells)
            if before > start and self._swallowed(cells, start, before):
                self._take_apart(start, before)
            elif len(cells) > MAX_COLUMNS:
                self._say(
                    start,
                    "ROW_COLUMNS",
                    say("{count} cells; up to {limit} columns are read", count=len(cells), limit=MAX_COLUMNS),
                )
            else:
                rows.append(Row(start, tuple(cells)))

    def _cells(self, line: str) -> list[str]:
        return next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=self.delimiter == ","), [])

    def _swallowed(self, cells: Sequence[str], start: int, last: int) -> bool:
        """Whether a record of several lines is an unclosed quote that took whole rows with it."""
        rest = [line for line in self.lines[start:last] if line.strip()]
        if not rest:
            return False
        alone = [line.count(self.delimiter) >= self.width - 1 and self._width_of(line) == self.width for line in rest]
        fitting = sum(alone) / len(rest)
        if len(cells) != self.width or last >= len(self.lines):
            return self.width > 1 and fitting >= 0.7
        # The record fits as it is: only rows that are whole rows themselves, quotes and all, speak against it.
        return self.width > 2 and fitting == 1.0 and all(line.count('"') % 2 == 0 for line in rest)

    def _width_of(self, line: str) -> int:
        try:
            return len(self._cells(line))
        except csv.Error:
            return 0

    def _take_apart(self, start: int, last: int) -> None:
        detail = say(
            "a quote opened here was never closed; lines {start} to {last} were read one by one",
            start=start + 1,
            last=last,
        )
        self._say(start, "ROW_QUOTE", detail)
        for number in range(start + 1, last + 1):
            try:
                cells = self._cells(self.lines[number - 1])
            except csv.Error as error:
                self._say(number, *_meaning(error))
                continue
            if any(cell.strip() for cell in cells):
                self.table.rows.append(Row(number, tuple(cells)))

    def _say(self, line: int, reason: str, detail: str) -> None:
        self.table.issues.append(_issue(self.table, line, reason, detail, "error"))


def _meaning(error: csv.Error) -> tuple[str, str]:
    if "field larger" in str(error):
        return "ROW_CELL_TOO_LONG", say(
            "a cell of more than {limit:,} characters; shorten it or close its quote", limit=MAX_CELL_CHARS
        )
    return "ROW_UNREADABLE", say("{unreadable}", unreadable=str(error))


def _issue(table: Table, line: int, reason: str, detail: str, severity: str) -> Issue:
    return Issue(source=table.file.path, line=line, reason=reason, detail=detail, severity=severity)


def _layout(delimiter: str) -> str:
    return "text of one column" if delimiter == _ONE_COLUMN else f"text separated by {delimiter!r}"


def _vote(lines: Sequence[str]) -> str:
    """Return the delimiter that divides the first lines most evenly and finest; quoted cells have no vote."""
    sample = "\n".join(lines[: 4 * _VOTERS])[: 1 << 16]
    voters = [line for line in _QUOTED.sub('""', sample).split("\n") if line.strip()][:_VOTERS]
    if not voters or _is_one_column(voters):
        return _ONE_COLUMN if voters else ","
    votes = [(_share_and_score(voters, delimiter), delimiter) for delimiter in _DELIMITERS]
    (share, score), best = max(votes, key=lambda vote: vote[0][1])
    if share < 0.5:
        for delimiter in _RARE_DELIMITERS:
            rare_share, rare_score = _share_and_score(voters, delimiter)
            if rare_share >= 0.95 and rare_score > score and len(voters) > 1 and _known(voters[0], delimiter) >= 2:
                return delimiter
    return best if score else ","


def _share_and_score(voters: Sequence[str], delimiter: str) -> tuple[float, float]:
    """Return the share of lines with the commonest number of cells, and how well that speaks for a delimiter."""
    widths = Counter(line.count(delimiter) + 1 for line in voters)
    del widths[1]
    if not widths:
        return 0.0, 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    share = count / len(voters)
    known = max(_known(line, delimiter) for line in voters[:5])
    return share, share * (1 - 1 / width) + 0.1 * min(known, 5)


def _known(line: str, delimiter: str) -> int:
    cells = line.split(delimiter)
    return sum(headers.is_known_header(cell.strip('" ')) for cell in cells) if len(cells) > 1 else 0


def _is_one_column(voters: Sequence[str]) -> bool:
    head = voters[0].strip('" ')
    return not any(mark in head for mark in _DELIMITERS) and headers.is_known_header(head)
