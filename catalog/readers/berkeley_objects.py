"""Amazon Berkeley Objects: `listings_*.json.gz`, one object a line, and `images.csv.gz` from picture ids to paths.

Recognised by `item_id` beside lists of `{language_tag, value}`. An item is listed once in each marketplace: its English
listing is the product, the others add what they say in their language, and their pictures.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.paths import Dump, DumpFile
from catalog.readers.cell_lists import deepest
from catalog.readers.compressed import decompressed, first_line
from catalog.readers.draft import DraftCatalogue, DraftProduct
from catalog.readers.drafting import Drafting, Place
from catalog.readers.encoding import decode_text
from catalog.readers.rest import with_rest
from catalog.readers.table_set import TableSet
from catalog.readers.translated import Said, by_language, preferred

NAME = "berkeley_objects"
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz")
_HEAD_BYTES = 65_536
_FACTS = {
    "brand": "brand",
    "color": "color",
    "material": "material",
    "fabric_type": "fabric",
    "finish_type": "finish",
    "pattern": "pattern",
    "item_shape": "shape",
    "style": "style",
}
_TEXTS = {"product_description": "description", "bullet_point": "bullet points"}
_SIDES = ("height", "width", "length")
_PICTURES = ("main_image_id", "other_image_id")


@dataclass(frozen=True)
class _Listing:
    place: Place
    value: dict[str, Any]

    @property
    def key(self) -> str:
        return _scalar(self.value.get("item_id"))

    @property
    def market(self) -> str:
        return _scalar(self.value.get("domain_name"))

    @property
    def english(self) -> bool:
        return any(said.spoken == "en" for said in _said(self.value.get("item_name")))


def read(tables: TableSet) -> DraftCatalogue:
    """Read the listings of a dump, and its other tables as any dump's; without products if there are none."""
    drafting = Drafting(NAME, tables.dump)
    files = [file for file in tables.dump.with_suffix({".json", ".jsonl", ".ndjson", ".gz"}) if _has_listings(file)]
    if not files:
        return DraftCatalogue(reader=NAME)
    listings = [listing for file in files for listing in _listings(file, drafting)]
    paths = _image_paths(tables.dump, drafting)
    drafting.evidence.append(f"{len(listings)} listings of Amazon Berkeley Objects in {len(files)} files")
    drafting.evidence.append(f"{len(paths)} picture ids with their paths")
    _add(listings, paths, drafting)
    return with_rest(drafting.done(encoding="utf-8"), tables, drafting.documents)


# --- files ---------------------------------------------------------------------------------------


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


def _listings(file: DumpFile, drafting: Drafting) -> Iterator[_Listing]:
    for number, line in enumerate(_text(file, drafting).split("\n"), start=1):
        if not line.strip():
            continue
        place = drafting.count(file.path, number)
        try:
            value = json.loads(line, parse_int=str, parse_float=str)
        except (ValueError, RecursionError) as error:
            drafting.reject(place, "ROW_UNREADABLE", f"no JSON object: {error}")
            continue
        if isinstance(value, dict):
            yield _Listing(place, value)
        else:
            drafting.reject(place, "ROW_UNREADABLE", "JSON, but no object")


def _text(file: DumpFile, drafting: Drafting) -> str:
    drafting.documents.add(file.path)
    try:
        data, problem = decompressed(file)
    except OSError as error:
        data, problem = b"", str(error.strerror or error)
    if problem:
        drafting.report(Place(file.path, None), "FILE_UNREADABLE", problem)
    return decode_text(data, "utf-8")[0]


def _image_paths(dump: Dump, drafting: Drafting) -> dict[str, str]:
    """Return picture id → path, of the tables that have these two columns."""
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


# --- products ------------------------------------------------------------------------------------


def _add(listings: Sequence[_Listing], paths: dict[str, str], drafting: Drafting) -> None:
    items: dict[str, list[_Listing]] = {}
    seen: dict[tuple[str, str], _Listing] = {}
    for listing in listings:
        first = seen.setdefault((listing.key, listing.market), listing)
        if not listing.key:
            drafting.reject(listing.place, "ROW_NO_KEY", "no item_id")
        elif first is not listing:
            where = f"{first.place.file} line {first.place.line}"
            detail = f"item {listing.key!r} of {listing.market or 'no domain'!r} was taken by {where}; that line counts"
            drafting.duplicate(listing.place, detail)
        else:
            items.setdefault(listing.key, []).append(listing)
    folders = _folders(paths, drafting.dump)
    for found in items.values():
        base, *others = sorted(found, key=lambda listing: not listing.english)
        product = _product(base, drafting)
        for listing in [base, *others]:
            if product is None:
                if listing is not base:
                    drafting.reject(listing.place, "ROW_UNKNOWN_KEY", f"its item {listing.key!r} was not taken")
                continue
            drafting.accept(listing.place)
            if listing is not base:
                _translate(product, listing, base, drafting)
            _add_pictures(product, listing, paths, folders, drafting)


