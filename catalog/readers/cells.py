"""Cells: clean text, lists inside one cell, and packed `name:value` facts."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

LIST_SEPARATORS = ("|", ";", ",", "\n", " ")
_PACKED = re.compile(r"^\s*([^:=|\n]{1,40}?)\s*[:=]\s*(\S.*?)\s*$", re.S)
_TAG = re.compile(r"<(?:/?[a-zA-Z][a-zA-Z0-9]*)(?:\s[^<>]*)?/?>")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uff66-\uff9f]")
_BLOCKS = frozenset({"p", "br", "li", "div", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"})


def clean(value: str) -> str:
    """Return text without control and invisible characters, outer blanks and HTML; line breaks stay."""
    text = html_to_text(value) if _TAG.search(value) else value
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    kept = "".join(
        char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")
    )
    return "\n".join(line.strip() for line in kept.strip().split("\n"))


def clean_line(value: str) -> str:
    """Return cleaned text on one line with single blanks, in NFKC."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", clean(value))).strip()


def fact_value(value: str) -> str:
    """Return the value of a fact on one line; one value a line is a list, as shops export several choices."""
    return ", ".join(line for line in map(clean_line, clean(value).split("\n")) if line)


def language(text: str) -> str:
    """Return `ja` for text with kana or kanji, else `en`."""
    return "ja" if _JAPANESE.search(text) else "en"


def split_list(value: str, separator: str | None) -> list[str]:
    """Split a cell by its column's list separator; empty items are left out."""
    items = [value] if separator is None else value.split(separator)
    return [item.strip() for item in items if item.strip()]


def packed_fact(item: str) -> tuple[str, str] | None:
    """Return (name, value) of a packed item such as `brand:Apple` or `size=M`, or None."""
    found = _PACKED.match(item)
    if not found or found[2].startswith("//") or found[1].strip().isdigit():
        return None
    return found[1].strip(), found[2]


def html_to_text(value: str) -> str:
    """Return the text of an HTML fragment; block elements become line breaks, scripts vanish."""
    parser = _TextParser()
    parser.feed(value)
    parser.close()
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


class _TextParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in ("script", "style")))
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)
