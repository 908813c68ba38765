"""What the name of a picture file says: whose picture it is, which view, and in what order.

GS1 names (`04912345678904_A1N1`, planograms `4912345678904.1`), marketplace names (`4912345678904.MAIN`),
counted names (`code`, `code_1` to `code_20`) and named views (`mug-front`). A dot and a number mean
a view only behind a GTIN: `AB.12` and `AB.13` are two products. Keys of digits only are told from a
camera's counters and dates by their check digit, or by the views that several of them have.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from catalog.readers.trade_keys import is_date, is_gtin, is_number

VIEW_WORDS = r"front|back|side|main|top|bottom|left|right|detail|inside|open|closed|image|img|photo|pic|dsc\w?|view"
MAX_VIEWS = 20
"""Numbers that run to more than this count products and not views; Yahoo allows twenty."""
_GTIN = r"\d{8}|\d{12,14}"
_GS1 = re.compile(rf"^({_GTIN})_([A-E])(\d)([CLRNS])(\w{{0,3}})$", re.I)
_PLANOGRAM = re.compile(rf"^({_GTIN})\.([1-9])$")
_BEHIND_GTIN = re.compile(rf"^({_GTIN})[ _\-.(]+(.+)$", re.A)
_MARKET = re.compile(r"^(.*\w)\.(MAIN|PT\d{1,2}|SWCH|FRONT|BACK|SIDE|TOP|BOTTOM|LEFT|RIGHT)$", re.I)
_WORD = re.compile(rf"^(.*?)[ _\-.]+({VIEW_WORDS}|[a-e]\d[clrns]\d)$", re.I)
_COUNTED = re.compile(r"^(.*?)[ _\-]*(?:[ _\-]0*(\d{1,4})|\(0*(\d{1,4})\))$")
_LETTERED = re.compile(r"^(.*\d)([A-F])$")
_ONLY_VIEW = re.compile(rf"^(?:{VIEW_WORDS})?[ _\-.]*\(?\d*\)?$", re.I)
_VIEW_IN = re.compile(rf"(?<![a-z])({VIEW_WORDS})(?![a-z])", re.I)
_GS1_VIEW = re.compile(r"([a-e])(\d)[clrns]\d")
_CAMERA_WORDS = re.compile(r"image|img|photo|pic|dsc\w?", re.I)
_LEAST_DIGITS = 4
"""Of a key that is told by small counters alone: a camera's `100_0001` is a folder and a counter."""
_FACINGS = {"1": "front", "2": "left", "3": "top", "7": "back", "8": "right", "9": "bottom"}
_FIRST_VIEWS = ("main", "front")
_LAST_VIEWS = ("left", "right", "side", "top", "bottom", "back", "detail", "inside")


@dataclass(frozen=True)
class PictureName:
    """A file name taken apart."""

    key: str
    """What it shares with other pictures of the product."""
    view: str = ""
    """`front`, `back`, … where the name says so."""
    order: tuple[int, int] = (0, 0)
    """Sorts the pictures of one product, the one that shows it best first."""


def certain(stem: str) -> PictureName | None:
    """Return what a name says that follows a standard by itself, without its neighbours; else None."""
    if found := _GS1.match(stem):
        kind, facing = found[2].upper(), found[3]
        return PictureName(
            found[1], _FACINGS.get(facing, ""), (ord(kind) - ord("A"), int(facing) if facing != "0" else 10)
        )
    if found := _PLANOGRAM.match(stem):
        return PictureName(found[1], _FACINGS.get(found[2], ""), (0, int(found[2])))
    if found := _MARKET.match(stem):
        word = found[2].lower()
        return PictureName(found[1], "" if word[0] == "p" or word == "swch" else word, _order_of(word))
    return None


def is_only_view(stem: str) -> bool:
    """Whether a name says which view it is, or that a camera made it, and not of what."""
    return bool(_ONLY_VIEW.match(stem)) and not is_gtin(stem)


def group(stems: Iterable[str], told: Collection[str] = ()) -> dict[str, PictureName]:
    """Say for each stem of one folder what it shows.

    Args:
        stems: Names without suffix.
        told: Names that have a text of their own, which therefore are products.

    Returns:
        The parts of each name; names of one product have one key.
    """
    stems = list(stems)
    whole = set(stems)
    views = {stem: _WORD.match(stem) for stem in stems}
    counted = _by_base(stems, _COUNTED)
    lettered = _by_base(stems, _LETTERED)
    numeric = _numeric_keys(whole, told, views, counted)
    return {stem: _named(stem, whole, told, numeric, views[stem], counted, lettered) for stem in stems}


