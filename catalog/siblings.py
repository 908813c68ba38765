"""What a candidate is looked at beside: the pictures of its other wordings, and the product's real photos.

The other wordings have the same run, product and seed, so whatever differs comes from the words alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select

from catalog.records import ReviewItem
from catalog.schema import GenerationRow, ImageRow, ProductImageRow
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


def real_photos(catalog: Catalog, item: ReviewItem, *, limit: int = 4) -> list[str]:
    """Return digests of catalogue photos to compare a candidate with: the nearest one first, then the product's own."""
    query = (
        select(ImageRow.sha256)
        .join(ProductImageRow, ProductImageRow.image_id == ImageRow.id)
        .where(
            ProductImageRow.product_id == item.product_id, ImageRow.kind == "catalogue", ImageRow.placeholder.is_(False)
        )
        .order_by(ProductImageRow.position, ProductImageRow.id)
        .limit(limit)
    )
    with catalog.read() as session:
        own = list(session.scalars(query))
    nearest = [] if item.nearest_sha256 is None else [item.nearest_sha256]
    return list(dict.fromkeys((*nearest, *own)))[:limit]


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
