"""Magento 2 product exports: one row a product and store view, variants named by their configurable parent.

Recognised by `sku`, `product_type` and `additional_attributes`. A row with a `store_view_code` translates the row
without one. A simple product that a configurable one lists is its variant; every other row is a product.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalog.phrases import say
from catalog.readers import table as general
from catalog.readers.cells import clean, clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftVariant
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.table_set import TableSet

NAME = "magento"
SIGNATURE = frozenset({"sku", "product_type", "additional_attributes"})
_TEXTS = ("description", "short_description")
_PICTURES = ("base_image", "small_image", "thumbnail_image", "swatch_image", "additional_images")
_NO_PICTURE = frozenset({"", "no_selection"})
_PAIR = re.compile(r"(?:^|,)([a-z][a-z0-9_]*)=")
"""A value may hold commas; only `,name=` begins the next pair."""
_SETTINGS = re.compile(
    r"^(has_options|required_options|.*_recommends|new|sale|url_|meta_|msrp|gift_|options_container)"
)


def read(tables: TableSet) -> DraftCatalogue:
    """Read the Magento exports of a dump, and its other tables as any dump's; without products if there are none."""
    exports = [headed for found in tables if set((headed := found.with_header()).header) >= SIGNATURE]
    if not exports:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump)
    _read_rows([row for export in exports for row in drafting.rows(export)], drafting)
    drafting.evidence += [
        say("{path}: a Magento 2 export of {count} rows", path=export.file.path, count=len(export.rows))
        for export in exports
    ]
    drafting.evidence.append(
        say("{variants} simple products are variants of a configurable one", variants=drafting.variants)
    )
    catalogue = drafting.done(encoding=exports[0].encoding)
    rest = general.read(tables.without({export.file.path for export in exports}))
    known = {product.sku for product in catalogue.products}
    catalogue.products += [product for product in rest.products if product.sku not in known]
    catalogue.evidence += rest.evidence
    if rest.products:
        catalogue.issues += rest.issues
        catalogue.rows += rest.rows
        catalogue.documents |= rest.documents
    return catalogue


def _read_rows(rows: Sequence[NamedRow], drafting: Drafting) -> None:
    base: dict[str, NamedRow] = {}
    for row in rows:
        if not row["sku"]:
            drafting.reject(row.place, "ROW_NO_KEY", say("no sku; name {name!r}", name=row["name"][:60]))
        elif not row["store_view_code"] and (first := base.setdefault(row["sku"], row)) is not row:
            where = say("{file} line {line}", file=first.place.file, line=first.place.line)
            drafting.duplicate(
                row.place, say("sku {sku!r} was taken by {where}; the first row counts", sku=row["sku"], where=where)
            )
    parents = {sku: row["sku"] for row in base.values() for sku in _variation_skus(row)}
    for sku, row in base.items():
        if sku not in parents:
            _add_product(row, drafting)
    for sku, row in base.items():
        if sku in parents:
            _add_variant(row, parents[sku], drafting)
    for row in rows:
        if row["store_view_code"] and row["sku"]:
            _add_translation(row, drafting, known=row["sku"] in base)
    for sku, parent in parents.items():
        if sku not in base:
            detail = say("{parent!r} lists the variant {sku!r}, which has no row", parent=parent, sku=sku)
            drafting.report(base[parent].place, "ROW_UNKNOWN_KEY", detail)


def _variation_skus(row: NamedRow) -> list[str]:
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


def _add_product(row: NamedRow, drafting: Drafting) -> None:
    name = clean_line(row["name"]) or row["sku"]
    product = drafting.product(row.place, row["sku"], name, _category(row["categories"]))
    if product is None:
        return
    product.attributes += _facts(row)
    for column in _TEXTS:
        drafting.text(product, column.replace("_", " "), row[column], column)
    drafting.pictures(product, row.place, _pictures(row))


def _category(written: str) -> str:
    """Return the deepest of the categories, without the shop's root."""
    ways = [way.split("/")[1:] for way in written.split(",") if "/" in way]
    return " > ".join(clean_line(part) for part in max(ways, key=len, default=[]))


def _facts(row: NamedRow) -> list[DraftAttribute]:
    return [
        DraftAttribute(
            name=name.replace("_", " "), value=clean_line(value.replace("|", ", ")), source="additional_attributes"
        )
        for name, value in _pairs(row["additional_attributes"]).items()
        if value and not _SETTINGS.match(name)
    ]


def _add_variant(row: NamedRow, parent: str, drafting: Drafting) -> None:
    product = drafting.products.get(parent)
    if product is None:
        drafting.reject(
            row.place, "ROW_UNKNOWN_KEY", say("its configurable product {parent!r} was not taken", parent=parent)
        )
        return
    shared = {(fact.name, fact.value) for fact in product.attributes}
    facts = [fact for fact in _facts(row) if (fact.name, fact.value) not in shared]
    variant: DraftVariant = drafting.variant(product, row.place, row["sku"], row["name"], facts)
    drafting.pictures(product, row.place, _pictures(row), variant)


def _add_translation(row: NamedRow, drafting: Drafting, *, known: bool) -> None:
    if not known:
        detail = say("a translation of {sku!r}, which has no row of its own", sku=row["sku"])
        drafting.reject(row.place, "ROW_UNKNOWN_KEY", detail)
        return
    drafting.accept(row.place)
    product = drafting.products.get(row["sku"])
    if product is None:
        return  # A variant shows what its product says.
    for column in ("name", *_TEXTS):
        if text := clean(row[column]):
            name = f"{column.replace('_', ' ')} {row['store_view_code']}"
            product.attributes.append(DraftAttribute(name=name, value=text, source=column, kind="text"))


def _pictures(row: NamedRow) -> list[str]:
    written = [item.strip() for column in _PICTURES for item in row[column].split(",")]
    return [item for item in written if item not in _NO_PICTURE]
