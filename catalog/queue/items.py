"""Items of the review queue and what the record says about them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from catalog.database import MAX_VARIABLES
from catalog.errors import ReviewRefused
from catalog.notes import storable
from catalog.phrases import say
from catalog.products import attribute_record
from catalog.records import ReviewItem, Specification
from catalog.schema import (
    ITEM_STATES,
    AttributeRow,
    CaptionRow,
    GenerationRow,
    ImageRow,
    ProductRow,
    ReviewItemRow,
    SourceRow,
    VariantRow,
)
from catalog.store import Catalog


def item(catalog: Catalog, item_id: int) -> ReviewItem:
    """Return one item of the queue.

    Raises:
        ReviewRefused: There is no such item.
    """
    with catalog.read() as session:
        return read_item(session, item_id)


def items(
    catalog: Catalog, *, state: str | None = None, run: str | None = None, limit: int = 50, offset: int = 0
) -> list[ReviewItem]:
    """Return items in queue order.

    Args:
        catalog: An open catalogue.
        state: One of `schema.ITEM_STATES`; None for all.
        run: Only what this run drew.
        limit: Most items to return.
        offset: Items to leave out at the front.

    Raises:
        ReviewRefused: Unknown state, or a run that drew nothing.
    """
    if state is not None and state not in ITEM_STATES:
        raise ReviewRefused(say("no state {state!r}; allowed: {allowed}", state=state, allowed=", ".join(ITEM_STATES)))
    query = _item_query().order_by(ReviewItemRow.priority, ReviewItemRow.id).limit(limit).offset(offset)
    if state is not None:
        query = query.where(ReviewItemRow.state == state)
    with catalog.read() as session:
        if run is not None:
            require_run(session, run)
            query = query.where(GenerationRow.run == run)
        return [_item_record(row) for row in session.execute(query)]


def specification(catalog: Catalog, item_id: int) -> Specification:
    """Return what the record states for the product, and the variant if the caption names one, of an item.

    Raises:
        ReviewRefused: There is no such item.
    """
    query = (
        select(ProductRow, SourceRow.name, CaptionRow.variant_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
        .join(GenerationRow, GenerationRow.product_id == ProductRow.id)
        .join(ReviewItemRow, ReviewItemRow.generation_id == GenerationRow.id)
        .outerjoin(CaptionRow, CaptionRow.id == GenerationRow.caption_id)
        .where(ReviewItemRow.id == item_id)
    )
    with catalog.read() as session:
        found = session.execute(query).one_or_none()
        if found is None:
            raise unknown_item(item_id)
        product, source, variant_id = found
        variant = session.get(VariantRow, variant_id) if variant_id is not None else None
        own = AttributeRow.variant_id.is_(None)
        rows = session.scalars(
            select(AttributeRow)
            .where(AttributeRow.product_id == product.id, own | (AttributeRow.variant_id == variant_id))
            .order_by(AttributeRow.position, AttributeRow.id)
        ).all()
        return Specification(
            product=f"{source}/{product.sku}",
            sku=product.sku,
            name=product.name,
            category=product.category,
            description=product.description,
            attributes=tuple(map(attribute_record, rows)),
            variant=variant.sku if variant is not None else None,
        )


def picture_size(catalog: Catalog, sha256: str) -> tuple[int, int] | None:
    """Return (width, height) in pixels of a picture of the catalogue; None for a digest it does not know."""
    with catalog.read() as session:
        found = session.execute(select(ImageRow.width, ImageRow.height).where(ImageRow.sha256 == sha256)).one_or_none()
        return (found[0], found[1]) if found else None


def read_item(session: Session, item_id: int) -> ReviewItem:
    """Return one item inside an open transaction; raises ReviewRefused when there is none."""
    if not 0 < item_id < 2**63:  # the driver raises beyond
        raise unknown_item(item_id)
    row = session.execute(_item_query().where(ReviewItemRow.id == item_id)).one_or_none()
    if row is None:
        raise unknown_item(item_id)
    return _item_record(row)


def read_items(session: Session, item_ids: Sequence[int]) -> list[ReviewItem]:
    """Return several items inside an open transaction, in the order asked for; raises ReviewRefused as `read_item`."""
    found: dict[int, ReviewItem] = {}
    for start in range(0, len(item_ids), MAX_VARIABLES):
        some = [number for number in item_ids[start : start + MAX_VARIABLES] if 0 < number < 2**63]
        for row in session.execute(_item_query().where(ReviewItemRow.id.in_(some))):
            found[row[0].id] = _item_record(row)
    for number in item_ids:
        if number not in found:
            raise unknown_item(number)
    return [found[number] for number in item_ids]


def _item_query() -> Select[*tuple[Any, ...]]:
    return (
        select(ReviewItemRow, GenerationRow, ProductRow.name, ProductRow.sku, SourceRow.name)
        .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
        .join(ProductRow, ProductRow.id == GenerationRow.product_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
    )


def _item_record(row: Sequence[Any]) -> ReviewItem:
    queued, generation, product_name, sku, source = row
    return ReviewItem(
        id=queued.id,
        generation_id=generation.id,
        product_id=generation.product_id,
        product=f"{source}/{sku}",
        product_name=product_name,
        image_sha256=generation.image_sha256,
        prompt=generation.prompt,
        run=generation.run,
        seed=generation.seed,
        scores=dict(generation.scores),
        state=queued.state,
        round=queued.round,
        priority=queued.priority,
        quorum=queued.quorum,
        version=queued.version,
        nearest_sha256=generation.nearest_sha256,
        nearest_similarity=generation.nearest_similarity,
        lease_owner=queued.lease_owner,
        lease_token=queued.lease_token,
        lease_until=queued.lease_until,
        first_shown_at=queued.first_shown_at,
        flagged=queued.flagged,
    )


def require_run(session: Session, run: str) -> None:
    """Raise ReviewRefused for a run that drew no candidates."""
    if storable(run) and session.scalar(select(GenerationRow.id).where(GenerationRow.run == run).limit(1)):
        return
    runs = set(session.scalars(select(GenerationRow.run).distinct()))
    near = get_close_matches(run, runs, n=3, cutoff=0.3) or sorted(runs)[-3:]
    raise ReviewRefused(
        say(
            "no candidates of a run {run!r}; there are those of: {names}",
            run=run[:200],
            names=", ".join(near) or say("none yet"),
        )
    )


def unknown_item(item_id: int) -> ReviewRefused:
    """Return what is raised for a number of no item."""
    return ReviewRefused(say("no item {item_id} in the review queue; list them with: adapt queue", item_id=item_id))
