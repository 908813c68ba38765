"""JSON files beside pictures: names, texts and facts, also nested, in several languages, or as lists of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.paths import DumpFile
from catalog.phrases import Phrase, say, told
from catalog.readers import headers
from catalog.readers.cells import clean, clean_line, fact_value
from catalog.readers.draft import DraftAttribute, DraftProduct
from catalog.readers.encoding import decode_text
from catalog.readers.json_table import parse_json
from catalog.readers.translated import Said, by_language, preferred
from catalog.readers.unit_codes import unit_of
from catalog.records import Issue

MAX_JSON_BYTES = 16 << 20
_MOST_DEPTH = 8
_MOST_SHOWN = 5
_LANGUAGES = frozenset("en de fr es it nl ja zh ko pt pl sv da nb fi cs sk hu ro bg el tr ru uk ar he th vi".split())
"""Without those that are units or words as well, such as `no`, `id` and `kg`."""
_LANGUAGE_KEYS = ("lang", "language", "locale", "@language")
_VALUE_KEYS = ("value", "amount", "@value", "text", "val", "値")
_UNIT_KEYS = ("unit", "unittext", "unitcode", "uom", "units", "単位")
_LABEL_KEYS = ("name", "key", "label", "attribute", "property", "title", "名称", "項目")
_INNER_KEYS = ("name", "title", "label", "value", "text")
_BESIDES = frozenset({"type", "@type", "code", "id", "currency", "position", "order", "group"})
"""What else a quantity or pair may state; it adds nothing to its value."""
_WRAPPERS = frozenset({"product", "item", "article", "record", "商品"})
_CONTAINERS = frozenset(
    {"attributes", "attribute", "properties", "property", "facts", "data", "technicaldata", "dimensions", "dimension"}
    | {"measures", "measurements", "specs", "spec", "specification", "specifications", "details", "features"}
    | {"additionalproperty", "additionalproperties", "characteristics", "merkmale", "属性", "仕様", "スペック"}
)
_UNUSED_ROLES = frozenset({"sku", "parent", "image", "drop"})


def add_json(product: DraftProduct, file: DumpFile, encoding: str | None = None) -> tuple[bool, Issue | None]:
    """Add what a JSON file says to a product.

    Returns:
        Whether anything of it was used, and what is wrong with the file or was not understood, in one issue.
    """
    try:
        data = file.read(MAX_JSON_BYTES)
        if len(data) > MAX_JSON_BYTES:
            return False, _unreadable(file, say("longer than {limit} MiB", limit=MAX_JSON_BYTES >> 20))
        value = parse_json(decode_text(data, encoding)[0])
    except OSError as error:
        return False, Issue(source=file.path, reason=getattr(error, "code", "FILE_UNREADABLE"), detail=told(error))
    except (ValueError, RecursionError) as error:
        return False, _unreadable(file, say("no JSON: {error}", error=str(error)))
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and _pair(value[0]) is None:
        value = value[0]  # an export of one record is a list of one
    reading = _Reading(product, file.path)
    if isinstance(value, dict):
        reading.record(value)
    elif isinstance(value, list) and value and all(isinstance(item, dict) and _pair(item) for item in value):
        reading.facts("", value, "", 0)
    else:
        return False, _unreadable(file, say("JSON, but no object"))
    return reading.used, reading.issue()


def _unreadable(file: DumpFile, detail: str) -> Issue:
    return Issue(source=file.path, reason="FILE_UNREADABLE", detail=detail)


@dataclass
class _Reading:
    product: DraftProduct
    source: str
    used: bool = False
    unclear: list[str] = field(default_factory=list)
    """Paths in the document that were not understood."""

    def record(self, record: Mapping[str, Any], path: str = "", depth: int = 0) -> None:
        """Read an object whose keys are columns of a product."""
        for key, value in record.items():
            place, plain = f"{path}{key}", headers.normalise(key)
            if _is_empty(value) or key.startswith(("@", "$")):
                continue
            role = (headers.role_of(key) or ("",))[0]
            nested = isinstance(value, dict) and _quantity(value) is None and not _said(value)
            listed = isinstance(value, list) and any(isinstance(item, dict) for item in value) and not _said(value)
            if nested and plain in _WRAPPERS and depth < _MOST_DEPTH:
                self.record(value, f"{place}.", depth + 1)
            elif role in _UNUSED_ROLES:
                continue
            elif (nested or listed) and (plain in _CONTAINERS or role == "text"):
                self.facts("", value, place, depth + 1)
            elif role in ("name", "category", "text"):
                self._stated(role, key, value, place)
            else:
                self.facts(headers.shown(key), value, place, depth + 1)

    def facts(self, label: str, value: Any, path: str, depth: int) -> None:
        """Read a value, or an object or list of values, as facts."""
        if _is_empty(value):
            return
        if depth > _MOST_DEPTH:
            self.unclear.append(path)
        elif said := _said(value):
            self._fact(label, said, path)
        elif isinstance(value, dict):
            self._object(label, value, path, depth)
        elif any(isinstance(item, (dict, list)) for item in value):
            self._list(label, value, path, depth)

    def _object(self, label: str, value: dict[str, Any], path: str, depth: int) -> None:
        if (pair := _pair(value)) is not None:
            self._fact(*pair[:2], path, pair[2])
            return
        if (quantity := _quantity(value)) is not None:
            self._fact(label, quantity[0], path, quantity[1])
            return
        for key, item in value.items():
            if (headers.role_of(key) or ("",))[0] == "drop":
                continue
            inner = headers.shown(key)
            container = headers.normalise(key) in _CONTAINERS
            self.facts(label if container else f"{label} {inner}".strip(), item, f"{path}.{key}", depth + 1)

    def _list(self, label: str, items: list[Any], path: str, depth: int) -> None:
        for number, item in enumerate(items):
            place = f"{path}[{number}]"
            if isinstance(item, dict) and label and _pair(item) is None and _quantity(item) is None:
                self.unclear.append(place)  # several things of a kind, whose facts would be taken for the product's
            else:
                self.facts(label, item, place, depth + 1)

    def _fact(self, label: str, said: list[Said], path: str, unit: str = "") -> None:
        values, translations = preferred(said)
        value = ", ".join(filter(None, map(fact_value, values)))
        name = clean_line(label).lower()
        if not value or not name:
            self.unclear += [path] if value else []
            return
        self.used = True
        if unit and not value.endswith(unit):
            value = f"{value} {unit}"
        if not any(fact.name == name and fact.value == value for fact in self.product.attributes):
            self.product.attributes.append(
                DraftAttribute(name=name, value=value, source=self.source, unit=clean_line(unit) or None)
            )
        self._translations(name, translations)

    def _stated(self, role: str, key: str, value: Any, path: str) -> None:
        inner = _part(value, _INNER_KEYS) if isinstance(value, dict) and not _said(value) else None
        values, translations = preferred(_said(value if inner is None else value[inner]))
        lines = [text for text in map(clean if role == "text" else clean_line, values) if text]
        if not lines:
            self.unclear.append(path)
            return
        self.used = True
        if role == "name":
            self.product.name = lines[0]
        elif role == "category":
            self.product.category = " > ".join(lines)
        else:
            text = "\n".join(lines)
            self.product.description = self.product.description or text
            self._text(headers.shown(key), text)
        self._translations(headers.shown(key), translations)

    def _translations(self, name: str, said: list[Said]) -> None:
        for language, text in by_language(said).items():
            if cleaned := clean(text):
                self._text(f"{name} [{language}]", cleaned)

    def _text(self, name: str, text: str) -> None:
        self.product.attributes.append(DraftAttribute(name=name, value=text, source=self.source, kind="text"))

    def issue(self) -> Issue | None:
        """Return what was not understood: a warning, or an error where nothing at all was used."""
        detail: Phrase
        if self.unclear:
            shown = ", ".join(clean_line(path)[:60] for path in self.unclear[:_MOST_SHOWN])
            detail = say("not understood: {paths} ({count} in all)", paths=shown, count=len(self.unclear))
        elif not self.used:
            detail = say("nothing in it is a name, a text or a fact")
        else:
            return None
        severity = "warning" if self.used else "error"
        return Issue(source=self.source, reason="FILE_NOT_UNDERSTOOD", detail=detail, severity=severity)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _said(value: Any) -> list[Said]:
    """Return the texts of a plain value, a list of them, or a value in several languages; none for other objects."""
    if isinstance(value, bool):
        return [Said("", "yes" if value else "no")]
    if isinstance(value, str):
        return [Said("", value)]
    if isinstance(value, list):
        found = [_said(item) for item in value if not _is_empty(item)]
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
            for said in _said(item)
        ]
    language = next((value[key] for key in _LANGUAGE_KEYS if isinstance(value.get(key), str)), None)
    text = next((value[key] for key in _VALUE_KEYS if isinstance(value.get(key), str)), None)
    return [Said(language, text)] if language and text and len(value) == 2 else []


def _is_language(key: str) -> bool:
    head, _, region = key.replace("_", "-").partition("-")
    return head.lower() in _LANGUAGES and len(region) <= 4


def _part(value: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the key of an object that is one of some names."""
    return next((key for wanted in keys for key in value if key.casefold() == wanted), None)


