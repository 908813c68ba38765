"""Akeneo exports: products and product models, a column an attribute, its locale and its channel.

Recognised by `sku` or `identifier` beside `family` and `categories`, or `code` beside `family_variant`. A column is
named `attribute[-locale][-channel][-currency]`. A product with a `parent` is a variant of the model of that code; a
model may itself have a parent, whose variants it then divides once more, by colour for example.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.paths import IMAGE_SUFFIXES
from catalog.phrases import say
from catalog.readers import headers
from catalog.readers.cells import clean_line
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct
from catalog.readers.drafting import Drafting, NamedRow
from catalog.readers.table_set import TableSet
from catalog.readers.tabular import Table

NAME = "akeneo"
_COLUMN = re.compile(
    r"^(?P<attribute>[A-Za-z0-9_]+)(?:-(?P<locale>[a-z]{2,3}_[A-Z]{2}))?(?:-(?P<channel>[a-z][A-Za-z0-9_]*))?"
    r"(?:-(?P<currency>[A-Z]{3}))?$"
)
_KEYS = ("sku", "identifier", "code")
_STRUCTURE = frozenset(
    {*_KEYS, "uuid", "family", "family_variant", "parent", "groups", "categories", "enabled", "created", "updated"}
)
_LINKS = re.compile(r"-(products|product_models|groups|products-quantity|product_uuids|unit)$")
_NAMES = frozenset({"name", "label", "title", "product_name", "erp_name", "variation_name"})
_LONG_TEXT_CHARS = 100


@dataclass(frozen=True, kw_only=True)
class _Value:
    """One filled cell that says something about a product."""

    attribute: str
    locale: str
    text: str
    unit: str
    column: str


def read(tables: TableSet) -> DraftCatalogue:
    """Read the Akeneo exports of a dump; without products if there are none."""
    exports = [headed for found in tables if _is_export(headed := found.with_header())]
    if not exports:
        return DraftCatalogue(reader=NAME)
    drafting = Drafting(NAME, tables.dump)
    rows = [row for export in exports for row in drafting.rows(export)]
    for export in exports:
        kind = say("product models") if "family_variant" in export.header else say("products")
        drafting.evidence.append(
            say("{path}: an Akeneo export of {count} {kind}", path=export.file.path, count=len(export.rows), kind=kind)
        )
    _Reading(drafting).read(rows)
    drafting.evidence.append(say("{variants} products are variants of a product model", variants=drafting.variants))
    return drafting.done(encoding=exports[0].encoding)


def _is_export(table: Table) -> bool:
    names = set(table.header)
    if {"code", "family_variant"} <= names:
        return True
    return bool(names & {"sku", "identifier"}) and {"family", "categories"} <= names


class _Reading:
    def __init__(self, drafting: Drafting) -> None:
        self.drafting = drafting
        self.models: dict[str, NamedRow] = {}
        self.children: dict[str, list[NamedRow]] = defaultdict(list)
        """Parent's code → its products."""

    def read(self, rows: Sequence[NamedRow]) -> None:
        products = []
        for row in rows:
            if "family_variant" in row.columns:
                if not row["code"]:
                    self.drafting.reject(row.place, "ROW_NO_KEY", say("a product model without a code"))
                elif self.models.setdefault(row["code"], row) is not row:
                    self.drafting.duplicate(
                        row.place, say("the code {code!r} is taken; the first row counts", code=row["code"])
                    )
            else:
                products.append(row)
                if row["parent"] and _key(row):
                    self.children[row["parent"]].append(row)
        for code, model in self.models.items():
            if model["parent"] not in self.models:
                self._add(model, code)
        for model in self.models.values():
            if model["parent"] in self.models:
                self.drafting.accept(model.place)  # what it says goes to the variants below it
                product = self.drafting.products.get(self._root(model["parent"]))
                if product is not None and not self.children.get(model["code"]):
                    self.drafting.pictures(product, model.place, _pictures(model))
        for row in products:
            if row["parent"]:
                self._add_variant(row)
            else:
                self._add(row, _key(row))

    def _root(self, code: str) -> str:
        seen: set[str] = set()
        while (model := self.models.get(code)) is not None and model["parent"] in self.models and code not in seen:
            seen.add(code)
            code = model["parent"]
        return code

    def _add(self, row: NamedRow, key: str) -> DraftProduct | None:
        values = list(_values(row))
        names = [value for value in values if value.attribute in _NAMES]
        best = min(names, key=_rank, default=None)
        product = self.drafting.product(row.place, key, best.text if best else key, _category(row))
        if product is None:
            return None
        for value in sorted(values, key=_rank):
            self._state(product, value, named=best)
        self.drafting.pictures(product, row.place, _pictures(row))
        return product

    def _add_variant(self, row: NamedRow) -> None:
        code = self._root(row["parent"])
        product = self.drafting.products.get(code)
        if not _key(row):
            self.drafting.reject(row.place, "ROW_NO_KEY", say("no sku; parent {parent!r}", parent=row["parent"]))
            return
        if product is None:
            # Without the file of models the parent is only a code: its first variant speaks for it.
            product = self._add_unknown_parent(row, code)
            if product is None:
                return
        between = self.models.get(row["parent"]) if row["parent"] != code else None
        shared = {(fact.name, fact.value) for fact in product.attributes}
        stated = [value for part in (between, row) if part is not None for value in _values(part)]
        facts = [fact for value in stated if (fact := _fact(value)) and (fact.name, fact.value) not in shared]
        name = min((value for value in stated if value.attribute in _NAMES), key=_rank, default=None)
        variant = self.drafting.variant(product, row.place, _key(row), name.text if name else "", facts)
        for part in (row, between):
            if part is not None:
                self.drafting.pictures(product, part.place, _pictures(part), variant)

    def _add_unknown_parent(self, row: NamedRow, code: str) -> DraftProduct | None:
        siblings = [list(_values(other)) for other in self.children[code]]
        names = [value for value in siblings[0] if value.attribute in _NAMES]
        best = min(names, key=_rank, default=None)
        product = self.drafting.product(row.place, code, best.text if best else code, _category(row))
        if product is None:
            return None
        for value in siblings[0]:
            if all(value in others for others in siblings[1:]):
                self._state(product, value, named=best)
        return product

    def _state(self, product: DraftProduct, value: _Value, named: _Value | None) -> None:
        if value == named:
            return
        label = headers.shown(value.attribute)
        if value.locale and not value.locale.startswith("en"):
            label = f"{label} {value.locale}"
        if value.attribute in _NAMES:
            product.attributes.append(DraftAttribute(name=label, value=value.text, source=value.column, kind="text"))
        elif _is_text(value):
            self.drafting.text(product, label, value.text, value.column)
        elif (fact := _fact(value)) is not None:
            product.attributes.append(fact)


