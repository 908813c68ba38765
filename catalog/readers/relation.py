"""The tables of a mapped dump and the joins between them: a column's way may lead on into another table."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from catalog.errors import IngestRefused
from catalog.mapping import OWN_FILE, FieldSpec, MappingSpec, near
from catalog.paths import Dump
from catalog.phrases import say
from catalog.readers import headers
from catalog.readers.loaded import LoadedTable, Record, load, plain_way
from catalog.readers.tabular import Table
from catalog.readers.tree import Tree, leaves_at
from catalog.records import Issue

_ID_PART = re.compile(r"[ _.-]?(id|pk|key|code|no|nr)$|^@?id[ _-]", re.I)
_REFERRING_SHARE = 0.5
_KEY_COLUMNS = ("pk", "id", "key", "code", "@id")
End = tuple[str, str]
"""Table and column."""
Reach = Callable[[Record], list[Tree]]


class Relations:
    """All tables of a mapping, with what is needed to follow its joins."""

    def __init__(
        self,
        mapping: MappingSpec,
        dump: Dump,
        encoding: str | None,
        parsed: Mapping[str, Sequence[Table]] | None = None,
    ) -> None:
        """Read every table.

        Args:
            mapping: What is read.
            dump: Its files.
            encoding: Use this one instead of guessing.
            parsed: Tables that are parsed already, by their files' paths.

        Raises:
            IngestRefused: A table's file is not there, or a join names a column that is not.
        """
        self.mapping = mapping
        found: dict[Issue, None] = {}
        self.evidence: list[str] = []
        self.tables: dict[str, LoadedTable] = {}
        for name, spec in mapping.tables.items():
            used = encoding or spec.encoding or mapping.encoding
            tables, issues = load(name, spec, mapping, dump, used, parsed or {})
            self.tables |= tables
            found.update(dict.fromkeys(issues))
        # Tables that are sheets of one workbook would say the same of it.
        self.issues = list(found)
        self._reaches: dict[End, Reach] = {}
        self._indexes: dict[End, dict[str, list[Record]]] = {}
        self._left: dict[End, set[str]] = {}
        self._joins: dict[End, End | None] = {
            (table, self.column(table, column)): (target, self.column(target, end))
            for (table, column), (target, end) in mapping.joins.items()
        }

    def table(self, name: str) -> LoadedTable:
        """Return a table by its name; raises IngestRefused when the mapping names none so."""
        if name not in self.tables:
            raise IngestRefused(
                say(
                    "{origin}: there is no table {name!r}{near}",
                    origin=self.mapping.origin,
                    name=name,
                    near=near(name, self.tables),
                )
            )
        return self.tables[name]

    def column(self, table: str, written: str) -> str:
        """Return the full way of a column, which may be written by its unambiguous end.

        Raises:
            IngestRefused: The table has no such column, or several.
        """
        found = self._find(table, written)
        if found is None:
            loaded = self.table(table)
            if loaded.unread:
                # Its records could not be read, so nothing is known about its columns.
                return written
            # Ways with many steps are rarely what somebody mistyped.
            known = sorted(loaded.columns, key=lambda name: name.count("."))[:2000]
            raise IngestRefused(
                say(
                    "{origin}: table {table!r} has no column {written!r}{near}",
                    origin=self.mapping.origin,
                    table=table,
                    written=written,
                    near=near(written, known),
                )
            )
        return found

    def reach(self, table: str, column: str) -> Reach:
        """Return what takes a record of a table to the values of a column.

        Raises:
            IngestRefused: There is no such column, here or in a table that joins lead to.
        """
        known = self._reaches.get((table, column))
        if known is None:
            known = self._reaches[table, column] = self._compile(table, column)
        return known

    def joined(self, record: Record, spec: FieldSpec, table: str) -> list[Record] | None:
        """Return the records of `table` that a field's joins end in; None when they do not end there."""
        if not spec.is_column:
            return None
        return self._records(record, spec.columns[0], table)

    def leads_to_left_out(self, record: Record, spec: FieldSpec, table: str) -> bool:
        """Whether a field's join leads to records of `table` that its `where` leaves out."""
        if not spec.is_column or not self.table(table).left_out:
            return False
        whole = self._find(record.table, spec.columns[0])
        target = self._target(record.table, whole) if whole else None
        if target is None or target[0] != table:
            return False
        return any(str(leaf).strip() in self._left_values(target) for leaf in leaves_at(record.tree, whole or ""))

    def _left_values(self, target: End) -> set[str]:
        known = self._left.get(target)
        if known is None:
            left = self.table(target[0]).left_out
            known = self._left[target] = {str(leaf).strip() for one in left for leaf in leaves_at(one.tree, target[1])}
        return known

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

    def _compile(self, table: str, column: str) -> Reach:
        loaded = self.table(table)
        if column == OWN_FILE:
            return lambda record: [record.file]
        if column in loaded.columns and loaded.flat:
            return lambda record: [cell] if (cell := record.tree.get(column)) else []
        if column in loaded.columns or plain_way(column) in loaded.columns or column.startswith("^"):
            return lambda record: leaves_at(record.tree, column)
        for prefix, rest, target in self._splits(table, column):
            onward = self.reach(target[0], rest)
            return lambda record: [leaf for other in self._followed(record, prefix, target) for leaf in onward(other)]
        if (back := self._by_table(table, column)) is not None:
            own, far, rest = back
            onward = self.reach(far[0], rest)
            return lambda record: [leaf for other in self._followed(record, own, far) for leaf in onward(other)]
        way = self.column(table, column)
        return lambda record: leaves_at(record.tree, way)

    def _splits(self, table: str, column: str) -> Iterator[tuple[str, str, End]]:
        """Yield (column, way from there, what the column refers to) for ways that go through a reference."""
        parts = column.split(".")
        for length in range(len(parts) - 1, 0, -1):
            prefix = self._find(table, ".".join(parts[:length]))
            if prefix is not None and (target := self._target(table, prefix)) is not None:
                yield prefix, ".".join(parts[length:]), target

    def _by_table(self, table: str, column: str) -> tuple[str, End, str] | None:
        """Return (own column, column of the other table, way from there) of a way that begins with a table's name."""
        name, _, rest = column.partition(".")
        if name not in self.tables or name == table or not rest:
            return None
        links: list[tuple[str, End]] = []
        for own in self.table(table).columns:
            target = self._target(table, own)
            if target is not None and target[0] == name:
                links.append((own, target))
        for far in self.table(name).columns:
            target = self._target(name, far)
            # Both tables may refer to each other by the same pair of columns.
            if target is not None and target[0] == table and (target[1], (name, far)) not in links:
                links.append((target[1], (name, far)))
        links = links or list(self._same_keys(table, name))
        if len(links) == 1:
            return links[0][0], links[0][1], rest
        said = say("none of their columns") if not links else say("{count} pairs of their columns", count=len(links))
        raise IngestRefused(
            say(
                "{origin}: {column!r} leads from table {table!r} to {name!r}, but {said} join them; write "
                '[join] and "{name}.column" = "{table}.column"',
                origin=self.mapping.origin,
                column=column,
                table=table,
                name=name,
                said=said,
            )
        )

    def _same_keys(self, table: str, other: str) -> Iterator[tuple[str, End]]:
        """Yield the key column of two tables that say more about the same things, such as texts by language."""
        for key in _KEY_COLUMNS:
            if key in self.table(table).columns and key in self.table(other).columns:
                own, far = self._index((table, key)), self._index((other, key))
                share = len(own.keys() & far.keys()) / max(1, min(len(own), len(far)))
                if share >= _REFERRING_SHARE:
                    self.evidence.append(
                        say(
                            "{other} says more about the records of {table}: {share:.0%} of {key} agree",
                            other=other,
                            table=table,
                            share=share,
                            key=key,
                        )
                    )
                    yield key, (other, key)
                    return

    def _target(self, table: str, column: str) -> End | None:
        """Return what a column refers to: as the mapping says, else by its name where the values prove it."""
        if (table, column) not in self._joins:
            self._joins[table, column] = self._inferred(table, column)
        return self._joins[table, column]

    def _inferred(self, table: str, column: str) -> End | None:
        candidates = list(self._candidates(table, column))
        if not candidates:
            return None
        values = {str(leaf).strip() for record in self.table(table).records for leaf in leaves_at(record.tree, column)}
        proved: list[tuple[bool, float, End]] = []
        for named, end in candidates:
            index = self._index(end)
            share = len(values & index.keys()) / len(values) if values else 0.0
            if share >= _REFERRING_SHARE and (named or all(len(records) == 1 for records in index.values())):
                proved.append((named, share, end))
        proved.sort()
        if not proved or proved[-1][:2] == (proved[-2][:2] if proved[1:] else None):
            return None
        _, share, target = proved[-1]
        self.evidence.append(
            say(
                "{table}.{column} refers to {target}, where {share:.0%} of its values are",
                table=table,
                column=column,
                target=".".join(target),
                share=share,
            )
        )
        return target

    def _candidates(self, table: str, column: str) -> Iterator[tuple[bool, End]]:
        """Yield (whether the other table is named like the column, its key column)."""
        last = column.rpartition(".")[2]
        name = headers.normalise(_ID_PART.sub("", last))
        if not name:
            return
        for other, loaded in self.tables.items():
            if other == table:
                continue
            same = last != name and last in loaded.columns and _ID_PART.search(last) is not None
            if headers.normalise(other).endswith((name, f"{name}s")):
                keys = [key for key in _KEY_COLUMNS if key in loaded.columns]
                shares = {key: len(self._index((other, key))) for key in keys}
                if keys:
                    yield True, (other, max(keys, key=lambda key: shares[key]))
                elif same:
                    yield True, (other, last)
            elif same:
                yield False, (other, last)

    def _index(self, target: End) -> dict[str, list[Record]]:
        index = self._indexes.get(target)
        if index is None:
            index = self._indexes[target] = defaultdict(list)
            for other in self.table(target[0]).records:
                for leaf in leaves_at(other.tree, target[1]):
                    index[str(leaf).strip()].append(other)
        return index

    def _followed(self, record: Record, column: str, target: End) -> list[Record]:
        index = self._index(target)
        return [other for leaf in leaves_at(record.tree, column) for other in index.get(str(leaf).strip(), [])]

    def _find(self, table: str, written: str) -> str | None:
        found = self._named(table, written)
        if found is None and "@" not in written:
            # An attribute of XML, as people call it.
            head, dot, last = written.rpartition(".")
            found = self._named(table, f"{head}{dot}@{last}")
        return found

    def _named(self, table: str, written: str) -> str | None:
        columns = self.table(table).columns
        plain = plain_way(written)
        if written in columns or plain in columns or written.startswith("^"):
            return written
        ending = [name for name in columns if name.endswith(f".{plain}")]
        shallow = min((name.count(".") for name in ending), default=0)
        best = [name for name in ending if name.count(".") == shallow]
        if len(best) > 1:
            raise IngestRefused(
                say(
                    "{origin}: table {table!r} has {count} columns that end in {written!r}; write one of {best}",
                    origin=self.mapping.origin,
                    table=table,
                    count=len(best),
                    written=written,
                    best=", ".join(sorted(best)[:4]),
                )
            )
        # What was left out goes before what was written, which may hold filters.
        return best[0].removesuffix(plain) + written if best else None
