"""What a source had before, what a new dump no longer has, and how far that may go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from catalog.archives import archive_stem
from catalog.errors import IngestRefused
from catalog.intake import SeenFile
from catalog.path_rules import shown_path
from catalog.phrases import say, unpacked
from catalog.readers.draft import DraftProduct
from catalog.schema import GenerationRow, ImageRow, ProductRow, SourceFileRow, SourceRow
from catalog.store import Catalog
from catalog.upsert import CHUNK

SHRINK_LIMIT = 0.30
"""Share of a source's products that one run may miss without being asked."""
SHRINK_MIN_PRODUCTS = 2
"""One product gone is never a shrink, however small the source."""


@dataclass(frozen=True)
class KnownProduct:
    """A product as the catalogue has it."""

    id: int
    row_hash: str
    status: str


@dataclass(kw_only=True)
class KnownSource:
    """All the catalogue knows of one source before a run."""

    products: Mapping[str, KnownProduct] = field(default_factory=dict)
    files: Mapping[str, SeenFile] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()
    """Digests of every picture, of all sources."""
    sizes: frozenset[int] = frozenset()
    """Sizes in bytes of these files and pictures."""


def source_name(root: Path, given: str | None) -> str:
    """Return the name of a source: as given, else the folder's or archive's own.

    Raises:
        IngestRefused: The name is empty, too long, only dots, or holds a slash or control character.
    """
    own = shown_path(root.name)
    name = (own if root.is_dir() else archive_stem(own)) if given is None else shown_path(given.strip())
    # It is a folder's name, too: `..` is another one, and 255 bytes are all that file systems take.
    if name in ("", ".", "..") or len(name) > 100 or len(name.encode()) > 255 or re.search(r"[/\\\x00-\x1f]", name):
        raise IngestRefused(
            say("{name!r} is no name for a source; use up to 100 characters without slashes: --source NAME", name=name)
        )
    return name


def load(catalog: Catalog, name: str) -> KnownSource:
    """Read what the catalogue knows of a source; empty for a new one."""
    with catalog.read() as session:
        pictures = session.execute(select(ImageRow.id, ImageRow.sha256, ImageRow.size_bytes)).all()
        digests: dict[int | None, str] = {id_: sha256 for id_, sha256, _ in pictures}
        stored = frozenset(digests.values())
        sizes = {size for _, _, size in pictures}
        source_id = session.scalar(select(SourceRow.id).where(SourceRow.name == name))
        if source_id is None:
            return KnownSource(stored=stored, sizes=frozenset(sizes))
        rows = session.execute(
            select(ProductRow.sku, ProductRow.id, ProductRow.row_hash, ProductRow.status).where(
                ProductRow.source_id == source_id
            )
        )
        products = {sku: KnownProduct(id_, row_hash, status) for sku, id_, row_hash, status in rows}
        columns = (
            SourceFileRow.path, SourceFileRow.size, SourceFileRow.mtime_ns, SourceFileRow.sha256,
            SourceFileRow.image_id, SourceFileRow.reason, SourceFileRow.detail,
        )  # fmt: skip
        files = {
            path: SeenFile(
                size=size,
                mtime_ns=mtime_ns,
                file_sha256=file_sha256,
                image_sha256=digests.get(image_id),
                reason=reason,
                detail=unpacked(detail),
            )
            for path, size, mtime_ns, file_sha256, image_id, reason, detail in session.execute(
                select(*columns).where(SourceFileRow.source_id == source_id)
            )
            # A file that lost its picture row must be read again.
            if image_id in digests or reason
        }
    sizes.update(seen.size for seen in files.values())
    return KnownSource(products=products, files=files, stored=stored, sizes=frozenset(sizes))


def missing_skus(known: KnownSource, drafts: Sequence[DraftProduct]) -> list[str]:
    """Return the keys of products the dump no longer has, those of earlier runs included."""
    present = {draft.sku for draft in drafts}
    return [sku for sku in known.products if sku not in present]


def guard_shrink(name: str, known: KnownSource, missing: Sequence[str], *, accepted: bool) -> None:
    """Refuse a run in which too many active products would become missing.

    Raises:
        IngestRefused: More than SHRINK_LIMIT are gone and that was not accepted.
    """
    active = [sku for sku, product in known.products.items() if product.status == "active"]
    gone = set(missing) & set(active)
    if accepted or len(gone) < SHRINK_MIN_PRODUCTS or len(gone) <= SHRINK_LIMIT * len(active):
        return
    raise IngestRefused(
        say(
            "{gone} of the {count} products of source '{name}' are not in this dump (at most {limit:.0%} "
            "may be missing); if that is right add --accept-shrink, if this is another dump name it with "
            "--source NAME",
            gone=len(gone),
            count=len(active),
            name=name,
            limit=SHRINK_LIMIT,
        )
    )


def retire(session: Session, source_id: int, missing: Sequence[str], *, prune: bool) -> int:
    """Mark products missing, or with `prune` delete them, and return how many were deleted.

    A product somebody generated pictures of is never deleted: decisions hang on it.
    """
    pruned = 0
    for start in range(0, len(missing), CHUNK):
        mine = (ProductRow.source_id == source_id) & ProductRow.sku.in_(missing[start : start + CHUNK])
        if prune:
            used = exists().where(GenerationRow.product_id == ProductRow.id)
            ids = list(session.scalars(select(ProductRow.id).where(mine, ~used)))
            session.execute(delete(ProductRow).where(ProductRow.id.in_(ids)))
            pruned += len(ids)
        session.execute(update(ProductRow).where(mine, ProductRow.status != "missing").values(status="missing"))
    return pruned
