"""Verdicts on several items at once: one for all of them, or one candidate chosen and the others passed over."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from catalog import decision_log, people, policies, queue, roles, terms
from catalog.clock import Clock, utc_now
from catalog.database import MAX_VARIABLES
from catalog.errors import ReviewRefused
from catalog.notes import checked_note
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import Decision
from catalog.review.adjudication import RULINGS
from catalog.review.holding import is_live, seen_since
from catalog.review.refusals import LeaseLost, PictureMissing
from catalog.review.settling import checked_reasons, copy_risks, pictures_of, require_picture, rows_of
from catalog.review.writing import CHOICE, Verdict, write
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
    codes, note = checked_reasons(verdict, reasons, note), checked_note(note)
    if verdict == "approve":
        # Before the transaction: ten thousand files may be far away, and nobody can write meanwhile.
        _require_pictures(catalog, wanted)
    with catalog.write() as session:
        me = roles.require(session, actor, "bulk")
        rules, moment = policy or policies.in_force(session), clock()
        rows = rows_of(session, wanted)
        _require_open(session, rows, actor, me, moment)
        risky = copy_risks(session, rows, rules) if verdict == "approve" else set()
        for row in rows:
            if row.id in risky:
                raise ReviewRefused(
                    say(
                        "item {item_id} may be a copy of a real photo and is approved one by one; leave it out",
                        item_id=row.id,
                    )
                )
        act = secrets.token_hex(8)
        verdicts = [
            Verdict(
                row=row,
                verdict=verdict,
                key=f"bulk:{act}:{row.id}",
                note=note,
                reasons=codes,
                shown_at=row.first_shown_at if row.lease_owner == actor else None,
            )
            for row in rows
        ]
        made = write(
            session, verdicts, reviewer_id=me, origin="bulk", rules=rules, moment=moment, ui_version=ui_version
        )
    return _records(catalog, made)


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
    passed, note = [number for number in dict.fromkeys(others) if number != item_id], checked_note(note)
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
        _require_open(session, rows, actor, me, moment)
        if not scripted:
            for row in rows:
                _require_seen(row, actor, moment, rules)
        require_picture(catalog, session, rows[0])
        act = secrets.token_hex(8)
        verdicts = [
            Verdict(
                row=row,
                verdict="approve" if row.id == item_id else "not_chosen",
                key=f"{CHOICE}{act}:{row.id}",
                note=note if row.id == item_id else "",
                shown_at=None if scripted else row.first_shown_at,
            )
            for row in rows
        ]
        made = write(
            session,
            verdicts,
            reviewer_id=me,
            origin="script" if scripted else "compare",
            rules=rules,
            moment=moment,
            ui_version=ui_version,
        )
    return _records(catalog, made)


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


def _require_open(session: Session, rows: Sequence[ReviewItemRow], actor: str, me: int, moment: datetime) -> None:
    heads = decision_log.heads_of(session, rows)
    for row in rows:
        if row.state != "pending":
            raise ReviewRefused(
                say(
                    "item {item_id} is {state} already, nothing was decided; leave it out",
                    item_id=row.id,
                    state=terms.STATES[row.state],
                )
            )
        if row.lease_owner not in (None, actor) and is_live(row.lease_until, moment):
            raise ReviewRefused(
                say(
                    "item {item_id} is held by {holder}, nothing was decided; leave it out or wait",
                    item_id=row.id,
                    holder=row.lease_owner,
                )
            )
        if any(head.reviewer_id == me for head in decision_log.standing(heads.get(row.id, ()))):
            raise ReviewRefused(
                say(
                    "item {item_id} was decided by {actor} and waits for another person; leave it out",
                    item_id=row.id,
                    actor=actor,
                )
            )


def _require_pictures(catalog: Catalog, item_ids: Sequence[int]) -> None:
    with catalog.read() as session:
        pictures = pictures_of(session, item_ids)
    for item_id, sha256 in pictures.items():
        if not catalog.blobs.has(sha256):
            raise PictureMissing(
                say("the picture of item {item_id} is not in the blob store; leave it out", item_id=item_id)
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


def _records(catalog: Catalog, made: Sequence[int]) -> list[Decision]:
    found: list[Decision] = []
    with catalog.read() as session:
        for start in range(0, len(made), MAX_VARIABLES):
            some = DecisionRow.id.in_(made[start : start + MAX_VARIABLES])
            found += queue.read_decisions(session, queue.decision_query().where(some).order_by(DecisionRow.id))
    return found
