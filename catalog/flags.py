"""The mark on a queued picture that asks for a second reviewer; it changes no decision and no state by itself."""

from __future__ import annotations

from catalog import decision_log, policies, roles, terms
from catalog.clock import Clock, utc_now
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.review.holding import held_row
from catalog.schema import ROLES, GenerationRow, ReviewerRow
from catalog.store import Catalog


def set_flag(catalog: Catalog, actor: str, item_id: int, token: str, flagged: bool, *, clock: Clock = utc_now) -> bool:
    """Mark the claimed picture, or take the mark away; a possible copy stays marked whatever is asked.

    A marked picture needs two approvals, so whoever decides may mark it, but only who settles conflicts may unmark it.

    Returns:
        Whether it is marked now.

    Raises:
        NotAllowed: The person's role does not let them.
        LeaseLost: The token holds no valid claim on the item.
        ReviewRefused: The mark was made before somebody approved: without it that approval might be enough, and a
            picture would be approved by no decision of the log.
    """
    with catalog.write() as session:
        person = session.get_one(ReviewerRow, roles.require(session, actor, "decide"))
        if not flagged and not roles.allows(person.role, "adjudicate"):
            raise roles.NotAllowed(
                say(
                    "only {fitting} may take a flag off, and {name} is {role}; decide the picture, which two people "
                    "must approve",
                    fitting=terms.one_of([terms.ROLES[role] for role in ROLES if roles.allows(role, "adjudicate")]),
                    name=actor,
                    role=terms.ROLES[person.role],
                )
            )
        row = held_row(session, item_id, token, clock())
        if row.flagged and not flagged and decision_log.standing(decision_log.heads_of(session, [row])[row.id]):
            raise ReviewRefused(
                say("item {item_id} was judged under its mark, which stays; decide it or settle it", item_id=item_id)
            )
        similarity = session.get_one(GenerationRow, row.generation_id).nearest_similarity
        row.flagged = flagged or policies.in_force(session).copy_risk(similarity)
        return row.flagged
