"""Write product drafts: new rows, changed rows, and nothing for what is as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from catalog.database import insert_rows
from catalog.intake import SeenFile
from catalog.phrases import packed
from catalog.readers.cells import language
from catalog.readers.draft import DraftAttribute, DraftPicture, DraftProduct
from catalog.schema import AttributeRow, Base, ImageRow, ProductImageRow, ProductRow, SourceFileRow, VariantRow

CHUNK = 500
"""Values in one IN list; SQLite allows 32,766, older builds 999."""
_language = lru_cache(maxsize=1 << 16)(language)
"""Most values of a table come again and again."""
_ATTRIBUTES = Base.metadata.tables["attribute"]
_LINKS = Base.metadata.tables["product_image"]
_PRODUCTS = Base.metadata.tables["product"]
_ATTRIBUTE_COLUMNS = (
    "product_id", "variant_id", "name", "value", "value_raw", "unit", "number", "lang", "source", "kind", "position",
)  # fmt: skip
_PRODUCT_COLUMNS = (
    "sku", "name", "category", "lang", "status", "description", "row_hash", "last_run_id", "origin", "origin_line",
)  # fmt: skip
_LINK_COLUMNS = ("product_id", "variant_id", "image_id", "position", "role", "origin")


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A draft that is to be written."""

    draft: DraftProduct
    row_hash: str
    pictures: Sequence[tuple[DraftPicture, str]]
    """Its usable pictures with the digests of the stored files."""
    product_id: int | None
    """None for a new product."""