def _product(listing: _Listing, drafting: Drafting) -> DraftProduct | None:
    value = listing.value
    names, others = preferred(_said(value.get("item_name")))
    product = drafting.product(listing.place, listing.key, names[0] if names else "", _category(value))
    if product is None:
        return None
    _keep(product, "name", others, drafting)
    for field, label in _FACTS.items():
        texts, others = preferred(_said(value.get(field)))
        drafting.fact(product, label, "\n".join(texts), field)
        _keep(product, label, others, drafting)
    kind = next(iter(_said(value.get("product_type"))), Said("", ""))
    drafting.fact(product, "type", kind.text.replace("_", " ").lower(), "product_type")
    for side in _SIDES:
        dimensions = value.get("item_dimensions")
        _add_measure(product, side, dimensions.get(side) if isinstance(dimensions, dict) else None, drafting)
    weights = value.get("item_weight")
    _add_measure(product, "weight", weights[0] if isinstance(weights, list) and weights else weights, drafting)
    for field, label in _TEXTS.items():
        texts, others = preferred(_said(value.get(field)))
        drafting.text(product, label, "\n".join(texts), field)
        _keep(product, label, others, drafting)
    return product


def _translate(product: DraftProduct, listing: _Listing, base: _Listing, drafting: Drafting) -> None:
    """Keep what a further listing says in another language; one in the same language only repeats it."""
    known = {said.spoken for said in _said(base.value.get("item_name"))}
    for field, label in {"item_name": "name", **_FACTS, **_TEXTS}.items():
        others = [said for said in _said(listing.value.get(field)) if said.spoken and said.spoken not in known]
        _keep(product, label, others, drafting)


def _keep(product: DraftProduct, label: str, others: Sequence[Said], drafting: Drafting) -> None:
    for spoken, text in by_language(others).items():
        drafting.translation(product, label, spoken, text, label)


def _add_measure(product: DraftProduct, name: str, measure: Any, drafting: Drafting) -> None:
    if isinstance(measure, dict):
        inner = measure.get("normalized_value")
        chosen = inner if isinstance(inner, dict) and inner.get("value") is not None else measure
        drafting.fact(product, name, _scalar(chosen.get("value")), "item_dimensions", _scalar(chosen.get("unit")))


def _category(value: dict[str, Any]) -> str:
    nodes = value.get("node")
    ways = [
        _scalar(node.get("node_name") or node.get("path"))
        for node in (nodes if isinstance(nodes, list) else [])
        if isinstance(node, dict)
    ]
    steps = deepest(ways, "/").split(" > ")
    return " > ".join(steps[1:] if steps[0] == "Categories" else steps)


def _add_pictures(
    product: DraftProduct, listing: _Listing, paths: dict[str, str], folders: Sequence[str], drafting: Drafting
) -> None:
    ids = [said.text for field in _PICTURES for said in _said(listing.value.get(field))]
    for picture in dict.fromkeys(ids):
        if (path := paths.get(picture)) is not None:
            drafting.pictures(product, listing.place, [path], folders=folders)
        else:
            drafting.report(listing.place, "FILE_MISSING", f"picture id {picture!r} is in no table of pictures")


def _folders(paths: dict[str, str], dump: Dump) -> list[str]:
    """Return the folders that hold pictures at these paths, the originals before smaller copies."""
    wanted = set(paths.values())
    found: set[str] = set()
    for path in dump.files:
        parts = path.split("/")
        found.update("/".join(parts[:cut]) for cut in range(1, len(parts)) if "/".join(parts[cut:]) in wanted)
    return sorted(found, key=lambda folder: (not folder.endswith("original"), folder))


def _said(value: Any) -> list[Said]:
    """Return the texts of a list of `{language_tag, value}`, of one such object, or of plain texts."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            found.append(Said(_scalar(item.get("language_tag")), _scalar(item.get("value"))))
        else:
            found.append(Said("", _scalar(item)))
    return [said for said in found if said.text]


def _scalar(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
