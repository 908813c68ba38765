"""Cells: clean text, lists inside one cell, and packed `name:value` facts.

Every cell of every table passes here, so ordinary text takes a short way, and no text takes more than linear time.
"""

from __future__ import annotations

import re
import unicodedata

from catalog.readers.markup import decode_entities, html_to_text, strip_tags

__all__ = [
    "LIST_SEPARATORS",
    "clean",
    "clean_line",
    "fact_value",
    "html_to_text",
    "language",
    "packed_fact",
    "split_list",
]

LIST_SEPARATORS = ("|", ";", ",", "\n", " ")
_MAX_LABEL_CHARS = 40
_LAYERS = 4
_JAPANESE = re.compile(r"[\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uff66-\uff9f]")
_LABEL_END = re.compile(r"[:=：|\n]")
# Control, format, private and surrogate characters: the categories Cc, Cf, Co and Cs without tab and line breaks.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u2064\u2066-\u206f\ud800-\uf8ff\ufeff\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
    "\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)
# Vertical tab is a line break inside a cell of several database programs; U+2028 and U+2029 are meant as such.
_BREAKS = re.compile("\r\n?|[\x0b\x0c\u2028\u2029]")

# --- what NFKC must not lose ---------------------------------------------------------------------

_LOSSY = re.compile("[\u00b2\u00b3\u00b9\u2070-\u207f\u2122\u00a8\u00af\u00b4\u00b8\u02d8-\u02dd\u309b\u309c]+")
"""Superscripts, the trade mark, spacing accents: NFKC would make 102 of 10², and AcmeTM of Acme™."""
_SPECIAL = re.compile(
    "[\u00b2\u00b3\u00b9\u2070-\u207f\u2122\u00a8\u00af\u00b4\u00b8\u02d8-\u02dd\u309b\u309c\u00bc-\u00be\u2150-\u215f"
    "\u2189\u3397-\u33a5\u2010\u2011\u2015\u2044\u2212\uff0d\uff5e\ufe00-\ufe0f\U000e0100-\U000e01efº]"
)
_LONE_MARK = re.compile("(?<![\u3041-\u30ff\uff66-\uff9f])[ー\uff70]")
"""A long-vowel mark with no kana before it, which was meant as a hyphen."""
_BEFORE = str.maketrans(
    {"㎟": "mm²", "㎠": "cm²", "㎡": "m²", "㎢": "km²", "㎣": "mm³", "㎤": "cm³", "㎥": "m³", "㎦": "km³"}
    | {"－": "−", "～": "〜"}
    | {chr(selector): "" for selector in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}
)
_FRACTION = re.compile("(\\d?)([\u00bc-\u00be\u2150-\u215e\u2189])")
_DEGREES = re.compile("(?<=\\d)º")
_LONG_VOWEL = re.compile("(?<=[ァ-ヺ])[−‐―](?=[ァ-ヺ])")
_HYPHEN = re.compile("(?<=[A-Za-z0-9])ー(?=[A-Za-z0-9])|[−‐\u2011]")


def clean(value: str) -> str:
    """Return text without HTML, control and invisible characters and outer blanks; line breaks stay.

    The result is never longer than `value`, and cleaning it again changes nothing. Letters keep their width.
    """
    if value.isprintable() and not _may_hold_markup(value):
        return value.strip()
    text = value
    for _ in range(_LAYERS):
        before = text
        text = _INVISIBLE.sub("", _BREAKS.sub("\n", text)).replace("\u00a0", " ")
        if _may_hold_markup(text):
            text = decode_entities(strip_tags(text))
        if text == before:
            break
    else:
        # Only malice packs markup this deep: without these two characters nothing can unfold any more.
        text = _INVISIBLE.sub("", _BREAKS.sub("\n", text)).replace("\u00a0", " ").replace("<", "").replace("&", "")
    text = text.strip()
    return "\n".join(line.strip() for line in text.split("\n")) if "\n" in text else text


def clean_line(value: str) -> str:
    """Return cleaned text on one line with single blanks, in NFKC as far as that keeps the meaning.

    Superscripts stay (10² is not 102), fractions become `1/2`, wave dashes and minus signs one form each.
    """
    if value.isascii() and value.isprintable() and not _may_hold_markup(value):
        return " ".join(value.split()) if "  " in value else value.strip()
    text = clean(value)
    for _ in range(_LAYERS):
        if text.isascii():
            break
        before, text = text, _compatible(text)
        if text == before or not _may_hold_markup(text):
            break
        text = clean(text)  # full-width brackets have become ones that may be tags
    return " ".join(text.split())


def fact_value(value: str) -> str:
    """Return the value of a fact on one line; one value a line is a list, as shops export several choices."""
    if value.isprintable() and not _may_hold_markup(value):
        return clean_line(value)
    return ", ".join(line for line in map(clean_line, clean(value).split("\n")) if line)


def language(text: str) -> str:
    """Return `ja` for text with kana or kanji, else `en`."""
    return "ja" if not text.isascii() and _JAPANESE.search(text) else "en"


def split_list(value: str, separator: str | None) -> list[str]:
    """Split a cell by its column's list separator; empty items are left out."""
    items = [value] if separator is None else value.split(separator)
    return [item.strip() for item in items if item.strip()]


def packed_fact(item: str) -> tuple[str, str] | None:
    """Return (name, value) of a packed item such as `brand:Apple`, `size=M` or `素材：木`, or None."""
    item = item.strip()
    end = _LABEL_END.search(item, 0, _MAX_LABEL_CHARS + 10)
    if end is None or end[0] in "|\n":
        return None
    name, value = item[: end.start()].strip(), item[end.end() :].strip()
    if not name or not value or len(name) > _MAX_LABEL_CHARS or name.isdigit() or value.startswith("//"):
        return None
    return name, value


def _may_hold_markup(text: str) -> bool:
    return ("<" in text and ">" in text) or ("&" in text and ";" in text)


def _compatible(text: str) -> str:
    marked = ("ー" in text or "\uff70" in text) and _LONE_MARK.search(text) is not None
    if not marked and not _SPECIAL.search(text):
        return unicodedata.normalize("NFKC", text)
    text = _FRACTION.sub(_as_division, _DEGREES.sub("°", text.translate(_BEFORE)))
    parts: list[str] = []
    position = 0
    for kept in _LOSSY.finditer(text):
        parts += unicodedata.normalize("NFKC", text[position : kept.start()]), kept[0]
        position = kept.end()
    parts.append(unicodedata.normalize("NFKC", text[position:]))
    text = "".join(parts).replace("\u2044", "/")
    return _HYPHEN.sub("-", _LONG_VOWEL.sub("ー", text))


def _as_division(found: re.Match[str]) -> str:
    division = unicodedata.normalize("NFKC", found[2]).replace("\u2044", "/")
    return f"{found[1]} {division}" if found[1] else division
