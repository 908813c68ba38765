"""The fields of a mapping, bound to the columns of a table: what they yield for a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from catalog.mapping import FieldSpec
from catalog.readers import headers
from catalog.readers.cells import split_list
from catalog.readers.loaded import Record
from catalog.readers.relation import Relations
from catalog.readers.tree import Tree, as_text

_CHOSEN = re.compile(r"\[\w+=([^\]=]+)\]$")

Values = Callable[[Record], list[str]]
SHORT_CHARS = 200
"""Values up to this length repeat often, and are cleaned once."""


def values(relations: Relations, table: str, spec: FieldSpec, *, raw: bool = False, complete: bool = False) -> Values:
    """Return what yields the values of a field that are not empty.

    Args:
        relations: The tables.
        table: The one whose records are asked.
        spec: The field.
        raw: Leave text as it is written, as file names need, which need all their parts too.
        complete: Leave out a text of several columns of which one is empty: half a key is none.

    Raises:
        IngestRefused: The table has no such column.
    """
    own = _values(relations, table, spec, raw, complete or raw)
    if not spec.others:
        return own
    others = [values(relations, table, other, raw=raw, complete=complete) for other in spec.others]

    def first_filled(record: Record) -> list[str]:
        found = own(record)
        for other in others:
            if found:
                break
            found = other(record)
        return found

    return first_filled


def first(
    relations: Relations, table: str, spec: FieldSpec | None, *, complete: bool = False
) -> Callable[[Record], str]:
    """Return what yields the first value of a field, or an empty text."""
    if spec is None:
        return lambda record: ""
    found = values(relations, table, spec, complete=complete)
    return lambda record: next(iter(found(record)), "")


def shown_name(spec: FieldSpec) -> str:
    """Return what the facts or texts of a field are called when nobody says."""
    column = spec.columns[0] if spec.columns else spec.text
    # `field[name=description]` is called what it is chosen by.
    chosen = _CHOSEN.search(column)
    column = chosen[1] if chosen else column
    return headers.shown(column) or column


def like(relations: Relations, table: str, column: str) -> list[str]:
    """Return the columns that a name with `*` stands for, in their order, or the name itself where it has none."""
    columns = relations.table(table).columns
    if "*" not in column or column in columns:
        return [column]
    pattern = column_pattern(column)
    return [name for name in columns if pattern.fullmatch(name)] or [column]


def column_pattern(column: str) -> re.Pattern[str]:
    """Return what the names that a name with `*` stands for look like, a group for each `*`."""
    return re.compile("(.*)".join(map(re.escape, column.split("*"))))


def short_text(leaf: Tree) -> str:
    """Return a value as clean text; the many short ones that repeat are cleaned once."""
    if type(leaf) is str:
        return _short_text(leaf) if len(leaf) <= SHORT_CHARS else as_text(leaf)
    return as_text(leaf)


@lru_cache(maxsize=1 << 16)
def _short_text(text: str) -> str:
    return as_text(text)


def _as_written(leaf: Tree) -> str:
    return leaf.strip() if isinstance(leaf, str) else as_text(leaf)


def _values(relations: Relations, table: str, spec: FieldSpec, raw: bool, complete: bool) -> Values:
    text = _as_written if raw else short_text
    if not spec.columns:
        return lambda record: [spec.text]
    if len(spec.columns) == 1 and len(names := like(relations, table, spec.columns[0])) > 1:
        each = [replace(spec, text=name, columns=(name,)) for name in names]
        several = [_values(relations, table, one, raw, complete) for one in each]
        return lambda record: [value for one in several for value in one(record)]
    reaches = [relations.reach(table, column) for column in spec.columns]
    if spec.is_column:
        reach = reaches[0]
        return lambda record: [found for leaf in reach(record) if (found := text(leaf))]

    def made(record: Record) -> list[str]:
        rows = _side_by_side([[text(leaf) for leaf in reach(record)] for reach in reaches], complete)
        found = [spec.fill(row) for row in rows]
        return [value for value in _refined(found, spec) if value]

    return made


def _refined(found: list[str], spec: FieldSpec) -> list[str]:
    if spec.separator is not None:
        found = [item for value in found for item in split_list(value, spec.separator)]
    if spec.match is not None:
        hits = (spec.match.search(value) for value in found)
        found = [hit[1] or "" if hit.re.groups else hit[0] for hit in hits if hit]
    if spec.values:
        known = dict(spec.values)
        found = [known.get(value, value) for value in found]
    for char in spec.blanks:
        found = [value.replace(char, " ") for value in found]
    return [value.strip() for value in found]


def _side_by_side(columns: Sequence[list[str]], complete: bool) -> Iterator[list[str]]:
    """Yield one row of values after the other; a column of one value goes with each value of the others."""
    columns = [[value for value in found if value] and found for found in columns]
    if not any(columns) or (complete and not all(columns)):
        return
    blank = [not found for found in columns]
    for number in range(max(len(found) for found in columns)):
        row = [found[0] if len(found) == 1 else (found[number : number + 1] or [""])[0] for found in columns]
        if all(value or gone for value, gone in zip(row, blank, strict=True)):
            yield row
