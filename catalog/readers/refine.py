"""What is done to the drafts of any reader: quantities out of its facts, and a look at its keys and trade numbers.

Nothing is taken away: products keep their keys and facts as read, and what looks wrong becomes a warning.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from catalog.phrases import say
from catalog.readers.draft import DraftAttribute, DraftCatalogue, DraftProduct
from catalog.readers.headers import normalise
from catalog.readers.measures import MAX_CHARS, Measure, read_measures
from catalog.readers.units import sense_of
from catalog.records import Issue

DERIVED = frozenset({"width", "depth", "height", "length", "diameter", "seat height", "weight", "volume", "capacity"})
"""Measures that become attributes of their own."""
_GTIN_NAME = re.compile(
    r"(?:product|item|variant|international|商品)?(?:gtin|ean|upc|barcode|jan|バーコード)(?:a|e|8|12|13|14|code|コード|number|no)*(?:janコード)?"
)
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_DIGITS = re.compile(r"[0-9]+")
_BETWEEN_GTINS = re.compile(r"[,;|/\s]+")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{1,3}")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mrz|mai|okt|dez"
_DAMAGED = re.compile(
    rf"\d{{1,2}}[- ](?:{_MONTHS})\.?(?:[- ]\d{{2,4}})?|(?:{_MONTHS})[- ]\d{{2,4}}|\d{{1,2}}月\d{{1,2}}日"
    rf"|{_SCIENTIFIC.pattern}"
    rf"|\d{{4}}年\d{{1,2}}月(?:\d{{1,2}}日)?|\d{{4}}([/-])\d{{1,2}}\1\d{{1,2}}(?: 0{{1,2}}:00(?::00)?)?",
    re.I,
)
_MOST_ARE_DATES = 0.5
_HAS_DIGIT = re.compile(r"[0-9０-９]")
_ONE_QUANTITY = re.compile(r"(?:約|ca\.)? ?[0-9][0-9.,]{0,11} ?[^\d\s,.;:/-]{1,6}")


def refine(catalogue: DraftCatalogue) -> None:
    """Add measures to the drafts of a catalogue and its findings to the issues; every product stays.

    A derived measure is an attribute such as `width` with its value as text, its number and its unit; a fact that is
    one quantity and no more gets number and unit itself. Issues are GTIN_CHECK, KEY_EXCEL_DAMAGED and ATTR_UNIT.
    """
    refiner = _Refiner(catalogue)
    for product in catalogue.products:
        refiner.attributes(product, product.attributes)
        for variant in product.variants:
            refiner.attributes(product, variant.attributes)
    refiner.report_units()
    _check_keys(catalogue)


def check_digit_fits(gtin: str) -> bool:
    """Return whether the last digit of a GTIN, a string of 8, 12, 13 or 14 digits, fits the others."""
    digits = bytes(ord(digit) - 48 for digit in gtin)
    return (sum(digits[::-2]) + 3 * sum(digits[-2::-2])) % 10 == 0


class _Refiner:
    def __init__(self, catalogue: DraftCatalogue) -> None:
        self._issues = catalogue.issues
        self._units: dict[tuple[str, str], tuple[DraftProduct, str, int]] = {}
        """(attribute, unknown unit) → first product and value, and how many."""

    def attributes(self, product: DraftProduct, attributes: list[DraftAttribute]) -> None:
        """Refine the attributes of a product or of one of its variants."""
        derived: list[DraftAttribute] = []
        for attribute in attributes:
            if attribute.kind != "fact" or not _HAS_DIGIT.search(attribute.value):
                continue
            kind = _kind(attribute.name, attribute.source, attribute.unit or "")
            if kind.gtin:
                self._check_gtin(product, attribute)
            elif len(attribute.value) <= MAX_CHARS and (
                kind.measured or "×" in attribute.value or _ONE_QUANTITY.fullmatch(attribute.value)
            ):
                self._measure(product, attribute, kind.label, derived)
        if derived:
            stated = {attribute.name for attribute in attributes}
            for attribute in derived:
                if attribute.name not in stated:
                    stated.add(attribute.name)
                    attributes.append(attribute)

    def _measure(
        self, product: DraftProduct, attribute: DraftAttribute, label: str, derived: list[DraftAttribute]
    ) -> None:
        measures, unknown = read_measures(attribute.value, label)
        if unknown:
            key = (attribute.name, unknown)
            first, value, count = self._units.get(key, (product, attribute.value, 0))
            self._units[key] = (first, value, count + 1)
        if len(measures) == 1 and measures[0].text == attribute.value:
            # The fact is this quantity: it needs no second attribute beside it.
            if measures[0].upper is None:
                attribute.number = measures[0].number
                attribute.unit = attribute.unit or measures[0].unit or None
            if not sense_of(label).size:
                return
            # "高さ25cm" as a size says more than its column does: the height.
        for measure in measures:
            if measure.name in DERIVED:
                derived.append(_as_attribute(measure, attribute))

    def _check_gtin(self, product: DraftProduct, attribute: DraftAttribute) -> None:
        for written in filter(None, _BETWEEN_GTINS.split(attribute.value)):
            number = written.replace("-", "")
            if _SCIENTIFIC.fullmatch(written):
                detail = say(
                    "{name} {written!r} lost its digits in a spreadsheet; format the column as text",
                    name=attribute.name,
                    written=written,
                )
                self._issues.append(_warning(product, "KEY_EXCEL_DAMAGED", detail))
            elif not _DIGITS.fullmatch(number):
                continue
            elif len(number) not in _GTIN_LENGTHS:
                detail = say(
                    "{name} {number!r} has {count} digits; a trade number has 8, 12, 13 or 14",
                    name=attribute.name,
                    number=number[:40],
                    count=len(number),
                )
                self._issues.append(_warning(product, "GTIN_CHECK", detail))
            elif not check_digit_fits(number):
                detail = say(
                    "the check digit of {name} {number!r} does not fit; compare it with the package",
                    name=attribute.name,
                    number=number,
                )
                self._issues.append(_warning(product, "GTIN_CHECK", detail))

    def report_units(self) -> None:
        """Report each unknown unit once, with the first product it stands at."""
        for (name, unit), (product, value, count) in self._units.items():
            others = say(" and {count} more", count=count - 1) if count > 1 else ""
            detail = say(
                "{unit!r} is no unit that is known: {name} {value!r}{others}; kept as text",
                unit=unit,
                name=name[:40],
                value=value[:60],
                others=others,
            )
            self._issues.append(_warning(product, "ATTR_UNIT", detail))


class _Kind(NamedTuple):
    gtin: bool
    measured: bool
    """Whether the attribute's name says that its numbers are measures."""
    label: str
    """Name and unit for `read_measures`."""


