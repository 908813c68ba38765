"""Numbers of a text with the label before and the unit behind each: the grammar under `measures`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalog.readers.units import LABELS, LENGTH, OTHER, UNITS

_NUMBER = re.compile(
    r"""(?<!\d)(?<!\d[.,])(?:
    (?P<feet>\d{1,3})\s*['′’]\s*(?P<inches>\d{1,2}(?:\.\d+)?)\s*(?:"|″|”|'')
    |(?P<number>(?:\d{1,4}[ ])?\d{1,2}/(?:2|3|4|5|8|16|32|64)(?![\d/.,])|(?<![A-Za-z.])\.\d{1,6}
        |\d{1,9}(?:[.,]\d{1,9}){0,3})
    )(?!\d)""",
    re.X,
)
_AFTER = re.compile(
    r"(?P<gap>\s*\)?\s*)"
    r"(?P<unit>[cmk]?m[23](?!\d)|fl\.? ?oz|[A-Za-zμℓ°]+[²³]?|''|[\"″”'′’%]|[ぁ-んァ-ヶー一-鿿々¥€$℃]{1,8})"
)
_BEFORE = re.compile(
    r"(?<![A-Za-z\d_-])([A-Za-zÀ-ÖØ-öø-ÿ]+)\.?\s*[:=]?\s*$|([φøØ⌀]|[一-鿿々ぁ-んァ-ヶー]+)\s*[:=]?\s*$"
)
_ABOUT = re.compile(r"(?:約|およそ|(?<![A-Za-z])(?:ca|approx|about|circa|env)\.?|[~±])\s*$", re.I)
_LABEL_CHARS = 24
_CODE = re.compile(r"[A-Za-z_#]-?$")
_WORD_AFTER_IN = re.compile(r"\s+(?!x\b|by\b|[WDHL]\b)[A-Za-z\d]")
CROSS = re.compile(r"(?<=[\d\"″”)])\s*[xX*✕]\s*(?=[(\d]|[WDHLBTφØø]\.?\s?\d)|(?<=\d[cm]m)[xX](?=[\dWDH])")
_BETWEEN = re.compile(r"\s*[,;、/]?\s*[()]?\s*(?:[x×]|by|mal)?\s*[()]?\s*", re.I)
_RANGE = re.compile(r"\s*(?:-|–|〜|~|to|bis|から|(±))\s*", re.I)
_SUFFIXED = re.compile(r"(\d+(?:[.,]\d+)?)\s*(\"|″|”|''|in|inch|cm|mm)?\s*([WDHL])(?![A-Za-z\d])")


@dataclass(slots=True)
class Quantity:
    """A number with what stands around it; `complete` fills in what its neighbours tell."""

    number: float
    unit: str
    kind: str
    label: str
    """What is measured, as the text before the number says, or ""."""
    letter: str
    """The label where it is a single Latin letter, which alone proves little."""
    start: int
    end: int
    upper: float | None = None


def quantities(text: str) -> list[Quantity]:
    """Return the quantities of a cleaned text; numbers inside codes such as `AB-12` are none."""
    found: list[Quantity] = []
    before = 0
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        label, letter, begin = _label_before(text, max(before, start - _LABEL_CHARS), start)
        if not label and _CODE.search(text, max(before, start - 2), start):
            continue
        if match["feet"]:
            kind, unit, number = LENGTH, "in", float(match["feet"]) * 12 + float(match["inches"])
        else:
            kind, unit, stop = _unit_after(text, end)
            if stop < 0:
                continue
            number, end = number_of(match["number"]), stop
        before = end
        found.append(Quantity(number, unit, kind, label, letter, begin, end))
    return found


def _label_before(text: str, begin: int, end: int) -> tuple[str, str, int]:
    """Return (what is measured, its single Latin letter or "", where the label starts) for the number at `end`."""
    if begin == end:
        return "", "", end
    piece = text[begin:end]
    if about := _ABOUT.search(piece):
        piece = piece[: about.start()]
    named = _BEFORE.search(piece)
    if named is None:
        return "", "", begin + len(piece)
    if named[1]:
        word = named[1].casefold()
        name = LABELS.get(word, "")
        return name, word if name and len(word) == 1 else "", begin + (named.start() if name else len(piece))
    word = named[2].removesuffix("は").removesuffix("約")
    for length in range(min(6, len(word)), 0, -1):
        if name := LABELS.get(word[-length:], ""):
            return name, "", begin + named.start()
    return "", "", begin + len(piece)


def _unit_after(text: str, end: int) -> tuple[str, str, int]:
    """Return (kind, canonical unit, where it ends); the end is -1 where the number is part of a word such as `12AB`."""
    match = _AFTER.match(text, end)
    if match is None:
        return OTHER, "", end
    written, stop = match["unit"], match.end()
    if not written[0].isascii():
        for length in range(len(written), 0, -1):
            if known := UNITS.get(written[:length]):
                return (*known, match.start("unit") + length)
        return OTHER, "", end
    kind, unit = unit_of(written)
    following = text[stop : stop + 1]
    if unit and written[-1] in "'′’" and following.isalpha():
        return OTHER, "", end
    if unit == "in" and match["gap"] and written.isalpha() and _WORD_AFTER_IN.match(text, stop):
        return OTHER, "", end  # 2 in 1, 5 in stock
    if unit:
        return kind, unit, stop + (following == "." and written.isalpha())
    return OTHER, "", end if match["gap"] or not written[0].isalpha() else -1


def suffixed(text: str) -> list[Quantity]:
    """Read `45"W × 20"D × 30"H`, where the letter after a number is no watt."""
    matches = list(_SUFFIXED.finditer(text))
    if len({match[3] for match in matches}) < 2:
        return []
    return [
        Quantity(
            number_of(match[1]), unit_of(match[2] or "")[1], LENGTH, LABELS[match[3].lower()], match[3], *match.span()
        )
        for match in matches
    ]


def unit_of(written: str) -> tuple[str, str]:
    """Return (kind, canonical unit) of a unit as written, (OTHER, "") for none."""
    return UNITS.get(written) or (len(written) > 1 and UNITS.get(written.lower())) or (OTHER, "")


def complete(found: list[Quantity], text: str) -> None:
    """Join ranges, and give quantities without a unit that of their neighbours: 幅120×奥行45×高さ72cm."""
    for index in range(len(found) - 1, 0, -1):
        item, following = found[index - 1], found[index]
        between = _RANGE.fullmatch(text, item.end, following.start)
        clear = following.unit or (between and between[0].strip() != "-")
        if between and clear and not following.label and item.unit in ("", following.unit):
            item.unit, item.kind, item.end = following.unit, following.kind, following.end
            if not between[1] and following.number > item.number:
                item.upper = following.number
            del found[index]
    if not any(item.unit for item in found):
        kind, unit = unit_of(text[found[-1].end :].strip(" ()[]."))
        if kind == LENGTH and (len(found) > 1 or found[0].label):
            found[-1].kind, found[-1].unit = kind, unit
    for item, following in zip(reversed(found[:-1]), reversed(found), strict=False):
        if not item.unit and following.kind == LENGTH:
            between = _BETWEEN.fullmatch(text, item.end, following.start)
            if between and (between[0].strip() or following.label):
                item.unit, item.kind = following.unit, following.kind
    letters = {item.letter for item in found}
    for item in found:
        if item.letter == "t" and "b" in letters:
            item.label = "depth"  # Breite, Tiefe, Höhe


def number_of(written: str) -> float:
    """Return the number of `1,200`, `12,5`, `1.200,5`, `1 1/2` or `1/2`; a comma before three digits groups them."""
    if written.isdigit():
        return float(written)
    if "/" in written:
        whole, _, part = written.rpartition(" ")
        above, _, below = part.partition("/")
        return float(whole or 0) + float(above) / float(below)
    if "," not in written:
        return float(written if written.count(".") < 2 else written.replace(".", ""))
    comma, point = written.rfind(","), written.rfind(".")
    grouped = point < 0 and re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", written) is not None
    if grouped or point > comma:
        head, tail = (written, "") if grouped else (written[:point], written[point + 1 :])
    else:
        head, tail = written[:comma], written[comma + 1 :]
    return float(f"{re.sub('[.,]', '', head)}.{tail or 0}")
