"""Catalogues of many tiny candidates and the decisions on them, for tests of exports."""

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import decision_log
from catalog.generation import enqueue
from catalog.records import Candidate
from catalog.schema import (
    AttributeRow,
    CaptionRow,
    DecisionRow,
    ProductRow,
    ReviewerRow,
    ReviewItemRow,
    SourceRow,
    VariantRow,
)
from catalog.schema import now as utc_now
from catalog.store import Catalog

FORMATS = ("PNG", "JPEG", "WEBP")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A product to draw."""

    sku: str
    name: str = "Blue enamel mug"
    category: str = "Kitchen / Mugs"
    lang: str = "en"
    source: str = "shop"
    facts: tuple[tuple[str, str, str | None], ...] = (("colour", "blue", None), ("height", "8.5", "cm"))
    variants: tuple[str, ...] = ()
    """Numbers; pictures go to product and variants in turn."""
    prompt: str = "a blue enamel mug on a white background"


def draw(
    workspace: Path,
    things: Sequence[Thing],
    pictures: int,
    *,
    similarity: float | None = 0.5,
    url: str | None = None,
) -> Path:
    """Make a workspace with so many candidates of each product, each a picture of its own, in three formats in turn."""
    folder = workspace.parent / "drawn"
    folder.mkdir(parents=True, exist_ok=True)
    with Catalog.open(workspace, url=url) as catalog:
        candidates = []
        for thing in things:
            product_id, captions = _add(catalog, thing)
            for seed in range(pictures):
                number = len(candidates)
                path = folder / f"{number}"
                path.write_bytes(tiny_picture(number))
                candidates.append(
                    Candidate(
                        image=path,
                        product_id=product_id,
                        caption_id=captions[seed % len(captions)],
                        prompt=thing.prompt,
                        seed=seed,
                        scores={"text_match": 0.25 + seed / 100},
                        nearest_sha256="0" * 64,
                        nearest_similarity=similarity,
                    )
                )
        assert enqueue(catalog, "mugs", candidates) == len(candidates)
    return workspace


def tiny_picture(number: int) -> bytes:
    """A picture of 12 x 10 pixels as PNG, JPEG or WebP; its first pixels spell the number."""
    pixels = np.full((10, 12, 3), 40 + number % 50, np.uint8)
    for place in range(4):
        pixels[:5, place * 3 : place * 3 + 3] = number // 6**place % 6 * 40
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, FORMATS[number % 3], lossless=True, quality=95)
    return out.getvalue()


def approve(
    catalog: Catalog, item_ids: Collection[int], *, by: Sequence[str] = ("aki",), verdict: str = "approve"
) -> None:
    """Write a verdict of each person on each item, as the review does, in one transaction."""
    with catalog.write() as session:
        people = [_person(session, name) for name in by]
        for item_id in item_ids:
            item = session.get_one(ReviewItemRow, item_id)
            for person in people:
                row = DecisionRow(
                    item_id=item_id,
                    round=item.round,
                    reviewer_id=person,
                    verdict=verdict,
                    origin="review",
                    decided_at=utc_now(),
                    policy_version=0,
                    idempotency_key=f"{item_id}:{person}",
                )
                decision_log.append(session, [decision_log.NewRow(row=row)])
            heads = decision_log.head_rows().where(DecisionRow.item_id == item_id)
            standing = [row.verdict for row in session.scalars(heads)]
            item.state = decision_log.derived_state(standing, item.quorum)


def _person(session: Session, name: str) -> int:
    found = session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == name))
    if found is None:
        row = ReviewerRow(name=name)
        session.add(row)
        session.flush()
        found = row.id
    return found


def _add(catalog: Catalog, thing: Thing) -> tuple[int, list[int]]:
    """Add a product with facts, variants and a caption for each; return (product, captions)."""
    with catalog.write() as session:
        source = session.scalar(select(SourceRow).where(SourceRow.name == thing.source))
        if source is None:
            source = SourceRow(name=thing.source, root=thing.source)
            session.add(source)
            session.flush()
        product = ProductRow(
            source_id=source.id, sku=thing.sku, name=thing.name, category=thing.category, lang=thing.lang
        )
        session.add(product)
        session.flush()
        session.add_all(
            AttributeRow(product_id=product.id, name=name, value=value, unit=unit, position=place, lang=thing.lang)
            for place, (name, value, unit) in enumerate(thing.facts)
        )
        variants = [VariantRow(product_id=product.id, key=sku, sku=sku) for sku in thing.variants]
        session.add_all(variants)
        session.flush()
        captions = [
            CaptionRow(product_id=product.id, variant_id=variant, text=thing.prompt, lang=thing.lang)
            for variant in (None, *(row.id for row in variants))
        ]
        session.add_all(captions)
        session.flush()
        return product.id, [row.id for row in captions]
