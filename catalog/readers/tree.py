"""Records of any shape as trees of dictionaries, lists and text, and the ways (`a.b[lang=en].c`) into them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from catalog.readers.cells import clean
from catalog.readers.json_text import parse_json

Tree = Any
"""dict[str, Tree] | list[Tree] | str | None."""

PARENT = "^"
"""Key under which a record found inside another one holds that outer record."""
MAX_DEPTH = 12
_LANGUAGES = ("@lang", "@language", "@locale", "lang", "locale")
"""Where XML and JSON say which language a text is in."""
_FILTER = re.compile(r"^(?P<key>.*)\[(?P<name>[^=\[\]]+)=(?P<value>[^\[\]]*)\]$")
_MARKUP_KEYS = frozenset(
    {"id", "type", "version", "time", "style", "level", "key", "href", "url", "src", "align", "tag"}
)
_TAG = re.compile(r"</?[A-Za-z_][\w.:-]*(?:\s[^<>]*)?/?>|<[!?][^<>]*>")
_MARKED = re.compile(r"[<&{\[]")
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")


def leaves_at(tree: Tree, way: str) -> list[Tree]:
    """Return what a dotted way reaches, through lists into each of their items; nothing when it leads nowhere."""
    if not way:
        found = _english_first(tree) if isinstance(tree, list) else [tree]
        return [item for item in found if item not in (None, "")]
    if isinstance(tree, list):
        return [leaf for item in _english_first(tree) for leaf in leaves_at(item, way)]
    tree = opened(tree)
    if isinstance(tree, list):
        return leaves_at(tree, way)
    if not isinstance(tree, dict):
        return []
    parts = way.split(".")
    # A column name may itself hold dots, so the longest name that is there wins.
    for length in range(len(parts), 0, -1):
        name, rest = ".".join(parts[:length]), ".".join(parts[length:])
        if name in tree:
            return leaves_at(tree[name], rest)
        if (kept := _filtered(tree, name)) is not None:
            return leaves_at(kept, rest)
    return []


def _filtered(tree: dict[str, Tree], name: str) -> list[Tree] | None:
    """Return the items that pass the filters of `name[a=b][c=d]`; None when it has none, or nothing is called so."""
    wanted = _FILTER.match(name)
    if wanted is None:
        return None
    found = tree[wanted["key"]] if wanted["key"] in tree else _filtered(tree, wanted["key"])
    if found is None:
        return None
    items = found if isinstance(found, list) else [found]
    # In XML the name may be an attribute's.
    names = (wanted["name"], f"@{wanted['name']}")
    return [item for item in items if any(wanted["value"] in map(as_text, leaves_at(item, name)) for name in names)]


def _english_first(items: list[Tree]) -> list[Tree]:
    """Return texts that say their language with the English ones first; others as they are."""
    if len(items) > 1 and any(_language_of(item) for item in items):
        return sorted(items, key=lambda item: not _is_english(item))
    return items


def in_one_language(leaves: list[Tree]) -> list[Tree]:
    """Return values without those that repeat, in another language, what stands there in English too."""
    if len(leaves) < 2 or not any(map(_is_english, leaves)):
        return leaves
    english = [_marks_of(leaf) for leaf in leaves if _is_english(leaf)]
    return [leaf for leaf in leaves if _is_english(leaf) or not _language_of(leaf) or _marks_of(leaf) not in english]


def is_marked_text(tree: Tree) -> bool:
    """Whether an element of XML is a text with attributes and has no others inside."""
    return isinstance(tree, dict) and "#text" in tree and all(key[:1] in "@#" for key in tree if key != PARENT)


def _language_of(item: Tree) -> str:
    if not isinstance(item, dict):
        return ""
    return next((found for key in _LANGUAGES if isinstance(found := item.get(key), str) and found), "")


def _is_english(item: Tree) -> bool:
    return re.split("[-_]", _language_of(item).casefold())[0] in ("en", "eng", "english")


def _marks_of(item: dict[str, Tree]) -> dict[str, Tree]:
    """Return an element's attributes without its language."""
    return {key: value for key, value in item.items() if key.startswith("@") and key not in _LANGUAGES}


def records_at(tree: Tree, way: str) -> list[dict[str, Tree]]:
    """Return the dictionaries a way leads to; `*` takes a dictionary's items as {key, value}.

    Each record holds the one it was found in under `^`.
    """
    found: list[tuple[Tree, dict[str, Tree] | None]] = [(tree, None)]
    for part in way.replace("/", ".").split(".") if way else []:
        inner: list[tuple[Tree, dict[str, Tree] | None]] = []
        for value, outer in _spread(found):
            if not isinstance(value, dict):
                continue
            record = _within(value, outer)
            if part == "*":
                inner += [({"key": key, "value": item}, outer) for key, item in value.items()]
            elif part in value:
                inner.append((value[part], record))
        found = inner
    return [_within(value, outer) for value, outer in _spread(found) if isinstance(value, dict)]


def columns_of(tree: Tree, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """Yield every way into a tree, inner nodes included; lists count as one."""
    if isinstance(tree, list):
        for item in tree:
            yield from columns_of(item, prefix, depth)
    elif isinstance(tree, dict) and depth < MAX_DEPTH:
        for key, value in tree.items():
            if key != PARENT:
                yield f"{prefix}{key}"
                yield from columns_of(value, f"{prefix}{key}.", depth + 1)


def as_text(leaf: Tree) -> str:
    """Return a value as clean text: rich-text trees, JSON in text, HTML and escaped HTML lose their markup."""
    if type(leaf) is str and leaf.isprintable() and not _MARKED.search(leaf):
        return leaf.strip()  # nearly every cell
    tree = opened(leaf)
    if isinstance(tree, (dict, list)):
        return "\n".join(text for text in _written_in(tree) if text)
    text = str(tree or "")
    # Only what ends in `;`, or the `&copy=` of a web address would become a sign.
    text = clean(_ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text)
    if text.startswith("<") and text.endswith(">"):
        # XML of somebody's own, whose tags HTML does not know.
        lines = (line.strip() for line in _TAG.sub("\n", text).split("\n"))
        return "\n".join(line for line in lines if line)
    return text


def opened(tree: Tree) -> Tree:
    """Return the tree that a text holds as JSON, else the tree itself."""
    if not isinstance(tree, str) or tree.lstrip()[:1] not in ("{", "["):
        return tree
    try:
        value = parse_json(tree)
    except ValueError:
        return tree
    return value if isinstance(value, (dict, list)) else tree


def _written_in(tree: Tree) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key.casefold() not in _MARKUP_KEYS and not key.startswith(("@", PARENT)):
                yield from _written_in(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from _written_in(item)
    elif isinstance(tree, str):
        yield as_text(tree)


def _spread(found: list[tuple[Tree, dict[str, Tree] | None]]) -> Iterator[tuple[Tree, dict[str, Tree] | None]]:
    for value, outer in found:
        if isinstance(value, list):
            yield from ((item, outer) for item in value)
        else:
            yield value, outer


def _within(record: dict[str, Tree], outer: dict[str, Tree] | None) -> dict[str, Tree]:
    return record if outer is None or PARENT in record else {**record, PARENT: outer}
