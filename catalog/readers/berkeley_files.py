"""The files of Amazon Berkeley Objects: listings, one object a line, and the table from picture ids to paths."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catalog.paths import Dump, DumpFile
from catalog.phrases import say, told
from catalog.readers.compressed import decompressed, first_line
from catalog.readers.drafting import Drafting, Place
from catalog.readers.encoding import decode_text
from catalog.readers.json_text import parse_json
from catalog.readers.translated import Said

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz")
_HEAD_BYTES = 65_536


@dataclass(frozen=True)
class Listing:
    """One item as one marketplace shows it."""

    place: Place
    value: dict[str, Any]

    @property
    def key(self) -> str:
        """Id of the item, the same in each marketplace."""
        return scalar(self.value.get("item_id"))

    @property
    def market(self) -> str:
        """Domain of the marketplace."""
        return scalar(self.value.get("domain_name"))

    @property
    def english(self) -> bool:
        """Whether it has an English name."""
        return any(said.spoken == "en" for said in stated(self.value.get("item_name")))


def listing_files(dump: Dump) -> list[DumpFile]:
    """Return the files whose first line is a listing."""
    return [file for file in dump.with_suffix({".json", ".jsonl", ".ndjson", ".gz"}) if _has_listings(file)]


def _has_listings(file: DumpFile) -> bool:
    if not file.path.lower().endswith(_SUFFIXES):
        return False
    try:
        line = first_line(file, _HEAD_BYTES)
    except OSError:
        return False  # the dump says so itself
    if b'"item_id"' not in line or b'"language_tag"' not in line:
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def listings(file: DumpFile, drafting: Drafting) -> Iterator[Listing]:
    """Yield the listings of a file; a line that is none is reported."""
    for number, line in enumerate(_text(file, drafting).split("\n"), start=1):
        if not line.strip():
            continue
        place = drafting.count(file.path, number)
        try:
            value = parse_json(line)
        except ValueError as error:
            drafting.reject(place, "ROW_UNREADABLE", say("no JSON object: {error}", error=str(error)))
            continue
        if isinstance(value, dict):
            yield Listing(place, value)
        else:
            drafting.reject(place, "ROW_UNREADABLE", say("JSON, but no object"))


def _text(file: DumpFile, drafting: Drafting) -> str:
    drafting.documents.add(file.path)
    try:
        data, problem = decompressed(file)
    except OSError as error:
        data, problem = b"", told(error)
    if problem:
        drafting.report(Place(file.path, None), "FILE_UNREADABLE", problem)
    return decode_text(data, "utf-8")[0]


def image_paths(dump: Dump, drafting: Drafting) -> dict[str, str]:
    """Return picture id → path, of all tables that have columns of these names."""
    paths: dict[str, str] = {}
    for file in dump.with_suffix({".csv", ".gz"}):
        if not file.path.lower().endswith((".csv", ".csv.gz")):
            continue
        try:
            header = first_line(file, _HEAD_BYTES)
        except OSError:
            continue  # the dump says so itself
        names = [name.strip() for name in header.decode("utf-8-sig", "replace").split(",")]
        if not {"image_id", "path"} <= set(names):
            continue
        rows = csv.reader(_text(file, drafting).splitlines())
        next(rows, None)
        at_id, at_path = names.index("image_id"), names.index("path")
        for row in rows:
            if len(row) == len(names) and row[at_id].strip() and row[at_path].strip():
                paths.setdefault(row[at_id].strip(), row[at_path].strip())
    return paths


def stated(value: Any) -> list[Said]:
    """Return the texts of a list of `{language_tag, value}`, of one such object, or of plain texts."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            found.append(Said(scalar(item.get("language_tag")), scalar(item.get("value"))))
        else:
            found.append(Said("", scalar(item)))
    return [said for said in found if said.text]


def scalar(value: Any) -> str:
    """Return a text or number as text; nothing for a list or an object."""
    return value.strip() if isinstance(value, str) else ""
