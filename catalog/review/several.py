"""Verdicts on several items at once: one for all of them, or one candidate chosen and the others passed over."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from catalog import decision_log, people, policies, queue, roles, terms
from catalog.clock import Clock, utc_now
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import Decision
from catalog.review.adjudication import RULINGS
from catalog.review.claims import seen_since
from catalog.review.refusals import LeaseLost
from catalog.review.settling import (
    NOTE_MAX_CHARS,
    checked_reasons,
    copy_risk,
    dwell_ms,
    require_picture,
    rows_of,
    settle,
    was_blind,
)
from catalog.schema import DecisionRow, GenerationRow, ReviewItemRow
from catalog.store import Catalog

SAMPLE = 5
"""Pictures of a bulk verdict that must have been opened, or all when there are fewer."""


def bulk(
    catalog: Catalog,
    actor: str,
    item_ids: Sequence[int],
    verdict: str,
    *,
    seen: Collection[int],
    typed_count: int,
    reasons: Sequence[str] = (),
    note: str = "",
    ui_version: str = "",
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> list[Decision]:
    """Write one verdict on many pending items, all of them or none.

    Args:
        catalog: An open catalogue.
        actor: A lead or an admin.
        item_ids: Which items; none of them held by a colleague.
        verdict: `approve`, `reject` or `changes`.
        seen: Those that `actor` opened and looked at: at least five, or all when there are fewer.
        typed_count: How many items there are, as `actor` typed it.
        reasons: As for a decision.
        note: As for a decision.
        ui_version: What wrote it.
        policy: The rules; default is those in force.
        clock: Gives the present moment.

    Raises:
        NotAllowed: `actor` is neither lead nor admin.
        ReviewRefused: The count or the sample does not fit, an item is decided, held or unknown, or a possible copy is
            among what is to be approved.
        PictureMissing: `approve` on a picture whose file is gone.
    """
    wanted = list(dict.fromkeys(item_ids))
    if verdict not in RULINGS:
        raise ReviewRefused(
            say(
                "no verdict {verdict!r} for many items; allowed: {allowed}", verdict=verdict, allowed=", ".join(RULINGS)
            )
        )
    _require_sample(wanted, seen, typed_count)
    codes = checked_reasons(verdict, reasons, note)
    with catalog.write() as session:
        me = roles.require(session, actor, "bulk")
        rules, moment = policy or policies.in_force(session), clock()
        act = secrets.token_hex(8)
        made: list[DecisionRow] = []
        for row in rows_of(session, wanted):
            _require_open(session, row, actor, me, moment)
            if verdict == "approve":
                require_picture(catalog, session, row)
                if copy_risk(session, row, rules):
                    raise ReviewRefused(
                        say(
                            "item {item_id} may be a copy of a real photo and is approved one by one; leave it out",
                            item_id=row.id,
                        )
                    )
            made.append(
                _append(
                    session,
                    row,
                    me,
                    rules,
                    moment,
                    verdict=verdict,
                    origin="bulk",
                    note=note[:NOTE_MAX_CHARS],
                    shown_at=row.first_shown_at if row.lease_owner == actor else None,
                    ui_version=ui_version,
                    key=f"bulk:{act}:{row.id}",
                    reasons=codes,
                )
            )
            settle(session, row, rules)
        return _records(session, made)


def choose(
    catalog: Catalog,
    actor: str,
    item_id: int,
    others: Sequence[int],
    *,
    note: str = "",
    scripted: bool = False,
    ui_version: str = "",
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> list[Decision]:
    """Approve one candidate of a product and mark the others as not chosen, in one transaction.

    Args:
        catalog: An open catalogue.
        actor: Who chooses; holds every item by a claim and has seen each.
        item_id: The one to approve.
        others: The candidates beside it, of the same product.
        note: Free text, kept with the approval.
        scripted: Chosen by numbers from a script: no claim and no time on screen is asked for.
        ui_version: What wrote it.
        policy: The rules; default is those in force.
        clock: Gives the present moment.

    Returns:
        The approval, then one `not_chosen` for each of the others.

    Raises:
        NotAllowed: The person's role does not let them decide.
        ReviewRefused: No others, candidates of several products, or an item that is decided, held or unknown.
        LeaseLost: `actor` does not hold an item any more.
        TooFast: An item was not on screen for long enough.
        PictureMissing: The chosen picture's file is gone.
    """
    passed = [number for number in dict.fromkeys(others) if number != item_id]
    if not passed:
        raise ReviewRefused(
            say("choosing item {item_id} needs others to choose from; or approve it by itself", item_id=item_id)
        )
    with catalog.write() as session:
        me = roles.check(people.enter(session, actor), "decide")
        rules, moment = policy or policies.in_force(session), clock()
        rows = rows_of(session, [item_id, *passed])
        products = {session.get_one(GenerationRow, row.generation_id).product_id for row in rows}
        if len(products) > 1:
            raise ReviewRefused(
                say(
                    "items {item_id} and {other} … show several products; choose among those of one",
                    item_id=item_id,
                    other=passed[0],
                )
            )
        for row in rows:
            _require_open(session, row, actor, me, moment)
            if not scripted:
                _require_seen(row, actor, moment, rules)
        require_picture(catalog, session, rows[0])
        act = secrets.token_hex(8)
        made = [
            _append(
                session,
                row,
                me,
                rules,
                moment,
                verdict="approve" if row.id == item_id else "not_chosen",
                origin="compare",
                note=note[:NOTE_MAX_CHARS] if row.id == item_id else "",
                shown_at=None if scripted else row.first_shown_at,
                ui_version=ui_version,
                key=f"choice:{act}:{row.id}",
                reasons=(),
            )
            for row in rows
        ]
        for row in rows:
            settle(session, row, rules)
        return _records(session, made)


def _require_sample(wanted: Sequence[int], seen: Collection[int], typed_count: int) -> None:
    if not wanted:
        raise ReviewRefused(say("no items to decide; pick some"))
    if typed_count != len(wanted):
        raise ReviewRefused(
            say(
                "these are {count} items, typed was {typed_count}; nothing was decided",
                count=len(wanted),
                typed_count=typed_count,
            )
        )
    least, opened = min(SAMPLE, len(wanted)), len(set(seen) & set(wanted))
    if opened < least:
        raise ReviewRefused(
            say(
                "{opened} of these {count} pictures were opened; look at {least} or more before deciding them all",
                opened=opened,
                count=len(wanted),
                least=least,
            )
        )


def _require_open(session: Session, row: ReviewItemRow, actor: str, me: int, moment: datetime) -> None:
    if row.state != "pending":
        raise ReviewRefused(
            say(
                "item {item_id} is {state} already, nothing was decided; leave it out",
                item_id=row.id,
                state=terms.STATES[row.state],
            )
        )
    if row.lease_owner not in (None, actor) and row.lease_until is not None and row.lease_until > moment:
        raise ReviewRefused(
            say(
                "item {item_id} is held by {holder}, nothing was decided; leave it out or wait",
                item_id=row.id,
                holder=row.lease_owner,
            )
        )
    if any(head.reviewer_id == me for head in decision_log.standing(session, row)):
        raise ReviewRefused(
            say(
                "item {item_id} was decided by {actor} and waits for another person; leave it out",
                item_id=row.id,
                actor=actor,
            )
        )


def _require_seen(row: ReviewItemRow, actor: str, moment: datetime, rules: Policy) -> None:
    if row.lease_owner != actor or row.lease_until is None or row.lease_until <= moment:
        raise LeaseLost(
            say(
                "item {item_id} is not held by {actor} any more; nothing was decided, claim it again",
                item_id=row.id,
                actor=actor,
            )
        )
    seen_since(row, moment, rules)


def _append(
    session: Session,
    row: ReviewItemRow,
    me: int,
    rules: Policy,
    moment: datetime,
    *,
    verdict: str,
    origin: str,
    note: str,
    shown_at: datetime | None,
    ui_version: str,
    key: str,
    reasons: Sequence[str],
) -> DecisionRow:
    head = decision_log.own_head(session, row, me)
    return decision_log.append(
        session,
        item_id=row.id,
        round=row.round,
        reviewer_id=me,
        verdict=verdict,
        origin=origin,
        note=note,
        shown_at=shown_at,
        decided_at=moment,
        dwell_ms=dwell_ms(shown_at, moment),
        blind=was_blind(session, row, me),
        policy_version=rules.version,
        ui_version=ui_version,
        idempotency_key=key,
        supersedes_id=None if head is None else head.id,
        reasons=reasons,
    )


def _records(session: Session, made: Sequence[DecisionRow]) -> list[Decision]:
    session.flush()
    found: list[Decision] = []
    for start in range(0, len(made), 500):
        ids = [row.id for row in made[start : start + 500]]
        found += queue.read_decisions(
            session, queue.decision_query().where(DecisionRow.id.in_(ids)).order_by(DecisionRow.id)
        )
    return found
