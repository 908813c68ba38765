"""JSON files beside pictures: names, texts and facts, also nested, in several languages, or as lists of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.paths import DumpFile
from catalog.phrases import Phrase, say, told
from catalog.readers import headers
from catalog.readers.cells import clean, clean_line, fact_value
from catalog.readers.draft import DraftAttribute, DraftProduct
from catalog.readers.encoding import decode_text
from catalog.readers.json_text import parse_json
from catalog.readers.json_values import is_empty, pair_of, part_of, quantity_of, said_by
from catalog.readers.translated import Said, by_language, preferred
from catalog.records import Issue

MAX_JSON_BYTES = 16 << 20
_MOST_DEPTH = 8
_MOST_SHOWN = 5
_INNER_KEYS = ("name", "title", "label", "value", "text")
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
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and pair_of(value[0]) is None:
        value = value[0]  # an export of one record is a list of one
    reading = _Reading(product, file.path)
    if isinstance(value, dict):
        reading.record(value)
    elif isinstance(value, list) and value and all(isinstance(item, dict) and pair_of(item) for item in value):
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
            if is_empty(value) or key.startswith(("@", "$")):
                continue
            role = (headers.role_of(key) or ("",))[0]
            nested = isinstance(value, dict) and quantity_of(value) is None and not said_by(value)
            listed = isinstance(value, list) and any(isinstance(item, dict) for item in value) and not said_by(value)
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
        if is_empty(value):
            return
        if depth > _MOST_DEPTH:
            self.unclear.append(path)
        elif said := said_by(value):
            self._fact(label, said, path)
        elif isinstance(value, dict):
            self._object(label, value, path, depth)
        elif any(isinstance(item, (dict, list)) for item in value):
            self._list(label, value, path, depth)

    def _object(self, label: str, value: dict[str, Any], path: str, depth: int) -> None:
        if (pair := pair_of(value)) is not None:
            self._fact(*pair[:2], path, pair[2])
            return
        if (quantity := quantity_of(value)) is not None:
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
            if isinstance(item, dict) and label and pair_of(item) is None and quantity_of(item) is None:
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
        inner = part_of(value, _INNER_KEYS) if isinstance(value, dict) and not said_by(value) else None
        values, translations = preferred(said_by(value if inner is None else value[inner]))
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
