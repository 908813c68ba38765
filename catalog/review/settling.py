"""What a new row of the log does to its item: the state that the standing verdicts make, and the end of the claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import decision_log, queue
from catalog.database import MAX_VARIABLES
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.policy import REJECT_REASONS, Policy
from catalog.records import Decision
from catalog.review.claims import NO_LEASE
from catalog.review.refusals import PictureMissing
from catalog.schema import AttributeRow, DecisionRow, GenerationRow, ReviewItemRow
from catalog.store import Catalog

DECIDABLE = ("approve", "reject", "changes", "skip")
CHECK_VERDICTS = ("match", "mismatch", "not_visible")
RECORD_FIELDS = ("name", "category")
"""What may be ticked beside the attributes of a product."""
NOTE_MAX_CHARS = 2000


def settle(session: Session, row: ReviewItemRow, rules: Policy) -> None:
    """End the claim and derive the item's state from the decisions that stand in its round."""
    session.flush()
    row.state = decision_log.settled_state(decision_log.standing(session, row), needed(session, row, rules))
    for column, value in NO_LEASE.items():
        setattr(row, column, value)
    row.version += 1
    session.flush()


def needed(session: Session, row: ReviewItemRow, rules: Policy) -> int:
    """Return how many people must approve an item."""
    return rules.needed(row.quorum, copy_risk=copy_risk(session, row, rules))


def copy_risk(session: Session, row: ReviewItemRow, rules: Policy) -> bool:
    """Say whether an item may be a copy: under the rules now, or when it was queued."""
    return row.flagged or rules.copy_risk(session.get_one(GenerationRow, row.generation_id).nearest_similarity)


def was_blind(session: Session, row: ReviewItemRow, reviewer_id: int) -> bool:
    """Say whether a reviewer cannot have known what colleagues think: they see it once they decided themselves."""
    said = (
        select(DecisionRow.id)
        .where(DecisionRow.item_id == row.id, DecisionRow.round == row.round)
        .where(DecisionRow.verdict.not_in(("skip", "void")))
        .limit(1)
    )
    own = session.scalar(said.where(DecisionRow.reviewer_id == reviewer_id))
    return own is None or session.scalar(said.where(DecisionRow.reviewer_id != reviewer_id)) is None


def rows_of(session: Session, item_ids: Sequence[int]) -> list[ReviewItemRow]:
    """Return the rows of items in the order asked for; raises ReviewRefused for one that is not there."""
    found: dict[int, ReviewItemRow] = {}
    for start in range(0, len(item_ids), MAX_VARIABLES):
        some = [number for number in item_ids[start : start + MAX_VARIABLES] if 0 < number < 2**63]
        query = select(ReviewItemRow).where(ReviewItemRow.id.in_(some)).with_for_update()
        found.update((row.id, row) for row in session.scalars(query))
    for number in item_ids:
        if number not in found:
            raise ReviewRefused(
                say("no item {item_id} in the review queue; list them with: adapt queue", item_id=number)
            )
    return [found[number] for number in item_ids]


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
    """Return how long a picture was looked at, None for one that no screen showed."""
    return None if shown_at is None else int((moment - shown_at).total_seconds() * 1000)
