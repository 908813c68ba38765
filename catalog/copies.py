"""What the search for duplicates found, as datasets ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

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
