"""Workspaces full of candidates for `review_speed.py`: the same rows and pictures on every machine, made once and kept.

A product has eight candidates: four wordings by two seeds. Every candidate has a file of its own, one of some hundred
drawings with its number in a comment of the JPEG, so that the blob store is as full as it would be. Queue order is
the order they were drawn in. People have decided the first part of the queue; their decisions are written by the
services' own log.
"""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import fabricated
from review_decisions import BEGAN, REVIEWERS, decide
from sqlalchemy import Table
from sqlalchemy.orm import Session

from catalog import people
from catalog.database import insert_rows
from catalog.policy import COPY_QUORUM, DEFAULT_POLICY
from catalog.schema import Base
from catalog.store import Catalog

SEED = 5
WORDINGS, SEEDS = 4, 2
A_PRODUCT = WORDINGS * SEEDS
RUNS = 5
DRAWINGS, DRAWN_PX = 400, 256
PHOTOS, PHOTO_PX = 300, 600
DECIDED = 0.05
"""Share of the queue that was decided before."""
LEAD = "lea"
NEW = tuple(f"reviewer {number:02}" for number in range(10))
"""Who reviews while it is measured; none of them has decided anything."""
_MADE = BEGAN.strftime("%Y-%m-%d %H:%M:%S.%f")
_BATCH = 4000


def workspace(folder: Path, candidates: int, decided: float = DECIDED) -> Path:
    """Return a workspace of this many candidates below `folder`; one that was finished before is taken as it is.

    Args:
        folder: Where workspaces are kept.
        candidates: How many; a multiple of eight.
        decided: Share of them that people decided, from the front of the queue.
    """
    made = folder / f"review_{candidates}_{decided:g}"
    mark = made / "finished"
    if mark.is_file():
        return made
    if made.exists():
        raise SystemExit(f"{made} was not finished; remove it and run this again")
    with Catalog.open(made) as catalog:
        fill(catalog, candidates, decided)
    mark.touch()
    return made


