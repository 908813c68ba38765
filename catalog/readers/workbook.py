"""Excel and OpenDocument workbooks: each visible sheet becomes a table of text cells, pictures included.

Lines are the row numbers that Excel shows. Whole numbers lose their `.0`, dates are ISO, merged
cells repeat their value, and a picture lying on a row stands in that row's last column, `image`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from catalog.archives import ArchiveRefused, list_archive
from catalog.paths import Dump, DumpFile
from catalog.phrases import say, told
from catalog.readers import headers
from catalog.readers.cell_table import Row, Table
from catalog.readers.header_row import LOOK_ROWS, header_index
from catalog.readers.workbook_parts import Cell, WorkbookParts
from catalog.records import Issue

MAX_WORKBOOK_BYTES = 200 << 20
MAX_CELLS = 40_000_000
IMAGE_COLUMN = "image"
_GROUP_ROLES = ("sku", "parent", "gtin")
Grid = list[list[str]]


class _Refused(Exception):  # noqa: N818 - it says what happened
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, kw_only=True)
class SheetStart:
    """Where the tables of a workbook begin, if a person says so."""

    skip: int = 0
    """Rows above the header, as Excel counts them."""
    header: tuple[str, ...] = ()
    """Column names of sheets without header row."""


def read_workbook(file: DumpFile, dump: Dump, start: SheetStart | None = None) -> tuple[list[Table], list[Issue]]:
    """Return the tables of a workbook's visible sheets, and what could not be read."""
    try:
        return _Reader(file, dump, start).read()
    except _Refused as refusal:
        return [], [Issue(source=file.path, reason=refusal.reason, detail=refusal.detail)]
    except PasswordError:
        detail = say("protected by a password; save it without one")
        return [], [Issue(source=file.path, reason="FILE_ENCRYPTED", detail=detail)]
    except (CalamineError, OSError, ValueError) as error:
        detail = say(
            "no workbook that is read ({error}); save it again as .xlsx or CSV",
            error=" ".join(told(error).split()) or type(error).__name__,
        )
        return [], [Issue(source=file.path, reason="FILE_UNREADABLE", detail=detail)]
    except BaseException as error:
        # What the Rust library did not foresee in a damaged file reaches Python outside of Exception.
        if type(error).__name__ != "PanicException":
            raise
        detail = say("no workbook that is read (damaged inside); save it again as .xlsx or CSV")
        return [], [Issue(source=file.path, reason="FILE_UNREADABLE", detail=detail)]


