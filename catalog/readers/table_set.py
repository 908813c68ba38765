"""The tables of a dump, parsed once for all readers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from catalog.paths import IMAGE_SUFFIXES, TABLE_SUFFIXES, Dump, DumpFile
from catalog.readers import headers
from catalog.readers.sidecar import ABOUT_THE_DUMP
from catalog.readers.tabular import Table, read_table
from catalog.records import Issue

MAX_TABLES = 500


class TableSet:
    """A dump with the tables in it."""

    def __init__(self, dump: Dump, encoding: str | None = None) -> None:
        """Parse every file that may be a table; what cannot be read becomes an issue."""
        self.dump = dump
        self.encoding = encoding
        self.issues: list[Issue] = []
        """Files that should be tables and could not be read."""
        self._tables: list[Table] = []
        for file in dump.with_suffix(TABLE_SUFFIXES):
            if len(self._tables) >= MAX_TABLES:
                detail = f"only the first {MAX_TABLES} tables are read"
                self.issues.append(Issue(source=file.path, reason="TABLE_LIMIT", detail=detail))
                break
            if file.suffix != ".txt" or _may_be_table(file):
                self._parse(file)

    def __iter__(self) -> Iterator[Table]:
        """Yield the tables that have rows, by path."""
        return iter(self._tables)

    def without(self, paths: Collection[str]) -> TableSet:
        """Return the same dump without some of its tables."""
        rest = TableSet.__new__(TableSet)
        rest.dump, rest.encoding, rest.issues = self.dump, self.encoding, self.issues
        rest._tables = [table for table in self._tables if table.file.path not in paths]
        return rest

    def _parse(self, file: DumpFile) -> None:
        parsed = read_table(file, self.encoding)
        if isinstance(parsed, Issue):
            # JSON beside pictures is often configuration; only a file that should be a table is reported.
            if file.suffix != ".json" or parsed.reason == "FILE_UNREADABLE":
                self.issues.append(parsed)
        elif parsed.rows:
            self._tables.append(parsed)
        else:
            self.issues += parsed.issues


def _may_be_table(file: DumpFile) -> bool:
    try:
        head = file.read(2048)
    except OSError:
        return False
    line = head.split(b"\n", 1)[0].decode("utf-8", errors="replace").strip()
    cells = re.split(r"[,;\t|]", line)
    if len(cells) < 2 or file.stem.casefold() in ABOUT_THE_DUMP:
        return False
    known = sum(headers.is_known_header(cell.strip('" ')) for cell in cells)
    return known >= 2 or cells[0].strip().lower().endswith(tuple(IMAGE_SUFFIXES))
