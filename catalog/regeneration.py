"""Pictures people want drawn again: a decision asks, `adapt generate --requested` draws, the queue takes them first.

A wish for changes asks by itself (`catalog.review.asking`), a rejection where somebody wants it. A request belongs to
one decision and falls with it: undone before it was served, it is dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from catalog import roles, terms
from catalog.clock import Clock, utc_now
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.schema import DecisionRow, GenerationRow, ProductRow, RegenerationRow, ReviewItemRow, SourceRow
from catalog.store import Catalog

PRIORITY = -1.0
"""Place of the new candidate in the queue, where the lowest number comes first: before those nobody asked for."""
ASKING = ("reject", "changes")
"""Verdicts that may ask for another picture."""
PROMPT_MAX_CHARS = 2000


@dataclass(frozen=True, kw_only=True)
class Regeneration:
    """A wish for another picture of a product."""

    id: int
    item_id: int
    """The item whose picture was refused."""
    decision_id: int
    product_id: int
    product: str
    """`<source>/<sku>`."""
    caption_id: int | None
    prompt: str
    run: str
    """Run that drew the refused picture."""
    seed: int
    """Seed of the noise for the new one; the product was never drawn with it."""
    state: str
    """`queued`, `served` or `dropped`."""
    generation_id: int | None
    """The new picture, once it is served."""


def request(
    catalog: Catalog,
    decision_id: int,
    *,
    prompt: str | None = None,
    actor: str | None = None,
    clock: Clock = utc_now,
) -> Regeneration:
    """Ask for another picture in the place of a refused one; asking twice for one decision is asking once.

    Args:
        catalog: An open catalogue.
        decision_id: A rejection or a wish for changes that stands.
        prompt: Corrected text to draw; None draws the same text with other noise. A new text replaces that of a
            request that is still queued.
        actor: Who asks, and must be allowed to decide; None where whoever made the decision asks in the same breath.
        clock: Gives the present moment.

    Raises:
        ReviewRefused: No such decision, one that asks for nothing or was superseded, an unusable text, or a new text
            for a request that was served.
        NotAllowed: `actor` may not decide.
    """
    text = _checked_prompt(prompt)
    if not _is_row_number(decision_id):
        raise _unknown_decision(decision_id)
    try:
        with catalog.write() as session:
            return _request(session, decision_id, text, actor, clock)
    except IntegrityError:
        # Somebody asked for the same decision at the same moment; now there is a request to find.
        with catalog.write() as session:
            return _request(session, decision_id, text, actor, clock)


def pending(catalog: Catalog, *, limit: int | None = None) -> list[Regeneration]:
    """Return the requests to serve, oldest first; those whose decision was undone are none."""
    query = _requests().where(RegenerationRow.state == "queued", ~undone()).order_by(RegenerationRow.id).limit(limit)
    with catalog.read() as session:
        return [_record(*row) for row in session.execute(query)]


def served(catalog: Catalog, request_id: int, run: str, *, clock: Clock = utc_now) -> Regeneration:
    """Mark a request as served by the picture that `run` drew for it and that is in the queue; once is enough.

    Raises:
        ReviewRefused: No such request, or no such picture in the catalogue.
    """
    with catalog.write() as session:
        row = session.get(RegenerationRow, request_id) if _is_row_number(request_id) else None
        if row is None:
            raise ReviewRefused(
                say(
                    "no request {request_id} for another picture; list them: adapt generate --requested",
                    request_id=request_id,
                )
            )
        if row.state != "served":
            drawn = session.scalar(
                select(GenerationRow.id).where(
                    GenerationRow.run == run,
                    GenerationRow.product_id == row.product_id,
                    GenerationRow.prompt == row.prompt,
                    GenerationRow.seed == row.seed,
                )
            )
            if drawn is None:
                raise ReviewRefused(
                    say(
                        "run {run} drew nothing for request {request_id}; draw it: "
                        "adapt generate --requested --run {run}",
                        run=run,
                        request_id=request_id,
                    )
                )
            row.state, row.generation_id, row.served_at = "served", drawn, clock()
        session.flush()
        return _read(session, request_id)


def is_asked_for(session: Session, generation: GenerationRow) -> bool:
    """Say whether a person asked for a picture."""
    found = select(RegenerationRow.id).where(behind(generation.product_id, generation.seed))
    return session.scalar(found.limit(1)) is not None


def behind(product_id: int, seed: int) -> ColumnElement[bool]:
    """Return the condition on the request behind a picture: no other is drawn of its product with that seed."""
    return and_(
        RegenerationRow.product_id == product_id, RegenerationRow.seed == seed, RegenerationRow.state != "dropped"
    )


def asked_for(session: Session) -> set[int]:
    """Return the generations that people asked for, as `is_asked_for` says of one."""
    of_request = (GenerationRow.product_id == RegenerationRow.product_id) & (GenerationRow.seed == RegenerationRow.seed)
    found = select(GenerationRow.id).join(RegenerationRow, of_request).where(RegenerationRow.state != "dropped")
    return set(session.scalars(found))


def drop_undone(catalog: Catalog) -> int:
    """Drop queued requests whose decision was undone or replaced; return how many."""
    with catalog.write() as session:
        rows = session.scalars(select(RegenerationRow).where(RegenerationRow.state == "queued", undone())).all()
        for row in rows:
            row.state = "dropped"
        return len(rows)


def undone() -> ColumnElement[bool]:
    """Return the condition on requests whose decision was undone or replaced."""
    later = aliased(DecisionRow)
    return (
        select(later.id).where(later.supersedes_id == RegenerationRow.decision_id).correlate(RegenerationRow).exists()
    )


def fresh_seed(decision_id: int, used: Container[int]) -> int:
    """Return a seed in [0, 2³²) for what a decision asks for, none of those its product was or will be drawn with."""
    attempt = 0
    while True:
        seed = int.from_bytes(hashlib.sha256(f"again:{decision_id}:{attempt}".encode()).digest()[:4])
        if seed not in used:
            return seed
        attempt += 1


def _request(session: Session, decision_id: int, prompt: str | None, actor: str | None, clock: Clock) -> Regeneration:
    if actor is not None:
        roles.require(session, actor, "decide")
    known = session.scalar(select(RegenerationRow).where(RegenerationRow.decision_id == decision_id))
    if known is not None and (prompt is None or known.prompt == prompt):
        return _read(session, known.id)
    if known is not None and known.state != "queued":
        raise ReviewRefused(
            say(
                "the request of decision {decision_id} is {state} and takes no new text; decide the new picture",
                decision_id=decision_id,
                state=terms.REQUESTS[known.state],
            )
        )
    decision = _asking_decision(session, decision_id)
    if known is not None and prompt is not None:
        known.prompt = prompt
        session.flush()
        return _read(session, known.id)
    item = session.get_one(ReviewItemRow, decision.item_id)
    drawn = session.get_one(GenerationRow, item.generation_id)
    row = RegenerationRow(
        item_id=item.id,
        decision_id=decision_id,
        product_id=drawn.product_id,
        caption_id=drawn.caption_id,
        prompt=prompt or drawn.prompt,
        run=drawn.run,
        seed=fresh_seed(decision_id, _used_seeds(session, drawn.product_id)),
        requested_at=clock(),
    )
    session.add(row)
    session.flush()
    return _read(session, row.id)


def _asking_decision(session: Session, decision_id: int) -> DecisionRow:
    decision = session.get(DecisionRow, decision_id)
    if decision is None:
        raise _unknown_decision(decision_id)
    if decision.verdict not in ASKING:
        raise ReviewRefused(
            say(
                "decision {decision_id} is {verdict!r}; another picture is asked for by {allowed}",
                decision_id=decision_id,
                verdict=decision.verdict,
                allowed=" or ".join(ASKING),
            )
        )
    if session.scalar(select(DecisionRow.id).where(DecisionRow.supersedes_id == decision_id)) is not None:
        raise ReviewRefused(
            say(
                "decision {decision_id} was undone or replaced, so it asks for nothing; decide again first",
                decision_id=decision_id,
            )
        )
    return decision


def _used_seeds(session: Session, product_id: int) -> set[int]:
    used = set(session.scalars(select(GenerationRow.seed).where(GenerationRow.product_id == product_id)))
    return used | set(session.scalars(select(RegenerationRow.seed).where(RegenerationRow.product_id == product_id)))


def _checked_prompt(prompt: str | None) -> str | None:
    if prompt is None:
        return None
    text = prompt.strip()
    if not text or len(text) > PROMPT_MAX_CHARS or not text.isprintable():
        raise ReviewRefused(
            say(
                "prompt {prompt_begin!r}: allowed are 1 to {limit} printable characters on one line",
                prompt_begin=prompt[:40],
                limit=PROMPT_MAX_CHARS,
            )
        )
    return text


def _is_row_number(number: int) -> bool:
    return 0 < number < 2**63  # the driver raises beyond


def _unknown_decision(decision_id: int) -> ReviewRefused:
    return ReviewRefused(
        say(
            "no decision {decision_id} in the log; see those of an item with: adapt queue --item ITEM",
            decision_id=decision_id,
        )
    )


def _requests() -> Select[RegenerationRow, str, str]:
    return (
        select(RegenerationRow, SourceRow.name, ProductRow.sku)
        .join(ProductRow, ProductRow.id == RegenerationRow.product_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
    )


def _read(session: Session, request_id: int) -> Regeneration:
    return _record(*session.execute(_requests().where(RegenerationRow.id == request_id)).one())


def _record(row: RegenerationRow, source: str, sku: str) -> Regeneration:
    return Regeneration(
        id=row.id,
        item_id=row.item_id,
        decision_id=row.decision_id,
        product_id=row.product_id,
        product=f"{source}/{sku}",
        caption_id=row.caption_id,
        prompt=row.prompt,
        run=row.run,
        seed=row.seed,
        state=row.state,
        generation_id=row.generation_id,
    )
