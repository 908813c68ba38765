"""A dump read as a mapping says, a person's or the one that evidence suggests → drafts of products."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from catalog.mapping import PICTURES, TEXTS, EntitySpec, MappingSpec
from catalog.mapping_text import mapping_text
from catalog.paths import Dump
from catalog.phrases import say
from catalog.readers import beside
from catalog.readers.children import Children, Owners
from catalog.readers.draft import DraftCatalogue
from catalog.readers.drafting import Drafting
from catalog.readers.entity import Entity, Reading
from catalog.readers.relation import Relations
from catalog.readers.tabular import Table

NAME = "mapping"


def read_mapped(
    dump: Dump,
    mapping: MappingSpec,
    encoding: str | None = None,
    *,
    reader: str = NAME,
    parsed: Mapping[str, Sequence[Table]] | None = None,
) -> DraftCatalogue:
    """Read a dump by a mapping.

    Args:
        dump: The files.
        mapping: What they mean.
        encoding: Use this one instead of guessing.
        reader: Name for the report.
        parsed: Tables that are parsed already, by their files' paths.

    Raises:
        IngestRefused: The mapping names a file or column that is not there.
    """
    with _no_collection():
        relations = Relations(mapping, dump, encoding, parsed)
        drafting = Drafting(reader, dump)
        for issue in relations.issues:
            drafting.unparsed(issue)
        reading = Reading(relations=relations, drafting=drafting, encoding=encoding)
        catalogue = _MappedReader(mapping, reading).read()
    catalogue.mapping = mapping_text(mapping)
    return catalogue


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the cycle collector: drafts are many, live long and hold no cycles; it took 40 % of the time of reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _MappedReader:
    def __init__(self, mapping: MappingSpec, reading: Reading) -> None:
        self.mapping = mapping
        self.reading = reading
        self.relations = reading.relations
        self.drafting = reading.drafting

    def read(self) -> DraftCatalogue:
        own = {spec.table: spec for spec in self.mapping.variants if spec.product is None}
        for name in own.keys() - {spec.table for spec in self.mapping.products}:
            self.relations.table(name)  # refuses a name that is none
        for spec in self.mapping.products:
            inside = own.get(spec.table)
            Entity(spec, self.reading, Entity(inside, self.reading) if inside is not None else None).read()
        for spec in self.mapping.variants:
            if spec.product is not None:
                self._read_variants(spec)
        for child in self.mapping.children:
            specs = self.mapping.variants if child.variant is not None else self.mapping.products
            Children(child, self.reading, [spec.table for spec in specs]).read()
        wanted = {kind for spec in self.mapping.products for kind in spec.files}
        if PICTURES in wanted or not self._says_pictures():
            # A mapping that says nothing of pictures is read as one that leaves them to their names.
            beside.join_pictures(self.drafting)
        if TEXTS in wanted:
            beside.join_texts(self.drafting, self.reading.encoding)
        self.drafting.evidence += self._evidence()
        self.drafting.documents |= {file.path for table in self.relations.tables.values() for file in table.files}
        first_table = self.relations.table(self.mapping.products[0].table)
        return self.drafting.done(encoding=first_table.encoding or None)

    def _says_pictures(self) -> bool:
        named = any(spec.images for spec in (*self.mapping.products, *self.mapping.variants))
        return named or any(child.kind == "images" for child in self.mapping.children)

    def _read_variants(self, spec: EntitySpec) -> None:
        assert spec.product is not None
        entity = Entity(spec, self.reading)
        owners = Owners(spec.product, spec.table, [product.table for product in self.mapping.products], self.reading)
        entity.note_left_out()
        for record in self.relations.table(spec.table).records:
            found = owners.of(record)
            if not found and owners.is_left_out(record):
                self.reading.leave(record)
                self.reading.left_keys |= {entity.key(record)} - {""}
                continue
            place = self.reading.count(record)
            if not found:
                self.drafting.reject(place, "ROW_UNKNOWN_KEY", owners.missing(record))
                continue
            product = found[0][0]
            attributes, _ = entity.facts(record, place, {})
            variant = self.drafting.variant(product, place, entity.key(record), entity.name(record), attributes)
            self.reading.remember(record, (product, variant))
            entity.add_pictures(record, place, (product, variant))

    def _evidence(self) -> Iterator[str]:
        for table in self.relations.tables.values():
            files = ", ".join(file.path for file in table.files[:3]) + (
                say(" and more") if len(table.files) > 3 else ""
            )
            left = (
                say("; {count} left out by where", count=table.read - len(table.records))
                if table.read > len(table.records)
                else ""
            )
            yield say(
                "table {name}: {count} records in {files}{left}",
                name=table.name,
                count=len(table.records),
                files=files,
                left=left,
            )
            if not_read := self.reading.not_read.get(table.name):
                yield say(
                    "table {name}: {count} rows belong to products that where leaves out",
                    name=table.name,
                    count=len(not_read),
                )
        yield from self.relations.evidence
