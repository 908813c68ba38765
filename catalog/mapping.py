"""`mapping.toml`: which files of a dump are tables, how they join, and what their columns mean.

A person writes it for a dump that cannot be read by evidence alone; the evidence reader writes one too, which is what
it reads by. `catalog/README.md` explains the language with examples.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from catalog.phrases import say

FILE_NAME = "mapping.toml"
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_BLANK = "\0"
_BLANK_IN_BRACKETS = re.compile(f"[(（\\[]{_BLANK}[)）\\]]")
_BLANK_AT_START = re.compile(rf"^(?:\s*{_BLANK}[\s>/|,;:·–-]*)+")
_BLANK_AT_END = re.compile(rf"(?:[\s>/|,;:·–-]*{_BLANK}\s*)+$")
_BLANK_BETWEEN = re.compile(rf"\s*{_BLANK}\s*")
EVERY_COLUMN = "*"
OWN_FILE = "$file"
"""Stands for the path of the file that holds a record."""
PICTURES, TEXTS = "pictures", "texts"


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """Where the records of a table come from."""

    files: tuple[str, ...]
    """Paths in the dump, or globs; what they name is read as one table."""
    sheets: tuple[str, ...] = ()
    """Names of a workbook's sheets that are meant; empty for all."""
    rows: str = ""
    """Way to the records inside JSON or XML, such as `catalog.items`; `*` for `{key: value}`, `.` for the whole."""
    flat: bool = False
    """Whether JSON objects are rows: inner names joined by dots, and variants as rows below their product's."""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns and the values of which a record must have one; a value after `!` is one it must not have."""
    split: str | None = None
    """Column by whose values the records fall into tables of these names; of `shop.product` the last part counts."""
    header: tuple[str, ...] = ()
    """Column names of a file without header row."""
    separator: str | None = None
    """Between cells; of one or more characters."""
    row_end: str | None = None
    """After each row, before its line break; such files quote nothing."""
    quotes: bool = True
    """Whether `"` encloses cells."""
    skip: int = 0
    """Lines before the header."""
    comment: str | None = None
    """What lines that are no rows begin with."""
    encoding: str | None = None


@dataclass(frozen=True, kw_only=True)
class FieldSpec:
    """How a value is made from a record: a column, a text with `{column}` in it, or a constant."""

    text: str
    columns: tuple[str, ...]
    """Empty for a constant."""
    separator: str | None = None
    """Splits one cell into several values."""
    match: re.Pattern[str] | None = None
    """Keeps the first group, or the whole match, of each value; values without a match are left out."""
    packed: str | None = None
    """Sign between name and value of facts packed into one cell; "" for `:` or `=`, whichever is there."""
    names: str | None = None
    """Column that holds the names of these values, in the same order."""
    blanks: str = ""
    """Characters that stand for blanks."""
    values: tuple[tuple[str, str], ...] = ()
    """What a written value stands for."""
    file: bool = False
    """Whether the value names a text file whose content is meant."""
    others: tuple[FieldSpec, ...] = ()
    """Used in turn where this one is empty."""

    def fill(self, values: Sequence[str]) -> str:
        """Return the text with one value for each of `columns`; an empty one goes with what only parted it."""
        if not self.columns or self.text == self.columns[0]:
            return values[0] if values else self.text
        given = iter(values)
        filled = PLACEHOLDER.sub(lambda _: next(given) or _BLANK, self.text)
        if _BLANK not in filled:
            return filled
        filled = _BLANK_IN_BRACKETS.sub(_BLANK, filled)
        filled = _BLANK_AT_END.sub("", _BLANK_AT_START.sub("", filled))
        return _BLANK_BETWEEN.sub(lambda blank: " " if blank[0] != _BLANK else "", filled)

    @property
    def is_column(self) -> bool:
        """Whether the value is a column's as it stands there."""
        plain = not (self.separator or self.match or self.blanks or self.values or self.others)
        return plain and len(self.columns) == 1 and self.text == self.columns[0]


@dataclass(frozen=True, kw_only=True)
class EntitySpec:
    """Products or variants: a table and what its columns hold."""

    table: str
    key: FieldSpec | None = None
    name: FieldSpec | None = None
    product: FieldSpec | None = None
    """Of a variant: what names its product; None where the rows of the product's own table are its variants."""
    category: FieldSpec | None = None
    text: tuple[FieldSpec, ...] = ()
    attributes: tuple[tuple[str, FieldSpec], ...] = ()
    """(name of the fact, value); an empty name is taken from the column."""
    images: tuple[FieldSpec, ...] = ()
    continued: bool = False
    """Whether rows without key and name say more about the product of the row above."""
    files: tuple[str, ...] = ()
    """`pictures`: products without any get the files named after them. `texts`: they get the files beside theirs."""


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """Facts, pictures or texts that stand in a table of their own, one a record."""

    kind: str
    """`attributes`, `images` or `texts`."""
    table: str
    value: FieldSpec
    name: FieldSpec | None = None
    product: FieldSpec | None = None
    variant: FieldSpec | None = None


@dataclass(frozen=True, kw_only=True)
class MappingSpec:
    """A whole mapping file."""

    origin: str
    """Where it was read, for messages."""
    tables: Mapping[str, TableSpec] = field(default_factory=dict)
    joins: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(table, column) → the (table, column) its values are from."""
    products: tuple[EntitySpec, ...] = ()
    variants: tuple[EntitySpec, ...] = ()
    children: tuple[ChildSpec, ...] = ()
    encoding: str | None = None
    reader: str | None = None
    """Name of the format reader to use; then nothing else is said."""


def near(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean ...?` for the closest known name, or the first names there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    ending = [other for other in names if other.casefold().endswith(f".{name.casefold()}")]
    if close or ending:
        likely = dict.fromkeys(close + ending[:2])
        return say("; did you mean {close}?", close=reduce(_either, likely))
    if not names:
        return ""
    return say("; there are {names}{more}", names=", ".join(names[:8]), more=say(" and more") if len(names) > 8 else "")


def _either(first: str, second: str) -> str:
    return say("{first} or {second}", first=first, second=second)
