"""Lists that shop systems write into one cell: links, ways through categories, and commas that are part of a value."""

from __future__ import annotations

import re
from collections.abc import Iterable

from catalog.readers.cells import clean_line

_NEXT_LINK = re.compile(r"\s*,\s*(?=(?:https?:)?//)", re.I)
_COMMA = re.compile(r"(?<!\\),")


def split_links(written: str) -> list[str]:
    """Split a comma list of links or paths; a comma inside a web address does not part it."""
    pieces = _NEXT_LINK.split(written) if "//" in written else split_escaped(written)
    return [piece.strip() for piece in pieces if piece.strip()]


def split_escaped(written: str) -> list[str]:
    r"""Split a comma list in which `\,` is a comma of a value."""
    pieces = (piece.replace("\\,", ",").strip() for piece in _COMMA.split(written))
    return [piece for piece in pieces if piece]


def deepest(ways: Iterable[str], mark: str = ">") -> str:
    """Return the way with most steps, the first of equals, written `A > B`."""
    named = [[step for part in way.split(mark) if (step := clean_line(part))] for way in ways]
    longest = max(named, key=len, default=[])
    return " > ".join(longest)
