"""Deliveries that were made before, as the catalogue noted them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from catalog import delivery_log, roles
from catalog.schema import ExportRunRow
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One export that was completed."""

    id: int
    format: str
    path: Path
    """Where it was made; it may have been moved since."""
    images: int
    excluded: Mapping[str, int]
    """Reason → number of candidates left out."""
    signed: bool
    """Whether each picture carries a C2PA signature."""
    base_url: str
    """Address its feed points to; empty for formats that list files."""
    policy_version: int
    made_at: datetime


def deliveries(catalog: Catalog, actor: str, *, before_id: int | None = None, limit: int = 20) -> list[Delivery]:
    """Return completed exports, newest first; one that was killed as it ended is settled before.

    Args:
        catalog: An open catalogue.
        actor: A lead or an admin.
        before_id: Only those made before this one, for the next page.
        limit: Most deliveries to return.

    Raises:
        NotAllowed: `actor` may not export.
    """
    query = select(ExportRunRow).where(ExportRunRow.state == "done").order_by(ExportRunRow.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(ExportRunRow.id < before_id)
    roles.require(catalog, actor, "export")
    delivery_log.settle(catalog)
    with catalog.read() as session:
        return [_delivery(row) for row in session.scalars(query)]


def _delivery(row: ExportRunRow) -> Delivery:
    return Delivery(
        id=row.id,
        format=row.format,
        path=Path(row.path),
        images=int(row.counts.get("images", 0)),
        excluded=dict(row.counts.get("excluded", {})),
        signed=bool(row.options.get("c2pa")),
        base_url=str(row.options.get("base_url", "")),
        policy_version=row.policy_version,
        made_at=row.ended_at or row.started_at,
    )
