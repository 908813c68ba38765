"""Pictures that repeat one another: linked to the best copy, while colour variants of a product stay apart.

Five levels. The same bytes are one row already. The same pixels in another file are `pixels`. A copy, compressed anew
or in another size, is `near` or `derived`. The same shape in another colour is a `variant`: kept, never merged, offered
as a hard negative. Crops, added borders and banners are not looked for: the hash finds 12 to 70 % of them.

What is found depends on the pictures alone, not on the order or the number of runs they came in.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from catalog import fingerprint
from catalog.alike import CHUNK, Likeness, chunks, likenesses, neighbourhood
from catalog.errors import CatalogError
from catalog.placeholders import mark_placeholders
from catalog.records import Issue
from catalog.schema import DuplicateGroupRow, DuplicateMemberRow, ImageRow
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class DuplicateReport:
    """What the catalogue holds after a search; without new pictures it is what it was."""

    compared: int = 0
    """Pictures that were new to the search."""
    pictures: dict[str, int] = field(default_factory=dict)
    """Kind of group → pictures in one, the kept ones apart."""
    placeholders: int = 0
    """Pictures that stand for a missing one."""
    issues: tuple[Issue, ...] = ()
    """One warning for each placeholder of the source."""


def find_duplicates(catalog: Catalog, *, source: str | None = None) -> DuplicateReport:
    """Compare pictures that are new with all others, of any source, and mark placeholders.

    Args:
        catalog: Open catalogue.
        source: Report placeholders of this source only; None for all.

    Raises:
        CatalogUnwritable: The workspace cannot be written.
    """
    _renew_fingerprints(catalog)
    with catalog.read() as session:
        new = list(session.scalars(select(ImageRow.id).where(*_due)))
    with catalog.write() as session:
        if new:
            pictures = neighbourhood(session, new)
            _replace_groups(session, pictures.ids.tolist(), likenesses(pictures))
            for part in chunks(new):
                session.execute(update(ImageRow).where(ImageRow.id.in_(part)).values(compared=True))
        issues, placeholders = mark_placeholders(session, source=source)
        kinds = session.scalars(select(DuplicateGroupRow.kind).join(DuplicateMemberRow))
        counts = dict(sorted(Counter(kinds).items()))
    return DuplicateReport(compared=len(new), pictures=counts, placeholders=placeholders, issues=tuple(issues))


_due = (
    ImageRow.kind == "catalogue",
    ImageRow.fingerprint == fingerprint.VERSION,
    ImageRow.compared.is_(False),
)


def _replace_groups(session: Session, image_ids: Sequence[int], found: Sequence[Likeness]) -> None:
    """Put `found` in the place of all groups of these pictures; a group has pictures of one neighbourhood only."""
    for part in chunks(image_ids):
        session.execute(delete(DuplicateGroupRow).where(DuplicateGroupRow.keeper_image_id.in_(part)))
    keys = list(dict.fromkeys((likeness.keeper_id, likeness.kind) for likeness in found))
    if not keys:
        return
    groups = session.execute(
        insert(DuplicateGroupRow).returning(
            DuplicateGroupRow.keeper_image_id, DuplicateGroupRow.kind, DuplicateGroupRow.id
        ),
        [{"keeper_image_id": keeper, "kind": kind} for keeper, kind in keys],
    )
    ids = {(keeper, kind): id_ for keeper, kind, id_ in groups}
    rows = [
        {
            "group_id": ids[likeness.keeper_id, likeness.kind],
            "image_id": likeness.image_id,
            "distance": likeness.distance,
            "chroma": likeness.colour,
        }
        for likeness in found
    ]
    session.execute(insert(DuplicateMemberRow), rows)


def _renew_fingerprints(catalog: Catalog) -> None:
    """Make signatures of another algorithm again, and have all pictures compared anew if there were any."""
    stale = (ImageRow.kind == "catalogue", ImageRow.fingerprint != fingerprint.VERSION)
    with catalog.read() as session:
        digests = list(session.scalars(select(ImageRow.sha256).where(*stale).order_by(ImageRow.id)))
    for start in range(0, len(digests), CHUNK):
        rows = [row for sha256 in digests[start : start + CHUNK] if (row := _fingerprinted(catalog, sha256))]
        if not rows:
            continue
        with catalog.write() as session:
            for row in rows:
                session.execute(update(ImageRow).where(ImageRow.sha256 == row["sha256"]).values(row))
            session.execute(delete(DuplicateGroupRow))
            session.execute(update(ImageRow).values(compared=False))


def _fingerprinted(catalog: Catalog, sha256: str) -> dict[str, object] | None:
    try:
        data = catalog.blobs.read(sha256)
    except CatalogError:
        return None  # its file is gone from the store; the next ingest of its dump brings it back
    with Image.open(io.BytesIO(data)) as opened:
        small = fingerprint.shrink(opened.convert("RGB"))
    phash = fingerprint.phash(small)
    return {
        "sha256": sha256,
        "phash": phash,
        "chroma": fingerprint.chroma(small),
        "fingerprint": fingerprint.VERSION,
        **{f"band{place}": int(phash[4 * place : 4 * place + 4], 16) for place in range(4)},
    }
