"""Rows of a product table → product drafts, variants included."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog.errors import PathRefused
from catalog.paths import Dump
from catalog.readers import headers
from catalog.readers.cells import clean, clean_line, fact_value, packed_fact, split_list
from catalog.readers.columns import Columns, is_continuation
from catalog.readers.draft import DraftAttribute, DraftPicture, DraftProduct, DraftVariant
from catalog.readers.sidecar import facts_of, read_text, text_attribute
from catalog.readers.tabular import Row, Table
from catalog.records import Issue

MAX_KEY_CHARS = 200


@dataclass(kw_only=True)
class TableReading:
    """What the rows of one or more tables came to."""

    products: dict[str, DraftProduct] = field(default_factory=dict)
    """By key, in the order of the rows."""
    issues: list[Issue] = field(default_factory=list)
    unique: dict[str, dict[str, DraftProduct]] = field(default_factory=dict)
    """Column name → value → product, for columns that tell products apart."""
    variant_skus: dict[str, int] = field(default_factory=dict)
    """Variant SKU → the line it was first seen on."""


class RowReader:
    """Reads the rows of one table into a TableReading."""

    def __init__(self, table: Table, columns: Columns, dump: Dump, reading: TableReading, encoding: str | None) -> None:
        """Bind the parts; `read()` does the work."""
        self.table = table
        self.columns = columns
        self.dump = dump
        self.reading = reading
        self.encoding = encoding
        self._current: DraftProduct | None = None
        self._option_names: dict[int, str] = {}
        self._words_run_together = self._names_are_identifiers()

    def read(self) -> None:
        """Read every row."""
        self.reading.issues.extend(self.table.issues)
        for row in self.table.rows:
            self._read_row(row)

    def _read_row(self, row: Row) -> None:
        columns = self.columns
        if columns.grouped and is_continuation(row, columns) and self._continues(row):
            if self._current is None:
                self._reject(row, "ROW_NO_PRODUCT", "a row without a name, and no product above it")
                return
            self._add_variant(self._current, row)
            return
        key = self._key(row)
        if key is None:
            # What follows must not be taken for variants of the product before this one.
            self._current = None
            return
        known = self.reading.products.get(key)
        if (
            known is not None
            and columns.grouped
            and columns.parent is not None
            and known.origin == self.table.file.path
        ):
            self._current = known
            self._add_variant(known, row)
            return
        if known is not None:
            self._current = None
            self._reject(
                row, "ROW_DUP_KEY", f"key {key!r} was taken by {known.origin} line {known.line}; the first row counts"
            )
            return
        self._current = self._new_product(key, row)

    def _continues(self, row: Row) -> bool:
        parent = self._cell(row, self.columns.parent)
        if not parent or self._current is None:
            return True
        known = self.reading.products.get(parent)
        self._current = known or self._current
        return True

    def _key(self, row: Row) -> str | None:
        columns = self.columns
        name = self._cell(row, columns.name)
        own = self._cell(row, columns.key)
        key = (self._cell(row, columns.parent) or own) if columns.grouped else own
        if columns.key is None and columns.parent is not None:
            key = self._cell(row, columns.parent)
        if columns.key is None and columns.parent is None:
            key = name
        if not key:
            self._reject(
                row, "ROW_NO_KEY", f"no key in {self._header(columns.key, columns.parent)}; name {name[:60]!r}"
            )
            return None
        if len(key) > MAX_KEY_CHARS:
            self._reject(row, "ROW_NO_KEY", f"the key is {len(key)} characters long; at most {MAX_KEY_CHARS}")
            return None
        if columns.name is not None and not name:
            self._reject(row, "ROW_NO_NAME", f"no name in {self._header(columns.name)}; key {key!r}")
            return None
        return key

    def _new_product(self, key: str, row: Row) -> DraftProduct:
        columns = self.columns
        name = clean_line(self._cell(row, columns.name)) or key
        if self._words_run_together:
            name = " ".join(name.replace("_", "-").split("-"))
        product = DraftProduct(
            sku=key,
            name=name,
            category=clean_line(self._cell(row, columns.category)),
            origin=self.table.file.path,
            line=row.line,
        )
        self.reading.products[key] = product
        self._remember_unique(product, row)
        product.attributes.extend(self._facts(row, variant=False))
        self._add_texts(product, row)
        if columns.grouped:
            self._add_variant(product, row, first=True)
        else:
            product.attributes.extend(self._options(row))
        self._add_pictures(product, row, None, variant=False)
        product.category = product.category or _category_of(product.attributes)
        return product

    def _add_variant(self, product: DraftProduct, row: Row, first: bool = False) -> None:
        attributes = self._options(row) + self._facts(row, variant=True)
        sku = self._cell(row, self.columns.key)
        key: str | None = None
        if sku or attributes:
            taken = {variant.key for variant in product.variants}
            key = base = sku or "/".join(attribute.value for attribute in attributes)
            number = 2
            while key in taken:
                key, number = f"{base}#{number}", number + 1
            product.variants.append(DraftVariant(key=key, sku=sku, attributes=attributes))
            self._note_repeated_sku(sku, row)
        elif not first and not self._picture_cells(row):
            self._reject(row, "ROW_EMPTY", "neither key, options nor pictures")
        self._add_pictures(product, row, key, variant=True)
        if not first:
            # A row of pictures only, as Shopify writes them, shows the product and not a variant.
            self._add_pictures(product, row, key if sku else None, variant=False)

    def _note_repeated_sku(self, sku: str, row: Row) -> None:
        if not sku:
            return
        first = self.reading.variant_skus.setdefault(sku, row.line)
        if first != row.line:
            detail = f"SKU {sku!r} is also on line {first}; both rows were kept"
            self.reading.issues.append(
                Issue(
                    source=self.table.file.path, line=row.line, reason="ROW_DUP_KEY", detail=detail, severity="warning"
                )
            )

    # --- cells -----------------------------------------------------------------------------------

    def _cell(self, row: Row, index: int | None) -> str:
        return "" if index is None else row.cells[index].strip()

    def _header(self, *indexes: int | None) -> str:
        return " or ".join(f"column '{self.table.header[index].strip()}'" for index in indexes if index is not None)

    def _reject(self, row: Row, reason: str, detail: str) -> None:
        self.reading.issues.append(Issue(source=self.table.file.path, line=row.line, reason=reason, detail=detail))

    def _facts(self, row: Row, *, variant: bool) -> list[DraftAttribute]:
        columns, facts = self.columns, []
        for index in columns.facts:
            if (index in columns.variant_level) == variant and (value := fact_value(row.cells[index])):
                header = self.table.header[index].strip()
                facts.append(DraftAttribute(name=headers.shown(header), value=value, source=header))
        for packed in columns.packed:
            if (packed.index in columns.variant_level) != variant:
                continue
            for item in split_list(row.cells[packed.index], packed.separator):
                if (fact := packed_fact(item)) is not None:
                    header = self.table.header[packed.index].strip()
                    facts.append(DraftAttribute(name=clean_line(fact[0]), value=clean_line(fact[1]), source=header))
        return facts

    def _options(self, row: Row) -> list[DraftAttribute]:
        options = []
        for pair in self.columns.options:
            written = self._cell(row, pair.names)
            # Further variants leave the names to the first row.
            if written or not is_continuation(row, self.columns):
                self._option_names[pair.names] = written
            names = split_list(self._option_names.get(pair.names, ""), pair.separator)
            values = split_list(row.cells[pair.values], pair.separator)
            if values and len(names) != len(values):
                detail = f"{len(names)} names for {len(values)} values in {self._header(pair.names, pair.values)}"
                self._reject(row, "ATTR_PAIRS", detail)
                continue
            header = self.table.header[pair.values].strip()
            options += [
                DraftAttribute(name=clean_line(name), value=clean_line(value), source=header)
                for name, value in zip(names, values, strict=True)
            ]
        # Shops write one option called "Title" with "Default Title" for products without options.
        return [option for option in options if option.value.casefold() != "default title"]

    def _add_texts(self, product: DraftProduct, row: Row) -> None:
        for index in self.columns.texts:
            if text := clean(row.cells[index]):
                header = self.table.header[index].strip()
                product.attributes.append(
                    DraftAttribute(name=headers.shown(header), value=text, source=header, kind="text")
                )
                product.description = product.description or text
        for index in self.columns.text_files:
            written = row.cells[index].strip()
            if not written:
                continue
            try:
                file = self.dump.resolve(written, folder=self.table.file.folder)
            except PathRefused as error:
                self._reject(row, error.code, error.detail)
                continue
            content = read_text(file, self.encoding)
            if isinstance(content, Issue):
                self.reading.issues.append(content)
                continue
            product.attributes.append(text_attribute(file, content))
            product.attributes.extend(facts_of(file, content))
            product.description = product.description or content

    def _picture_cells(self, row: Row) -> bool:
        return any(row.cells[column.index].strip() for column in self.columns.images)

    def _add_pictures(self, product: DraftProduct, row: Row, variant_key: str | None, *, variant: bool) -> None:
        seen = {picture.path for picture in product.pictures}
        for column in self.columns.images:
            if (column.index in self.columns.variant_level) != variant:
                continue
            for written in split_list(row.cells[column.index], column.separator):
                try:
                    file = self.dump.resolve(written, folder=self.table.file.folder)
                except PathRefused as error:
                    self._reject(row, error.code, error.detail)
                    continue
                if file.path not in seen:
                    seen.add(file.path)
                    role = "extra" if product.pictures else "main"
                    product.pictures.append(
                        DraftPicture(
                            path=file.path,
                            role=role,
                            variant_key=variant_key,
                            origin=self.table.file.path,
                            line=row.line,
                        )
                    )

    def _remember_unique(self, product: DraftProduct, row: Row) -> None:
        for index in {self.columns.key, self.columns.parent, self.columns.name} - {None}:
            assert index is not None
            column = self.reading.unique.setdefault(self.table.header[index].strip(), {})
            if value := row.cells[index].strip():
                column.setdefault(value, product)

    def _names_are_identifiers(self) -> bool:
        """Whether names are written `Golden-Delicious`: no name has a blank, and many have a hyphen or underscore."""
        if self.columns.name is None:
            return False
        names = [name for row in self.table.rows if (name := row.cells[self.columns.name].strip())]
        joined = sum("-" in name or "_" in name for name in names)
        return (
            len(names) >= 3
            and joined >= 0.3 * len(names)
            and not any(" " in name or "\u3000" in name for name in names)
        )


def _category_of(attributes: list[DraftAttribute]) -> str:
    """Return the category that packed facts state, from general to special."""
    found = [fact.value for fact in attributes if (role := headers.role_of(fact.name)) and role[0] == "category"]
    return " > ".join(dict.fromkeys(found))