def _named(
    stem: str,
    whole: Collection[str],
    told: Collection[str],
    numeric: Collection[str],
    view: re.Match[str] | None,
    counted: dict[str, dict[str, int]],
    lettered: dict[str, dict[str, int]],
) -> PictureName:
    alone = PictureName(stem)
    if (trade := _behind_gtin(stem)) is not None:
        return trade
    if stem in told or stem in numeric:
        return alone
    if is_only_view(stem):
        word, number = stem.lower(), re.sub(r"\D", "", stem)
        return PictureName(stem, "", (1, int(number))) if number else PictureName(stem, word, _order_of(word))
    if (standard := certain(stem)) is not None:
        return standard
    # A camera's IMG_0001 and IMG_0002 share no more than the camera.
    if view is not None:
        camera = is_only_view(view[1]) and view[1] not in numeric
        return alone if camera else PictureName(view[1], view[2].lower(), _order_of(view[2].lower()))
    for found, bases in ((_COUNTED.match(stem), counted), (_LETTERED.match(stem), lettered)):
        if found is None or (is_only_view(found[1]) and found[1] not in numeric):
            continue
        numbers = bases[found[1]]
        # `pump-200` and `pump-300` are two products unless there is a `pump`, or they are counted from 1.
        if found[1] in whole or found[1] in told or found[1] in numeric or _runs(numbers.values()):
            return PictureName(found[1], "", (1, numbers[stem]))
    return alone


def _behind_gtin(stem: str) -> PictureName | None:
    """Return what a name says that begins with a GTIN: whatever follows is a view of that one trade item."""
    if (standard := certain(stem)) is not None:
        return standard if is_gtin(standard.key) else None
    found = _BEHIND_GTIN.match(stem)
    if found is None or not is_gtin(found[1]):
        return None
    number = re.sub(r"\D", "", found[2])
    # A long number behind eight digits is a time or a camera's counter.
    if is_number(found[2].rstrip(")")) and (len(number) > 3 or int(number) > MAX_VIEWS):
        return None
    if (word := _VIEW_IN.search(found[2])) or _GS1_VIEW.fullmatch(found[2].lower()):
        view = (word[1] if word else found[2]).lower()
        return PictureName(found[1], view, _order_of(view))
    return PictureName(found[1], "", (1, int(number)) if number and number.isascii() else _order_of(found[2].lower()))


def _numeric_keys(
    whole: Collection[str],
    told: Collection[str],
    views: dict[str, re.Match[str] | None],
    counted: dict[str, dict[str, int]],
) -> set[str]:
    """Return the bases of digits only that are products: several views of one, and its neighbours of its length."""
    seen: dict[str, set[str]] = {}
    for found in views.values():
        camera = found is not None and is_date(found[1]) and _CAMERA_WORDS.fullmatch(found[2])
        if found is not None and is_number(found[1]) and not camera:
            seen.setdefault(found[1], set()).add(found[2].lower())
    small = {base: stems for base, stems in counted.items() if _is_counted_key(base, stems)}
    for base, stems in small.items():
        if base in whole or base in told or base in seen or _runs(stems.values()):
            seen.setdefault(base, set()).update(map(str, stems.values()))
    sure = {base for base, found in seen.items() if len(found) + (base in whole) > 1 or base in told}
    lengths = {len(base) for base in sure}
    # `10023_front` and `10024_front`: one view each, and the same.
    same = [base for base in seen if len(base) >= _LEAST_DIGITS]
    if len(same) > 1 and len({len(base) for base in same}) == 1 and set.intersection(*(seen[base] for base in same)):
        lengths.add(len(same[0]))
    return sure | {base for base in {*seen, *small} if len(base) in lengths}


def _is_counted_key(base: str, stems: Iterable[str]) -> bool:
    if not is_number(base) or len(base) < _LEAST_DIGITS or is_date(base):
        return False
    return all(len(re.sub(r"\D", "", stem[len(base) :])) <= 2 for stem in stems)


def _by_base(stems: Iterable[str], pattern: re.Pattern[str]) -> dict[str, dict[str, int]]:
    """Return base → stem → number, of the names that end in a number or letter."""
    bases: dict[str, dict[str, int]] = {}
    for stem in stems:
        if found := pattern.match(stem):
            end = next(part for part in found.groups()[1:] if part)
            number = int(end) if end.isdigit() else ord(end) - ord("A") + 1
            bases.setdefault(found[1], {})[stem] = number
    return bases


def _runs(numbers: Iterable[int]) -> bool:
    found = sorted(set(numbers))
    return len(found) > 1 and found[0] <= 1 and found[-1] <= MAX_VIEWS and found[-1] - found[0] < 2 * len(found)


def _order_of(word: str) -> tuple[int, int]:
    if found := _GS1_VIEW.fullmatch(word):
        return (ord(found[1]) - ord("a"), int(found[2]) or 10)
    if word in _FIRST_VIEWS:
        return (0, _FIRST_VIEWS.index(word))
    if word[:2] == "pt" and word[2:].isdigit():
        return (1, int(word[2:]))
    return (2, _LAST_VIEWS.index(word) if word in _LAST_VIEWS else len(_LAST_VIEWS))
