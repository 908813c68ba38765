"""Shapes of values in JSON: texts in several languages, quantities with a unit, facts as name and value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.readers.translated import Said, preferred
from catalog.readers.unit_codes import unit_of

_LANGUAGES = frozenset("en de fr es it nl ja zh ko pt pl sv da nb fi cs sk hu ro bg el tr ru uk ar he th vi".split())
"""Without those that are units or words as well, such as `no`, `id` and `kg`."""
_LANGUAGE_KEYS = ("lang", "language", "locale", "@language")
_VALUE_KEYS = ("value", "amount", "@value", "text", "val", "値")
_UNIT_KEYS = ("unit", "unittext", "unitcode", "uom", "units", "単位")
_LABEL_KEYS = ("name", "key", "label", "attribute", "property", "title", "名称", "項目")
_BESIDES = frozenset({"type", "@type", "code", "id", "currency", "position", "order", "group"})
"""What else a quantity or pair may state; it adds nothing to its value."""


def is_empty(value: Any) -> bool:
    """Whether a value holds nothing."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def said_by(value: Any) -> list[Said]:
    """Return the texts of a plain value, a list of them, or a value in several languages; none for other objects."""
    if isinstance(value, bool):
        return [Said("", "yes" if value else "no")]
    if isinstance(value, str):
        return [Said("", value)]
    if isinstance(value, list):
        found = [said_by(item) for item in value if not is_empty(item)]
        plain = all(found) and not any(isinstance(item, list) for item in value)
        return [said for item in found for said in item] if plain else []
    if isinstance(value, dict) and value:
        return _by_language(value)
    return []


def _by_language(value: dict[str, Any]) -> list[Said]:
    if all(_is_language(key) for key in value):
        return [
            Said(language, said.text)
            for language, item in value.items()
            if not isinstance(item, dict)
            for said in said_by(item)
        ]
    language = next((value[key] for key in _LANGUAGE_KEYS if isinstance(value.get(key), str)), None)
    text = next((value[key] for key in _VALUE_KEYS if isinstance(value.get(key), str)), None)
    return [Said(language, text)] if language and text and len(value) == 2 else []


def _is_language(key: str) -> bool:
    head, _, region = key.replace("_", "-").partition("-")
    return head.lower() in _LANGUAGES and len(region) <= 4


def part_of(value: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the key of an object that is one of some names."""
    return next((key for wanted in keys for key in value if key.casefold() == wanted), None)


def _rest(value: Mapping[str, Any], *used: str | None) -> Iterator[str]:
    return (key for key in value if key not in used and key.casefold() not in _BESIDES)


def quantity_of(value: Mapping[str, Any]) -> tuple[list[Said], str] | None:
    """Return value and unit of `{"value": 35, "unit": "cm"}`, or None for another object."""
    held, unit = part_of(value, _VALUE_KEYS), part_of(value, _UNIT_KEYS)
    if held is None or any(_rest(value, held, unit)):
        return None
    said = said_by(value[held])
    written = value[unit] if unit is not None else ""
    return (said, unit_of(written) if isinstance(written, str) else "") if said else None


def pair_of(value: Mapping[str, Any]) -> tuple[str, list[Said], str] | None:
    """Return name, value and unit of `{"name": "Width", "value": 35, "unit": "cm"}`, or None for another object."""
    label = part_of(value, _LABEL_KEYS)
    quantity = quantity_of({key: item for key, item in value.items() if key != label}) if label is not None else None
    if label is None or quantity is None:
        return None
    names, _ = preferred(said_by(value[label]))
    return (names[0], *quantity) if names else None
