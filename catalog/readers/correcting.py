"""Rows a person corrected take the place of those in the dump, and rejected rows are found again to be corrected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from catalog.paths import WORKBOOK_SUFFIXES, Dump, DumpFile
from catalog.phrases import say
from catalog.readers.tabular import Row, Table, read_table
from catalog.readers.workbook import read_workbook
from catalog.records import Issue

BEYOND = "_beyond"
"""Holds the cells of a row that is wider than its header; a corrected row has none."""


def row_digest(cells: Iterable[str]) -> str:
    """Return a digest of a row's filled cells, by which a correction knows the row it is for."""
    return hashlib.sha256("\x1f".join(cell.strip() for cell in cells if cell.strip()).encode()).hexdigest()[:16]


def tables_of(file: DumpFile, encoding: str | None, dump: Dump) -> tuple[list[Table], list[Issue]]:
    """Return the tables in a file, corrected, and why there are none."""
    if file.suffix in WORKBOOK_SUFFIXES:
        tables, issues = read_workbook(file, dump)
    else:
        table = read_table(file, encoding)
        tables, issues = ([], [table]) if isinstance(table, Issue) else ([table], [])
    return [corrected(table, dump) for table in tables], issues


def corrected(table: Table, dump: Dump) -> Table:
    """Return a table with its corrected rows; a correction of a row that has changed since is left out and reported."""
    path = table.file.path
    given = {line: cells for (file, line), cells in dump.corrections.rows.items() if file == path}
    header = table.header or (tuple(cell.strip() for cell in table.rows[0].cells) if table.rows else ())
    given = {line: cells for line, cells in given.items() if cells.keys() & set(header)}
    if not given:
        return table
    rows: list[Row] = []
    issues = [issue for issue in table.issues if issue.line not in given]
    for row in table.rows:
        cells = given.pop(row.line, None)
        if cells is None:
            rows.append(row)
        elif dump.corrections.digests.get((path, row.line)) != row_digest(row.cells):
            rows.append(row)
            detail = say("the row is not the one that was corrected; the correction was left out")
            issues.append(
                Issue(source=path, line=row.line, reason="ROW_CHANGED_SINCE", detail=detail, severity="warning")
            )
        else:
            rows.append(Row(row.line, tuple(cells.get(name, "") for name in header)))
    # What is left could not be parsed before.
    rows += [Row(line, tuple(cells.get(name, "") for name in header)) for line, cells in given.items()]
    rows[0 if table.header else 1 :] = sorted(rows[0 if table.header else 1 :], key=lambda row: row.line)
    return replace(table, rows=rows, issues=issues)


def originals(issues: Iterable[Issue], encoding: str | None, dump: Dump) -> Mapping[tuple[str, int], Mapping[str, str]]:
    """Return (file, line) → column → cell of the rows that have errors, as far as they are rows of tables."""
    wanted: dict[str, set[int]] = {}
    for issue in issues:
        if issue.line is not None and issue.severity == "error" and issue.source in dump.files:
            wanted.setdefault(issue.source, set()).add(issue.line)
    found: dict[tuple[str, int], Mapping[str, str]] = {}
    for path, lines in wanted.items():
        for table in tables_of(dump.files[path], encoding, dump)[0]:
            header = table.header or tuple(cell.strip() for cell in table.rows[0].cells)
            for row in table.rows:
                if row.line in lines:
                    cells = dict(zip(header, row.cells, strict=False))
                    if beyond := [cell for cell in row.cells[len(header) :] if cell.strip()]:
                        cells[BEYOND] = " | ".join(beyond)
                    found.setdefault((path, row.line), cells)
    return found
