"""The whole decision log for those who check it: search, proof that nothing was changed, and a file to take away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from catalog import decision_log, queue, roles
from catalog.atomic import replacing
from catalog.errors import CatalogUnwritable, ReviewRefused
from catalog.exporters.tables import TableFile
from catalog.phrases import say, told
from catalog.records import Decision
from catalog.review.replaying import Difference, replay
from catalog.schema import VERDICTS, DecisionRow, ProductRow, ReviewerRow
from catalog.store import Catalog

FORMATS = ("jsonl", "csv")
PAGE = 1000
"""Rows read at a time while a file is written."""
_COLUMNS = (
    "id", "decided_at", "item", "round", "product", "reviewer", "verdict", "origin", "reasons", "checks", "note",
    "dwell_ms", "supersedes", "superseded", "image_sha256",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which rows of the log; what is None or empty asks for nothing."""

    reviewer: str | None = None
    verdict: str | None = None
    """One of `schema.VERDICTS`."""
    origin: str | None = None
    item_id: int | None = None
    product: str = ""
    """Part of a product's name or stock number, in any case."""
    since: datetime | None = None
    """Decided then or later."""
    until: datetime | None = None
    """Decided before then."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """Whether the log can be trusted."""

    decisions: int
    broken: int | None
    """First row that was changed or added outside the review; None when the chain holds."""
    differences: tuple[Difference, ...]
    """Items whose stored state the log does not explain."""

    @property
    def ok(self) -> bool:
        """Say whether nothing was found."""
        return self.broken is None and not self.differences


def entries(
    catalog: Catalog, actor: str, search: Search | None = None, *, before_id: int | None = None, limit: int = 50
) -> list[Decision]:
    """Return rows of the log, newest first.

    Args:
        catalog: An open catalogue.
        actor: An auditor, a lead or an admin. A lead still judges pictures, so colleagues' verdicts on those that are
            open are left out, as in `queue.decisions`.
        search: Which rows; default is all.
        before_id: Only rows older than this one, for the next page.
        limit: Most rows to return.

    Raises:
        NotAllowed: `actor` may not read the log.
        ReviewRefused: Unknown verdict.
    """
    with catalog.read() as session:
        return _page(session, _log(session, actor), search or Search(), before_id, limit)


def check(catalog: Catalog, actor: str) -> Check:
    """Recompute every hash and derive every state again; raises NotAllowed for who may not read the log."""
    roles.require(catalog, actor, "audit")
    broken, derived = decision_log.first_broken_decision(catalog), replay(catalog)
    return Check(decisions=derived.decisions, broken=broken, differences=derived.differences)


def export(catalog: Catalog, actor: str, path: Path, search: Search | None = None, *, format: str | None = None) -> int:
    """Write rows of the log to a file, newest first; the file is whole or not there.

    Args:
        catalog: An open catalogue.
        actor: An auditor, a lead or an admin; a lead gets what `entries` shows a lead.
        path: The file; one that is there is not overwritten.
        search: Which rows; default is all.
        format: One of `FORMATS`; default is what the name ends with.

    Returns:
        How many rows were written.

    Raises:
        NotAllowed: `actor` may not read the log.
        ReviewRefused: Unknown format or verdict, or the file exists.
        CatalogUnwritable: It cannot be written.
    """
    kind = format or path.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise ReviewRefused(
            say(
                "the log is written as {allowed}, not as {kind!r}; name the file so",
                allowed=" or ".join(FORMATS),
                kind=kind,
            )
        )
    if path.exists():
        raise ReviewRefused(say("{path} exists already; choose another file, or remove it", path=path))
    count = 0
    try:
        with (
            catalog.read() as session,
            replacing(path) as part,
            part.open("wb") as file,
        ):
            log = _log(session, actor)
            table = TableFile(file, _COLUMNS, for_people=True) if kind == "csv" else None
            for made in _all(session, log, search or Search()):
                if table is not None:
                    table.add(map(_flat, _record(made).values()))
                else:
                    file.write((json.dumps(_record(made), ensure_ascii=False) + "\n").encode())
                count += 1
    except OSError as error:
        raise CatalogUnwritable(
            say("cannot write {path} ({error}); free space or choose another file", path=path, error=told(error))
        ) from error
    return count


def _log(session: Session, actor: str) -> Select[*tuple[Any, ...]]:
    """Select the rows of the log that a person may read; raises NotAllowed."""
    person = session.get_one(ReviewerRow, roles.require(session, actor, "audit"))
    query = queue.decision_query()
    return query.where(queue.visible_to(session, actor)) if person.role == "lead" else query


def _all(session: Session, log: Select[*tuple[Any, ...]], search: Search) -> Iterator[Decision]:
    before: int | None = None
    while page := _page(session, log, search, before, PAGE):
        yield from page
        before = page[-1].id


def _page(
    session: Session, log: Select[*tuple[Any, ...]], search: Search, before_id: int | None, limit: int
) -> list[Decision]:
    query = _narrowed(session, log, search).order_by(DecisionRow.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(DecisionRow.id < before_id)
    return queue.read_decisions(session, query)


def _narrowed(session: Session, query: Select[*tuple[Any, ...]], search: Search) -> Select[*tuple[Any, ...]]:
    if search.verdict is not None:
        if search.verdict not in VERDICTS:
            raise ReviewRefused(
                say("no verdict {verdict!r}; allowed: {allowed}", verdict=search.verdict, allowed=", ".join(VERDICTS))
            )
        query = query.where(DecisionRow.verdict == search.verdict)
    if search.reviewer is not None:
        reviewer_id = session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == search.reviewer))
        query = query.where(DecisionRow.reviewer_id == (reviewer_id or 0))
    if search.origin is not None:
        query = query.where(DecisionRow.origin == search.origin)
    if search.item_id is not None:
        query = query.where(DecisionRow.item_id == search.item_id)
    if search.product:
        query = query.where(
            or_(
                ProductRow.name.icontains(search.product, autoescape=True),
                ProductRow.sku.icontains(search.product, autoescape=True),
            )
        )
    if search.since is not None:
        query = query.where(DecisionRow.decided_at >= search.since)
    if search.until is not None:
        query = query.where(DecisionRow.decided_at < search.until)
    return query


def _record(made: Decision) -> dict[str, Any]:
    values = (
        made.id, made.decided_at.isoformat(), made.item_id, made.round, made.product_name, made.reviewer, made.verdict,
        made.origin, list(made.reasons), dict(made.checks), made.note, made.dwell_ms, made.supersedes_id,
        made.superseded, made.image_sha256,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _flat(value: Any) -> Any:
    """Return a value as one that a cell can hold."""
    if isinstance(value, list):
        return "; ".join(value)
    if isinstance(value, dict):
        return "; ".join(f"{name}={verdict}" for name, verdict in value.items())
    return value
