"""Put generated pictures into the catalogue and into the review queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import policies
from catalog.errors import CatalogError, ImageRejected
from catalog.policy import COPY_QUORUM, Policy
from catalog.records import Candidate
from catalog.review.screening import reject_low
from catalog.schema import CaptionRow, GenerationRow, ImageRow, ProductRow, ReviewItemRow
from catalog.scores import finite, is_finite
from catalog.store import Catalog

_EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
BATCH = 200
"""Candidates a transaction: other writers wait at most for this many rows."""


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """A picture whose bytes are in the blob store."""

    sha256: str
    format: str
    width: int
    height: int
    size_bytes: int


def enqueue(
    catalog: Catalog,
    run: str,
    candidates: Iterable[Candidate],
    *,
    policy: Policy | None = None,
    priority: float = 0.0,
) -> int:
    """Store candidates and queue each for review; one that is there already is left as it is.

    Scores and similarities that are no finite numbers are left out: what cannot be compared is for people to judge.
    A candidate is the same when run, product, caption, prompt and seed are equal, so a run that was stopped can be
    enqueued again from the start.

    Args:
        catalog: An open catalogue.
        run: Name of the run that drew the pictures.
        candidates: The pictures; read once, in order.
        policy: Decides which pictures are flagged as possible copies, how many people must approve each, and which
            score too low to be shown; default is the one in force.
        priority: Place in the queue; the lowest number comes first.

    Returns:
        How many were new.

    Raises:
        ImageRejected: A file is missing or is no PNG, JPEG or WebP picture.
        CatalogError: A product is not in the catalogue.
    """
    added = 0
    batch: list[tuple[Candidate, _Stored]] = []
    for candidate in candidates:
        # Bytes first: a row whose picture is missing would be worse than a picture without a row.
        batch.append((candidate, _store(catalog, candidate)))
        if len(batch) == BATCH:
            added += _insert(catalog, run, batch, policy, priority)
            batch = []
    return added + (_insert(catalog, run, batch, policy, priority) if batch else 0)


def _store(catalog: Catalog, candidate: Candidate) -> _Stored:
    try:
        data = candidate.image.read_bytes()
        with Image.open(BytesIO(data)) as picture:
            picture.load()
            kind, (width, height) = str(picture.format), picture.size
    except (OSError, UnidentifiedImageError, ValueError) as error:
        raise ImageRejected("IMG_UNREADABLE", f"{candidate.image}: {error}; generate it again") from error
    if kind not in _EXTENSIONS:
        raise ImageRejected("IMG_FORMAT", f"{candidate.image} is {kind}; candidates are PNG, JPEG or WebP")
    sha256 = catalog.blobs.put(data, _EXTENSIONS[kind])
    return _Stored(sha256=sha256, format=kind, width=width, height=height, size_bytes=len(data))


def _insert(
    catalog: Catalog, run: str, batch: list[tuple[Candidate, _Stored]], policy: Policy | None, priority: float
) -> int:
    added = 0
    with catalog.write() as session:
        rules = policy or policies.in_force(session)
        for candidate, stored in batch:
            caption_id = _live_caption(session, candidate)
            if _known(session, run, candidate, caption_id):
                continue
            _insert_image(session, stored)
            generation = GenerationRow(
                image_sha256=stored.sha256,
                product_id=candidate.product_id,
                caption_id=caption_id,
                run=run,
                seed=candidate.seed,
                prompt=candidate.prompt,
                scores=finite(candidate.scores),
                nearest_sha256=candidate.nearest_sha256,
                nearest_similarity=candidate.nearest_similarity if is_finite(candidate.nearest_similarity) else None,
            )
            session.add(generation)
            session.flush()
            item = _queued(generation, rules, priority)
            session.add(item)
            session.flush()
            reject_low(session, item, generation, rules)
            added += 1
    return added


def _queued(generation: GenerationRow, rules: Policy, priority: float) -> ReviewItemRow:
    flagged = rules.copy_risk(generation.nearest_similarity)
    quorum = COPY_QUORUM if rules.second_opinion(generation.id) else 1
    return ReviewItemRow(
        generation_id=generation.id,
        flagged=flagged,
        quorum=rules.needed(quorum, copy_risk=flagged),
        policy_version=rules.version,
        priority=priority,
    )


def _live_caption(session: Session, candidate: Candidate) -> int | None:
    """Return the caption's row if it is still there; captions may be rebuilt between drawing and queueing."""
    if session.get(ProductRow, candidate.product_id) is None:
        raise CatalogError(
            f"{candidate.image.name} shows product {candidate.product_id}, which the catalogue no longer has; "
            "freeze the dataset and generate again"
        )
    if candidate.caption_id is None or session.get(CaptionRow, candidate.caption_id) is None:
        return None
    return candidate.caption_id


def _known(session: Session, run: str, candidate: Candidate, caption_id: int | None) -> bool:
    # Asked for, not left to the unique constraint: NULL captions are never equal to each other there.
    same = select(GenerationRow.id).where(
        GenerationRow.run == run,
        GenerationRow.product_id == candidate.product_id,
        GenerationRow.caption_id.is_not_distinct_from(caption_id),
        GenerationRow.prompt == candidate.prompt,
        GenerationRow.seed == candidate.seed,
    )
    return session.scalar(same.limit(1)) is not None


def _insert_image(session: Session, stored: _Stored) -> None:
    if session.scalar(select(ImageRow.id).where(ImageRow.sha256 == stored.sha256)) is not None:
        return
    session.add(
        ImageRow(
            sha256=stored.sha256,
            ext=_EXTENSIONS[stored.format],
            format=stored.format,
            width=stored.width,
            height=stored.height,
            size_bytes=stored.size_bytes,
            kind="generated",
        )
    )
    session.flush()
