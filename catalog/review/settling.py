"""What a new row of the log does to its item: the state that the standing verdicts make, and the end of the claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog import decision_log, queue
from catalog.database import MAX_VARIABLES
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.policy import REJECT_REASONS, Policy
from catalog.records import Decision
from catalog.review.holding import NO_LEASE, is_row_number
from catalog.review.refusals import PictureMissing
from catalog.schema import AttributeRow, DecisionRow, GenerationRow, ReviewItemRow
from catalog.store import Catalog

DECIDABLE = ("approve", "reject", "changes", "skip")
CHECK_VERDICTS = ("match", "mismatch", "not_visible")
RECORD_FIELDS = ("name", "category")
"""What may be ticked beside the attributes of a product."""


def settle(session: Session, rows: Sequence[ReviewItemRow], rules: Policy) -> None:
    """End the claims on items and derive their states from the decisions that stand in their rounds."""
    session.flush()
    heads, risky = decision_log.heads_of(session, rows), copy_risks(session, rows, rules)
    by_state: dict[str, list[int]] = {}
    for row in rows:
        needed = rules.needed(row.quorum, copy_risk=row.id in risky)
        by_state.setdefault(decision_log.settled_state(heads.get(row.id, ()), needed), []).append(row.id)
    for state, ids in by_state.items():
        for some in _chunks(ids):
            # A statement for each thousand: a server across the network would be asked once for each item otherwise.
            session.execute(
                update(ReviewItemRow)
                .where(ReviewItemRow.id.in_(some))
                .values(NO_LEASE | {"state": state, "version": ReviewItemRow.version + 1})
                .execution_options(synchronize_session=False)
            )
    for row in rows:
        session.expire(row)


def end_claim(row: ReviewItemRow) -> None:
    """Let nobody hold an item any more."""
    for column, value in NO_LEASE.items():
        setattr(row, column, value)
    row.version += 1


def copy_risks(session: Session, rows: Sequence[ReviewItemRow], rules: Policy) -> set[int]:
    """Return which items may be copies: under the rules now, or when they were queued."""
    found = {row.id for row in rows if row.flagged}
    for some in _chunks([row.id for row in rows if not row.flagged]):
        query = (
            select(ReviewItemRow.id, GenerationRow.nearest_similarity)
            .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
            .where(ReviewItemRow.id.in_(some))
        )
        found.update(item_id for item_id, similarity in session.execute(query) if rules.copy_risk(similarity))
    return found


def not_blind(session: Session, rows: Sequence[ReviewItemRow], reviewer_id: int) -> set[int]:
    """Return the items on which a reviewer may know what colleagues think: they see it once they decided themselves."""
    rounds = {row.id: row.round for row in rows}
    spoken: dict[int, set[int]] = {}
    for some in _chunks(list(rounds)):
        query = (
            select(DecisionRow.item_id, DecisionRow.round, DecisionRow.reviewer_id)
            .where(DecisionRow.item_id.in_(some), DecisionRow.verdict.not_in(("skip", "void")))
            .distinct()
        )
        for item_id, round_, person in session.execute(query):
            if round_ == rounds[item_id]:
                spoken.setdefault(item_id, set()).add(person)
    return {item_id for item_id, people in spoken.items() if reviewer_id in people and len(people) > 1}


def rows_of(session: Session, item_ids: Sequence[int]) -> list[ReviewItemRow]:
    """Return the rows of items in the order asked for; raises ReviewRefused for one that is not there."""
    found: dict[int, ReviewItemRow] = {}
    for some in _chunks([number for number in item_ids if is_row_number(number)]):
        query = select(ReviewItemRow).where(ReviewItemRow.id.in_(some)).with_for_update()
        found.update((row.id, row) for row in session.scalars(query))
    for number in item_ids:
        if number not in found:
            raise ReviewRefused(
                say("no item {item_id} in the review queue; list them with: adapt queue", item_id=number)
            )
    return [found[number] for number in item_ids]


def pictures_of(session: Session, item_ids: Sequence[int]) -> dict[int, str]:
    """Return the digests of the pictures of items; numbers of no item are left out."""
    found: dict[int, str] = {}
    for some in _chunks([number for number in item_ids if is_row_number(number)]):
        query = (
            select(ReviewItemRow.id, GenerationRow.image_sha256)
            .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
            .where(ReviewItemRow.id.in_(some))
        )
        found.update((item_id, sha256) for item_id, sha256 in session.execute(query))
    return found


def require_picture(catalog: Catalog, session: Session, row: ReviewItemRow) -> None:
    """Raise PictureMissing when an item's picture is gone."""
    sha256 = session.get_one(GenerationRow, row.generation_id).image_sha256
    if not catalog.blobs.has(sha256):
        raise PictureMissing(
            say("the picture of item {item_id} is not in the blob store; skip it or generate it again", item_id=row.id)
        )


