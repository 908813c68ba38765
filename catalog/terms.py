"""Codes of the review as words inside a refusal: in English the code itself, in Japanese the term of the screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from catalog.phrases import Phrase, say

STATES: Mapping[str, Phrase] = MappingProxyType(
    {
        "pending": say("pending"),
        "conflict": say("conflict"),
        "approved": say("approved"),
        "rejected": say("rejected"),
        "changes": say("changes"),
        "not_chosen": say("not_chosen"),
    }
)
"""State of an item → word."""
REQUESTS: Mapping[str, Phrase] = MappingProxyType(
    {"queued": say("queued"), "served": say("served"), "dropped": say("dropped")}
)
"""State of a request for another picture → word."""
ROLES: Mapping[str, Phrase] = MappingProxyType(
    {"reviewer": say("reviewer"), "lead": say("lead"), "auditor": say("auditor"), "admin": say("admin")}
)
"""Role → word."""

LEFT_OUT: Mapping[str, Phrase] = MappingProxyType(
    {
        "undecided": say("undecided"),
        "rejected": say("rejected"),
        "changes": say("changes"),
        "conflict": say("conflict"),
        "not_chosen": say("not_chosen"),
        "quorum": say("quorum"),
        "copy_risk_needs_second_reviewer": say("copy_risk_needs_second_reviewer"),
        "picture_missing": say("picture_missing"),
        "not_generated": say("not_generated"),
        "id_not_allowed": say("id_not_allowed"),
        "id_taken": say("id_taken"),
        "over_limit": say("over_limit"),
    }
)
"""Why a picture stays here when others are exported → word."""


def one_of(words: Sequence[Phrase]) -> Phrase:
    """Return one or more words as a choice: `a, b or c`."""
    first, *rest = words
    for place, word in enumerate(rest, start=1):
        if place < len(rest):
            first = say("{first}, {second}", first=first, second=word)
        else:
            first = say("{earlier} or {last}", earlier=first, last=word)
    return first
