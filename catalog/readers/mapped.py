"""A dump read as its `mapping.toml` says → drafts of products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalog.errors import PathRefused
from catalog.mapping import ChildSpec, EntitySpec, FieldSpec, MappingSpec
from catalog.paths import IMAGE_SUFFIXES, Dump, DumpFile
from catalog.readers import headers
from catalog.readers.cells import LIST_SEPARATORS, clean_line, fact_value, split_list
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftPicture, DraftProduct, DraftVariant
from catalog.readers.relation import Record, Relations
from catalog.records import Issue

NAME = "mapping"
EVERY_COLUMN = "*"
Owner = tuple[DraftProduct, DraftVariant | None]


def read_mapped(dump: Dump, mapping: MappingSpec, encoding: str | None = None) -> DraftCatalogue:
    """Read a dump by a mapping.

    Raises:
        IngestRefused: The mapping names a file or column that is not there.
    """
    return _MappedReader(dump, mapping, Relations(mapping, dump, encoding)).read()


class _MappedReader:
    def __init__(self, dump: Dump, mapping: MappingSpec, relations: Relations) -> None:
        self.dump = dump
        self.mapping = mapping
        self.relations = relations
        self.issues: list[Issue] = list(relations.issues)
        self._products: dict[str, DraftProduct] = {}
        self._variants: dict[str, list[Owner]] = {}
        self._owner_of: dict[Record, Owner] = {}
        """The product or variant that a record of its table became."""

    def read(self) -> DraftCatalogue:
        for spec in self.mapping.products:
            for record in self._records(spec.table):
                self._add_product(record, spec)
        for spec in self.mapping.variants:
            for record in self._records(spec.table):
                self._add_variant(record, spec)
        for child in self.mapping.children:
            for record in self._records(child.table):
                self._add_child(record, child)
        catalogue = DraftCatalogue(reader=NAME, products=list(self._products.values()), issues=self.issues)
        catalogue.evidence = list(self._evidence())
        return catalogue

    def _records(self, table: str) -> list[Record]:
        return self.relations.table(table).records

    def _evidence(self) -> Iterator[str]:
        yield f"read as {self.mapping.origin} says"
        for table in self.relations.tables.values():
            files = ", ".join(file.path for file in table.files[:3])
            yield f"table {table.name}: {len(table.records)} of {table.read} records in {files}"
        yield from self.relations.evidence

    # --- products and variants -------------------------------------------------------------------

    def _add_product(self, record: Record, spec: EntitySpec) -> None:
        key = self.relations.first(record, spec.key)
        name = clean_line(self.relations.first(record, spec.name))
        if not key or not name:
            self._report(record, "ROW_NO_KEY" if not key else "ROW_NO_NAME", f"key {key!r}, name {name[:60]!r}")
            return
        if key in self._products:
            known = self._products[key]
            detail = f"key {key!r} was taken by {known.origin} line {known.line}; the first row counts"
            self._report(record, "ROW_DUP_KEY", detail)
            return
        product = DraftProduct(sku=key, name=name, origin=record.file, line=record.line)
        product.category = clean_line(self.relations.first(record, spec.category))
        self._products[key] = product
        self._owner_of[record] = (product, None)
        for text in spec.text:
            for value in self.relations.texts(record, text):
                self._add_text(product, headers.shown(text.columns[0]), value, record)
        product.attributes += self._facts(record, spec)
        for image in spec.images:
            self._add_pictures(record, image, (product, None))

    def _add_variant(self, record: Record, spec: EntitySpec) -> None:
        assert spec.product is not None
        owners = self._owners(record, spec.product, variants=False)
        if not owners:
            return
        product = owners[0][0]
        sku = self.relations.first(record, spec.key)
        name = clean_line(self.relations.first(record, spec.name))
        taken = {variant.key for variant in product.variants}
        key, number = sku or name or str(record.line), 2
        while key in taken:
            key, number = f"{sku or name or record.line}#{number}", number + 1
        if sku and sku in self._variants:
            detail = f"SKU {sku!r} stands in the table more than once; all rows were kept"
            self._report(record, "ROW_DUP_KEY", detail, "warning")
        variant = DraftVariant(key=key, sku=sku, name=name, attributes=self._facts(record, spec))
        product.variants.append(variant)
        owner = (product, variant)
        self._owner_of[record] = owner
        self._variants.setdefault(sku, []).append(owner)
        for image in spec.images:
            self._add_pictures(record, image, owner)

    def _facts(self, record: Record, spec: EntitySpec) -> list[DraftAttribute]:
        facts = []
        for label, value in self._wanted(record, spec):
            name = label or headers.shown(value.columns[0])
            for text in self.relations.texts(record, value):
                if value.packed:
                    packed, sign, text = text.partition(value.packed)
                    if not sign:
                        continue
                    name = clean_line(packed).lower()
                if line := fact_value(text):
                    facts.append(DraftAttribute(name=name, value=line, source=f"{record.file}: {value.text}"))
        return facts

    def _wanted(self, record: Record, spec: EntitySpec) -> Iterator[tuple[str, FieldSpec]]:
        """Yield the facts an entity states; `*` stands for every column that nothing else uses."""
        used = {column for part in self._parts(spec) for column in part.columns}
        for label, value in spec.attributes:
            if value.text != EVERY_COLUMN:
                yield label, value
                continue
            for column, leaf in record.tree.items():
                if isinstance(leaf, str) and column not in used:
                    yield "", FieldSpec(text=column, columns=(column,))

    @staticmethod
    def _parts(spec: EntitySpec) -> Iterator[FieldSpec]:
        yield from (part for part in (spec.key, spec.name, spec.product, spec.category) if part is not None)
        yield from (*spec.text, *spec.images, *(value for _, value in spec.attributes))

    # --- what stands in tables of its own ----------------------------------------------------------

    def _add_child(self, record: Record, child: ChildSpec) -> None:
        named = child.variant or child.product
        assert named is not None
        for product, variant in self._owners(record, named, variants=child.variant is not None):
            if child.kind == "images":
                self._add_pictures(record, child.value, (product, variant))
                continue
            label = clean_line(self.relations.first(record, child.name)) if child.name else ""
            for text in self.relations.texts(record, child.value):
                if child.kind == "texts":
                    self._add_text(product, label or headers.shown(child.value.columns[0]), text, record)
                elif label and (line := fact_value(text)):
                    fact = DraftAttribute(name=label.lower(), value=line, source=f"{record.file}: {child.value.text}")
                    (variant or product).attributes.append(fact)

    def _owners(self, record: Record, named: FieldSpec, *, variants: bool) -> list[Owner]:
        specs = self.mapping.variants if variants else self.mapping.products
        ends = [self.relations.joined(record, named, spec.table) for spec in specs]
        if any(end is not None for end in ends):
            joined = [other for end in ends for other in end or ()]
            owners = [self._owner_of[other] for other in joined if other in self._owner_of]
            written = f"{named.text} leads to no {'variant' if variants else 'product'}"
        else:
            keys = self.relations.texts(record, named)
            owners = [owner for key in keys for owner in self._by_key(key, variants)]
            written = f"no {'variant' if variants else 'product'} has the key {', '.join(keys[:3]) or '(empty)'!r}"
        if not owners:
            self._report(record, "ROW_UNKNOWN_KEY", written)
        return owners

    def _by_key(self, key: str, variants: bool) -> Sequence[Owner]:
        if variants:
            return self._variants.get(key, ())
        product = self._products.get(key)
        return ((product, None),) if product is not None else ()

    def _add_text(self, product: DraftProduct, name: str, text: str, record: Record) -> None:
        product.attributes.append(DraftAttribute(name=name, value=text, source=record.file, kind="text"))
        product.description = product.description or text

    # --- pictures ----------------------------------------------------------------------------------

    def _add_pictures(self, record: Record, spec: FieldSpec, owner: Owner) -> None:
        product, variant = owner
        for written in self.relations.texts(record, spec):
            for file in self._files(record, written):
                known = next((picture for picture in product.pictures if picture.path == file.path), None)
                if known is not None:
                    # The product's own picture is one of its variants' too: the variant says more about it.
                    known.variant_key = known.variant_key or (variant.key if variant else None)
                    continue
                product.pictures.append(
                    DraftPicture(
                        path=file.path,
                        role="extra" if product.pictures else "main",
                        variant_key=variant.key if variant else None,
                        origin=record.file,
                        line=record.line,
                    )
                )

    def _files(self, record: Record, written: str) -> list[DumpFile]:
        folder = record.file.rpartition("/")[0]
        try:
            return [self._picture(written, folder)]
        except PathRefused as error:
            refused = error
        for separator in LIST_SEPARATORS:
            items = split_list(written, separator)
            if len(items) > 1:
                try:
                    return [self._picture(item, folder, suggest=False) for item in items]
                except PathRefused:
                    continue
        self._report(record, refused.code, refused.detail)
        return []

    def _picture(self, written: str, folder: str, suggest: bool = True) -> DumpFile:
        file = self.dump.resolve(written, folder=folder, suggest=suggest)
        if file.suffix not in IMAGE_SUFFIXES:
            raise PathRefused("FILE_FORMAT", f"'{written}' is no picture file")
        return file

    def _report(self, record: Record, reason: str, detail: str, severity: str = "error") -> None:
        self.issues.append(Issue(source=record.file, line=record.line, reason=reason, detail=detail, severity=severity))
