"""Shopify product exports, with the classic column names, those of 2025, or both.

Rows with one handle are one product. Its title, text and option names stand on one row only; a further row is a
variant, a further picture, or both. `Image Src` on a variant's row is the product's next picture, not the variant's:
only `Variant Image` is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalog.phrases import say
from catalog.readers.cells import clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct, DraftVariant
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.json_text import parse_json
from catalog.readers.rest import with_rest
from catalog.readers.table_set import TableSet

NAME = "shopify"
OPTIONS = (1, 2, 3)
_NAMES = {
    "handle": ("handle", "url handle"),
    "body": ("body (html)", "description"),
    "sku": ("variant sku", "sku"),
    "image": ("image src", "product image url"),
    "variant image": ("variant image", "variant image url"),
    "category": ("product category", "standardized product type", "standard product type"),
    "gender": ("google shopping / gender",),
    "age group": ("google shopping / age group",),
}
_CANONICAL = {written: name for name, forms in _NAMES.items() for written in forms}
_TELLING = frozenset(
    {"body", "image", "variant image", "sku", "vendor", "option1 name", "option1 value", "image position"}
)
_METAFIELD = re.compile(r"^(?P<label>.*?)\s*\((?P<level>product|variant)\.metafields\.[^.)]+\.(?P<key>[^)]+)\)$")
_NO_FACTS = re.compile(
    r"discovery|review|rating|related|complementary|recommend|seo|title_tag|description_tag|google.*(category|condition|"
    r"label|mpn|custom)|faq|bundle|hidden|video|badge|upsell"
)


def read(tables: TableSet) -> DraftCatalogue:
    """Read the Shopify exports of a dump, and its other tables as any dump's; without products if there are none."""
    exports = [headed for found in tables if _is_export((headed := found.with_header()).header)]
    if not exports:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump)
    by_handle: dict[str, list[NamedRow]] = {}
    for export in exports:
        drafting.evidence.append(
            say("{path}: a Shopify export of {count} rows", path=export.file.path, count=len(export.rows))
        )
        for row in drafting.rows(export, column_name):
            if row["handle"]:
                by_handle.setdefault(row["handle"], []).append(row)
            else:
                drafting.reject(row.place, "ROW_NO_KEY", say("no handle; title {title!r}", title=row["title"][:60]))
    for handle, rows in by_handle.items():
        _add(handle, rows, drafting)
    drafting.evidence.append(
        say("rows with the same handle are one product: {count} products", count=len(drafting.products))
    )
    return with_rest(drafting.done(encoding=exports[0].encoding), tables, drafting.documents)


def column_name(header: str) -> str:
    """Return one name for the classic and the new form of a header."""
    name = " ".join(header.casefold().split())
    return _CANONICAL.get(name, name)


def _is_export(header: Sequence[str]) -> bool:
    names = {column_name(name) for name in header}
    return {"handle", "title"} <= names and len(names & _TELLING) >= 3


def _add(handle: str, rows: Sequence[NamedRow], drafting: Drafting) -> None:
    # A re-sorted export has the row with the title anywhere.
    head = next((row for row in rows if row["title"]), rows[0])
    product = drafting.product(head.place, handle, head["title"], clean_line(head["category"] or head["type"]))
    if product is None:
        for row in rows:
            if row is not head:
                drafting.reject(
                    row.place, "ROW_UNKNOWN_KEY", say("its product {handle!r} was not taken", handle=handle)
                )
        return
    rows = _own_rows(head, rows, drafting)
    options = [next((name for row in rows if (name := row[f"option{n} name"])), "") for n in OPTIONS]
    _describe(product, head, options, drafting)
    seen: dict[tuple[str, ...], DraftVariant] = {}
    variants = [(row, variant) for row in rows if (variant := _variant(product, row, head, options, seen, drafting))]
    for row in sorted(rows, key=_position):
        drafting.pictures(product, row.place, [row["image"]])
    for row, variant in variants:
        drafting.pictures(product, row.place, [row["variant image"]], variant)
    _take_alt_texts(product, rows, drafting)


