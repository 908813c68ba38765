"""Keys of digits in file names: trade numbers (GTIN) in their lengths, and what only looks like one."""

from __future__ import annotations

import re

from catalog.readers.refine import check_digit_fits

_LENGTHS = frozenset({8, 12, 13, 14})
_DATE = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?", re.A
)
"""A day, or a moment, as cameras and telephones write it."""
_NUMBERS = re.compile(r"[0-9]+")


def is_number(text: str) -> bool:
    """Whether a text is ASCII digits only."""
    return text.isascii() and text.isdigit()


def is_date(digits: str) -> bool:
    """Whether digits read as a day or moment such as `20240101`, `202401011200` or `20240101120000`."""
    return _DATE.fullmatch(digits) is not None


def is_gtin(text: str) -> bool:
    """Whether a text is a GTIN of 8, 12, 13 or 14 digits with the right check digit, and no date of a camera."""
    return is_number(text) and len(text) in _LENGTHS and not is_date(text) and check_digit_fits(text)


def same_key(key: str) -> str:
    """Return a key for comparison: case folded, and a trade number in 14 digits, for leading zeros come and go."""
    if is_number(key) and (is_gtin(key) or 12 <= len(key) <= 14):
        return key.zfill(14)
    return key.casefold()


def gtin_in(text: str) -> str | None:
    """Return the one GTIN that stands in a text as a number of its own, in 14 digits; None for none or several."""
    found = {number.zfill(14) for number in _NUMBERS.findall(text) if is_gtin(number)}
    return found.pop() if len(found) == 1 else None