def written(session: Session, decision_id: int) -> Decision:
    """Return a row of the log as a record."""
    session.flush()
    return queue.read_decisions(session, queue.decision_query().where(DecisionRow.id == decision_id))[0]


def checked_reasons(
    verdict: str, reasons: Sequence[str], note: str = "", rules: Policy | None = None
) -> tuple[str, ...]:
    """Return the reason codes without repeats; raises ReviewRefused when they do not go with the verdict."""
    if verdict not in DECIDABLE:
        raise ReviewRefused(
            say("no verdict {verdict!r}; allowed: {allowed}", verdict=verdict, allowed=", ".join(DECIDABLE))
        )
    codes, choice = tuple(dict.fromkeys(reasons)), ", ".join(REJECT_REASONS)
    unknown = [code for code in codes if code not in REJECT_REASONS]
    if unknown:
        raise ReviewRefused(say("no reason {code!r}; allowed: {choice}", code=unknown[0], choice=choice))
    if verdict == "approve" and codes:
        raise ReviewRefused(say("an approval takes no reasons; leave {code!r} out, or reject", code=codes[0]))
    if verdict == "reject" and not codes:
        raise ReviewRefused(say("a rejection needs a reason; choose from {choice}", choice=choice))
    if not codes and not note.strip():
        if verdict == "changes":
            raise ReviewRefused(
                say("say what to change: write a note, or choose a reason from {choice}", choice=choice)
            )
        if verdict == "skip" and rules is not None and rules.skip_needs_reason:
            raise ReviewRefused(
                say("say why it is skipped: write a note, or choose a reason from {choice}", choice=choice)
            )
    return codes


def checked_ticks(session: Session, row: ReviewItemRow, checks: Mapping[str, str]) -> dict[str, str]:
    """Return attribute checks in a fixed order; raises ReviewRefused for what the record or the rules do not have."""
    if not checks:
        return {}
    product_id = session.get_one(GenerationRow, row.generation_id).product_id
    names = session.scalars(select(AttributeRow.name).where(AttributeRow.product_id == product_id).distinct())
    allowed = [*sorted(names), *RECORD_FIELDS]
    for name, verdict in checks.items():
        if name not in allowed:
            raise ReviewRefused(
                say(
                    "item {item_id} has no attribute {name!r}; it has: {attributes}",
                    item_id=row.id,
                    name=name,
                    attributes=", ".join(allowed),
                )
            )
        if verdict not in CHECK_VERDICTS:
            raise ReviewRefused(
                say(
                    "{name} is checked as {verdict!r}; allowed: {allowed}",
                    name=name,
                    verdict=verdict,
                    allowed=", ".join(CHECK_VERDICTS),
                )
            )
    return dict(sorted(checks.items()))


def dwell_ms(shown_at: datetime | None, moment: datetime) -> int | None:
    """Return how long a picture was looked at, None for one that no screen showed.

    A clock that was set says nonsense: what it says is kept within what a column holds, 0 to 24 days.
    """
    if shown_at is None:
        return None
    return min(max(0, int((moment - shown_at).total_seconds() * 1000)), 2**31 - 1)


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    size = MAX_VARIABLES - 9  # beside them a statement may have a few values more
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
