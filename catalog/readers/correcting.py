"""Rows a person corrected take the place of those in the dump, and rejected rows are found again to be corrected."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from catalog.paths import TABLE_SUFFIXES, WORKBOOK_SUFFIXES, Dump, DumpFile
from catalog.phrases import say
from catalog.readers.tabular import Row, Table, read_table
from catalog.readers.workbook import SheetStart, read_workbook
from catalog.records import Issue

_BETWEEN = " | "
BEYOND = "_beyond"
"""Holds the cells of a row that is wider than its header; a corrected row has none."""


def row_digest(cells: Iterable[str]) -> str:
    """Return a digest of a row's filled cells, by which a correction knows the row it is for."""
    return hashlib.sha256("\x1f".join(cell.strip() for cell in cells if cell.strip()).encode()).hexdigest()[:16]


def digest_of(cells: Mapping[str, str]) -> str:
    """Return the digest of a row by its named cells, as `originals` gives them."""
    inside = [cell for name, cell in cells.items() if name != BEYOND]
    return row_digest([*inside, *cells.get(BEYOND, "").split(_BETWEEN)])


def tables_of(
    file: DumpFile, encoding: str | None, dump: Dump, start: SheetStart | None = None
) -> tuple[list[Table], list[Issue]]:
    """Return the tables in a file, corrected, and why there are none; `start` says where those of a workbook begin."""
    if file.suffix in WORKBOOK_SUFFIXES:
        tables, issues = read_workbook(file, dump, start)
    else:
        table = read_table(file, encoding)
        tables, issues = ([], [table]) if isinstance(table, Issue) else ([table], [])
    return [corrected(table, dump) for table in tables], issues


def corrected(table: Table, dump: Dump) -> Table:
    """Return a table with its corrected rows: each takes the place of the row it is for, wherever that stands by now.

    A row that could not be parsed comes back at its line, unless a sound one stands there now.
    """
    given = {line: cells for (place, line), cells in dump.corrections.rows.items() if place == table.place}
    header = _columns(table)
    given = {line: cells for line, cells in given.items() if cells.keys() & set(header)}
    if not given:
        return table
    rows = list(table.rows)
    digests = {line: dump.corrections.digests.get((table.place, line), "") for line in given}
    meant = _rows_meant(rows, set(digests.values()) - {""})
    at = {row.line: index for index, row in enumerate(rows)}
    unparsed = {issue.line for issue in table.issues} - at.keys()
    lost: set[int] = set()
    for line, cells in given.items():
        fixed = tuple(cells.get(name, "") for name in header)
        places = meant.get(digests[line], [])
        index = at.get(line) if at.get(line) in places else places[0] if len(places) == 1 else None
        if index is not None:
            rows[index] = Row(rows[index].line, fixed)
        elif not digests[line] and line in unparsed:
            rows.append(Row(line, fixed))
            lost.add(line)
        else:
            continue
        dump.corrected.add((table.place, line))
    start = 0 if table.header else 1
    rows[start:] = sorted(rows[start:], key=lambda row: row.line)
    return replace(table, rows=rows, issues=[issue for issue in table.issues if issue.line not in lost])


def _columns(table: Table, header: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of a table's columns, each once: where a name stands again, it gets a number."""
    names = header or table.header or (tuple(cell.strip() for cell in table.rows[0].cells) if table.rows else ())
    columns: dict[str, None] = {}
    for name in names:
        own, again = name, 1
        while own in columns:
            again += 1
            own = f"{name} ({again})"
        columns[own] = None
    return tuple(columns)


def _rows_meant(rows: Sequence[Row], digests: Collection[str]) -> Mapping[str, list[int]]:
    """Return digest → indexes of the rows that have it, for the digests asked for."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows) if digests else ():
        if (digest := row_digest(row.cells)) in digests:
            found.setdefault(digest, []).append(index)
    return found


def unused_corrections(dump: Dump) -> list[Issue]:
    """Return a warning for each correction whose row is no longer in the dump."""
    detail = say("no row of the dump is the one that was corrected; the correction was left out")
    return [
        Issue(source=place, line=line, reason="ROW_CHANGED_SINCE", detail=detail, severity="warning")
        for place, line in dump.corrections.rows
        if (place, line) not in dump.corrected
    ]


def originals(
    issues: Iterable[Issue], encoding: str | None, dump: Dump, headers: Mapping[str, tuple[str, ...]]
) -> Mapping[tuple[str, int], Mapping[str, str]]:
    """Return (place, line) → column → cell of the rows that have errors, as far as they are rows of tables.

    Args:
        issues: What was said of the dump.
        encoding: Use this one instead of guessing.
        dump: The dump.
        headers: Column names of files without a header row.
    """
    wanted: dict[str, set[tuple[str, int]]] = {}
    for issue in issues:
        table_like = (
            issue.source in dump.files and dump.files[issue.source].suffix in TABLE_SUFFIXES | WORKBOOK_SUFFIXES
        )
        if issue.line is not None and issue.severity == "error" and table_like:
            wanted.setdefault(issue.source, set()).add((issue.part, issue.line))
    found: dict[tuple[str, int], Mapping[str, str]] = {}
    for path, lines in wanted.items():
        for table in tables_of(dump.files[path], encoding, dump)[0]:
            header = _columns(table, headers.get(path, ()))
            for row in table.rows:
                if (table.sheet, row.line) in lines:
                    cells = dict(zip(header, row.cells, strict=False))
                    if beyond := [cell for cell in row.cells[len(header) :] if cell.strip()]:
                        cells[BEYOND] = _BETWEEN.join(beyond)
                    found.setdefault((table.place, row.line), cells)
    return found
