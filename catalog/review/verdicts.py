"""One person's verdict on the item they hold, and on an item by its number from a script."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from catalog import policies, roles
from catalog.clock import Clock, utc_now
from catalog.errors import ReviewRefused
from catalog.notes import checked_note
from catalog.phrases import say
from catalog.policy import Policy
from catalog.records import Decision
from catalog.review.claims import claim, release
from catalog.review.holding import held_row, seen_since
from catalog.review.settling import checked_reasons, checked_ticks, require_picture, written
from catalog.review.writing import Verdict, write
from catalog.schema import DecisionRow
from catalog.store import Catalog


def decide(
    catalog: Catalog,
    item_id: int,
    token: str,
    verdict: str,
    *,
    reasons: Sequence[str] = (),
    note: str = "",
    checks: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
    scripted: bool = False,
    ui_version: str = "",
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Decision:
    """Write a verdict on the claimed item and end the claim.

    A claim gives one decision: the same call again, or any other verdict under the same claim, returns the row that was
    written first with `repeated=True`.

    Args:
        catalog: An open catalogue.
        item_id: The item the reviewer looked at.
        token: Lease token of the claim.
        verdict: `approve`, `reject`, `changes` or `skip`.
        reasons: Codes of `policy.REJECT_REASONS`: at least one for `reject`, none for `approve`; `changes` needs one or
            a note, and so does `skip` where the policy asks for it.
        note: Free text, at most 2,000 characters.
        checks: Attribute of the record → `match`, `mismatch` or `not_visible`.
        idempotency_key: Names this decision among those of the claim; default is one key for a claim.
        scripted: Decided by item number from a script: no screen showed it, so no time on screen is asked for.
        ui_version: What wrote it.
        policy: Gives the time a picture must have been on screen, and the quorum; default is the one in force.
        clock: Gives the present moment.

    Raises:
        ReviewRefused: Unknown verdict, reason or check, one that lacks what it needs, or a note that is too long.
        NotAllowed: The holder's role does not let them decide any more.
        LeaseLost: The claim is over.
        TooFast: The picture was not shown, or less than `policy.min_view_s` ago.
        PictureMissing: `approve` on a picture whose file is gone.
    """
    # With the token in it, nobody's key can name another person's decision.
    named = f"{item_id}:{token}" if idempotency_key is None else f"{item_id}:{token}:{idempotency_key}"
    key = hashlib.sha256(named.encode(errors="surrogatepass")).hexdigest()
    with catalog.write() as session:
        rules = policy or policies.in_force(session)
        codes, note = checked_reasons(verdict, reasons, note, rules), checked_note(note)
        earlier = session.scalar(select(DecisionRow.id).where(DecisionRow.idempotency_key == key))
        if earlier is not None:
            return replace(written(session, earlier), repeated=True)
        moment = clock()
        row = held_row(session, item_id, token, moment)
        me = roles.require(session, row.lease_owner or "", "decide")
        shown_at = None if scripted else seen_since(row, moment, rules)
        if verdict == "approve":
            require_picture(catalog, session, row)
        said = Verdict(
            row=row,
            verdict=verdict,
            key=key,
            note=note,
            reasons=codes,
            checks=checked_ticks(session, row, checks or {}),
            shown_at=shown_at,
        )
        (made,) = write(
            session,
            [said],
            reviewer_id=me,
            origin="script" if scripted else "review",
            rules=rules,
            moment=moment,
            ui_version=ui_version,
        )
        return written(session, made)


def skip(catalog: Catalog, item_id: int, token: str, **options: Any) -> Decision:
    """Pass an item on undecided; it stays pending and is not offered to this reviewer again unless asked for."""
    return decide(catalog, item_id, token, "skip", **options)


def request_changes(catalog: Catalog, item_id: int, token: str, **options: Any) -> Decision:
    """Ask for another picture; needs `note` or `reasons`, and raises as `decide` does."""
    return decide(catalog, item_id, token, "changes", **options)


def decide_item(
    catalog: Catalog,
    reviewer: str,
    item_id: int,
    verdict: str,
    *,
    reasons: Sequence[str] = (),
    note: str = "",
    checks: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Decision:
    """Claim one item by its number and decide it, for scripts; raises ReviewRefused as `claim` and `decide` do."""
    checked_reasons(verdict, reasons, checked_note(note))
    item = claim(catalog, reviewer, item_id=item_id, policy=policy, clock=clock)
    if item is None or item.lease_token is None:
        raise ReviewRefused(say("item {item_id} cannot be claimed; list others with: adapt queue", item_id=item_id))
    options: dict[str, Any] = {"reasons": reasons, "note": note, "checks": checks, "policy": policy, "clock": clock}
    try:
        return decide(catalog, item.id, item.lease_token, verdict, scripted=True, **options)
    finally:
        release(catalog, item.id, item.lease_token)