def _key(row: NamedRow) -> str:
    return next((row[column] for column in _KEYS if row[column]), "")


def _values(row: NamedRow) -> Iterator[_Value]:
    """Yield what a row says about its product, the channels of an attribute once."""
    seen: set[tuple[str, str, str]] = set()
    for column, text in row.items():
        found = _COLUMN.match(column)
        if column in _STRUCTURE or _LINKS.search(column) or found is None or found["currency"] or _is_picture(text):
            continue
        role = headers.role_of(found["attribute"])
        if role is not None and role[0] in ("drop", "gtin", "image"):
            continue
        value = _Value(
            attribute=found["attribute"],
            locale=found["locale"] or "",
            text=text,
            unit=row[f"{column}-unit"],
            column=column,
        )
        if (value.attribute, value.locale, value.text) not in seen:
            seen.add((value.attribute, value.locale, value.text))
            yield value


def _fact(value: _Value) -> DraftAttribute | None:
    """Return a value as a fact; None for names, running text and other languages than English."""
    foreign = bool(value.locale) and not value.locale.startswith("en")
    if value.attribute in _NAMES or _is_text(value) or foreign:
        return None
    # Choices are written as codes: `light_blue,red`.
    line = clean_line(value.text)
    if re.fullmatch(r"[a-z0-9_]+(?:,[a-z0-9_]+)*", line):
        line = line.replace(",", ", ").replace("_", " ")
    unit = value.unit.replace("_", " ").lower()
    return DraftAttribute(
        name=headers.shown(value.attribute),
        value=f"{line} {unit}".strip(),
        source=value.column,
    )


def _is_text(value: _Value) -> bool:
    role = headers.role_of(value.attribute)
    named = (role is not None and role[0] == "text") or "description" in headers.words(value.attribute)
    return named or len(value.text) > _LONG_TEXT_CHARS


def _is_picture(text: str) -> bool:
    return text.lower().endswith(tuple(IMAGE_SUFFIXES)) and "\n" not in text


def _pictures(row: NamedRow) -> list[str]:
    return [
        item.strip()
        for column, text in row.items()
        if column not in _STRUCTURE
        for item in text.split(",")
        if _is_picture(item.strip())
    ]


def _category(row: NamedRow) -> str:
    """Return the first of the categories, which are codes, or the family."""
    first = row["categories"].split(",")[0].strip() or row["family"]
    return first.replace("_", " ")


def _rank(value: _Value) -> tuple[int, str]:
    """English first, then no language, then the others."""
    return (0 if value.locale == "en_US" else 1 if value.locale.startswith("en") else 2 if not value.locale else 3), (
        value.locale
    )
