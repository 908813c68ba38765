"""What a workspace holds, counted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import distinct, func, select

from catalog.schema import (
    CaptionRow,
    ExportFileRow,
    ExportRunRow,
    GenerationRow,
    ImageRow,
    ProductRow,
    ReviewItemRow,
    SourceRow,
)
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Counts of one catalogue."""

    sources: tuple[str, ...]
    """Names of the dumps that were ingested."""
    products: int
    """Products that the newest ingest of their dump still saw."""
    images: int
    """Pictures of the catalogue; generated ones are not counted."""
    captions: int
    """Wordings."""
    candidates: int
    """Generated pictures, decided or not."""
    states: dict[str, int]
    """Candidates by state of review."""
    exported: int
    """Candidates that went out in a finished delivery."""


def summarize(catalog: Catalog) -> Summary:
    """Count what the catalogue holds, in one snapshot."""
    delivered = (
        select(func.count(distinct(ExportFileRow.generation_id)))
        .join(ExportRunRow, ExportRunRow.id == ExportFileRow.export_run_id)
        .where(ExportRunRow.state == "done")
    )
    with catalog.read() as session:
        states = session.execute(select(ReviewItemRow.state, func.count()).group_by(ReviewItemRow.state))
        return Summary(
            sources=tuple(session.scalars(select(SourceRow.name).order_by(SourceRow.id))),
            products=session.scalar(select(func.count(ProductRow.id)).where(ProductRow.status == "active")) or 0,
            images=session.scalar(select(func.count(ImageRow.id)).where(ImageRow.kind == "catalogue")) or 0,
            captions=session.scalar(select(func.count(CaptionRow.id))) or 0,
            candidates=session.scalar(select(func.count(GenerationRow.id))) or 0,
            states={state: int(count) for state, count in states},
            exported=session.scalar(delivered) or 0,
        )
