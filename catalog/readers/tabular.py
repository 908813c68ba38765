"""Tables of text cells: CSV, TSV and the like, JSON and JSON Lines. Every cell stays text."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from catalog.paths import DumpFile
from catalog.readers.encoding import decode_text
from catalog.records import Issue

MAX_TABLE_BYTES = 1 << 30
MAX_CELL_CHARS = 4 << 20
_DELIMITERS = (",", "\t", ";", "|")
_CHILD_LISTS = frozenset({"variants", "variations", "skus", "children", "items", "productvariants"})
_LINK_KEYS = ("src", "url", "path", "file", "filename", "contentUrl", "image", "name")


@dataclass(frozen=True)
class Row:
    """One record: its line (or position in a JSON list), counted from 1, and its cells."""

    line: int
    cells: tuple[str, ...]


@dataclass(kw_only=True)
class Table:
    """A parsed file. `header` is empty until someone decides that the first row is one."""

    file: DumpFile
    header: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    encoding: str = "utf-8"
    layout: str = ""
    """For people: `CSV with ','` or `JSON`."""

    def column(self, index: int) -> Iterator[str]:
        """Yield the cells of one column."""
        return (row.cells[index] for row in self.rows)

    def with_header(self) -> Table:
        """Return the table with its first row as header, and rows of another width reported."""
        if self.header or not self.rows:
            return self
        return self.with_names(tuple(cell.strip() for cell in self.rows[0].cells), first=1)

    def with_names(self, header: tuple[str, ...], *, first: int = 0) -> Table:
        """Return the rows from `first` on under given column names, and rows of another width reported."""
        table = Table(
            file=self.file, header=header, encoding=self.encoding, layout=self.layout, issues=list(self.issues)
        )
        for row in self.rows[first:]:
            table._take(row)
        return table

    def _take(self, row: Row) -> None:
        width = len(self.header)
        extra = [cell for cell in row.cells[width:] if cell.strip()]
        if extra:
            detail = f"{len(row.cells)} cells where the header has {width}; first beyond it: {extra[0].strip()[:60]!r}"
            self.issues.append(Issue(source=self.file.path, line=row.line, reason="ROW_COLUMNS", detail=detail))
            return
        cells = row.cells[:width]
        if len(cells) < width:
            detail = f"{len(cells)} cells where the header has {width}; the missing ones are taken as empty"
            self.issues.append(
                Issue(source=self.file.path, line=row.line, reason="ROW_COLUMNS", detail=detail, severity="warning")
            )
            cells += ("",) * (width - len(cells))
        self.rows.append(Row(row.line, cells))


def read_table(file: DumpFile, encoding: str | None = None) -> Table | Issue:
    """Parse a file, or return the issue that says why it is no table."""
    try:
        data = file.read(MAX_TABLE_BYTES)
    except OSError as error:
        return Issue(source=file.path, reason="FILE_UNREADABLE", detail=str(error.strerror or error))
    if len(data) > MAX_TABLE_BYTES:
        return Issue(
            source=file.path, reason="FILE_UNREADABLE", detail=f"larger than {MAX_TABLE_BYTES >> 20} MiB; split it"
        )
    if not data.strip():
        return Issue(source=file.path, reason="TABLE_EMPTY", detail="the file is empty")
    text, used = decode_text(data, encoding)
    text = text.replace("\x00", "")
    if file.suffix in (".jsonl", ".ndjson"):
        return _from_json_lines(file, text, used)
    if file.suffix == ".json":
        return _from_json(file, text, used)
    return read_delimited(file, text, used)


# --- delimited text -------------------------------------------------------------------------------


def read_delimited(file: DumpFile, text: str, encoding: str, delimiter: str | None = None) -> Table:
    """Parse delimited text into a table without header; the delimiter is found by vote when None."""
    delimiter = delimiter or _vote_delimiter(text)
    table = Table(file=file, encoding=encoding, layout=f"text separated by {delimiter!r}")
    # The module's default of 131,072 is below pictures and specifications kept inside cells.
    csv.field_size_limit(MAX_CELL_CHARS)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, skipinitialspace=delimiter == ",")
    width = 0
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            table.issues.append(Issue(source=file.path, line=before + 1, reason="ROW_UNREADABLE", detail=str(error)))
            before = reader.line_num
            continue
        first, last, before = before + 1, reader.line_num, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        width = width or len(cells)
        if last - first > 1 and len(cells) != width and _swallowed(lines[first - 1 : last], delimiter, width):
            _take_apart(table, lines, first, last, delimiter)
            continue
        table.rows.append(Row(first, tuple(cells)))
    return table


def _vote_delimiter(text: str) -> str:
    lines = [line for line in text[:65_536].splitlines()[:20] if line.strip()]
    # Consistency over the first lines beats frequency: commas are common inside descriptions.
    scores = []
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in lines]
        first = counts[0] if counts else 0
        same = sum(count == first for count in counts) if first else 0
        scores.append((bool(first), same if first else 0, first, delimiter))
    best = max(scores[:3], key=lambda score: (score[0], score[2] + score[1] / 100))
    return best[3] if best[0] else ("|" if scores[3][0] else ",")


def _swallowed(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether a record of several lines is an unclosed quote that took whole rows with it."""
    alone = [len(next(csv.reader([line], delimiter=delimiter), [])) == width for line in lines[1:] if line.strip()]
    return bool(alone) and sum(alone) >= 0.7 * len(alone)


def _take_apart(table: Table, lines: list[str], first: int, last: int, delimiter: str) -> None:
    detail = f"a quote opened here was never closed; lines {first + 1} to {last} were read one by one"
    table.issues.append(Issue(source=table.file.path, line=first, reason="ROW_QUOTE", detail=detail))
    for number in range(first + 1, last + 1):
        cells = next(csv.reader([lines[number - 1]], delimiter=delimiter, skipinitialspace=delimiter == ","), [])
        if any(cell.strip() for cell in cells):
            table.rows.append(Row(number, tuple(cells)))


# --- JSON ----------------------------------------------------------------------------------------


def _from_json_lines(file: DumpFile, text: str, encoding: str) -> Table:
    issues: list[Issue] = []
    records: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), start=1):  # JSON may hold U+2028, where splitlines() breaks
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_int=str, parse_float=str)
        except (ValueError, RecursionError) as error:
            issues.append(
                Issue(source=file.path, line=number, reason="ROW_UNREADABLE", detail=f"no JSON object: {error}")
            )
            continue
        if isinstance(value, dict):
            records.append((number, value))
        else:
            issues.append(Issue(source=file.path, line=number, reason="ROW_UNREADABLE", detail="JSON, but no object"))
    return _from_records(file, records, issues, encoding, "JSON lines")


def _from_json(file: DumpFile, text: str, encoding: str) -> Table | Issue:
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        return Issue(
            source=file.path, line=getattr(error, "lineno", None), reason="FILE_UNREADABLE", detail=f"no JSON: {error}"
        )
    listed = value if isinstance(value, list) else record_list(value)
    if listed is None:
        return Issue(source=file.path, reason="TABLE_EMPTY", detail="JSON without a list of objects")
    records = [(number, item) for number, item in enumerate(listed, start=1) if isinstance(item, dict)]
    issues = [
        Issue(source=file.path, line=number, reason="ROW_UNREADABLE", detail="not an object")
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
        return "|".join(_scalar(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
