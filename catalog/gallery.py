"""Many candidates at a glance: filtered and a page at a time, which of them take one verdict, which to compare."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from catalog import policies, queue, scores
from catalog.clock import Clock, utc_now
from catalog.database import MAX_VARIABLES
from catalog.policy import Policy
from catalog.records import ReviewItem
from catalog.review.holding import is_live, unheld
from catalog.schema import DecisionRow, GenerationRow, ProductRow, ReviewerRow, ReviewItemRow
from catalog.store import Catalog

SCORES_FROM = 200
"""Newest pictures whose scores are looked through for names."""
REFUSALS = ("unknown", "decided", "held", "mine", "copy", "picture")
"""Why an item takes no verdict beside others."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which candidates are wanted; None and "" leave a filter out."""

    state: str | None = None
    """One of `schema.ITEM_STATES`."""
    run: str | None = None
    product: str = ""
    """Part of a product's name or item number, in any case."""
    copy_risk: bool | None = None
    """Whether they may be copies of real photos."""
    score: str | None = None
    """Name of the score that `least` and `most` are about; pictures without it are left out."""
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """Which of some items take a verdict."""

    fit: tuple[int, ...]
    refused: Mapping[int, str]
    """Item → one of `REFUSALS`."""


def items(catalog: Catalog, filters: Filters, *, limit: int = 60, offset: int = 0) -> list[ReviewItem]:
    """Return a page of candidates in queue order."""
    with catalog.read() as session:
        wanted = session.scalars(_in_order(session, filters).limit(limit).offset(offset)).all()
        return queue.read_items(session, wanted)


def ids(catalog: Catalog, filters: Filters, *, limit: int) -> list[int]:
    """Return the numbers of the first `limit` candidates in queue order."""
    with catalog.read() as session:
        return list(session.scalars(_in_order(session, filters).limit(limit)))


def count(catalog: Catalog, filters: Filters) -> int:
    """Return how many candidates there are."""
    with catalog.read() as session:
        found = _filtered(session, filters).with_only_columns(func.count(ReviewItemRow.id), maintain_column_froms=True)
        return session.scalar(found) or 0


def score_names(catalog: Catalog) -> list[str]:
    """Return the names of the scores that new pictures have."""
    query = select(GenerationRow.scores).order_by(GenerationRow.id.desc()).limit(SCORES_FROM)
    with catalog.read() as session:
        return sorted({name for found in session.scalars(query) for name in found if scores.can_be_asked_for(name)})


def records(catalog: Catalog, item_ids: Sequence[int]) -> list[ReviewItem]:
    """Return items by number, in the order asked for; numbers of no item are left out."""
    with catalog.read() as session:
        rows = _rows(session, item_ids)
        return queue.read_items(session, [number for number in item_ids if number in rows])


def sort(catalog: Catalog, actor: str, item_ids: Sequence[int], verdict: str, *, clock: Clock = utc_now) -> Sorted:
    """Say which items `review.bulk` would take from a person, and why not the others; changes nothing.

    Args:
        catalog: An open catalogue.
        actor: Who wants to decide them.
        item_ids: Which items.
        verdict: `approve` is refused for possible copies and for pictures whose file is gone.
        clock: Gives the present moment.
    """
    wanted, moment = list(dict.fromkeys(item_ids)), clock()
    with catalog.read() as session:
        rules = policies.in_force(session)
        rows, spoken = _rows(session, wanted), _spoken_by(session, actor, wanted)
        refused: dict[int, str] = {}
        for number in wanted:
            why = _refusal(catalog, rows.get(number), actor, number in spoken, verdict, rules, moment)
            if why is not None:
                refused[number] = why
    return Sorted(fit=tuple(number for number in wanted if number not in refused), refused=refused)


def next_to_compare(
    catalog: Catalog, reviewer: str, *, passed: Collection[int] = (), clock: Clock = utc_now
) -> int | None:
    """Return the first product in queue order with two or more candidates to choose from; None when there is none.

    Args:
        catalog: An open catalogue.
        reviewer: Who would compare them: what they decided or colleagues hold is no choice.
        passed: Products to leave out.
        clock: Gives the present moment.
    """
    moment, other, drawn = clock(), aliased(ReviewItemRow), aliased(GenerationRow)
    with catalog.read() as session:
        me = _number_of(session, reviewer)
        another = (
            select(other.id)
            .join(drawn, drawn.id == other.generation_id)
            .where(drawn.product_id == GenerationRow.product_id, other.id != ReviewItemRow.id)
            .where(_open_to(other, reviewer, me, moment, by_state=False))
            .correlate(ReviewItemRow, GenerationRow)
        )
        query = (
            select(GenerationRow.product_id)
            .select_from(ReviewItemRow)
            .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
            .where(_open_to(ReviewItemRow, reviewer, me, moment), another.exists())
            .where(GenerationRow.product_id.not_in(list(passed)))
            .order_by(ReviewItemRow.priority, ReviewItemRow.id)
            .limit(1)
        )
        return session.scalar(query)


