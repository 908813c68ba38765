"""Where a verdict becomes a row of the log: the one place that says what it supersedes and whether it was blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from catalog import decision_log
from catalog.decision_log import Head, NewRow
from catalog.policy import Policy
from catalog.review.asking import ask_again
from catalog.review.settling import dwell_ms, end_claim, not_blind, settle
from catalog.schema import DecisionRow, ReviewItemRow

CHOICE = "choice:"
"""Begin of the idempotency keys of one choice among candidates; what follows up to the next `:` is alike in them."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one person, or a rule, says of one item."""

    row: ReviewItemRow
    verdict: str
    key: str
    """Idempotency key."""
    note: str = ""
    reasons: Sequence[str] = ()
    checks: Mapping[str, str] | None = None
    shown_at: datetime | None = None


def write(
    session: Session,
    verdicts: Sequence[Verdict],
    *,
    reviewer_id: int,
    origin: str,
    rules: Policy,
    moment: datetime,
    ui_version: str = "",
) -> list[int]:
    """Add one row for each verdict, end the claims, derive the states, and return the ids of the rows.

    A wish for changes asks for another picture at once.

    Any number of them takes the same few statements for each thousand, so that colleagues need not wait long.

    Args:
        session: A write session.
        verdicts: One for an item.
        reviewer_id: Who says all of them.
        origin: How they came about.
        rules: The rules they are made under.
        moment: Now.
        ui_version: What wrote them.
    """
    rows = [said.row for said in verdicts]
    heads, told = decision_log.heads_of(session, rows), not_blind(session, rows, reviewer_id)
    made = [
        NewRow(
            row=DecisionRow(
                item_id=said.row.id,
                round=said.row.round,
                reviewer_id=reviewer_id,
                verdict=said.verdict,
                origin=origin,
                note=said.note,
                shown_at=said.shown_at,
                decided_at=moment,
                dwell_ms=dwell_ms(said.shown_at, moment),
                # Whoever settles a conflict has read what the others say.
                blind=origin != decision_log.ADJUDICATION and said.row.id not in told,
                policy_version=rules.version,
                ui_version=ui_version,
                idempotency_key=said.key,
                supersedes_id=_superseded(said, heads.get(said.row.id, ()), reviewer_id),
            ),
            reasons=said.reasons,
            checks=said.checks,
        )
        for said in verdicts
    ]
    ids = decision_log.append(session, made)
    # Whoever passes an item on judges nothing, so its state stays as it was made under the rules of its time.
    for said in verdicts:
        if said.verdict == "skip":
            end_claim(said.row)
    settle(session, [said.row for said in verdicts if said.verdict != "skip"], rules)
    ask_again(session, [made for made, said in zip(ids, verdicts, strict=True) if said.verdict == "changes"], moment)
    return ids


def _superseded(said: Verdict, heads: Sequence[Head], reviewer_id: int) -> int | None:
    # A skip is no judgement and begins no chain; what it leaves standing is superseded by the next verdict.
    head = None if said.verdict == "skip" else decision_log.own_head(heads, reviewer_id)
    return None if head is None else head.id
