"""JSON-LD in files and in the scripts of HTML pages → the product nodes of schema.org, references resolved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from catalog.paths import Dump, DumpFile
from catalog.phrases import say
from catalog.readers.encoding import decode_text
from catalog.readers.json_text import parse_json
from catalog.readers.translated import Said

JSON_SUFFIXES = frozenset({".json", ".jsonld", ".jsonl", ".ndjson"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
PRODUCTS = frozenset({"product", "productmodel", "individualproduct", "someproducts", "productgroup"})
Node = dict[str, Any]
Problem = Callable[[int | None, str], None]
"""Called with the line and what is wrong."""
MAX_BYTES = 256 << 20
_HEAD_BYTES = 1 << 20
_MOST_DEPTH = 30
_MOST_OBJECTS = 8
_OTHERS = frozenset(
    {
        "isrelatedto",
        "issimilarto",
        "isaccessoryorsparepartfor",
        "isconsumablefor",
        "review",
        "offers",
        "aggregaterating",
    }
)
_REFERENCE = frozenset({"@id", "@type", "@context", "url"})
"""A node that says no more refers to another page."""
_TYPED = re.compile(rb'"@(?:type|graph)"')


@dataclass(frozen=True)
class FoundNode:
    """A product node and the file it is in."""

    file: str
    node: Node
    group: Node | None = None
    """The group that holds it as one of its variants."""


def files_with_products(dump: Dump, suffixes: frozenset[str]) -> list[DumpFile]:
    """Return the files that look like they hold JSON-LD, by their bytes."""
    found = []
    for file in dump.with_suffix(suffixes):
        try:
            head = file.read(MAX_BYTES if file.suffix in HTML_SUFFIXES else _HEAD_BYTES)
        except OSError:
            continue  # the dump says so itself
        if b"Product" in head and (b"ld+json" in head if file.suffix in HTML_SUFFIXES else _TYPED.search(head)):
            found.append(file)
    return found


def product_nodes(file: DumpFile, encoding: str | None, problem: Problem) -> list[FoundNode]:
    """Return the product nodes of a file in their order; a group comes before its variants."""
    data = file.read(MAX_BYTES)
    if len(data) > MAX_BYTES:
        problem(None, say("larger than {limit} MiB; split it", limit=MAX_BYTES >> 20))
        return []
    text, _ = decode_text(data, encoding)
    documents: list[Any] = []
    for line, written in _documents(file, text):
        try:
            documents.append(parse_json(written, strict=False))
        except ValueError as error:
            problem(line + getattr(error, "lineno", 1) - 1, say("no JSON-LD: {error}", error=str(error)))
    named: dict[str, Node] = {}
    _index(documents, named, 0)
    found: dict[int, tuple[Node, Node | None]] = {}
    for node, group in _products(documents, named, None, set()):
        # A variant stands in the graph and is referred to by its group, in either order.
        _, known = found.get(id(node), (node, None))
        found[id(node)] = (node, known or group)
    return [
        FoundNode(file.path, _whole(node, named), None if group is None else _whole(group, named))
        for node, group in found.values()
    ]


def _documents(file: DumpFile, text: str) -> Iterator[tuple[int, str]]:
    if file.suffix in HTML_SUFFIXES:
        parser = _Scripts()
        parser.feed(text)
        parser.close()
        yield from ((line, _bare(script)) for line, script in parser.scripts if script.strip())
    elif file.suffix in (".jsonl", ".ndjson"):
        yield from ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    else:
        yield 1, text


def _bare(script: str) -> str:
    """Return a script without the comment or CDATA marks that old pages put around it."""
    script = re.sub(r"^\s*(?:<!--|(?://|/\*)?\s*<!\[CDATA\[\s*(?:\*/)?)", "", script)
    return re.sub(r"(?:-->|(?://|/\*)?\s*\]\]>\s*(?:\*/)?)\s*;?\s*$", "", script).strip().rstrip(";")


class _Scripts(HTMLParser):
    """Collects the JSON-LD scripts of a page with the lines they begin on."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[tuple[int, str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").partition(";")[0].strip().lower()
        self._inside = tag == "script" and kind == "application/ld+json"
        if self._inside:
            self.scripts.append((self.getpos()[0], ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            line, before = self.scripts[-1]
            self.scripts[-1] = (line, before + data)


def types(node: Node) -> set[str]:
    """Return a node's types in lower case, without `http://schema.org/`."""
    return {said.text.rpartition("/")[2].rpartition(":")[2].lower() for said in values(node.get("@type"))}


def _index(tree: Any, named: dict[str, Node], depth: int) -> None:
    if depth > _MOST_DEPTH:
        return
    if isinstance(tree, dict):
        if isinstance(tree.get("@id"), str) and len(tree) > len(named.get(tree["@id"], {"@id": ""})):
            named[tree["@id"]] = tree
        for value in tree.values():
            _index(value, named, depth + 1)
    elif isinstance(tree, list):
        for value in tree:
            _index(value, named, depth + 1)


def _products(
    tree: Any, named: dict[str, Node], group: Node | None, seen: set[int], depth: int = 0
) -> Iterator[tuple[Node, Node | None]]:
    """Yield (product, its group); what a page says of related products is theirs and not read.

    References go round in circles in many shops' graphs, so that no node is entered twice.
    """
    if depth > _MOST_DEPTH:
        return
    if isinstance(tree, list):
        for value in tree:
            yield from _products(value, named, group, seen, depth + 1)
    elif isinstance(tree, dict):
        node = resolved(tree, named)
        is_product = bool(types(node) & PRODUCTS)
        if is_product and set(node) - _REFERENCE:
            yield node, group
        if id(node) in seen:
            return
        seen.add(id(node))
        if not is_product:
            for name, value in node.items():
                if name.lower() not in _OTHERS:
                    yield from _products(value, named, None, seen, depth + 1)
            return
        yield from _products(node.get("hasVariant"), named, node, seen, depth + 1)
        for parent in as_list(node.get("isVariantOf")):
            # Its own node is met where it stands; here it only may bring further variants.
            if isinstance(parent, dict) and parent.get("hasVariant"):
                yield from _products(parent["hasVariant"], named, parent, seen, depth + 1)


def resolved(node: Node, named: dict[str, Node]) -> Node:
    """Return the node that a bare `{"@id": …}` refers to in the same file, or itself."""
    return named.get(node["@id"], node) if set(node) <= {"@id", "@type"} and isinstance(node.get("@id"), str) else node


def _whole(node: Node, named: dict[str, Node]) -> Node:
    """Return a node with the references in its own values resolved."""
    return {name: _followed(value, named) for name, value in node.items()}


def _followed(value: Any, named: dict[str, Node]) -> Any:
    if isinstance(value, dict):
        return resolved(value, named)
    if isinstance(value, list):
        return [resolved(item, named) if isinstance(item, dict) else item for item in value]
    return value


def as_list(value: Any) -> list[Any]:
    """Return a value, or the values of a list or of `{"@list": …}`, as a list; nothing for null."""
    if isinstance(value, dict) and "@list" in value:
        value = value["@list"]
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def values(value: Any, *keys: str, depth: int = 0) -> list[Said]:
    """Return the texts of a value that may be a scalar, a list, an object or a list of objects.

    Args:
        value: What the node has.
        keys: Which of an object's values is its text; default is its name.
        depth: How deep inside the value this is; beyond a few objects there is no text of it.
    """
    found: list[Said] = []
    for item in as_list(value) if depth < _MOST_OBJECTS else []:
        if isinstance(item, bool):
            found.append(Said("", "yes" if item else "no"))
        elif isinstance(item, str):
            found.append(Said("", item.strip()))
        elif isinstance(item, dict) and isinstance(item.get("@value"), str):
            found.append(Said(str(item.get("@language") or ""), item["@value"].strip()))
        elif isinstance(item, dict):
            inner = next((item[key] for key in (keys or ("name", "value")) if item.get(key)), None)
            found += values(inner, depth=depth + 1)
    return [said for said in found if said.text]
