"""Products in schema.org's JSON-LD, in files of their own or in the scripts of HTML pages.

Every value may be a scalar, a list or an object. A `ProductGroup` is a product, what it lists in `hasVariant`, or what
names it in `isVariantOf` or `inProductGroupWithID`, are its forms. Offers, ratings and related products are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.phrases import say
from catalog.readers import table as general
from catalog.readers.cell_lists import deepest
from catalog.readers.draft import DraftCatalogue
from catalog.readers.drafting import Drafting, Place
from catalog.readers.groups import Item, add_group, add_single
from catalog.readers.json_ld import (
    HTML_SUFFIXES,
    JSON_SUFFIXES,
    FoundNode,
    Node,
    as_list,
    files_with_products,
    product_nodes,
    types,
    values,
)
from catalog.readers.rest import with_rest
from catalog.readers.table_set import TableSet
from catalog.readers.translated import by_language, preferred
from catalog.readers.unit_codes import unit_of
from catalog.records import Issue

NAME = "schema_org"
_KEYS = ("sku", "productID", "gtin13", "gtin", "gtin14", "gtin12", "gtin8", "mpn", "identifier")
_GROUP_KEYS = ("productGroupID", *_KEYS)
_FACTS = ("brand", "color", "material", "pattern", "size", "model")
_MEASURES = ("width", "height", "depth", "weight")
_TEXTS = ("description", "disambiguatingDescription")


@dataclass
class _Group:
    key: str
    base: tuple[Place, Node] | None = None
    members: list[tuple[Place, FoundNode]] = field(default_factory=list)


def read(tables: TableSet) -> DraftCatalogue:
    """Read the JSON-LD of a dump, and its tables as any dump's; without products if there is none.

    Pages that a shop saved beside a table of its products are left to the table.
    """
    drafting = Drafting(NAME, tables.dump)
    files = files_with_products(tables.dump, JSON_SUFFIXES)
    found = _found(tables, drafting, files)
    pages = files_with_products(tables.dump, HTML_SUFFIXES)
    if pages and not found and general.read(tables).products:
        detail = say(
            "{count} HTML pages with JSON-LD were not used, since a table lists the products", count=len(pages)
        )
        return DraftCatalogue(
            reader=NAME, issues=[Issue(source=pages[0].path, reason="TABLE_UNUSED", detail=detail, severity="warning")]
        )
    found += _found(tables, drafting, pages)
    page_paths = {file.path for file in pages}
    if not found:
        # A broken script of a page is no reason to refuse the pictures beside it; broken files are the tables' matter.
        issues = [replace(issue, severity="warning") for issue in drafting.issues if issue.source in page_paths]
        return DraftCatalogue(reader=NAME, issues=issues)
    _add(found, drafting)
    sources = len({node.file for _, node in found})
    drafting.evidence.append(
        say("{count} schema.org products in the JSON-LD of {sources} files", count=len(found), sources=sources)
    )
    return with_rest(drafting.done(encoding=tables.encoding), tables, drafting.documents)


def _found(tables: TableSet, drafting: Drafting, files: Iterable[Any]) -> list[tuple[Place, FoundNode]]:
    found: list[tuple[Place, FoundNode]] = []
    for file in files:

        def problem(line: int | None, detail: str, path: str = file.path) -> None:
            drafting.report(Place(path, line), "ROW_UNREADABLE", detail)

        drafting.documents.add(file.path)
        nodes = product_nodes(file, tables.encoding, problem)
        found += [(drafting.count(file.path, number), node) for number, node in enumerate(nodes, start=1)]
    return found


def _add(found: Sequence[tuple[Place, FoundNode]], drafting: Drafting) -> None:
    chosen = _once_each(found, drafting)
    groups: dict[str, _Group] = {}
    for place, entry in chosen:
        if "productgroup" in types(entry.node) or entry.node.get("hasVariant"):
            key = _key(entry.node, entry.file, _GROUP_KEYS)
            group = groups.setdefault(key, _Group(key))
            group.base = group.base or (place, entry.node)
        elif key := _group_of(entry):
            groups.setdefault(key, _Group(key)).members.append((place, entry))
        else:
            add_single(drafting, _item(place, entry.node, _key(entry.node, entry.file, _KEYS)))
    for group in groups.values():
        _add_group(group, drafting)


def _add_group(group: _Group, drafting: Drafting) -> None:
    base = None if group.base is None else _item(*group.base, group.key)
    if not group.members:
        if base is not None:
            add_single(drafting, base)
        return
    items = [_item(place, entry.node, _key(entry.node, entry.file, _KEYS)) for place, entry in group.members]
    name = ""
    if base is None:
        stated = [parent for _, entry in group.members if (parent := _parent(entry)) is not None]
        name = next((said.text for parent in stated for said in values(parent.get("name"))), "")
    add_group(drafting, group.key, items, base=base, name=name)


def _once_each(found: Sequence[tuple[Place, FoundNode]], drafting: Drafting) -> list[tuple[Place, FoundNode]]:
    """Return each product once: the page of a category says less of it than its own page, which counts."""
    best: dict[tuple[bool, str], tuple[Place, FoundNode]] = {}
    for place, entry in found:
        known = best.get(_identity(entry))
        if known is None or _fullness(entry) > _fullness(known[1]):
            best[_identity(entry)] = (place, entry)
    for place, entry in found:
        where, _ = best[_identity(entry)]
        if where != place:
            detail = say(
                "{entry!r} is described more fully in {file} item {line}, which counts",
                entry=_identity(entry)[1],
                file=where.file,
                line=where.line,
            )
            drafting.duplicate(place, detail)
    return list(best.values())


def _identity(entry: FoundNode) -> tuple[bool, str]:
    grouping = "productgroup" in types(entry.node)
    return grouping, _key(entry.node, entry.file, _GROUP_KEYS if grouping else _KEYS)


def _fullness(entry: FoundNode) -> tuple[bool, int]:
    return _group_of(entry) != "", len(json.dumps(entry.node))


def _parent(entry: FoundNode) -> Node | None:
    if entry.group is not None:
        return entry.group
    return next((parent for parent in as_list(entry.node.get("isVariantOf")) if isinstance(parent, dict)), None)


def _group_of(entry: FoundNode) -> str:
    """Return the key of the group a product is a form of, or ""."""
    parent = _parent(entry)
    if parent is not None and (key := _key(parent, entry.file, _GROUP_KEYS)):
        return key
    return next((said.text for said in values(entry.node.get("inProductGroupWithID"))), "")


def _key(node: Node, file: str, names: Sequence[str]) -> str:
    for name in names:
        if found := values(node.get(name), "value", "name"):
            return found[0].text
    named = node.get("@id")
    if isinstance(named, str) and named:
        # `#product` means another thing on each page.
        return f"{file}{named}" if named.startswith(("#", "_:")) else named
    return next((said.text for name in ("url", "name") for said in values(node.get(name))), "")


def _item(place: Place, node: Node, key: str) -> Item:
    item = Item(place=place, key=key, name="")
    names, others = preferred(values(node.get("name")))
    item.name = names[0] if names else ""
    item.translations += [("name", code, text) for code, text in by_language(others).items()]
    item.category = deepest(preferred(values(node.get("category"), "name", "codeValue"))[0])
    for name in _FACTS:
        texts, others = preferred(values(node.get(name), "name", "value", "@id"))
        item.fact(name, ", ".join(texts), name)
        item.translations += [(name, code, text) for code, text in by_language(others).items()]
    for name in _MEASURES:
        for measure in as_list(node.get(name)):
            _add_quantity(item, name, measure, name)
    for name in ("additionalProperty", "hasMeasurement"):
        for pair in as_list(node.get(name)):
            if isinstance(pair, dict):
                label = preferred(values(pair.get("name") or pair.get("propertyID")))[0]
                _add_quantity(item, label[0] if label else "", pair, name)
    for name in _TEXTS:
        texts, others = preferred(values(node.get(name)))
        if texts:
            item.texts["description" if name == "description" else "short description"] = "\n".join(texts)
        item.translations += [(name, code, text) for code, text in by_language(others).items()]
    item.pictures = [said.text for said in values(node.get("image"), "contentUrl", "url", "@id", "thumbnailUrl")]
    return item


def _add_quantity(item: Item, name: str, value: Any, source: str) -> None:
    """State a `QuantitativeValue` or `PropertyValue`, or a plain text such as `12 cm`."""
    if not isinstance(value, dict) or "@value" in value:
        item.fact(name, ", ".join(preferred(values(value))[0]), source)
        return
    texts, others = preferred(values(value.get("value")))
    limits = [said.text for bound in ("minValue", "maxValue") for said in values(value.get(bound))]
    unit = next((said.text for said in values(value.get("unitText"))), "")
    code = next((said.text for said in values(value.get("unitCode"))), "").rpartition("/")[2]
    item.fact(name, ", ".join(texts) or "–".join(limits), source, unit or unit_of(code))
    item.translations += [(name, code, text) for code, text in by_language(others).items()]