@lru_cache(maxsize=8192)
def _kind(name: str, source: str, unit: str) -> _Kind:
    # The column's own name still holds the unit that the attribute's name lost: 高さ(cm).
    label = source if len(source) < 100 and name and name.casefold() in source.casefold() else name
    if unit:
        label = f"{name} ({unit})"
    sense = sense_of(label)
    gtin = bool(_GTIN_NAME.fullmatch(normalise(name)))
    return _Kind(gtin, bool(sense.names or sense.size or sense.unit), label)


def _as_attribute(measure: Measure, attribute: DraftAttribute) -> DraftAttribute:
    value, number, unit = _plain(measure.number), measure.number, measure.unit or None
    if measure.upper is None:
        return DraftAttribute(name=measure.name, value=value, number=number, unit=unit, source=attribute.source)
    value = f"{value}–{_plain(measure.upper)}"
    return DraftAttribute(name=measure.name, value=value, unit=unit, source=attribute.source)


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() else f"{number:.6f}".rstrip("0")


def _warning(product: DraftProduct, reason: str, detail: str, severity: str = "warning") -> Issue:
    return Issue(source=product.origin, line=product.line, reason=reason, detail=detail, severity=severity)


# --- keys ----------------------------------------------------------------------------------------


def _check_keys(catalogue: DraftCatalogue) -> None:
    """Report keys that a spreadsheet turned into numbers like 4.97E+12, or into dates among keys of other shapes."""
    dates: dict[str, list[int]] = {}
    suspects: list[tuple[DraftProduct, str, bool]] = []
    owners: Counter[str] = Counter()
    for product in catalogue.products:
        tally = dates.setdefault(product.origin, [0, 0])
        keys = {product.sku, *(variant.sku for variant in product.variants)} if product.variants else (product.sku,)
        tally[1] += len(keys)
        for key in keys:
            if _DAMAGED.fullmatch(key):
                dated = _SCIENTIFIC.fullmatch(key) is None
                tally[0] += dated
                suspects.append((product, key, dated))
                owners[key] += 1
    # The reader left out a row whose damaged key was taken: that product is lost unless the column is repaired.
    left_out = [issue.detail for issue in catalogue.issues if issue.reason == "ROW_DUP_KEY"] if suspects else []
    for product, key, dated in suspects:
        count, total = dates[product.origin]
        if dated and count > _MOST_ARE_DATES * total:
            continue
        clash = owners[key] > 1 or any(repr(key) in detail for detail in left_out)
        became = say("a date") if dated else say("a rounded number")
        several = say("; several products share it now") if clash else ""
        detail = say(
            "key {key!r} looks like {became} made by a spreadsheet{several}; format the column as text and export",
            key=key,
            became=became,
            several=several,
        )
        catalogue.issues.append(_warning(product, "KEY_EXCEL_DAMAGED", detail, "error" if clash else "warning"))
