"""JSON and JSON Lines to rows: nested objects become columns `a.b`, lists of links one cell, variants rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from catalog.paths import DumpFile
from catalog.phrases import say
from catalog.readers.cell_table import Row, Table
from catalog.readers.json_text import parse_json
from catalog.records import Issue

_CHILD_LISTS = frozenset({"variants", "variations", "skus", "children", "items", "productvariants"})
_LINK_KEYS = ("src", "url", "path", "file", "filename", "contentUrl", "image", "name")
_LINK = re.compile(r"://|^/|\.\w{2,5}$")


def from_json_lines(file: DumpFile, text: str, encoding: str) -> Table:
    """Return one object a line as a table; a broken line costs only itself."""
    issues: list[Issue] = []
    records: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), start=1):  # JSON may hold U+2028, where splitlines() breaks
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except ValueError as error:
            issues.append(
                Issue(
                    source=file.path,
                    line=number,
                    reason="ROW_UNREADABLE",
                    detail=say("no JSON object: {error}", error=str(error)),
                )
            )
            continue
        if isinstance(value, dict):
            records.append((number, value))
        else:
            issues.append(
                Issue(source=file.path, line=number, reason="ROW_UNREADABLE", detail=say("JSON, but no object"))
            )
    return _from_records(file, records, issues, encoding, "JSON lines")


def from_json(file: DumpFile, text: str, encoding: str) -> Table | Issue:
    """Return the list of objects in a document as a table, or the issue that says why it has none."""
    try:
        value = parse_json(text)
    except ValueError as error:
        if "Extra data" in str(error) and text.lstrip()[:1] == "{" and text.strip().count("\n"):
            return from_json_lines(file, text, encoding)  # a catalogue in one object a line, whatever its name
        return Issue(
            source=file.path,
            line=getattr(error, "lineno", None),
            reason="FILE_UNREADABLE",
            detail=say("no JSON: {error}", error=str(error)),
        )
    if not isinstance(value, (list, dict)):
        return Issue(
            source=file.path, reason="FILE_UNREADABLE", detail=say("JSON, but one value and no list of objects")
        )
    listed = value if isinstance(value, list) else record_list(value)
    if listed is None:
        return Issue(
            source=file.path, reason="TABLE_UNUSED", detail=say("JSON without a list of objects"), severity="warning"
        )
    records = [(number, item) for number, item in enumerate(listed, start=1) if isinstance(item, dict)]
    issues = [
        Issue(source=file.path, line=number, reason="ROW_UNREADABLE", detail=say("not an object"))
        for number, item in enumerate(listed, start=1)
        if not isinstance(item, dict)
    ]
    return _from_records(file, records, issues, encoding, "JSON list")


def record_list(value: Any) -> list[Any] | None:
    """Return the list of objects a JSON document holds, or its objects by their keys; None where it has neither."""
    if not isinstance(value, dict):
        return None
    lists = [
        item for item in value.values() if isinstance(item, list) and any(isinstance(entry, dict) for entry in item)
    ]
    if lists:
        return max(lists, key=len)
    keyed = [{"id": key, **item} for key, item in value.items() if isinstance(item, dict)]
    return keyed if keyed and len(keyed) == len(value) else None


def _from_records(
    file: DumpFile, records: list[tuple[int, dict[str, Any]]], issues: list[Issue], encoding: str, layout: str
) -> Table:
    flat: list[tuple[int, dict[str, str]]] = []
    for number, record in records:
        own, children = _flatten(record)
        flat.append((number, own))
        flat.extend((number, child) for child in children)
    header = tuple(dict.fromkeys(name for _, cells in flat for name in cells))
    rows = [Row(number, tuple(cells.get(name, "") for name in header)) for number, cells in flat]
    return Table(file=file, header=header, rows=rows, issues=issues, encoding=encoding, layout=layout)


def _flatten(record: dict[str, Any], prefix: str = "", depth: int = 0) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the cells of a JSON object and one dictionary of cells for each of its variants."""
    cells: dict[str, str] = {}
    children: list[dict[str, str]] = []
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < 8:
            inner, more = _flatten(value, f"{name}.", depth + 1)
            cells.update(inner)
            children.extend(more)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            objects = [item for item in value if isinstance(item, dict)]
            if key.casefold().replace("_", "") in _CHILD_LISTS:
                children.extend(_as_child(_flatten(item, "", depth + 1)[0]) for item in objects)
            else:
                cells.update(_from_objects(name, objects))
        else:
            cells[name] = _scalar(value)
    return cells, children


def _as_child(cells: dict[str, str]) -> dict[str, str]:
    # A variant's own name must not read as a new product.
    return {("variant name" if name.casefold() in ("name", "title") else name): value for name, value in cells.items()}


def _from_objects(name: str, objects: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Read a list of {name, value} pairs, or of objects that hold one link each."""
    cells: dict[str, str] = {}
    links: list[str] = []
    for item in objects:
        label = item.get("name") or item.get("key") or item.get("label")
        if "value" in item and isinstance(label, str):
            cells[f"{name}.{label}"] = _scalar(item["value"])
            continue
        link = next((item[key] for key in _LINK_KEYS if isinstance(item.get(key), str)), None)
        if link:
            links.append(link)
    if links:
        cells[name] = "|".join(links)
    return cells


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        items = [_scalar(item) for item in value]
        # Links hold commas, and words are read with them.
        return ("|" if any("," in item or _LINK.search(item) for item in items) else ", ").join(items)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