def fill(catalog: Catalog, candidates: int, decided: float = DECIDED, *, photographs: int = PHOTOS) -> None:
    """Fill an empty catalogue; the same numbers make the same rows."""
    rng = random.Random(SEED)
    photos = [catalog.blobs.put(_jpeg(number, PHOTO_PX), "jpg") for number in range(photographs)]
    drawings = [_jpeg(number, DRAWN_PX) for number in range(1000, 1000 + min(DRAWINGS, candidates))]
    with catalog.write() as session:
        _insert(session, "source", [{"id": 1, "name": "shop", "root": "/", "created_at": _MADE}])
        _insert(session, "image", [_image(number + 1, sha, PHOTO_PX, "catalogue") for number, sha in enumerate(photos)])
    for first in range(0, candidates // A_PRODUCT, _BATCH // A_PRODUCT):
        numbers = range(first, min(first + _BATCH // A_PRODUCT, candidates // A_PRODUCT))
        pictures = [
            catalog.blobs.put(_numbered(drawings[number * 7 % len(drawings)], number), "jpg")
            for number in range(numbers.start * A_PRODUCT, numbers.stop * A_PRODUCT)
        ]
        with catalog.write() as session:
            _add_products(session, numbers, photographs)
            _add_candidates(session, rng, numbers, pictures, photos, candidates)
    for name in (*REVIEWERS, *NEW):
        people.sign_in(catalog, name, role="reviewer")
    people.sign_in(catalog, LEAD, role="admin")
    decide(catalog, rng, round(candidates * decided))


# --- rows -------------------------------------------------------------------------------------------


def _add_products(session: Session, numbers: range, photographs: int) -> None:
    products, attributes, captions, shown = [], [], [], []
    for number in numbers:
        cells = _cells(number)
        product_id = number + 1
        products.append(
            {
                "id": product_id,
                "source_id": 1,
                "sku": f"P{number:07}",
                "name": f"{cells['material']} mug {number}",
                "category": "kitchen > mugs",
                "lang": "en",
                "status": "active",
                "description": f"A mug of {cells['material']} for every day, {cells['colour']}, number {number}.",
                "row_hash": "",
                "origin": "",
            }
        )
        attributes += [
            {"product_id": product_id, "name": name, "value": value, "value_raw": value, "lang": "en", "source": ""}
            | {"kind": "fact", "position": place}
            for place, (name, value) in enumerate(cells.items())
        ]
        captions += [
            {"id": number * WORDINGS + wording + 1, "product_id": product_id, "text": _text(cells, wording)}
            | {"lang": "en", "template": f"t{wording}", "facts": {}, "fact_set": "", "origin": "template"}
            | {"seed": wording, "glossary_version": ""}
            for wording in range(WORDINGS)
        ]
        shown += [
            {"product_id": product_id, "image_id": (number * 3 + place) % photographs + 1, "position": place}
            | {"role": "main", "origin": ""}
            for place in range(1 + number % 3)
        ]
    for table, rows in (
        ("product", products), ("attribute", attributes), ("caption", captions), ("product_image", shown)
    ):  # fmt: skip
        _insert(session, table, rows)


def _add_candidates(
    session: Session, rng: random.Random, numbers: range, pictures: list[str], photos: list[str], candidates: int
) -> None:
    images, generations, items = [], [], []
    for place, sha in enumerate(pictures):
        number = numbers.start * A_PRODUCT + place
        product, seed, wording = number // A_PRODUCT, number % A_PRODUCT // WORDINGS, number % WORDINGS
        similarity = round(min(0.995, rng.gauss(0.75, 0.1)), 4)
        images.append(_image(len(photos) + number + 1, sha, DRAWN_PX, "generated"))
        generations.append(
            {
                "id": number + 1,
                "image_sha256": sha,
                "product_id": product + 1,
                "caption_id": product * WORDINGS + wording + 1,
                "run": f"run-{number * RUNS // candidates + 1}",
                "seed": seed,
                "prompt": _text(_cells(product), wording),
                "scores": {"text_match": round(rng.gauss(0.3, 0.05), 4), "realism": round(rng.random(), 4)},
                "nearest_sha256": photos[product * 3 % len(photos)],
                "nearest_similarity": similarity,
                "created_at": _MADE,
            }
        )
        copy = DEFAULT_POLICY.copy_risk(similarity)
        quorum = COPY_QUORUM if copy or rng.random() < 0.05 else 1
        items.append(
            {"id": number + 1, "generation_id": number + 1, "state": "pending", "round": 1, "priority": 0.0}
            | {"quorum": quorum, "flagged": int(copy), "policy_version": 0, "version": 0, "created_at": _MADE}
        )
    for table, rows in (("image", images), ("generation", generations), ("review_item", items)):
        _insert(session, table, rows)


def _insert(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        target: Table = Base.metadata.tables[table]
        insert_rows(session, target, list(rows[0]), [tuple(row.values()) for row in rows])


def _image(number: int, sha256: str, side_px: int, kind: str) -> dict[str, Any]:
    return {
        "id": number, "sha256": sha256, "pixel_sha256": sha256, "ext": "jpg", "format": "JPEG", "width": side_px,
        "height": side_px, "size_bytes": 15_000, "kind": kind, "phash": "", "fingerprint": "", "compared": 1,
        "placeholder": 0, "flags": {}, "created_at": _MADE,
    }  # fmt: skip


def _cells(number: int) -> dict[str, str]:
    return {
        "colour": ("red", "white", "blue", "black", "beige", "grey")[number % 6],
        "material": ("cotton", "linen", "steel", "porcelain", "oak", "leather")[number // 6 % 6],
        "pattern": ("plain", "dotted", "striped")[number % 3],
        "shape": ("round", "square")[number % 2],
        "finish": ("matt", "glossy")[number // 2 % 2],
        "weight": f"{200 + number % 300} g",
        "volume": f"{150 + number % 200} ml",
        "origin": "Japan",
        "series": f"series {number % 40}",
        "parts": ("lid", "none")[number % 2],
    }


def _text(cells: dict[str, str], wording: int) -> str:
    colour, material, pattern = cells["colour"], cells["material"], cells["pattern"]
    return (
        f"a {colour} {pattern} mug of {material}",
        f"{pattern} {material} mug, {colour}",
        f"a mug that is {colour} and {pattern}, made of {material}",
        f"photo of a {colour} {material} mug with a {pattern} surface",
    )[wording]


# --- pictures ---------------------------------------------------------------------------------------


def _jpeg(number: int, side_px: int) -> bytes:
    out = io.BytesIO()
    fabricated.photograph(number, side_px).save(out, "JPEG", quality=85)
    return out.getvalue()


def _numbered(jpeg: bytes, number: int) -> bytes:
    """Return the picture with a comment: the same pixels, another file."""
    comment = f"candidate {number}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]
