"""What the search for duplicates found, as datasets ask for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from catalog.records import Picture
from catalog.schema import DuplicateGroupRow, DuplicateMemberRow, ImageRow

COPY_KINDS = ("pixels", "derived", "near")
"""Kinds of groups that show one and the same picture."""


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Links between stored pictures, by image id."""

    keepers: Mapping[int, int] = field(default_factory=dict)
    """Copy → the best copy."""
    shapes: Mapping[int, int] = field(default_factory=dict)
    """Variant → the picture that stands for its shape; best copies only."""
    placeholders: frozenset[int] = frozenset()

    def best(self, image_id: int) -> int:
        """Return the best copy of a picture, in all the catalogue; mostly the picture itself."""
        return self.keepers.get(image_id, image_id)

    def shape(self, image_id: int) -> int:
        """Return the same picture for all colour variants of a shape, and for all their copies."""
        best = self.best(image_id)
        return self.shapes.get(best, best)


def load_copies(session: Session) -> Copies:
    """Read the links of all pictures."""
    keepers: dict[int, int] = {}
    shapes: dict[int, int] = {}
    query = select(DuplicateGroupRow.kind, DuplicateGroupRow.keeper_image_id, DuplicateMemberRow.image_id)
    for kind, keeper_id, image_id in session.execute(query.join(DuplicateMemberRow)):
        if kind in COPY_KINDS:
            keepers[image_id] = keeper_id
        elif kind == "variant":
            shapes[image_id] = keeper_id
    placeholders = frozenset(session.scalars(select(ImageRow.id).where(ImageRow.placeholder.is_(True))))
    return Copies(keepers=keepers, shapes=shapes, placeholders=placeholders)


def best_digests(session: Session) -> dict[str, str]:
    """Return digest of a copy → digest of the best copy, of all pictures that have one."""
    copy, best = aliased(ImageRow), aliased(ImageRow)
    query = (
        select(copy.sha256, best.sha256)
        .join(DuplicateMemberRow, DuplicateMemberRow.image_id == copy.id)
        .join(DuplicateGroupRow, DuplicateGroupRow.id == DuplicateMemberRow.group_id)
        .join(best, best.id == DuplicateGroupRow.keeper_image_id)
        .where(DuplicateGroupRow.kind.in_(COPY_KINDS))
    )
    return {own: other for own, other in session.execute(query)}


def distinct_pictures(
    pictures: Sequence[Picture], same_pixels: Mapping[str, str], copies: Copies
) -> list[tuple[Picture, int | None]]:
    """Drop repetitions among a product's pictures; return the rest by their largest copies and the variant each shows.

    One that names a variant stays before one that names none. Copies under two variants both stay unless their pixels
    are equal: what looks like a copy may be a colour variant that differs in a trim.

    Args:
        pictures: Of one product, in their order.
        same_pixels: Digest of a file → digest of its pixels; a file that is not in it is its own content.
        copies: What the search found.
    """
    by_content: dict[str, Picture] = {}
    for picture in sorted(pictures, key=lambda picture: picture.variant_id is None):
        by_content.setdefault(same_pixels.get(picture.sha256, picture.sha256), picture)
    copied: dict[int, list[Picture]] = defaultdict(list)
    for picture in pictures:
        copied[copies.best(picture.image_id)].append(picture)
    kept: dict[tuple[int, int | None], Picture] = {}
    for picture in pictures:
        if by_content[same_pixels.get(picture.sha256, picture.sha256)] is not picture:
            continue
        best, variant_id = copies.best(picture.image_id), picture.variant_id
        if variant_id is None and any(other.variant_id is not None for other in copied[best]):
            continue
        same = [picture, *(other for other in copied[best] if other.variant_id in (None, variant_id))]
        kept.setdefault((best, variant_id), max(same, key=lambda other: other.width * other.height))
    return [(picture, variant_id) for (_, variant_id), picture in kept.items()]
