"""The tables of a dump, parsed once for all readers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from catalog.paths import IMAGE_SUFFIXES, TABLE_SUFFIXES, TEXT_SUFFIXES, WORKBOOK_SUFFIXES, Dump, DumpFile
from catalog.phrases import say
from catalog.readers import headers
from catalog.readers.correcting import tables_of
from catalog.readers.encoding import decode_text
from catalog.readers.json_beside import JsonBeside
from catalog.readers.sidecar import ABOUT_THE_DUMP
from catalog.readers.tabular import Table
from catalog.records import Issue

MAX_TABLES = 500
_FEWEST_LINES, _FEWEST_CELLS = 3, 3
"""Of a text that is a table though nothing in it names its columns."""


class TableSet:
    """A dump with the tables in it."""

    def __init__(self, dump: Dump, encoding: str | None = None) -> None:
        """Parse every file that may be a table; what cannot be read becomes an issue."""
        self.dump = dump
        self.encoding = encoding
        self.issues: list[Issue] = _pdf_left_out(dump)
        """Files that should be tables and could not be read."""
        self._tables: list[Table] = []
        beside = JsonBeside(dump)
        for file in dump.with_suffix(TABLE_SUFFIXES | WORKBOOK_SUFFIXES):
            if len(self._tables) >= MAX_TABLES:
                detail = say("only the first {limit} tables are read", limit=MAX_TABLES)
                self.issues.append(Issue(source=file.path, reason="TABLE_LIMIT", detail=detail))
                break
            # A list of facts beside the pictures of a product reads like a table.
            if beside.is_sidecar(file, encoding):
                continue
            if file.suffix != ".txt" or _may_be_table(file, encoding):
                self._parse(file)

    def __iter__(self) -> Iterator[Table]:
        """Yield the tables that have rows, by path; a workbook gives one for each sheet."""
        return iter(self._tables)

    def without(self, paths: Collection[str]) -> TableSet:
        """Return the same dump without some of its tables."""
        rest = TableSet.__new__(TableSet)
        rest.dump, rest.encoding, rest.issues = self.dump, self.encoding, self.issues
        rest._tables = [table for table in self._tables if table.file.path not in paths]
        return rest

    def _parse(self, file: DumpFile) -> None:
        tables, issues = tables_of(file, self.encoding, self.dump)
        # One JSON object beside pictures is configuration, or the text of a product.
        self.issues += [issue for issue in issues if issue.reason != "TABLE_UNUSED"]
        for table in tables:
            if table.rows:
                self._tables.append(table)
            else:
                self.issues += table.issues


def _may_be_table(file: DumpFile, encoding: str | None) -> bool:
    try:
        head = file.read(2048)
    except OSError:
        return False
    text = decode_text(head.split(b"\n", 1)[0], encoding)[0].strip()
    if file.stem.casefold() in ABOUT_THE_DUMP:
        return False
    for delimiter in ",;\t|":
        cells = [cell.strip('" ') for cell in text.split(delimiter)]
        known = sum(headers.is_known_header(cell) for cell in cells)
        if len(cells) > 1 and (known >= 2 or cells[0].lower().endswith(tuple(IMAGE_SUFFIXES))):
            return True
    return _is_even(decode_text(head.rpartition(b"\n")[0], encoding)[0])


def _is_even(text: str) -> bool:
    """Whether the lines of a text fall into the same number of cells, as those of an export without header do."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < _FEWEST_LINES:
        return False
    for delimiter in ";\t|,":
        counts = {line.count(delimiter) for line in lines}
        if len(counts) == 1 and counts.pop() + 1 >= _FEWEST_CELLS:
            return True
    return False


def _pdf_left_out(dump: Dump) -> list[Issue]:
    found = [] if ".pdf" in TEXT_SUFFIXES else dump.with_suffix({".pdf"})
    if not found:
        return []
    detail = say("{count} PDF files were not read; install what reads them: uv sync --extra pdf", count=len(found))
    return [Issue(source=found[0].path, reason="PDF_NO_READER", detail=detail, severity="warning")]
