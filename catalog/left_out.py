"""Whose word keeps a picture out of a delivery, and for which reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.decision_log import ADJUDICATION
from catalog.schema import DecisionReasonRow, DecisionRow

DECIDED_BY = ("person", "script", "threshold")
"""Who may have said no; the first of these that did is named."""
_BY_ORIGIN = {"script": "script", "auto": "threshold"}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What the log says against a picture; empty where nobody said anything against it."""

    reasons: tuple[str, ...] = ()
    """Codes of `policy.REJECT_REASONS` and `policy.LOW_SCORE`, in the order in which they were given."""
    decided_by: str = ""
    """One of `DECIDED_BY`."""


def refusal(heads: Sequence[DecisionRow], codes: Mapping[int, Sequence[str]]) -> Refusal:
    """Return what stands against a picture: the last ruling alone where there is one.

    Args:
        heads: Verdicts that stand on the item in its round.
        codes: Decision → its reasons, as `reasons_of` returns them.
    """
    spoken = sorted(heads, key=lambda head: head.id)
    spoken = [head for head in spoken if head.origin == ADJUDICATION][-1:] or spoken
    against = [head for head in spoken if head.verdict != "approve"]
    by = {_BY_ORIGIN.get(head.origin, "person") for head in against}
    return Refusal(
        reasons=tuple(dict.fromkeys(code for head in against for code in codes.get(head.id, ()))),
        decided_by=next((name for name in DECIDED_BY if name in by), ""),
    )


def reasons_of(session: Session, decision_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return decision → reason codes in the order given, of at most as many decisions as one statement may name."""
    found: dict[int, list[str]] = {}
    query = select(DecisionReasonRow.decision_id, DecisionReasonRow.reason_code).order_by(DecisionReasonRow.id)
    for decision_id, code in session.execute(query.where(DecisionReasonRow.decision_id.in_(decision_ids))):
        found.setdefault(decision_id, []).append(code)
    return found
