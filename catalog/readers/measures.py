"""Sizes, weights and other quantities inside attribute values: 幅120×奥行45×高さ72cm, W120 x D45, 約30kg, 5'10"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from catalog.readers.cells import clean_line
from catalog.readers.quantities import CROSS, Quantity, complete, number_of, quantities, suffixed, unit_of
from catalog.readers.units import COUNT, LENGTH, MASS, VOLUME, Sense, sense_of

MAX_CHARS = 300
_LENGTHS = frozenset({"width", "depth", "height", "length", "diameter", "thickness", "seat height"})
_DIGIT = re.compile("[\\d¼-¾⅐-⅞]")
_PLAIN_NUMBER = re.compile(r"([0-9]+(?:[.,][0-9]+)*)")
_PLAIN_CHARS = 8
_STAND_INS = tuple(str(number) for number in range(101, 117))
_PLACES = {float(stand_in): place for place, stand_in in enumerate(_STAND_INS)}
_UNKNOWN = re.compile(r"(?:約\s*)?\d+(?:[.,]\d+)*\s*([a-zA-Zμ°]{1,10}|[ァ-ヶー]{2,8})\.?")


@dataclass(frozen=True, slots=True)
class Measure:
    """One quantity."""

    name: str
    """`width`, `depth`, `height`, `length`, `diameter`, `thickness`, `weight`, `volume`, `capacity`, `count` and so on;
    `size` for a length of which nothing says what it measures."""
    number: float
    """In `unit`; the lower end of a range."""
    unit: str
    """Canonical form of the unit written: cm stays cm, ㎝ and センチ become cm; "" where none is known."""
    text: str
    """As written."""
    upper: float | None = None
    """The upper end of a range."""


class Reading(NamedTuple):
    """What was read from one value."""

    measures: tuple[Measure, ...]
    unknown: str = ""
    """A unit that a number clearly carries and that is not known, or ""."""


_NOTHING = Reading(())


@lru_cache(maxsize=1 << 12)  # the quantities of a catalogue repeat
def read_measures(value: str, label: str = "") -> Reading:
    """Return the measures of a value, in the order written.

    Args:
        value: Cell or fact, at most MAX_CHARS characters; a longer one is running text and gives nothing.
        label: Name of its column, which may hold the name and unit of bare numbers: `Weight (lbs)`.
    """
    if not _DIGIT.search(value) or len(value) > MAX_CHARS:
        return _NOTHING
    # The numbers of a template are held apart by NUL.
    pieces = _PLAIN_NUMBER.split(value.replace("\0", ""))
    written = pieces[1::2]
    if len(written) > len(_STAND_INS) or max(map(len, written), default=10) > _PLAIN_CHARS:
        return _read(value, label)
    template = _template("\0".join(pieces[::2]), label)
    return _read(value, label) if template is None else _fill(template, written)


# --- values of one shape are understood once: only their numbers differ ---------------------------


class _Slot(NamedTuple):
    name: str
    unit: str
    number: int
    """Index among the numbers of the value."""
    upper: int | None
    text: str
    inside: range
    """Indexes of the numbers that stand in `text`."""


@lru_cache(maxsize=16_384)
def _template(shape: str, label: str) -> tuple[tuple[_Slot, ...], str] | None:
    """Read a value whose numbers are stand-ins; None where the numbers themselves matter, as in 1/2 and 5'10"."""
    if _DIGIT.search(shape) or any(mark in shape for mark in "/'′’") or "." in shape:
        return None
    pieces = shape.split("\0")
    value = "".join(part for pair in zip(pieces, [*_STAND_INS[: len(pieces) - 1], ""], strict=True) for part in pair)
    reading = _read(value, label)
    slots = []
    for measure in reading.measures:
        numbers = [_PLACES.get(number) for number in (measure.number, measure.upper) if number is not None]
        if None in numbers:
            return None
        inside = [place for place, stand_in in enumerate(_STAND_INS) if stand_in in measure.text]
        span = range(inside[0], inside[-1] + 1) if inside else range(0)
        upper = numbers[1] if len(numbers) > 1 else None
        slots.append(_Slot(measure.name, measure.unit, numbers[0] or 0, upper, measure.text, span))
    return tuple(slots), reading.unknown


def _fill(template: tuple[tuple[_Slot, ...], str], written: list[str]) -> Reading:
    slots, unknown = template
    if not slots:
        return Reading((), unknown) if unknown else _NOTHING
    measures = []
    for slot in slots:
        number = number_of(written[slot.number])
        upper = None if slot.upper is None else number_of(written[slot.upper])
        text = slot.text
        for place in slot.inside:
            text = text.replace(_STAND_INS[place], written[place])
        measures.append(Measure(slot.name, number, slot.unit, text, upper if upper is None or upper > number else None))
    return Reading(tuple(measures), unknown)


def _read(value: str, label: str) -> Reading:
    sense = sense_of(label)
    text = clean_line(value)
    if "x" in text or "X" in text or "*" in text or "✕" in text:
        text = CROSS.sub(" × ", text)
    found = (suffixed(text) if "×" in text or " x " in text else None) or quantities(text)
    if found:
        complete(found, text)
        measures = tuple(_named(found, sense, text))
        if measures:
            return Reading(measures, "" if any(measure.unit for measure in measures) else sense.unknown)
    if sense.names and (odd := _UNKNOWN.fullmatch(text)) and not unit_of(odd[1])[1]:
        return Reading((), odd[1])
    return _NOTHING


# --- from quantities to measures -----------------------------------------------------------------


def _named(found: list[Quantity], sense: Sense, text: str) -> Iterable[Measure]:
    labelled = sum(bool(item.label) for item in found)
    names = sense.names
    if len(names) > 1:
        lengths = [item for item in found if item.kind == LENGTH or not item.unit]
        for item, name in zip(lengths, names, strict=False) if len(lengths) == len(names) else ():
            item.label = item.label or name
    alone = len(found) == 1
    column = names[0] if len(names) == 1 else ""
    for item in found:
        if not item.unit:
            told = bool(item.label) and (not item.letter or labelled >= 2 or sense.size or bool(sense.unit))
            whole = alone and bool(column) and item.end - item.start >= len(text)
            if not (told or whole or (sense.unit and (names or sense.size))):
                continue
            item.kind, item.unit = unit_of(sense.unit)
        if name := _name(item, column):
            yield Measure(name, item.number, item.unit, text[item.start : item.end].strip(" ()"), item.upper)


def _name(item: Quantity, column: str) -> str:
    """Return what a quantity is, from its own label, its unit, and its column's name; "" for one that is no measure."""
    if item.kind == LENGTH:
        return next((name for name in (item.label, column) if name in _LENGTHS), "size")
    if item.kind == VOLUME:
        return "capacity" if "capacity" in (item.label, column) else "volume"
    if item.kind in (MASS, COUNT):
        return item.kind
    return item.kind or ("" if item.unit else item.label or column)
