"""The tables of a mapped dump and the joins between them: a column's way may lead on into another table."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from catalog.errors import IngestRefused
from catalog.mapping import FieldSpec, MappingSpec, TableSpec, near
from catalog.paths import Dump, DumpFile
from catalog.readers import headers
from catalog.readers.record_file import read_records
from catalog.readers.tree import Tree, as_text, columns_of, leaves_at
from catalog.records import Issue

_ID_ENDING = re.compile(r"[ _.-]?(id|pk|key|code|no|nr)$", re.I)
_REFERRING_SHARE = 0.5
_KEY_COLUMNS = ("pk", "id", "key", "code")


@dataclass(frozen=True, eq=False)
class Record:
    """One record of a table; compared by identity."""

    table: str
    file: str
    line: int
    tree: dict[str, Tree]


@dataclass(kw_only=True)
class LoadedTable:
    """The records of one table that its `where` lets through."""

    name: str
    files: list[DumpFile]
    records: list[Record] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    read: int = 0
    """Records before `where`."""


Reach = Callable[[Record], list[Tree]]


class Relations:
    """All tables of a mapping, with what is needed to follow its joins."""

    def __init__(self, mapping: MappingSpec, dump: Dump, encoding: str | None) -> None:
        """Read every table.

        Raises:
            IngestRefused: A table's file is not there, or a join names a column that is not.
        """
        self.mapping = mapping
        self.issues: list[Issue] = []
        self.tables: dict[str, LoadedTable] = {}
        for name, spec in mapping.tables.items():
            self.tables |= self._load(name, spec, dump, encoding)
        self._reaches: dict[tuple[str, str], Reach] = {}
        self._indexes: dict[tuple[str, str], dict[str, list[Record]]] = {}
        self.evidence: list[str] = []
        self._joins: dict[tuple[str, str], tuple[str, str] | None] = {
            (table, self.column(table, column)): (target, self.column(target, end))
            for (table, column), (target, end) in mapping.joins.items()
        }

    def table(self, name: str) -> LoadedTable:
        """Return a table by its name; raises IngestRefused when the mapping names none so."""
        if name not in self.tables:
            raise IngestRefused(f"{self.mapping.origin}: there is no table {name!r}{near(name, self.tables)}")
        return self.tables[name]

    def column(self, table: str, written: str) -> str:
        """Return the full way of a column, which may be written by its unambiguous end.

        Raises:
            IngestRefused: The table has no such column, or several.
        """
        found = self._find(table, written)
        if found is None:
            columns = self.table(table).columns
            raise IngestRefused(
                f"{self.mapping.origin}: table {table!r} has no column {written!r}{near(written, columns)}"
            )
        return found

    def texts(self, record: Record, spec: FieldSpec) -> list[str]:
        """Return the values a field has in a record, as clean text."""
        reached = [[as_text(leaf) for leaf in self._reach(record.table, column)(record)] for column in spec.columns]
        values = [spec.fill(row) for row in _side_by_side(reached)]
        if spec.separator:
            values = [item.strip() for value in values for item in value.split(spec.separator)]
        if spec.match is not None:
            hits = (spec.match.search(value) for value in values)
            values = [hit[1] if hit.re.groups else hit[0] for hit in hits if hit]
        return [value for value in values if value]

    def first(self, record: Record, spec: FieldSpec | None) -> str:
        """Return the first value of a field, or an empty text."""
        found = self.texts(record, spec) if spec is not None else []
        return found[0] if found else ""

    def joined(self, record: Record, spec: FieldSpec, table: str) -> list[Record] | None:
        """Return the records of `table` that a field's joins end in; None when they do not end there."""
        if len(spec.columns) != 1 or spec.text != spec.columns[0] or spec.match is not None:
            return None
        return self._records(record, spec.columns[0], table)

    # --- following joins -------------------------------------------------------------------------

    def _records(self, record: Record, column: str, table: str) -> list[Record] | None:
        whole = self._find(record.table, column)
        target = self._target(record.table, whole) if whole else None
        if target is not None:
            return self._followed(record, whole or "", target) if target[0] == table else None
        for prefix, rest, end in self._splits(record.table, column):
            found = [self._records(other, rest, table) for other in self._followed(record, prefix, end)]
            known = [records for records in found if records is not None]
            return [other for records in known for other in records] if known or not found else None
        return None

    def _splits(self, table: str, column: str) -> Iterator[tuple[str, str, tuple[str, str]]]:
        parts = column.split(".")
        for length in range(len(parts) - 1, 0, -1):
            prefix = self._find(table, ".".join(parts[:length]))
            if prefix is not None and (target := self._target(table, prefix)) is not None:
                yield prefix, ".".join(parts[length:]), target

    def _target(self, table: str, column: str) -> tuple[str, str] | None:
        """Return what a column refers to: as the mapping says, else by its name where the values prove it."""
        if (table, column) not in self._joins:
            self._joins[table, column] = self._inferred(table, column)
        return self._joins[table, column]

    def _inferred(self, table: str, column: str) -> tuple[str, str] | None:
        name = headers.normalise(_ID_ENDING.sub("", column.rpartition(".")[2]))
        values = {str(leaf).strip() for record in self.table(table).records for leaf in leaves_at(record.tree, column)}
        if not name or not values:
            return None
        proved: list[tuple[float, tuple[str, str]]] = []
        for other in self.tables:
            if other != table and headers.normalise(other).endswith((name, f"{name}s")):
                keys = [(other, key) for key in _KEY_COLUMNS if key in self.table(other).columns]
                shares = [(len(values & self._index(key).keys()) / len(values), key) for key in keys]
                proved += [max(shares)] if shares and max(shares)[0] >= _REFERRING_SHARE else []
        proved.sort()
        if not proved or proved[-1][0] == (proved[-2][0] if proved[1:] else None):
            return None
        share, target = proved[-1]
        self.evidence.append(f"{table}.{column} refers to {'.'.join(target)}, where {share:.0%} of its values are")
        return target

    def _reach(self, table: str, column: str) -> Reach:
        known = self._reaches.get((table, column))
        if known is None:
            known = self._reaches[table, column] = self._compile(table, column)
        return known

    def _compile(self, table: str, column: str) -> Reach:
        if _plain(column) in self.table(table).columns or column.startswith("^"):
            return lambda record: leaves_at(record.tree, column)
        for prefix, rest, target in self._splits(table, column):
            onward = self._reach(target[0], rest)
            return lambda record: [leaf for other in self._followed(record, prefix, target) for leaf in onward(other)]
        way = self.column(table, column)
        return lambda record: leaves_at(record.tree, way)

    def _index(self, target: tuple[str, str]) -> dict[str, list[Record]]:
        index = self._indexes.get(target)
        if index is None:
            index = self._indexes[target] = defaultdict(list)
            for other in self.table(target[0]).records:
                for leaf in leaves_at(other.tree, target[1]):
                    index[str(leaf).strip()].append(other)
        return index

    def _followed(self, record: Record, column: str, target: tuple[str, str]) -> list[Record]:
        index = self._index(target)
        return [other for leaf in leaves_at(record.tree, column) for other in index.get(str(leaf).strip(), [])]

    def _find(self, table: str, written: str) -> str | None:
        columns = self.table(table).columns
        plain = _plain(written)
        if plain in columns or written.startswith("^"):
            return written
        ending = [name for name in columns if name.endswith(f".{plain}")]
        shallow = min((name.count(".") for name in ending), default=0)
        best = [name for name in ending if name.count(".") == shallow]
        if len(best) > 1:
            raise IngestRefused(
                f"{self.mapping.origin}: table {table!r} has {len(best)} columns that end in {written!r}; "
                f"write one of {', '.join(sorted(best)[:4])}"
            )
        return best[0] if best else None

    # --- reading ---------------------------------------------------------------------------------

    def _load(self, name: str, spec: TableSpec, dump: Dump, encoding: str | None) -> dict[str, LoadedTable]:
        files = []
        for pattern in spec.files:
            named = [dump.files[path] for path in sorted(dump.files) if fnmatch.fnmatchcase(path, pattern)]
            if not named:
                known = near(pattern, _tables_in(dump))
                raise IngestRefused(f"{self.mapping.origin}: tables.{name}: no file {pattern!r} in the dump{known}")
            files += [file for file in named if file not in files]
        records = []
        for file in files:
            found, issues = read_records(file, spec, spec.encoding or encoding or self.mapping.encoding)
            self.issues += issues
            records += [Record(name, file.path, line, tree) for line, tree in found]
        table = LoadedTable(name=name, files=files, records=records, read=len(records))
        if spec.where:
            table.columns = _columns(records)
            wanted = [(self._given(table, column, "where"), values) for column, values in spec.where.items()]
            table.records = [record for record in records if _passes(record, wanted)]
            if records and not table.records:
                detail = f"tables.{name}.where lets none of {len(records)} records through"
                self.issues.append(Issue(source=files[0].path, reason="TABLE_EMPTY", detail=detail, severity="warning"))
            # Columns are known from the records that are left, unless there are none.
            table.columns = _columns(table.records) or table.columns
            return {name: table} if spec.split is None else self._split(table, spec.split)
        table.columns = _columns(table.records)
        return {name: table} if spec.split is None else self._split(table, spec.split)

    def _split(self, table: LoadedTable, column: str) -> dict[str, LoadedTable]:
        column = self._given(table, column, "split")
        groups: dict[str, list[Record]] = defaultdict(list)
        for record in table.records:
            groups["".join(map(str, leaves_at(record.tree, column)[:1]))].append(record)
        ends = [value.rpartition(".")[2] for value in groups]
        parts = {}
        for value, records in groups.items():
            end = value.rpartition(".")[2]
            name = end if ends.count(end) == 1 else value.replace(".", "_")
            inside = [replace(record, table=name) for record in records]
            parts[name] = LoadedTable(
                name=name, files=table.files, records=inside, columns=_columns(inside), read=len(inside)
            )
        return parts

    def _given(self, table: LoadedTable, written: str, key: str) -> str:
        if _plain(written) in table.columns:
            return written
        raise IngestRefused(
            f"{self.mapping.origin}: tables.{table.name}.{key}: no column {written!r}{near(written, table.columns)}"
        )


def _columns(records: Sequence[Record]) -> set[str]:
    return {column for record in records for column in columns_of(record.tree)}


def _passes(record: Record, wanted: Sequence[tuple[str, tuple[str, ...]]]) -> bool:
    for column, values in wanted:
        leaves = [str(leaf).strip() for leaf in leaves_at(record.tree, column)] or [""]
        if not set(leaves) & set(values):
            return False
    return True


def _plain(way: str) -> str:
    """Return a way without its `[name=value]` filters."""
    return ".".join(part.partition("[")[0] for part in way.split("."))


def _side_by_side(columns: list[list[str]]) -> Iterator[list[str]]:
    """Yield one row of values after the other; a column of one value goes with each value of the others."""
    if any(not values for values in columns):
        return
    for number in range(max(len(values) for values in columns)):
        row = [values[0] if len(values) == 1 else (values[number : number + 1] or [""])[0] for values in columns]
        if all(row):
            yield row


def _tables_in(dump: Dump) -> list[str]:
    return [path for path in dump.files if path.lower().endswith((".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml"))]
