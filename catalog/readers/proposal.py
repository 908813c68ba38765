"""The mapping that evidence suggests: product tables and what their columns hold → a MappingSpec with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from catalog.mapping import PICTURES, TEXTS, ChildSpec, EntitySpec, FieldSpec, MappingSpec, TableSpec
from catalog.phrases import joined, say
from catalog.readers.cells import packed_fact, split_list
from catalog.readers.columns import Columns, ListColumn
from catalog.readers.record_file import TREES
from catalog.readers.side_list import Join
from catalog.readers.tabular import Table

ORIGIN = say("the mapping found by evidence")
_IDENTIFIER_BLANKS = "-_"


@dataclass(kw_only=True)
class Proposal:
    """A mapping, and why it says what it says."""

    mapping: MappingSpec
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    """(table, column) → what the column holds and how sure that is."""
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """Table → what else there is to know about it."""


def propose(groups: Sequence[tuple[list[Table], Columns]], joins: Sequence[Join]) -> Proposal:
    """Return the mapping of product tables and the side lists that join to them.

    Args:
        groups: Tables with a header, those with the same columns together, and what their columns hold.
        joins: Side lists.
    """
    proposal = Proposal(mapping=MappingSpec(origin=ORIGIN))
    tables: dict[str, TableSpec] = {}
    products: list[EntitySpec] = []
    variants: list[EntitySpec] = []
    for number, (group, columns) in enumerate(groups, start=1):
        name = "product" if number == 1 else f"product{number}"
        tables[name] = _table(group)
        entity = _Entities(name, group, columns)
        products.append(entity.product())
        variants += entity.variants()
        header = entity.header
        proposal.notes |= {(name, header[index]): note for index, note in columns.notes.items()}
        if columns.left_out:
            left = ", ".join(repr(header[index]) for index in columns.left_out)
            proposal.remarks.setdefault(name, []).append(say("left out: {left}", left=left))
        if columns.grouped:
            proposal.remarks.setdefault(name, []).append(columns.why_grouped)
    lists = _lists(joins)
    tables |= {name: spec for name, spec, _ in lists}
    proposal.mapping = MappingSpec(
        origin=ORIGIN,
        tables=tables,
        joins={
            (name, _product_column(join)): ("product", join.keys) for name, _, join in lists if not join.by_product_key
        },
        products=tuple(products),
        variants=tuple(variants),
        children=tuple(_child(name, join) for name, _, join in lists),
    )
    for name, _, join in lists:
        proposal.remarks.setdefault(name, []).append(join.evidence)
    return proposal


def column_names(header: Sequence[str]) -> list[str]:
    """Return how a mapping calls the columns: what has no name by its place, as `column 3`."""
    return [name.strip() or f"column {number}" for number, name in enumerate(header, start=1)]


def _table(tables: Sequence[Table]) -> TableSpec:
    return TableSpec(
        files=tuple(dict.fromkeys(table.file.path for table in tables)),
        sheets=tuple(dict.fromkeys(table.sheet for table in tables if table.sheet)),
        flat=tables[0].file.suffix in TREES,
    )


class _Entities:
    """What one group of tables with the same columns holds."""

    def __init__(self, name: str, tables: list[Table], columns: Columns) -> None:
        self.name = name
        self.tables = tables
        self.columns = columns
        self.header = column_names(tables[0].header)

    def product(self) -> EntitySpec:
        columns = self.columns
        own = [index for index in (columns.parent, columns.key) if index is not None]
        if not columns.grouped and columns.key is not None:
            own = [columns.key]
        key = self._one_of(own or [columns.name])
        name = self._one_of([columns.name]) if columns.name is not None else key
        if _names_are_identifiers(self.tables, columns.name):
            name = replace(name, blanks=_IDENTIFIER_BLANKS)
        files = [replace(self._field(index), file=True) for index in columns.text_files]
        return EntitySpec(
            table=self.name,
            key=key,
            name=name,
            category=None if columns.category is None else self._field(columns.category),
            text=tuple(dict.fromkeys([*map(self._field, columns.texts), *files])),
            attributes=self._attributes(variant=False),
            images=self._images(variant=False),
            files=(PICTURES, TEXTS),
        )

    def variants(self) -> list[EntitySpec]:
        columns = self.columns
        if not columns.grouped:
            return []
        key = None if columns.key is None else self._field(columns.key)
        attributes, images = self._attributes(variant=True), self._images(variant=True)
        return [EntitySpec(table=self.name, key=key, attributes=attributes, images=images)]

    def _field(self, index: int) -> FieldSpec:
        return FieldSpec(text=self.header[index], columns=(self.header[index],))

    def _one_of(self, indexes: Sequence[int | None]) -> FieldSpec:
        first, *others = [self._field(index) for index in indexes if index is not None]
        return replace(first, others=tuple(others))

    def _here(self, index: int, variant: bool) -> bool:
        """Whether a column belongs to the variant of its row, or, the other way, to the product."""
        return (self.columns.grouped and index in self.columns.variant_level) == variant

    def _attributes(self, *, variant: bool) -> tuple[tuple[str, FieldSpec], ...]:
        columns = self.columns
        found = []
        if variant == columns.grouped:
            for pair in columns.options:
                found.append(replace(self._field(pair.values), names=self.header[pair.names], separator=pair.separator))
        found += [self._field(index) for index in columns.facts if self._here(index, variant)]
        for packed in columns.packed:
            if self._here(packed.index, variant):
                spec = replace(self._field(packed.index), separator=packed.separator, packed=self._sign(packed))
                found.append(spec)
        return tuple(("", spec) for spec in dict.fromkeys(found))

    def _sign(self, packed: ListColumn) -> str:
        """Return the sign between names and values, if it is always the same one."""
        cells = [row.cells[packed.index] for table in self.tables for row in table.rows]
        items = [item for cell in cells for item in split_list(cell, packed.separator)]
        for sign in (":", "="):
            if all((pair := packed_fact(item)) and item.partition(sign)[0].strip() == pair[0] for item in items):
                return sign
        return ""

    def _images(self, *, variant: bool) -> tuple[FieldSpec, ...]:
        found = [
            replace(self._field(column.index), separator=column.separator)
            for column in self.columns.images
            if self._here(column.index, variant)
        ]
        return tuple(dict.fromkeys(found))


def _names_are_identifiers(tables: Sequence[Table], index: int | None) -> bool:
    """Whether names are written `Golden-Delicious`: no name has a blank, and many have a hyphen or underscore."""
    if index is None:
        return False
    names = [name for table in tables for row in table.rows if (name := row.cells[index].strip())]
    joined = sum("-" in name or "_" in name for name in names)
    return len(names) >= 3 and joined >= 0.3 * len(names) and not any(" " in name or "\u3000" in name for name in names)


# --- side lists --------------------------------------------------------------------------------------


def _lists(joins: Sequence[Join]) -> list[tuple[str, TableSpec, Join]]:
    """Return lists of one form as one table: (name, files, how it joins)."""
    forms: dict[tuple[object, ...], list[Join]] = {}
    for join in joins:
        form = (_header(join), bool(join.table.header), join.picture_column, join.product_column, join.keys)
        forms.setdefault(form, []).append(join)
    lists = []
    for number, same in enumerate(forms.values(), start=1):
        header = () if same[0].table.header else _header(same[0])
        spec = replace(_table([join.table for join in same]), header=header)
        said = joined("; ", [join.evidence for join in same])
        lists.append(("listed" if number == 1 else f"listed{number}", spec, replace(same[0], evidence=said)))
    return lists


def _header(join: Join) -> tuple[str, ...]:
    if join.table.header:
        return tuple(column_names(join.table.header))
    width = max(len(row.cells) for row in join.table.rows)
    names = {join.picture_column: "picture", join.product_column: "product"}
    return tuple(names.get(index, f"column {index + 1}") for index in range(width))


def _product_column(join: Join) -> str:
    return _header(join)[join.product_column]


def _child(name: str, join: Join) -> ChildSpec:
    header = _header(join)
    picture, product = header[join.picture_column], header[join.product_column]
    return ChildSpec(
        kind="images",
        table=name,
        value=FieldSpec(text=picture, columns=(picture,)),
        product=FieldSpec(text=product, columns=(product,)),
    )
