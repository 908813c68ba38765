"""Product records with attributes, variants and pictures, read from the catalogue."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.errors import CatalogError
from catalog.records import Attribute, Picture, Product, Variant
from catalog.schema import AttributeRow, ImageRow, ProductImageRow, ProductRow, SourceRow, VariantRow

_CHUNK = 500
"""Ids per query: SQLite limits the parameters of a statement."""


def product_ids(session: Session, *, source: str | None = None, only: Collection[int] | None = None) -> list[int]:
    """Return ids of active products, ordered.

    Raises:
        CatalogError: There is no such source.
    """
    query = select(ProductRow.id).where(ProductRow.status == "active").order_by(ProductRow.id)
    if source is not None:
        names = list(session.scalars(select(SourceRow.name).order_by(SourceRow.name)))
        if source not in names:
            raise CatalogError(
                f"no source {source!r} in the catalogue; it has {', '.join(names) or 'none yet: run ingest'}"
            )
        query = query.join(SourceRow, SourceRow.id == ProductRow.source_id).where(SourceRow.name == source)
    found = list(session.scalars(query))
    if only is None:
        return found
    wanted = set(only)
    return [id_ for id_ in found if id_ in wanted]


def load_products(session: Session, ids: Sequence[int]) -> list[Product]:
    """Return the records of these products in the order of `ids`."""
    records: dict[int, Product] = {}
    for start in range(0, len(ids), _CHUNK):
        records |= _load(session, ids[start : start + _CHUNK])
    return [records[id_] for id_ in ids if id_ in records]


def attribute_record(row: AttributeRow) -> Attribute:
    """Return a row as a record."""
    return Attribute(
        name=row.name,
        value=row.value,
        unit=row.unit,
        lang=row.lang,
        source=row.source,
        kind=row.kind,
        variant_id=row.variant_id,
    )


def _load(session: Session, ids: Sequence[int]) -> dict[int, Product]:
    attributes: dict[tuple[int, int | None], list[Attribute]] = defaultdict(list)
    query = (
        select(AttributeRow).where(AttributeRow.product_id.in_(ids)).order_by(AttributeRow.position, AttributeRow.id)
    )
    for row in session.scalars(query):
        attributes[row.product_id, row.variant_id].append(attribute_record(row))
    variants: dict[int, list[Variant]] = defaultdict(list)
    for variant in session.scalars(
        select(VariantRow).where(VariantRow.product_id.in_(ids)).order_by(VariantRow.position, VariantRow.id)
    ):
        facts = tuple(attributes[variant.product_id, variant.id])
        variants[variant.product_id].append(Variant(id=variant.id, key=variant.key, sku=variant.sku, attributes=facts))
    pictures = _pictures(session, ids)
    query_products = (
        select(ProductRow, SourceRow.name)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
        .where(ProductRow.id.in_(ids))
    )
    return {
        row.id: Product(
            id=row.id,
            source=source,
            sku=row.sku,
            name=row.name,
            category=row.category,
            lang=row.lang,
            status=row.status,
            description=row.description,
            attributes=tuple(attributes[row.id, None]),
            variants=tuple(variants[row.id]),
            pictures=tuple(pictures[row.id]),
        )
        for row, source in session.execute(query_products)
    }


def _pictures(session: Session, ids: Iterable[int]) -> dict[int, list[Picture]]:
    pictures: dict[int, list[Picture]] = defaultdict(list)
    query = (
        select(ProductImageRow, ImageRow.sha256, ImageRow.width, ImageRow.height)
        .join(ImageRow, ImageRow.id == ProductImageRow.image_id)
        .where(ProductImageRow.product_id.in_(list(ids)), ImageRow.kind == "catalogue")
        .order_by(ProductImageRow.position, ProductImageRow.id)
    )
    for row, sha256, width, height in session.execute(query):
        pictures[row.product_id].append(
            Picture(
                image_id=row.image_id,
                sha256=sha256,
                width=width,
                height=height,
                role=row.role,
                position=row.position,
                variant_id=row.variant_id,
                origin=row.origin,
            )
        )
    return pictures
