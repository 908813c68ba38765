"""The facts that a mapping names, bound to the columns of a table: cells, packed cells, pairs of columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from catalog.mapping import EVERY_COLUMN, EntitySpec, FieldSpec
from catalog.phrases import say
from catalog.readers import headers
from catalog.readers.cells import clean_line, fact_value, packed_fact
from catalog.readers.draft import DraftAttribute
from catalog.readers.fields import SHORT_CHARS, Values, column_pattern, like, shown_name, values
from catalog.readers.loaded import Record
from catalog.readers.relation import Relations
from catalog.readers.tree import PARENT, Tree, as_text, in_one_language, is_marked_text, opened

Facts = Callable[[Record], list[DraftAttribute]]
_Cell = tuple[str, str, str]
"""Column, name of the fact, and its source."""
_NO_OPTION = "default title"
"""Shops write one option called "Title" with "Default Title" for products without options."""


def facts(relations: Relations, spec: EntitySpec) -> list[Facts]:
    """Return what yields the facts an entity states; `*` stands for every column that nothing else uses."""
    bound: list[Facts] = []
    cells: list[_Cell] = []
    plain = [column for part in _parts(spec) for column in part.columns if column != EVERY_COLUMN]
    used = {name for column in plain for name in like(relations, spec.table, column)}
    for label, value in _expanded(relations, spec, used):
        columns = relations.table(spec.table).columns
        if value.is_column and value.packed is None and value.text in columns and relations.table(spec.table).flat:
            cells.append((value.text, label.lower() or shown_name(value), value.text))
            continue
        bound += [_cells(cells)] if cells else []
        cells = []
        bound.append(_facts(relations, spec.table, label, value))
    return [*bound, _cells(cells)] if cells else bound


def paired(relations: Relations, spec: EntitySpec) -> list[Paired]:
    """Return what yields the facts whose names stand in a column of their own."""
    return [
        Paired(relations, spec.table, pair)
        for _, value in spec.attributes
        if value.names is not None
        for pair in _pairs(relations, spec.table, value, value.names)
    ]


def _expanded(relations: Relations, spec: EntitySpec, used: Collection[str]) -> Iterator[tuple[str, FieldSpec]]:
    for label, value in spec.attributes:
        if value.names is not None:
            continue
        if value.text == EVERY_COLUMN and value.columns:
            rest = [name for name in relations.table(spec.table).columns if name not in used and "." not in name]
            yield from (("", replace(value, text=name, columns=(name,))) for name in rest if name != PARENT)
        elif value.is_column and not label:
            # Of several columns each is a fact of its own.
            for name in like(relations, spec.table, value.text):
                yield label, replace(value, text=name, columns=(name,))
        else:
            yield label, value


def _pairs(relations: Relations, table: str, spec: FieldSpec, names: str) -> Iterator[FieldSpec]:
    """Yield the pairs of columns that are written once with `*`, such as `Option* Name` and `Option* Value`."""
    columns = relations.table(table).columns
    if "*" not in names or names in columns:
        yield spec
        return
    for name in columns:
        if (found := column_pattern(names).fullmatch(name)) is not None:
            value = spec.text.replace("*", found[1])
            if value in columns:
                yield replace(spec, names=name, text=value, columns=(value,))


def _parts(spec: EntitySpec) -> Iterator[FieldSpec]:
    for part in (spec.key, spec.name, spec.product, spec.category, *spec.text, *spec.images):
        if part is not None:
            yield from (part, *part.others)
    for _, part in spec.attributes:
        yield from (part, *part.others)
        if part.names is not None:
            yield FieldSpec(text=part.names, columns=(part.names,))


def _facts(relations: Relations, table: str, label: str, spec: FieldSpec) -> Facts:
    source = spec.text
    if spec.packed is not None:
        return _packed(values(relations, table, spec), spec, source)
    name = label.lower() if label else shown_name(spec)
    if not spec.is_column:
        found = values(relations, table, spec)
        return lambda record: _stated(name, map(_fact_line, found(record)), source)
    reach = relations.reach(table, spec.columns[0])
    return lambda record: [fact for leaf in in_one_language(reach(record)) for fact in _of_leaf(name, leaf, source)]


def _cells(cells: Sequence[_Cell]) -> Facts:
    """Return the facts of plain cells, which are nearly all facts there are, in one go."""
    taken = tuple(cells)

    def stated(record: Record) -> list[DraftAttribute]:
        found, get = [], record.tree.get
        for column, name, source in taken:
            cell = get(column)
            if cell and (line := _short_fact(cell) if len(cell) <= SHORT_CHARS else fact_value(as_text(cell))):
                found.append(DraftAttribute(name=name, value=line, source=source))
        return found

    return stated


def _stated(name: str, lines: Iterator[str], source: str) -> list[DraftAttribute]:
    return [DraftAttribute(name=name, value=line, source=source) for line in lines if line]


def _of_leaf(name: str, leaf: Tree, source: str) -> list[DraftAttribute]:
    """Return the fact a value states, or those of a dictionary whose names are the facts' own."""
    tree = opened(leaf)
    if is_marked_text(tree):
        stated, unit = _stated(name, iter([_fact_line(tree["#text"])]), source), clean_line(as_text(tree.get("@unit")))
        return [replace(fact, unit=unit or None) for fact in stated]
    if not isinstance(tree, dict):
        return _stated(name, iter([_fact_line(leaf)]), source)
    inner = [(key, item) for key, item in tree.items() if not isinstance(item, dict) and key != PARENT]
    return [fact for key, item in inner for fact in _stated(headers.shown(key), iter([_listed(item)]), source)]


