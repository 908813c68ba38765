"""WooCommerce product exports, in English or with a translated header.

One row a product; a row of type `variation` is a form of the product that its `Parent` names by SKU or as `id:44`, and
may stand before it. Attributes are numbered pairs; a variable product lists all choices, which no picture shows at
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.phrases import say
from catalog.readers.cell_lists import deepest, split_escaped, split_links
from catalog.readers.draft import DraftCatalogue, DraftProduct
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.groups import Item
from catalog.readers.likeness import same, shared_facts
from catalog.readers.rest import with_rest
from catalog.readers.table_set import TableSet
from catalog.readers.woo_columns import WooColumns, column_name, find_columns

NAME = "woocommerce"
_MOST_META_CHARS = 100


@dataclass(frozen=True)
class _Entry:
    """A row and how it is read."""

    row: NamedRow
    columns: WooColumns

    @property
    def type(self) -> str:
        return self.row.cells[self.columns.type].strip().lower().partition(",")[0].strip()

    @property
    def key(self) -> str:
        number = self.row["id"]
        return self.row["sku"] or (f"id:{number}" if number else "")


def read(tables: TableSet) -> DraftCatalogue:
    """Read the WooCommerce exports of a dump, and its other tables as any dump's; no products if there are none."""
    drafting = Drafting(NAME, tables.dump)
    entries: list[_Entry] = []
    encoding = None
    for found in tables:
        export = found.with_header()
        columns = find_columns(export)
        if columns is None:
            continue
        encoding = encoding or export.encoding
        entries += [_Entry(row, columns) for row in drafting.rows(export, column_name)]
        detail = say(
            "a WooCommerce export of {count} rows with {pairs} numbered attributes",
            count=len(export.rows),
            pairs=len(columns.pairs),
        )
        drafting.evidence.append(say("{path}: {detail}", path=export.file.path, detail=detail))
    if not entries:
        return DraftCatalogue(reader=NAME)
    _add(entries, drafting)
    drafting.evidence.append(
        say("{variants} rows of type variation are variants of the product they name", variants=drafting.variants)
    )
    return with_rest(drafting.done(encoding=encoding), tables, drafting.documents)


def _add(entries: Sequence[_Entry], drafting: Drafting) -> None:
    heads = [entry for entry in entries if entry.type != "variation"]
    forms: dict[str, list[_Entry]] = {}
    find = _parents(heads)
    seen: dict[tuple[str, str], _Entry] = {}
    for entry in entries:
        if entry.type != "variation":
            continue
        written, place = entry.row["parent"], entry.row.place
        key = find.get(("", written)) or find.get((place.file, written.replace(" ", "").casefold()))
        first = seen.setdefault((place.file, entry.row["id"] or str(place.line)), entry)
        if first is not entry and first.key == entry.key:
            drafting.duplicate(
                place,
                say("id {id} is also on line {line}; that row counts", id=entry.row["id"], line=first.row.place.line),
            )
        elif key is None:
            detail = (
                say("its parent {written!r} has no row", written=written)
                if written
                else say("a variation that names no parent")
            )
            drafting.reject(place, "ROW_UNKNOWN_KEY", detail)
        else:
            forms.setdefault(key, []).append(entry)
    for entry in heads:
        product = _add_product(entry, forms.get(entry.key, []), drafting)
        if product is not None:
            _add_forms(product, forms.pop(entry.key, []), drafting)
    for key, left in forms.items():
        for entry in left:
            drafting.reject(entry.row.place, "ROW_UNKNOWN_KEY", say("its product {key!r} was not taken", key=key))


def _parents(heads: Sequence[_Entry]) -> dict[tuple[str, str], str]:
    """Return (file, `id:44`) → key, and ("", SKU) → key: ids are those of one shop's export, SKUs of the company."""
    found: dict[tuple[str, str], str] = {}
    for entry in heads:
        if entry.row["id"]:
            found.setdefault((entry.row.place.file, f"id:{entry.row['id']}"), entry.key)
        if entry.row["sku"]:
            found.setdefault(("", entry.row["sku"]), entry.key)
    return found


def _add_product(entry: _Entry, forms: Sequence[_Entry], drafting: Drafting) -> DraftProduct | None:
    row = entry.row
    product = drafting.product(row.place, entry.key, row["name"], deepest(split_escaped(row["categories"])))
    if product is None:
        return None
    stated = [_item(form).facts for form in forms]
    for fact in _item(entry).facts:
        said = {other.value for facts in stated for other in facts if other.name == fact.name}
        # Without its variations, a list of choices is not what the pictures show.
        open_choice = entry.type == "variable" and not forms and "," in fact.value
        if said <= {fact.value} and not open_choice:
            drafting.fact(product, fact.name, fact.value, fact.source, fact.unit or "")
    shared = shared_facts(stated)
    for fact in (fact for facts in stated[:1] for fact in facts if same(fact) in shared):
        drafting.fact(product, fact.name, fact.value, fact.source, fact.unit or "")
    drafting.text(product, "description", row["text"], "description")
    drafting.text(product, "short description", row["short"], "short description")
    drafting.pictures(product, row.place, split_links(row["images"]))
    return product


def _add_forms(product: DraftProduct, forms: Sequence[_Entry], drafting: Drafting) -> None:
    common = {same(fact) for fact in product.attributes}
    for form in forms:
        facts = [fact for fact in _item(form).facts if same(fact) not in common]
        variant = drafting.variant(product, form.row.place, form.row["sku"], form.row["name"], facts)
        drafting.pictures(product, form.row.place, split_links(form.row["images"]), variant)


def _item(entry: _Entry) -> Item:
    row, columns = entry.row, entry.columns
    item = Item(place=row.place, key=entry.key, name=row["name"])
    for label, value in columns.pairs:
        if row[label]:
            item.fact(row[label], ", ".join(split_escaped(row[value])), row[label])
    for column, (name, unit) in columns.measures.items():
        if row[column].strip("0., "):
            item.fact(name, row[column], column, unit)
    item.fact("brand", ", ".join(split_escaped(row["brands"])), "brands")
    for column in columns.meta:
        # Longer ones are settings of plug-ins, in JSON or PHP's form.
        if len(row[column]) <= _MOST_META_CHARS and not row[column].startswith(("{", "[", "a:", "http")):
            item.fact(column.partition(":")[2].replace("_", " "), row[column], column)
    return item