class _Reader:
    """Reads one workbook."""

    def __init__(self, file: DumpFile, dump: Dump, start: SheetStart | None) -> None:
        self.file, self.issues, self.start = file, list[Issue](), start
        if file.size > MAX_WORKBOOK_BYTES:
            raise _Refused("FILE_UNREADABLE", say("larger than {limit} MiB; split it", limit=MAX_WORKBOOK_BYTES >> 20))
        self.path = dump.local_path(file)
        self.parts = self._parts()
        self.facts: list[tuple[int, dict[str, str]]] = []
        """Line and cells of each sheet that describes one product, a fact a row."""

    def _parts(self) -> WorkbookParts | None:
        """Return the parts of an `.xlsx`, None for other workbooks; all that are zipped are checked."""
        with self.path.open("rb") as opened:
            if opened.read(4) != b"PK\x03\x04":
                return None  # an old .xls, or an encrypted one, under a new name
        try:
            listing = list_archive(self.path, self.file.path, lambda: self.path)
        except ArchiveRefused as error:
            raise _Refused(error.code, error.detail) from error
        limit = next((issue for issue in listing.issues() if issue.reason == "ZIP_LIMIT"), None)
        if limit is not None:
            raise _Refused("ZIP_LIMIT", limit.detail)
        return WorkbookParts(listing) if self.file.suffix in (".xlsx", ".xlsm") else None

    def read(self) -> tuple[list[Table], list[Issue]]:
        tables = []
        with CalamineWorkbook.from_path(str(self.path)) as book:
            for meta in book.sheets_metadata:
                if meta.typ != SheetTypeEnum.WorkSheet:
                    continue
                if meta.visible != SheetVisibleEnum.Visible:
                    self._warn(None, "TABLE_HIDDEN", say("sheet {name!r} is hidden and was not read", name=meta.name))
                    continue
                xml = self.parts.sheet(meta.name) if self.parts else b""
                sheet = None if xml and WorkbookParts.area(xml) > MAX_CELLS else book.get_sheet_by_name(meta.name)
                if sheet is None or sheet.total_height * sheet.total_width > MAX_CELLS:
                    detail = say(
                        "sheet {name!r} has cells too far from its corner; delete what is far below or right",
                        name=meta.name,
                    )
                    self.issues.append(Issue(source=self.file.path, reason="ZIP_LIMIT", detail=detail))
                    continue
                table = self._table(sheet, meta.name, xml)
                if table is not None:
                    tables.append(table)
        if self.facts:
            tables.append(self._fact_table())
        if not tables and not self.issues:
            raise _Refused("TABLE_EMPTY", say("no sheet has a cell with content"))
        return tables, self.issues

    def _table(self, sheet: CalamineSheet, name: str, xml: bytes) -> Table | None:
        padded = self.parts.padded(xml) if self.parts else {}
        grid = [
            [_text(cell, padded.get((row, column), 0)) for column, cell in enumerate(cells)]
            if padded
            else [*map(_text, cells)]
            for row, cells in enumerate(sheet.to_python(skip_empty_area=False))
        ]
        filled = [index for index, cells in enumerate(grid) if any(map(str.strip, cells))]
        pictures = self.parts.pictures(name, xml) if self.parts else []
        if not filled:
            return None
        if self.parts and (errors := self.parts.errors(xml)):
            detail = say(
                "sheet {name!r}: {count} cells show an error and are taken as empty: {errors}",
                name=name,
                count=len(errors),
                errors=", ".join(errors[:5]),
            )
            self._warn(int("".join(filter(str.isdigit, errors[0]))), "ROW_CELL_ERROR", detail)
        if self.start is not None:
            return self._stated_table(grid, sheet, name, pictures, self.start)
        if (facts := _facts_of(grid, filled)) is not None:
            if pictures:
                facts[IMAGE_COLUMN] = "|".join(f"/{path}" for _, _, path in pictures)
            self.facts.append((filled[0] + 1, facts))
            return None
        head = filled[header_index([grid[index] for index in filled[: LOOK_ROWS + 1]])]
        if head != filled[0]:
            above = " ".join(cell.strip() for row in grid[:head] for cell in row if cell.strip())
            detail = say(
                "sheet {name!r}: rows above the header are no products: {above!r}", name=name, above=above[:80]
            )
            self._warn(filled[0] + 1, "TABLE_PREAMBLE", detail)
        header, first = _merged_header(grid, head, sheet.merged_cell_ranges or [])
        _fill_merged(grid, header, first, sheet.merged_cell_ranges or [])
        rows = [Row(index + 1, tuple(grid[index])) for index in filled if index >= first]
        layout = f"sheet {name!r}, header in row {head + 1}"
        table = Table(file=self.file, rows=[Row(head + 1, tuple(header)), *rows], layout=layout, sheet=name)
        return _with_pictures(table, pictures)

    def _stated_table(
        self, grid: Grid, sheet: CalamineSheet, name: str, pictures: Sequence[tuple[Cell, Cell, str]], start: SheetStart
    ) -> Table | None:
        """Return a sheet whose header stands where a person says."""
        filled = [index for index, cells in enumerate(grid) if index >= start.skip and any(map(str.strip, cells))]
        if not filled:
            return None
        ranges = sheet.merged_cell_ranges or []
        if start.header:
            width = max(len(start.header), len(grid[filled[0]]))
            for cells in grid:
                cells += [""] * (width - len(cells))
            head, first = start.skip, filled[0]
            header = [*start.header, *[""] * (width - len(start.header))]
        else:
            head = filled[0]
            header, first = _merged_header(grid, head, ranges)
        _fill_merged(grid, header, first, ranges)
        rows = [Row(index + 1, tuple(grid[index])) for index in filled if index >= first]
        layout = f"sheet {name!r}, header in row {head + 1}"
        table = Table(file=self.file, rows=[Row(head + 1, tuple(header)), *rows], layout=layout, sheet=name)
        return _with_pictures(table, pictures)

    def _fact_table(self) -> Table:
        header = tuple(dict.fromkeys(name for _, facts in self.facts for name in facts))
        rows = [Row(line, tuple(facts.get(name, "") for name in header)) for line, facts in self.facts]
        return Table(file=self.file, header=header, rows=rows, layout=f"{len(rows)} sheets of one product each")

    def _warn(self, line: int | None, reason: str, detail: str) -> None:
        self.issues.append(Issue(source=self.file.path, line=line, reason=reason, detail=detail, severity="warning"))