def _rest(value: Mapping[str, Any], *used: str | None) -> Iterator[str]:
    return (key for key in value if key not in used and key.casefold() not in _BESIDES)


def _quantity(value: Mapping[str, Any]) -> tuple[list[Said], str] | None:
    """Return value and unit of `{"value": 35, "unit": "cm"}`, or None for another object."""
    held, unit = _part(value, _VALUE_KEYS), _part(value, _UNIT_KEYS)
    if held is None or any(_rest(value, held, unit)):
        return None
    said = _said(value[held])
    written = value[unit] if unit is not None else ""
    return (said, unit_of(written) if isinstance(written, str) else "") if said else None


def is_pair(value: Mapping[str, Any]) -> bool:
    """Whether an object states a fact as name and value, and perhaps a unit."""
    return _pair(value) is not None


def _pair(value: Mapping[str, Any]) -> tuple[str, list[Said], str] | None:
    """Return name, value and unit of `{"name": "Width", "value": 35, "unit": "cm"}`, or None for another object."""
    label = _part(value, _LABEL_KEYS)
    quantity = _quantity({key: item for key, item in value.items() if key != label}) if label is not None else None
    if label is None or quantity is None:
        return None
    names, _ = preferred(_said(value[label]))
    return (names[0], *quantity) if names else None
