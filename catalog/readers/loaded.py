"""The tables of a mapped dump as they are loaded: files put together, records left out, kinds told apart."""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from catalog.errors import IngestRefused
from catalog.mapping import MappingSpec, TableSpec, near
from catalog.paths import Dump, DumpFile
from catalog.phrases import say
from catalog.readers.record_file import read_records
from catalog.readers.tabular import Table
from catalog.readers.tree import PARENT, Tree, columns_of, leaves_at
from catalog.records import Issue

_TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".xlsx", ".dat")


@dataclass(frozen=True, eq=False, slots=True)
class Record:
    """One record of a table; compared by identity."""

    table: str
    file: str
    line: int
    tree: dict[str, Tree]
    part: str = ""
    """Sheet, or way in the file, of which `line` counts the records."""


@dataclass(kw_only=True)
class LoadedTable:
    """The records of one table that its `where` lets through."""

    name: str
    files: list[DumpFile]
    records: list[Record] = field(default_factory=list)
    left_out: list[Record] = field(default_factory=list)
    """The others."""
    columns: dict[str, None] = field(default_factory=dict)
    """Every way into a record, in the order of the file."""
    read: int = 0
    """Records before `where`."""
    flat: bool = False
    """Whether every record holds nothing but text."""
    encoding: str = ""

    @property
    def unread(self) -> bool:
        """Whether no record could be read at all."""
        return not self.read


def load(
    name: str,
    spec: TableSpec,
    mapping: MappingSpec,
    dump: Dump,
    encoding: str | None,
    parsed: Mapping[str, Sequence[Table]],
) -> tuple[dict[str, LoadedTable], list[Issue]]:
    """Read a table, or the tables that `split` makes of it, and report what could not be read.

    Raises:
        IngestRefused: No such file is in the dump, or no such column in the table.
    """
    place, issues = f"{mapping.origin}: tables.{name}", []
    table = LoadedTable(name=name, files=_files(place, spec, dump))
    for file in table.files:
        for listed in read_records(file, spec, encoding, dump, parsed.get(file.path)):
            issues += listed.issues
            part = listed.sheet or spec.rows
            table.records += [Record(name, file.path, line, tree, part) for line, tree in listed.records]
            table.encoding = table.encoding or listed.encoding
    table.read = len(table.records)
    table.columns, table.flat = _columns(table.records)
    if spec.where:
        wanted = [(_given(place, table, column, "where"), values) for column, values in spec.where.items()]
        kept: list[Record] = []
        for record in table.records:
            (kept if _passes(record, wanted) else table.left_out).append(record)
        if table.records and not kept:
            detail = say("tables.{name}.where lets none of {read} records through", name=name, read=table.read)
            issues.append(Issue(source=table.files[0].path, reason="TABLE_EMPTY", detail=detail, severity="warning"))
        table.records = kept
        if kept:  # Else the columns of all its records say more.
            table.columns, table.flat = _columns(kept)
    return ({name: table} if spec.split is None else _split(place, table, spec.split)), issues


def plain_way(way: str) -> str:
    """Return a way without its `[name=value]` filters."""
    return ".".join(part.partition("[")[0] for part in way.split(".")) if "[" in way else way


def _files(place: str, spec: TableSpec, dump: Dump) -> list[DumpFile]:
    known = dump.files
    files: list[DumpFile] = []
    for pattern in spec.files:
        # A name that stands there as it is may hold characters that mean something in a pattern.
        paths = [pattern] if pattern in known else sorted(fnmatch.filter(known, pattern))
        if not paths:
            tables = [path for path in known if path.lower().endswith(_TABLE_ENDINGS)]
            raise IngestRefused(
                say(
                    "{place}: no file {pattern!r} in the dump{near}",
                    place=place,
                    pattern=pattern,
                    near=near(pattern, tables),
                )
            )
        files += [known[path] for path in paths if known[path] not in files]
    return files


def _columns(records: Sequence[Record]) -> tuple[dict[str, None], bool]:
    """Return every way into the records, and whether they hold nothing but text."""
    columns: dict[str, None] = {}
    keys: dict[tuple[str, ...], None] = {}
    flat = True
    for record in records:
        if {*map(type, record.tree.values())} == {str}:
            keys.setdefault(tuple(record.tree))
        else:
            flat = False
            columns.update(dict.fromkeys(columns_of(record.tree)))
    return {**dict.fromkeys(name for names in keys for name in names), **columns}, flat


def _split(place: str, table: LoadedTable, column: str) -> dict[str, LoadedTable]:
    column = _given(place, table, column, "split")
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in table.records:
        groups["".join(map(str, leaves_at(record.tree, column)[:1]))].append(record)
    ends = [value.rpartition(".")[2] for value in groups]
    parts = {}
    for value, records in groups.items():
        end = value.rpartition(".")[2]
        name = end if ends.count(end) == 1 else value.replace(".", "_")
        inside = [replace(record, table=name) for record in records]
        columns, flat = _columns(inside)
        parts[name] = LoadedTable(
            name=name,
            files=table.files,
            records=inside,
            columns=columns,
            flat=flat,
            read=len(inside),
            encoding=table.encoding,
        )
    return parts


def _given(place: str, table: LoadedTable, written: str, key: str) -> str:
    if plain_way(written) in table.columns or table.unread or _is_outside(table, plain_way(written)):
        return written
    raise IngestRefused(
        say(
            "{place}.{key}: no column {written!r}{near}",
            place=place,
            key=key,
            written=written,
            near=near(written, table.columns),
        )
    )


def _is_outside(table: LoadedTable, way: str) -> bool:
    """Whether a way leads to a column of what the records were found in."""
    outer: list[Tree] = [record.tree for record in table.records]
    while way.startswith(f"{PARENT}."):
        way = way.removeprefix(f"{PARENT}.")
        inside = [tree[PARENT] for tree in outer if isinstance(tree, dict) and PARENT in tree]
        outer = list({id(tree): tree for tree in inside}.values())
        if any(way in columns_of(tree) for tree in outer):
            return True
    return False


def _passes(record: Record, wanted: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    for column, values in wanted:
        leaves = {str(leaf).strip() for leaf in leaves_at(record.tree, column)} or {""}
        refused = {value[1:] for value in values if value.startswith("!")}
        allowed = {value for value in values if not value.startswith("!")}
        if leaves & refused or (allowed and not leaves & allowed):
            return False
    return True
