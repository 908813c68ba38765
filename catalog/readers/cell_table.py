"""A table of text cells as every reader gets it, whatever file it is from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from catalog.paths import DumpFile
from catalog.phrases import say
from catalog.records import Issue


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its line (or position in a JSON list), counted from 1, and its cells."""

    line: int
    cells: tuple[str, ...]


@dataclass(kw_only=True)
class Table:
    """A parsed file or sheet. `header` is empty until someone decides that the first row is one."""

    file: DumpFile
    header: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    encoding: str = "utf-8"
    layout: str = ""
    """For people: `text separated by ','`, `JSON list` or `sheet 'Products'`."""
    sheet: str = ""
    """Name of the sheet in a workbook."""
    _headed: Table | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def place(self) -> str:
        """What tells the table from all others of its dump."""
        return f"{self.file.path}#{self.sheet}" if self.sheet else self.file.path

    def column(self, index: int) -> Iterator[str]:
        """Yield the cells of one column."""
        return (row.cells[index] for row in self.rows)

    def with_header(self) -> Table:
        """Return the table with its first row as header, and rows of another width reported; not to be changed."""
        if self.header or not self.rows:
            return self
        if self._headed is None:  # every reader asks
            self._headed = self.with_names(tuple(cell.strip() for cell in self.rows[0].cells), first=1)
        return self._headed

    def with_names(self, header: tuple[str, ...], *, first: int = 0) -> Table:
        """Return the rows from `first` on under given column names; what does not fit them is reported."""
        table = Table(
            file=self.file,
            header=header,
            encoding=self.encoding,
            layout=self.layout,
            sheet=self.sheet,
            issues=list(self.issues),
        )
        width, start, rows = len(header), header[0] if header else "", table.rows
        for row in self.rows[first:]:
            if len(row.cells) != width:
                table._fit(row)
            elif row.cells[0].strip() == start and width > 1 and tuple(map(str.strip, row.cells)) == header:
                detail = say("the header again; files were joined here, so it is no product")
                table._say(row, "ROW_HEADER_AGAIN", detail, "warning")
            else:
                rows.append(row)
        return table

    def _fit(self, row: Row) -> None:
        width = len(self.header)
        extra = [cell for cell in row.cells[width:] if cell.strip()]
        if extra:
            detail = say(
                "{count} cells where the header has {width}; first beyond it: {extra!r}",
                count=len(row.cells),
                width=width,
                extra=extra[0].strip()[:60],
            )
            self._say(row, "ROW_COLUMNS", detail, "error")
            return
        cells = row.cells[:width]
        if len(cells) < width:
            detail = say(
                "{count} cells where the header has {width}; the missing ones are taken as empty",
                count=len(cells),
                width=width,
            )
            self._say(row, "ROW_COLUMNS", detail, "warning")
            cells += ("",) * (width - len(cells))
        self.rows.append(Row(row.line, cells))

    def _say(self, row: Row, reason: str, detail: str, severity: str) -> None:
        self.issues.append(
            Issue(
                source=self.file.path, part=self.sheet, line=row.line, reason=reason, detail=detail, severity=severity
            )
        )