def write_images(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert image rows; one that another process added meanwhile is left as it is."""
    if not rows:
        return
    present = set(image_ids(session, [row["sha256"] for row in rows]))
    fresh = [dict(row) for row in rows if row["sha256"] not in present]
    if fresh:
        session.execute(insert(ImageRow), fresh)


def image_ids(session: Session, digests: Sequence[str]) -> dict[str, int]:
    """Return the ids of stored pictures by digest."""
    found: dict[str, int] = {}
    unique = list(dict.fromkeys(digests))
    for start in range(0, len(unique), CHUNK):
        query = select(ImageRow.sha256, ImageRow.id).where(ImageRow.sha256.in_(unique[start : start + CHUNK]))
        found.update((sha256, id_) for sha256, id_ in session.execute(query))
    return found


def write_files(session: Session, source_id: int, run_id: int, files: Mapping[str, SeenFile]) -> None:
    """Remember what was found in these files."""
    ids = image_ids(session, [seen.image_sha256 for seen in files.values() if seen.image_sha256])
    paths = list(files)
    for start in range(0, len(paths), CHUNK):
        part = paths[start : start + CHUNK]
        session.execute(delete(SourceFileRow).where(SourceFileRow.source_id == source_id, SourceFileRow.path.in_(part)))
    rows = [
        {
            "source_id": source_id,
            "path": path,
            "size": seen.size,
            "mtime_ns": seen.mtime_ns,
            "sha256": seen.file_sha256,
            "image_id": ids.get(seen.image_sha256 or ""),
            "reason": seen.reason,
            "detail": packed(seen.detail),
            "last_run_id": run_id,
        }
        for path, seen in files.items()
    ]
    if rows:
        session.execute(insert(SourceFileRow), rows)


def write_products(session: Session, source_id: int, run_id: int, accepted: Sequence[Accepted]) -> set[int]:
    """Insert new products and bring changed ones to their drafts; variants keep their ids by key.

    Returns:
        The ids of all products written.
    """
    ids: dict[str, int] = {item.draft.sku: item.product_id for item in accepted if item.product_id is not None}
    ids |= _insert_products(session, source_id, run_id, [item for item in accepted if item.product_id is None])
    old = [
        {"id": item.product_id, **dict(zip(_PRODUCT_COLUMNS, _product_values(item, run_id), strict=True))}
        for item in accepted
        if item.product_id is not None
    ]
    if old:
        session.execute(update(ProductRow), old)
    changed = [values["id"] for values in old]
    for start in range(0, len(changed), CHUNK):
        part = changed[start : start + CHUNK]
        session.execute(delete(AttributeRow).where(AttributeRow.product_id.in_(part)))
        session.execute(delete(ProductImageRow).where(ProductImageRow.product_id.in_(part)))
    variant_ids = _write_variants(session, accepted, ids)
    _write_attributes(session, accepted, ids, variant_ids)
    _write_links(session, accepted, ids, variant_ids)
    return set(ids.values())


def _insert_products(session: Session, source_id: int, run_id: int, new: Sequence[Accepted]) -> dict[str, int]:
    """Insert products and return their ids by SKU."""
    if not new:
        return {}
    # Nobody else writes during the transaction, so that all ids above are those of the new rows.
    highest = session.scalar(select(func.coalesce(func.max(ProductRow.id), 0)))
    rows = [(*_product_values(item, run_id), source_id, run_id) for item in new]
    insert_rows(session, _PRODUCTS, (*_PRODUCT_COLUMNS, "source_id", "first_run_id"), rows)
    query = select(ProductRow.sku, ProductRow.id).where(ProductRow.id > highest, ProductRow.source_id == source_id)
    return {sku: id_ for sku, id_ in session.execute(query)}


def _product_values(item: Accepted, run_id: int) -> tuple[Any, ...]:
    """Return the values of `_PRODUCT_COLUMNS`."""
    draft = item.draft
    lang = language(f"{draft.name} {draft.description}")
    return (
        draft.sku, draft.name, draft.category, lang, "active", draft.description, item.row_hash, run_id,
        draft.origin, draft.line,
    )  # fmt: skip


def _write_variants(
    session: Session, accepted: Sequence[Accepted], ids: Mapping[str, int]
) -> dict[tuple[int, str], int]:
    known: dict[tuple[int, str], int] = {}
    changed = [item.product_id for item in accepted if item.product_id is not None]
    for start in range(0, len(changed), CHUNK):
        query = select(VariantRow.product_id, VariantRow.key, VariantRow.id)
        found = session.execute(query.where(VariantRow.product_id.in_(changed[start : start + CHUNK])))
        known.update(((product_id, key), id_) for product_id, key, id_ in found)
    fresh: list[dict[str, Any]] = []
    wanted: set[tuple[int, str]] = set()
    for item in accepted:
        product_id = ids[item.draft.sku]
        for position, variant in enumerate(item.draft.variants):
            wanted.add((product_id, variant.key))
            values = {"sku": variant.sku, "name": variant.name, "position": position}
            if (variant_id := known.get((product_id, variant.key))) is not None:
                session.execute(update(VariantRow).where(VariantRow.id == variant_id).values(values))
            else:
                fresh.append({"product_id": product_id, "key": variant.key, **values})
    gone = [id_ for key, id_ in known.items() if key not in wanted]
    for start in range(0, len(gone), CHUNK):
        session.execute(delete(VariantRow).where(VariantRow.id.in_(gone[start : start + CHUNK])))
    if fresh:
        statement = insert(VariantRow).returning(VariantRow.product_id, VariantRow.key, VariantRow.id)
        known.update(((product_id, key), id_) for product_id, key, id_ in session.execute(statement, fresh))
    return known


def _write_attributes(
    session: Session, accepted: Sequence[Accepted], ids: Mapping[str, int], variant_ids: Mapping[tuple[int, str], int]
) -> None:
    rows: list[tuple[Any, ...]] = []

    def add(product_id: int, variant_id: int | None, attributes: Sequence[DraftAttribute]) -> None:
        rows.extend(
            (
                product_id, variant_id, attribute.name, attribute.value, attribute.value, attribute.unit,
                attribute.number, _language(attribute.value), attribute.source, attribute.kind, position,
            )
            for position, attribute in enumerate(attributes)
        )  # fmt: skip

    for item in accepted:
        product_id = ids[item.draft.sku]
        add(product_id, None, item.draft.attributes)
        for variant in item.draft.variants:
            add(product_id, variant_ids[product_id, variant.key], variant.attributes)
    insert_rows(session, _ATTRIBUTES, _ATTRIBUTE_COLUMNS, rows)


def _write_links(
    session: Session, accepted: Sequence[Accepted], ids: Mapping[str, int], variant_ids: Mapping[tuple[int, str], int]
) -> None:
    stored = image_ids(session, [digest for item in accepted for _, digest in item.pictures])
    rows: list[tuple[Any, ...]] = []
    for item in accepted:
        product_id = ids[item.draft.sku]
        linked: set[tuple[int | None, int]] = set()
        for picture, digest in item.pictures:
            variant_id = variant_ids.get((product_id, picture.variant_key)) if picture.variant_key else None
            if (variant_id, stored[digest]) in linked:
                continue
            linked.add((variant_id, stored[digest]))
            rows.append((product_id, variant_id, stored[digest], len(linked) - 1, picture.role, picture.path))
    insert_rows(session, _LINKS, _LINK_COLUMNS, rows)
