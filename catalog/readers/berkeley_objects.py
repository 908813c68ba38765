"""Amazon Berkeley Objects: `listings_*.json.gz`, one object a line, and `images.csv.gz` from picture ids to paths.

Recognised by `item_id` beside lists of `{language_tag, value}`. An item is listed once in each marketplace: its English
listing is the product, the others add what they say in their language, and their pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.paths import Dump
from catalog.phrases import say
from catalog.readers.berkeley_files import Listing, image_paths, listing_files, listings, scalar, stated
from catalog.readers.cell_lists import deepest
from catalog.readers.draft import DraftCatalogue, DraftProduct
from catalog.readers.drafting import Drafting
from catalog.readers.rest import with_rest
from catalog.readers.table_set import TableSet
from catalog.readers.translated import Said, by_language, preferred

NAME = "berkeley_objects"
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


def read(tables: TableSet) -> DraftCatalogue:
    """Read the listings of a dump, and its other tables as any dump's; without products if there are none."""
    drafting = Drafting(NAME, tables.dump)
    files = listing_files(tables.dump)
    if not files:
        return DraftCatalogue(reader=NAME)
    found = [listing for file in files for listing in listings(file, drafting)]
    paths = image_paths(tables.dump, drafting)
    drafting.evidence.append(
        say("{count} listings of Amazon Berkeley Objects in {files} files", count=len(found), files=len(files))
    )
    drafting.evidence.append(say("{count} picture ids with their paths", count=len(paths)))
    _add(found, paths, drafting)
    return with_rest(drafting.done(encoding="utf-8"), tables, drafting.documents)


def _add(found: Sequence[Listing], paths: dict[str, str], drafting: Drafting) -> None:
    items: dict[str, list[Listing]] = {}
    seen: dict[tuple[str, str], Listing] = {}
    for listing in found:
        first = seen.setdefault((listing.key, listing.market), listing)
        if not listing.key:
            drafting.reject(listing.place, "ROW_NO_KEY", say("no item_id"))
        elif first is not listing:
            where = say("{file} line {line}", file=first.place.file, line=first.place.line)
            detail = say(
                "item {key!r} of {market!r} was taken by {where}; that line counts",
                key=listing.key,
                market=listing.market or say("no domain"),
                where=where,
            )
            drafting.duplicate(listing.place, detail)
        else:
            items.setdefault(listing.key, []).append(listing)
    folders = _folders(paths, drafting.dump)
    for mine in items.values():
        base, *others = sorted(mine, key=lambda listing: not listing.english)
        product = _product(base, drafting)
        for listing in [base, *others]:
            if product is None:
                if listing is not base:
                    drafting.reject(
                        listing.place, "ROW_UNKNOWN_KEY", say("its item {key!r} was not taken", key=listing.key)
                    )
                continue
            drafting.accept(listing.place)
            if listing is not base:
                _translate(product, listing, base, drafting)
            _add_pictures(product, listing, paths, folders, drafting)


def _product(listing: Listing, drafting: Drafting) -> DraftProduct | None:
    value = listing.value
    names, others = preferred(stated(value.get("item_name")))
    product = drafting.product(listing.place, listing.key, names[0] if names else "", _category(value))
    if product is None:
        return None
    _keep(product, "name", others, drafting)
    for field, label in _FACTS.items():
        texts, others = preferred(stated(value.get(field)))
        drafting.fact(product, label, "\n".join(texts), field)
        _keep(product, label, others, drafting)
    kind = next(iter(stated(value.get("product_type"))), Said("", ""))
    drafting.fact(product, "type", kind.text.replace("_", " ").lower(), "product_type")
    for side in _SIDES:
        dimensions = value.get("item_dimensions")
        _add_measure(
            product, side, "item_dimensions", dimensions.get(side) if isinstance(dimensions, dict) else None, drafting
        )
    weights = value.get("item_weight")
    _add_measure(
        product, "weight", "item_weight", weights[0] if isinstance(weights, list) and weights else weights, drafting
    )
    for field, label in _TEXTS.items():
        texts, others = preferred(stated(value.get(field)))
        drafting.text(product, label, "\n".join(texts), field)
        _keep(product, label, others, drafting)
    return product


def _translate(product: DraftProduct, listing: Listing, base: Listing, drafting: Drafting) -> None:
    """Keep what a further listing says in another language; one in the same language only repeats it."""
    known = {said.spoken for said in stated(base.value.get("item_name"))}
    for field, label in {"item_name": "name", **_FACTS, **_TEXTS}.items():
        others = [said for said in stated(listing.value.get(field)) if said.spoken and said.spoken not in known]
        _keep(product, label, others, drafting)


def _keep(product: DraftProduct, label: str, others: Sequence[Said], drafting: Drafting) -> None:
    for spoken, text in by_language(others).items():
        drafting.translation(product, label, spoken, text, label)


def _add_measure(product: DraftProduct, name: str, source: str, measure: Any, drafting: Drafting) -> None:
    if isinstance(measure, dict):
        inner = measure.get("normalized_value")
        chosen = inner if isinstance(inner, dict) and inner.get("value") is not None else measure
        drafting.fact(product, name, scalar(chosen.get("value")), source, scalar(chosen.get("unit")))


def _category(value: dict[str, Any]) -> str:
    nodes = value.get("node")
    ways = [
        scalar(node.get("node_name") or node.get("path"))
        for node in (nodes if isinstance(nodes, list) else [])
        if isinstance(node, dict)
    ]
    steps = deepest(ways, "/").split(" > ")
    return " > ".join(steps[1:] if steps[0] == "Categories" else steps)


def _add_pictures(
    product: DraftProduct, listing: Listing, paths: dict[str, str], folders: Sequence[str], drafting: Drafting
) -> None:
    ids = [said.text for field in _PICTURES for said in stated(listing.value.get(field))]
    for picture in dict.fromkeys(ids):
        if (path := paths.get(picture)) is not None:
            drafting.pictures(product, listing.place, [path], folders=folders)
        else:
            drafting.report(
                listing.place, "FILE_MISSING", say("picture id {picture!r} is in no table of pictures", picture=picture)
            )


def _folders(paths: dict[str, str], dump: Dump) -> list[str]:
    """Return the folders that hold pictures at these paths, the originals before smaller copies."""
    wanted = set(paths.values())
    found: set[str] = set()
    for path in dump.files:
        parts = path.split("/")
        found.update("/".join(parts[:cut]) for cut in range(1, len(parts)) if "/".join(parts[cut:]) in wanted)
    return sorted(found, key=lambda folder: (not folder.endswith("original"), folder))