def _own_rows(head: NamedRow, rows: Sequence[NamedRow], drafting: Drafting) -> list[NamedRow]:
    """Return the rows without those of another product that has the same handle, as in two exports put together."""
    kept: list[NamedRow] = []
    foreign: str | None = None
    for row in rows:
        if row["title"]:
            same = clean_line(row["title"]) == clean_line(head["title"])
            foreign = None if same else say("{file} line {line}", file=row.place.file, line=row.place.line)
        if foreign is None:
            kept.append(row)
        else:
            where = say("{file} line {line}", file=head.place.file, line=head.place.line)
            detail = say(
                "handle {handle!r} was taken by {where} with another title; the first product counts",
                handle=row["handle"],
                where=where,
            )
            drafting.duplicate(row.place, detail)
    return kept


def _describe(product: DraftProduct, head: NamedRow, options: Sequence[str], drafting: Drafting) -> None:
    drafting.text(product, "description", head["body"], "body")
    drafting.fact(product, "brand", head["vendor"], "vendor")
    drafting.fact(product, "type", head["type"], "type")
    for column in ("gender", "age group"):
        drafting.fact(product, column, head[column], column)
    _add_metafields(product, head, options, drafting)


def _add_metafields(
    owner: DraftProduct | DraftVariant, row: NamedRow, options: Sequence[str], drafting: Drafting
) -> None:
    level = "product" if isinstance(owner, DraftProduct) else "variant"
    varying = {_plain(name) for name in options if name}
    for column, value in row.items():
        found = _METAFIELD.match(column)
        if found is None or found["level"] != level or _NO_FACTS.search(column):
            continue
        # The metafield of an option lists the colours of all variants.
        if _plain(found["label"]) not in varying and found["key"].replace("-pattern", "") not in varying:
            drafting.fact(owner, found["label"] or found["key"].replace("_", " "), _listed(value), column)


def _plain(name: str) -> str:
    return clean_line(name).casefold().replace("colour", "color")


def _listed(value: str) -> str:
    """Return the values of a metafield as a list with commas; references to other objects are none."""
    items: list[object] = list(value.split(";"))
    if value.startswith(("[", "{")):
        try:
            items = list(parse_json(f"[{value}]"))
        except ValueError:
            return ""
    texts = [_metafield_text(part) for item in items for part in (item if isinstance(item, list) else [item])]
    return ", ".join(text for text in texts if text and not text.startswith("gid://"))


def _metafield_text(part: object) -> str:
    """Return a value, or a measure written `{"value": 12.0, "unit": "cm"}`; formatted text is none."""
    if isinstance(part, dict) and isinstance(part.get("value"), str):
        return f"{part['value']} {str(part.get('unit') or '').lower()}".strip()
    return part.strip() if isinstance(part, str) else ""


def _variant(
    product: DraftProduct,
    row: NamedRow,
    head: NamedRow,
    options: Sequence[str],
    seen: dict[tuple[str, ...], DraftVariant],
    drafting: Drafting,
) -> DraftVariant | None:
    """Return the variant a row adds; None for one that only holds pictures, repeats a variant, or is empty."""
    attributes = [
        DraftAttribute(
            name=clean_line(name).lower() or f"option {n}", value=clean_line(value), source=f"option{n} value"
        )
        for n, name in zip(OPTIONS, options, strict=True)
        if (value := row[f"option{n} value"]) and value.casefold() != "default title"
    ]
    if not attributes and not row["sku"]:
        if row is not head and not row["image"] and not row["variant image"]:
            drafting.reject(row.place, "ROW_EMPTY", say("neither options, SKU nor picture"))
        drafting.accept(row.place)
        return None
    identity = (row["sku"], *(fact.value for fact in attributes))
    if identity in seen:
        if row is not head:
            drafting.duplicate(
                row.place, say("repeats the variant {key!r} of {sku!r}", key=seen[identity].key, sku=product.sku)
            )
        return None
    variant = seen[identity] = drafting.variant(product, row.place, row["sku"], "", attributes)
    _add_metafields(variant, row, options, drafting)
    return variant


def _position(row: NamedRow) -> int:
    written = row["image position"]
    return int(written) if written.isdecimal() and len(written) < 10 else 1 << 31


def _take_alt_texts(product: DraftProduct, rows: Sequence[NamedRow], drafting: Drafting) -> None:
    """Keep what is said about the pictures, unless it may be true of one variant's only."""
    if not any(variant.attributes for variant in product.variants):
        texts = dict.fromkeys(
            text for row in sorted(rows, key=_position) if (text := clean_line(row["image alt text"]))
        )
        texts.pop(product.name, None)
        drafting.text(product, "image alt text", "\n".join(texts), "image alt text", describes=False)
