"""Magento 2 product exports: one row a product and store view, variants named by their configurable parent.

Recognised by `sku`, `product_type` and `additional_attributes`. A row with a `store_view_code` translates the row
without one. A simple product that a configurable one lists is its variant; every other row is a product.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from catalog.errors import PathRefused
from catalog.paths import Dump
from catalog.readers import table as general
from catalog.readers.cells import clean, clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftPicture, DraftProduct, DraftVariant
from catalog.readers.table_set import TableSet
from catalog.readers.tabular import Table
from catalog.records import Issue

NAME = "magento"
SIGNATURE = frozenset({"sku", "product_type", "additional_attributes"})
_TEXTS = ("description", "short_description")
_PICTURES = ("base_image", "small_image", "thumbnail_image", "additional_images")
_NO_PICTURE = frozenset({"", "no_selection"})
_PAIR = re.compile(r"(?:^|,)([a-z][a-z0-9_]*)=")
"""A value may hold commas; only `,name=` begins the next pair."""
_SETTINGS = re.compile(
    r"^(has_options|required_options|.*_recommends|new|sale|url_|meta_|msrp|gift_|options_container)"
)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One row of an export, by column name."""

    file: str
    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


@dataclass(kw_only=True)
class _Reading:
    """What the rows come to."""

    dump: Dump
    products: dict[str, DraftProduct] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    variants: int = 0

    def report(self, row: _Row, reason: str, detail: str) -> None:
        self.issues.append(Issue(source=row.file, line=row.line, reason=reason, detail=detail))


def read(tables: TableSet) -> DraftCatalogue:
    """Read the Magento exports of a dump, and its other tables as any dump's; without products if there are none."""
    exports = [headed for found in tables if set((headed := found.with_header()).header) >= SIGNATURE]
    reading = _Reading(dump=tables.dump)
    if not exports:
        return DraftCatalogue(reader=NAME)
    rows = [row for export in exports for row in _rows(export)]
    _read_rows(rows, reading)
    rest = general.read(tables.without({export.file.path for export in exports}))
    catalogue = DraftCatalogue(reader=NAME, encoding=exports[0].encoding, evidence=rest.evidence)
    catalogue.issues = [issue for export in exports for issue in export.issues] + reading.issues
    if rest.products:
        catalogue.issues += rest.issues
    for product in rest.products:
        reading.products.setdefault(product.sku, product)
    catalogue.products = list(reading.products.values())
    catalogue.evidence = [
        f"{export.file.path}: a Magento 2 export of {len(export.rows)} rows" for export in exports
    ] + [f"{reading.variants} simple products are variants of a configurable one", *rest.evidence]
    return catalogue


def _rows(export: Table) -> Iterator[_Row]:
    for row in export.rows:
        yield _Row(file=export.file.path, line=row.line, cells=dict(zip(export.header, row.cells, strict=True)))


def _read_rows(rows: list[_Row], reading: _Reading) -> None:
    base: dict[str, _Row] = {}
    for row in rows:
        if not row["sku"]:
            reading.report(row, "ROW_NO_KEY", f"no sku; name {row['name'][:60]!r}")
        elif not row["store_view_code"]:
            if row["sku"] in base:
                first = base[row["sku"]]
                detail = f"sku {row['sku']!r} was taken by {first.file} line {first.line}; the first row counts"
                reading.report(row, "ROW_DUP_KEY", detail)
            else:
                base[row["sku"]] = row
    parents = {sku: row["sku"] for row in base.values() for sku in _variation_skus(row)}
    for sku, row in base.items():
        if sku not in parents:
            reading.products[sku] = _product(row, reading)
    for sku, row in base.items():
        if sku in parents:
            _add_variant(reading.products[parents[sku]], row, reading)
    for row in rows:
        if row["store_view_code"] and row["sku"]:
            _add_translation(row, reading, known=row["sku"] in base)
    for sku, parent in parents.items():
        if sku not in base:
            detail = f"{parent!r} lists the variant {sku!r}, which has no row"
            reading.report(base[parent], "ROW_UNKNOWN_KEY", detail)


def _variation_skus(row: _Row) -> list[str]:
    if row["product_type"] != "configurable":
        return []
    return [
        pairs["sku"] for written in row["configurable_variations"].split("|") if "sku" in (pairs := _pairs(written))
    ]


def _pairs(packed: str) -> dict[str, str]:
    """Return the pairs of `name=value,name=value`."""
    starts = list(_PAIR.finditer(packed))
    ends = [start.start() for start in starts[1:]] + [len(packed)]
    return {start[1]: packed[start.end() : end].strip() for start, end in zip(starts, ends, strict=True)}


def _product(row: _Row, reading: _Reading) -> DraftProduct:
    product = DraftProduct(
        sku=row["sku"],
        name=clean_line(row["name"]) or row["sku"],
        category=_category(row["categories"]),
        attributes=_facts(row),
        origin=row.file,
        line=row.line,
    )
    for column in _TEXTS:
        if text := clean(row[column]):
            product.attributes.append(_text(column, text))
            product.description = product.description or text
    _add_pictures(product, row, None, reading)
    return product


def _category(written: str) -> str:
    """Return the deepest of the categories, without the shop's root."""
    ways = [way.split("/")[1:] for way in written.split(",") if "/" in way]
    return " > ".join(clean_line(part) for part in max(ways, key=len, default=[]))


def _facts(row: _Row) -> list[DraftAttribute]:
    return [
        DraftAttribute(
            name=name.replace("_", " "), value=clean_line(value.replace("|", ", ")), source="additional_attributes"
        )
        for name, value in _pairs(row["additional_attributes"]).items()
        if value and not _SETTINGS.match(name)
    ]


def _text(column: str, text: str) -> DraftAttribute:
    return DraftAttribute(name=column.replace("_", " "), value=text, source=column, kind="text")


def _add_variant(product: DraftProduct, row: _Row, reading: _Reading) -> None:
    shared = {(fact.name, fact.value) for fact in product.attributes}
    facts = [fact for fact in _facts(row) if (fact.name, fact.value) not in shared]
    variant = DraftVariant(key=row["sku"], sku=row["sku"], name=clean_line(row["name"]), attributes=facts)
    product.variants.append(variant)
    reading.variants += 1
    _add_pictures(product, row, variant.key, reading)


def _add_translation(row: _Row, reading: _Reading, *, known: bool) -> None:
    if not known:
        reading.report(row, "ROW_UNKNOWN_KEY", f"a translation of {row['sku']!r}, which has no row of its own")
        return
    product = reading.products.get(row["sku"])
    if product is None:
        return  # A variant shows what its product says.
    for column in ("name", *_TEXTS):
        if text := clean(row[column]):
            product.attributes.append(_text(f"{column} {row['store_view_code']}", text))


def _add_pictures(product: DraftProduct, row: _Row, variant_key: str | None, reading: _Reading) -> None:
    written = [item.strip() for column in _PICTURES for item in row[column].split(",")]
    for path in dict.fromkeys(item for item in written if item not in _NO_PICTURE):
        try:
            file = reading.dump.resolve(path)
        except PathRefused as error:
            reading.report(row, error.code, error.detail)
            continue
        known = next((picture for picture in product.pictures if picture.path == file.path), None)
        if known is not None:
            # The parent's own picture shows one of its variants, and is captioned as that one.
            known.variant_key = known.variant_key or variant_key
            continue
        role = "extra" if product.pictures else "main"
        product.pictures.append(
            DraftPicture(path=file.path, role=role, variant_key=variant_key, origin=row.file, line=row.line)
        )
