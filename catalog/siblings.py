"""What a candidate is looked at beside: the pictures of its other wordings, and the product's real photos.

The other wordings have the same run, product and seed, so whatever differs comes from the words alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.records import ReviewItem
from catalog.schema import GenerationRow, ImageRow, ProductImageRow, ProductRow
from catalog.store import Catalog

FEWEST = 4
"""Pictures that must carry a score before one of them can stand out."""
OUTLIER_SCORE = 3.5
"""Modified z-score, in median absolute deviations of a normal distribution, from which a picture stands out."""
_MAD_OF_NORMAL = 0.6745


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """One picture of a paraphrase group."""

    generation_id: int
    image_sha256: str
    prompt: str
    outlier: bool
    """One of its scores is far from those of the other wordings."""
    current: bool
    """It is the candidate that was asked about."""


@dataclass(frozen=True, kw_only=True)
class RealPhoto:
    """A catalogue photo to compare a candidate with."""

    image_sha256: str
    nearest: bool
    """It is the one most like the candidate of all photos the generator learned from."""
    other_product: str | None = None
    """Name of the product it shows, where that is not the candidate's."""


def siblings(catalog: Catalog, item: ReviewItem, *, limit: int = 12) -> list[Sibling]:
    """Return the pictures drawn from the other wordings, and the candidate itself, in the order they were drawn.

    Args:
        catalog: An open catalogue.
        item: The candidate.
        limit: Most pictures to return; the candidate is always among them.

    Returns:
        One picture or more; only the candidate when no other wording was drawn.
    """
    query = (
        select(GenerationRow.id, GenerationRow.image_sha256, GenerationRow.prompt, GenerationRow.scores)
        .where(
            GenerationRow.product_id == item.product_id,
            GenerationRow.run == item.run,
            GenerationRow.seed == item.seed,
        )
        # The candidate first, so that the limit never cuts it off.
        .order_by(GenerationRow.id != item.generation_id, GenerationRow.id)
        .limit(limit)
    )
    with catalog.read() as session:
        rows = session.execute(query).all()
    far = outliers([scores for _, _, _, scores in rows])
    found = [
        Sibling(
            generation_id=generation_id,
            image_sha256=sha256,
            prompt=prompt,
            outlier=place in far,
            current=generation_id == item.generation_id,
        )
        for place, (generation_id, sha256, prompt, _) in enumerate(rows)
    ]
    return sorted(found, key=lambda sibling: sibling.generation_id)


def real_photos(catalog: Catalog, item: ReviewItem, *, nearest_first: bool = False, limit: int = 4) -> list[RealPhoto]:
    """Return catalogue photos to compare a candidate with, the nearest one always among them.

    Args:
        catalog: An open catalogue.
        item: The candidate.
        nearest_first: Begin with the nearest photo whatever it shows, as the search for copies needs it. Otherwise one
            of another product comes last: beside it a picture that is right looks wrong.
        limit: Most photos to return, 1 or more.
    """
    query = (
        select(ImageRow.sha256)
        .join(ProductImageRow, ProductImageRow.image_id == ImageRow.id)
        .where(
            ProductImageRow.product_id == item.product_id, ImageRow.kind == "catalogue", ImageRow.placeholder.is_(False)
        )
        .order_by(ProductImageRow.position, ProductImageRow.id)
        .limit(limit)
    )
    nearest = item.nearest_sha256
    with catalog.read() as session:
        own = [sha256 for sha256 in dict.fromkeys(session.scalars(query)) if sha256 != nearest]
        shows = {} if nearest is None else _products_on(session, nearest)
    photos = [RealPhoto(image_sha256=sha256, nearest=False) for sha256 in own]
    if nearest is None:
        return photos
    others = list(shows.values()) if item.product_id not in shows else []
    found = RealPhoto(image_sha256=nearest, nearest=True, other_product=others[0] if others else None)
    if nearest_first or item.product_id in shows:
        return [found, *photos][:limit]
    return [*photos[: limit - 1], found]


def _products_on(session: Session, sha256: str) -> dict[int, str]:
    """Return id → name of the products that a photo shows."""
    query = (
        select(ProductRow.id, ProductRow.name, ProductRow.sku)
        .join(ProductImageRow, ProductImageRow.product_id == ProductRow.id)
        .join(ImageRow, ImageRow.id == ProductImageRow.image_id)
        .where(ImageRow.sha256 == sha256)
        .order_by(ProductRow.id)
    )
    return {product_id: name or sku for product_id, name, sku in session.execute(query)}


def outliers(scores: Sequence[Mapping[str, float]]) -> set[int]:
    """Return the places of pictures with a score far from the median of all; none when fewer than `FEWEST` have it."""
    far: set[int] = set()
    for name in {name for each in scores for name in each}:
        values = {place: float(each[name]) for place, each in enumerate(scores) if name in each}
        if len(values) < FEWEST:
            continue
        middle = median(values.values())
        spread = median(abs(value - middle) for value in values.values())
        far |= {
            place
            for place, value in values.items()
            if _MAD_OF_NORMAL * abs(value - middle) > OUTLIER_SCORE * spread > 0
        }
    return far