# --- inside a transaction ---------------------------------------------------------------------------


def _in_order(session: Session, filters: Filters) -> Select[int]:
    return _filtered(session, filters).order_by(ReviewItemRow.priority, ReviewItemRow.id)


def _filtered(session: Session, filters: Filters) -> Select[int]:
    """Select ids, joined only with what the filters need: counting a hundred thousand of them must be quick."""
    query = select(ReviewItemRow.id)
    if filters.state:
        query = query.where(ReviewItemRow.state == filters.state)
    of_picture = _picture_filters(session, filters)
    if of_picture or filters.product:
        query = query.join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id).where(*of_picture)
    if filters.product:
        text = filters.product
        named = ProductRow.name.icontains(text, autoescape=True) | ProductRow.sku.icontains(text, autoescape=True)
        query = query.join(ProductRow, ProductRow.id == GenerationRow.product_id).where(named)
    return query


def _picture_filters(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.run:
        found.append(GenerationRow.run == filters.run)
    if filters.copy_risk is not None:
        limit = policies.in_force(session).copy_similarity
        risky = ReviewItemRow.flagged | (func.coalesce(GenerationRow.nearest_similarity, -2.0) >= limit)
        found.append(risky if filters.copy_risk else ~risky)
    if filters.score and scores.can_be_asked_for(filters.score):
        value = scores.value_of(session, filters.score)
        if filters.least is not None:
            found.append(value >= filters.least)
        if filters.most is not None:
            found.append(value <= filters.most)
    return found


def _rows(session: Session, item_ids: Sequence[int]) -> dict[int, tuple[ReviewItemRow, GenerationRow]]:
    found: dict[int, tuple[ReviewItemRow, GenerationRow]] = {}
    query = select(ReviewItemRow, GenerationRow).join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
    for start in range(0, len(item_ids), MAX_VARIABLES):
        some = [number for number in item_ids[start : start + MAX_VARIABLES] if 0 < number < 2**63]
        for row, drawn in session.execute(query.where(ReviewItemRow.id.in_(some))):
            found[row.id] = (row, drawn)
    return found


def _spoken_by(session: Session, name: str, item_ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    spoken = _spoken(_number_of(session, name), ReviewItemRow)
    for start in range(0, len(item_ids), MAX_VARIABLES):
        some = [number for number in item_ids[start : start + MAX_VARIABLES] if 0 < number < 2**63]
        found.update(session.scalars(select(ReviewItemRow.id).where(ReviewItemRow.id.in_(some), spoken.exists())))
    return found


def _refusal(
    catalog: Catalog,
    found: tuple[ReviewItemRow, GenerationRow] | None,
    actor: str,
    spoken: bool,
    verdict: str,
    rules: Policy,
    moment: datetime,
) -> str | None:
    if found is None:
        return "unknown"
    row, drawn = found
    if row.state != "pending":
        return "decided"
    if row.lease_owner not in (None, actor) and is_live(row.lease_until, moment):
        return "held"
    if spoken:
        return "mine"
    if verdict == "approve" and (row.flagged or rules.copy_risk(drawn.nearest_similarity)):
        return "copy"
    if verdict == "approve" and not catalog.blobs.has(drawn.image_sha256):
        return "picture"
    return None


def _number_of(session: Session, name: str) -> int:
    return session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == name)) or 0


def _open_to(item: Any, reviewer: str, me: int, moment: datetime, *, by_state: bool = True) -> ColumnElement[bool]:
    """Say that somebody could take an item.

    Args:
        item: The table.
        reviewer: Name of the person.
        me: Number of the person.
        moment: Now.
        by_state: Whether an index of states may be used: not where the query knows the few items it is about.
    """
    free = or_(unheld(item, moment), item.lease_owner == reviewer)
    state = item.state if by_state else func.coalesce(item.state, "")
    return and_(state == "pending", free, ~_spoken(me, item).exists())


def _spoken(me: int, item: Any) -> Any:
    """Select what a person said about an item in its round that nobody superseded."""
    own, later = aliased(DecisionRow), aliased(DecisionRow)
    return (
        select(own.id)
        .outerjoin(later, later.supersedes_id == own.id)
        .where(own.item_id == item.id, own.round == item.round, own.reviewer_id == me)
        .where(own.verdict.not_in(("skip", "void")), later.id.is_(None))
        .correlate(item)
    )
