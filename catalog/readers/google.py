"""Google Merchant feeds, as TSV, CSV or XML: one record an item, items with one `item_group_id` are forms of a product.

A table is recognised by `id`, `title`, `image_link` and one more name of the specification, with blanks or underscores;
XML by its namespace. Prices, stock, shipping and advertising are left out; what the specification does not know is a
fact of the item.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from catalog.phrases import say
from catalog.readers import google_xml
from catalog.readers.cell_lists import deepest, split_links
from catalog.readers.draft import DraftCatalogue
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.groups import Item, add_group, add_single
from catalog.readers.rest import with_rest
from catalog.readers.table_set import TableSet

NAME = "google_merchant"
SIGNATURE = frozenset({"id", "title", "image_link"})
_FURTHER = frozenset(
    {"link", "availability", "item_group_id", "additional_image_link", "google_product_category", "gtin", "condition"}
)
_PICTURES = ("image_link", "additional_image_link", "lifestyle_image_link")
_READ = frozenset(
    {"id", "title", "description", "item_group_id", "product_type", "product_detail", "product_highlight", *_PICTURES}
)
_LEFT_OUT = re.compile(
    r"(?:.*_)?(?:price|link|category|id|date|label_?\d)$|(?:sale|availability|cost_of|shipping|tax|gtin|mpn|identifier|"
    r"condition|adult|multipack|is_bundle|custom_|promotion|ads_|adwords|included_|excluded_|shopping_ads|installment|"
    r"subscription|loyalty|min_|max_|transit|return|unit_pricing|pause|quantity|inventory|sell_on|energy|certification|"
    r"size_system|size_type|auto_pricing|maximum_|display_ads|virtual_model|external_|short_title|structured_|guid|"
    r"pub_?date|updated|published|author|store_code|sku$|status|visibility|pickup|free_shipping|comments|tags|online_only)"
)
_NEXT_DETAIL = re.compile(r",(?=[^,:]*:[^,:]+:)")
"""A value may hold commas; only `section:name:` begins the next detail."""


def read(tables: TableSet) -> DraftCatalogue:
    """Read the Merchant feeds of a dump, and its other tables as any dump's; without products if there are none."""
    drafting = Drafting(NAME, tables.dump)
    rows: list[NamedRow] = []
    encoding = None
    for found in tables:
        feed = found.with_header()
        names = {column_name(header) for header in feed.header}
        if names >= SIGNATURE and names & _FURTHER:
            rows += drafting.rows(feed, column_name)
            encoding = encoding or feed.encoding
            drafting.evidence.append(
                say("{path}: a Google Merchant feed of {count} rows", path=feed.file.path, count=len(feed.rows))
            )
    for file in google_xml.feeds(tables.dump):
        items = list(google_xml.read_items(file, drafting))
        rows += items
        drafting.evidence.append(
            say("{path}: a Google Merchant feed (XML) of {count} items", path=file.path, count=len(items))
        )
    if not rows and not drafting.issues:
        return DraftCatalogue(reader=NAME)
    _add(rows, drafting)
    drafting.evidence.append(
        say(
            "{variants} items are variants of {count} products",
            variants=drafting.variants,
            count=len(drafting.products),
        )
    )
    return with_rest(drafting.done(encoding=encoding), tables, drafting.documents)


def column_name(header: str) -> str:
    """Return a header as the specification writes it: `Additional Image Link` and `g:size` as well."""
    plain = re.sub(r"[(\[].*", "", header.casefold().strip().removeprefix("g:"))
    return re.sub(r"[\s_\-]+", "_", plain.strip())


def _add(rows: Iterable[NamedRow], drafting: Drafting) -> None:
    by_id: dict[str, NamedRow] = {}
    for row in rows:
        if not row["id"]:
            drafting.reject(row.place, "ROW_NO_KEY", say("no id; title {title!r}", title=row["title"][:60]))
        elif (first := by_id.setdefault(row["id"], row)) is not row:
            where = say("{file} line {line}", file=first.place.file, line=first.place.line)
            drafting.duplicate(
                row.place, say("id {id!r} was taken by {where}; the first row counts", id=row["id"], where=where)
            )
    stated = {row["item_group_id"] for row in by_id.values()} - {""}
    products: dict[str, list[Item]] = {}
    for key, row in by_id.items():
        # The head of a group often has the group's own id and no item_group_id.
        products.setdefault(row["item_group_id"] or key, []).append(_item(row))
    for key, items in products.items():
        if key in stated:
            add_group(drafting, key, items)
        else:
            add_single(drafting, items[0])


def _item(row: NamedRow) -> Item:
    item = Item(place=row.place, key=row["id"], name=row["title"], category=_category(row))
    for column, value in row.items():
        if column not in _READ and not _LEFT_OUT.match(column):
            item.fact(column.removeprefix("product_").replace("_", " "), value, column)
    for written in row.every("product_detail"):
        for detail in _NEXT_DETAIL.split(written):
            _, _, pair = detail.partition(":")
            name, _, value = pair.partition(":")
            item.fact(name, value, "product_detail")
    item.texts = {"description": row["description"], "highlights": "\n".join(row.every("product_highlight"))}
    item.texts = {label: text for label, text in item.texts.items() if text}
    item.pictures = [link for column in _PICTURES for cell in row.every(column) for link in split_links(cell)]
    return item


def _category(row: NamedRow) -> str:
    ways: list[str] = []
    for written in row.every("product_type"):
        pieces = written.split(",")
        # `A > B, C > D` are two ways; a comma in the name of one step parts nothing.
        ways += pieces if all(">" in piece for piece in pieces) else [written]
    if not ways:
        ways = [written for written in row.every("google_product_category") if not written.isdigit()]
    return deepest(ways)