def _text(value: object, digits: int = 0) -> str:
    """Return a cell as a person reads it; `digits` is the width that its number format fills up with zeros."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        # Excel keeps fifteen digits; beyond that a whole number is no key any more.
        value = int(value) if value.is_integer() and abs(value) < 1e16 else value
    if isinstance(value, int) and digits:
        return f"{value:0{digits}d}"
    if isinstance(value, datetime.datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    return str(value)


def _facts_of(grid: Grid, filled: Sequence[int]) -> dict[str, str] | None:
    """Return the facts of a sheet that reads `label, value` down one product; None for a table of many."""
    facts: dict[str, str] = {}
    for index in filled:
        cells = [cell.strip() for cell in grid[index] if cell.strip()]
        if len(cells) > 2:
            return None
        if len(cells) == 2:
            if cells[0] in facts:
                return None
            facts[cells[0]] = cells[1]
    if len(facts) < 3 or sum(map(headers.is_known_header, facts)) < 2:
        return None
    label, value = next(iter(facts.items()))
    # 品番 | 商品名 at the top is a table of two columns.
    return None if headers.is_known_header(label) and headers.is_known_header(value) else facts


def _merged_header(grid: Grid, head: int, ranges: Sequence[tuple[Cell, Cell]]) -> tuple[list[str], int]:
    """Return the column names and the first row below them; a header of two levels is joined."""
    depth = max((bottom - top + 1 for (top, _), (bottom, _) in ranges if top == head), default=1)
    depth = min(depth, 3, len(grid) - head)
    header = list(grid[head])
    for (top, left), (bottom, right) in ranges:
        if top == head and right > left and bottom < head + depth:
            header[left : right + 1] = [header[left]] * (min(right, len(header) - 1) - left + 1)
    for row in grid[head + 1 : head + depth]:
        header = [
            " ".join(part for part in (name, cell.strip()) if part) for name, cell in zip(header, row, strict=True)
        ]
    return header, head + depth


def _fill_merged(grid: Grid, header: Sequence[str], first: int, ranges: Sequence[tuple[Cell, Cell]]) -> None:
    """Repeat the value of merged cells, except where the key is merged: those rows are one product's variants."""
    roles = [hit[0] if (hit := headers.role_of(name.strip())) else "" for name in header]
    grouped = {
        row
        for (top, left), (bottom, _) in ranges
        if top >= first and left < len(roles) and roles[left] in _GROUP_ROLES
        for row in range(top + 1, bottom + 1)
    }
    for (top, left), (bottom, right) in ranges:
        if top < first or top >= len(grid) or left >= len(header):
            continue
        for row in range(top, min(bottom, len(grid) - 1) + 1):
            for column in range(left, min(right, len(header) - 1) + 1):
                if row not in grouped or roles[column] not in (*_GROUP_ROLES, "name"):
                    grid[row][column] = grid[top][left]


def _with_pictures(table: Table, pictures: Sequence[tuple[Cell, Cell, str]]) -> Table:
    """Return the table with the pictures that lie on its rows in a last column."""
    lines = {row.line for row in table.rows[1:]}
    cells: dict[int, list[str]] = {}
    for (top, _), (bottom, _), path in pictures:
        # A picture often begins a little above its row.
        line = next((line for line in (top + 1, (top + bottom) // 2 + 1, bottom + 1) if line in lines), None)
        if line is not None:
            cells.setdefault(line, []).append(f"/{path}")
    if cells:
        head, *rows = table.rows
        table.rows = [Row(head.line, (*head.cells, IMAGE_COLUMN))]
        table.rows += [Row(row.line, (*row.cells, "|".join(cells.get(row.line, ())))) for row in rows]
    return table
