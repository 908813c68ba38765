"""What exports of Japanese malls and carts share: full-width headers, numbered columns, facts written into HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from catalog.attribute_slots import SLOTS, slot_of
from catalog.errors import PathRefused
from catalog.paths import IMAGE_SUFFIXES
from catalog.readers.cells import clean, clean_line
from catalog.readers.draft import DraftProduct, DraftVariant
from catalog.readers.drafting import Drafting, NamedRow

_CELLS = re.compile(r"<t[hd]\b[^>]*>(.*?)</t[hd]>\s*<td\b[^>]*>(.*?)</td>", re.S | re.I)
_LINE = re.compile(r"^[■□●○・◆◇▼▽*※\-\s]*[【\[]?\s*([^:：【】\[\]\s][^:：【】\[\]]{0,11}?)\s*[】\]]?\s*[:：]\s*(\S.*)$")
_HEADED = re.compile(r"^[■□●○・◆◇▼▽*\s]*[【\[]\s*([^:：【】\[\]]{1,12}?)\s*[】\]]\s*(\S.*)$")
_SEVERAL = re.compile(r"[、,/|・]|または|からお選び")
_MOST_FACT_CHARS = 80
_NOTHING = frozenset({"-", "‐", "－", "ー", "―", "なし", "無し"})
"""What shops write into a cell that must not stay empty."""


def column_name(header: str) -> str:
    """Return a header in NFKC, so that full-width brackets and digits compare as half-width ones."""
    return unicodedata.normalize("NFKC", header).strip()


def has_columns(headers: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether a table has all of some columns, whatever the width of their letters."""
    return set(wanted) <= {column_name(header) for header in headers}


def numbered(row: NamedRow, pattern: str, most: int) -> Iterator[tuple[int, str]]:
    """Yield (number, cell) of the filled columns of `pattern`, in which `{}` stands for 1, 2, 3."""
    for number, column in _columns(pattern, most):
        if column in row.columns and (cell := row[column]):
            yield number, cell


@lru_cache(maxsize=32)
def _columns(pattern: str, most: int) -> tuple[tuple[int, str], ...]:
    return tuple((number, pattern.format(number)) for number in range(1, most + 1))


def is_stated(value: str) -> bool:
    """Whether a cell says something, and is not the dash of a cell that had to be filled."""
    return bool(value.strip()) and value.strip() not in _NOTHING


def add_facts(owner: DraftProduct | DraftVariant, row: NamedRow, columns: Iterable[str], drafting: Drafting) -> None:
    """Add a row's facts: the columns named, and any other whose name says that it shows in a picture."""
    listed = tuple(columns)
    for column, value in row.items():
        if (column in listed or slot_of(column) in SLOTS) and is_stated(value):
            drafting.fact(owner, column, value, column)


def add_text(product: DraftProduct, column: str, html: str, drafting: Drafting) -> None:
    """Add running text, and the facts it states as a table or as lines `素材：陶器`, which is where malls keep them."""
    # The two cells of a table's line must not grow together to one word.
    lines = _CELLS.sub(r"<br>\1: \2<br>", html)
    drafting.text(product, column, lines, column)
    for line in clean(lines).split("\n"):
        found = _LINE.match(line) or _HEADED.match(line)
        if found is None:
            continue
        name, value = clean_line(found[1]), clean_line(found[2])
        slot = slot_of(name)
        # Several colours in a text are those one may choose from, and no picture shows them all.
        choice = slot == "colour" and _SEVERAL.search(value) is not None
        if slot is not None and not choice and is_stated(value) and len(value) <= _MOST_FACT_CHARS:
            drafting.fact(product, name, value, column)


def first_there(names: Iterable[str], row: NamedRow, drafting: Drafting) -> str:
    """Return the first of several sizes of one picture that is in the dump; the first name when none is."""
    given = [name for name in names if name]
    folder = row.place.file.rpartition("/")[0]
    for name in given:
        try:
            if drafting.dump.resolve(name, folder=folder, suggest=False).suffix in IMAGE_SUFFIXES:
                return name
        except PathRefused:
            continue
    return next(iter(given), "")


def category_of(path: str, separators: str) -> str:
    """Return the deepest of the categories, one a line, as `家具 > 椅子`."""
    ways: list[list[str]] = [
        [clean_line(part) for part in re.split(separators, line) if part.strip()] for line in path.split("\n")
    ]
    deepest: list[str] = max(ways, key=len, default=[])
    return " > ".join(deepest)