def _listed(item: Tree) -> str:
    return ", ".join(filter(None, map(_fact_line, item))) if isinstance(item, list) else _fact_line(item)


def _packed(found: Values, spec: FieldSpec, source: str) -> Facts:
    def unpacked(record: Record) -> Iterator[DraftAttribute]:
        for text in found(record):
            if spec.packed:
                name, sign, value = text.partition(spec.packed)
                pair = (name, value) if sign else None
            else:
                pair = packed_fact(text)
            if pair is not None and (label := clean_line(pair[0]).lower()):
                yield from _stated(label, iter([fact_value(pair[1])]), source)

    return lambda record: list(unpacked(record))


@lru_cache(maxsize=1 << 16)
def _short_fact(text: str) -> str:
    return fact_value(as_text(text))


def _fact_line(leaf: Tree) -> str:
    if type(leaf) is str and len(leaf) <= SHORT_CHARS:
        return _short_fact(leaf)
    return fact_value(as_text(leaf))


class Paired:
    """Facts of two columns, one of names and one of values; rows of one product may leave the names to the first."""

    def __init__(self, relations: Relations, table: str, spec: FieldSpec) -> None:
        """Bind the columns."""
        assert spec.names is not None
        self.source = spec.text
        self.columns = say("{names!r} and {text!r}", names=spec.names, text=spec.text)
        self._names = values(relations, table, replace(spec, text=spec.names, columns=(spec.names,), match=None))
        self._values = values(relations, table, spec)

    def read(self, record: Record, remembered: list[str]) -> tuple[list[DraftAttribute], list[str], str]:
        """Return the facts of a record, the names to remember, and what is wrong with it, if anything."""
        names, found = self._names(record) or remembered, self._values(record)
        if not found:
            return [], names, ""
        if len(names) != len(found):
            return (
                [],
                names,
                say(
                    "{names} names for {values} values in the columns {columns}",
                    names=len(names),
                    values=len(found),
                    columns=self.columns,
                ),
            )
        pairs = [(clean_line(name).lower(), fact_value(value)) for name, value in zip(names, found, strict=True)]
        kept = [(name, value) for name, value in pairs if value and value.casefold() != _NO_OPTION]
        return [DraftAttribute(name=name, value=value, source=self.source) for name, value in kept], names, ""
