"""Rules of the review that a company may set: claims, what counts as seen, copies, how many must agree, thresholds.

Versions of them are kept by `catalog.policies`. No rule approves a picture; only people do.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeGuard

from catalog.phrases import say

REJECT_REASONS = (
    "wrong_colour",
    "wrong_shape",
    "wrong_material",
    "missing_part",
    "distorted",
    "blurred",
    "background",
    "copy",
    "other",
)
"""Codes a person may give, in the order of the keys 1-9."""
LOW_SCORE = "low_score"
"""Reason of a rejection by threshold; no person gives it."""
COPY_QUORUM = 2
"""Approvals that a possible copy needs whatever else is set."""
MIN_AUDIT_SHARE = 0.05
MAX_LEASE_S = 7 * 86400.0
"""Longest lease, a week: a tab that nobody closes must not keep a picture for ever."""
LONGEST_CLAIM = timedelta(seconds=MAX_LEASE_S + 60)
"""A claim that lasts longer from now on was made by a clock that had jumped; a minute, because clocks differ."""
MAX_VIEW_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One version of the rules; each decision records the version it was made under."""

    version: int = 0
    """0 is the built-in policy; saved ones count from 1."""
    lease_s: float = 300.0
    """Seconds a claimed picture stays with its reviewer unless renewed."""
    min_view_s: float = 0.4
    """Seconds a picture must have been on screen before a decision counts, against bursts of keys."""
    copy_similarity: float = 0.97
    """Similarity to a real photo, in [-1, 1], from which a picture is flagged as a possible copy."""
    quorum: int = 1
    """Approvals that every picture needs, 1 to 9."""
    skip_needs_reason: bool = False
    """Whether passing a picture on needs a note or a reason."""
    auto_reject: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Score → threshold; a picture with a lower score is rejected unseen, but for the audit share."""
    audit_share: float = 0.1
    """Share, 0.05 to 1, of the pictures under a threshold that people judge all the same."""
    second_opinion_share: float = 0.0
    """Share, 0 to 1, of new pictures that need two approvals, to measure how well reviewers agree."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: A value is outside its range; the text names the field.
        """
        for name, most in (("lease_s", MAX_LEASE_S), ("min_view_s", MAX_VIEW_S)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(
                    say(
                        "{name} must be from 0 to {most:g} seconds, got {value}",
                        name=name,
                        most=most,
                        value=getattr(self, name),
                    )
                )
        if not isinstance(self.quorum, int):
            raise ValueError(say("quorum must be a whole number, got {value}", value=self.quorum))
        for name, least, most in (
            ("copy_similarity", -1, 1),
            ("quorum", 1, 9),
            ("audit_share", MIN_AUDIT_SHARE, 1),
            ("second_opinion_share", 0, 1),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(
                    say(
                        "{name} must be from {least} to {most}, got {value}",
                        name=name,
                        least=least,
                        most=most,
                        value=getattr(self, name),
                    )
                )
        for score, threshold in self.auto_reject.items():
            if not score or not is_finite(threshold):
                raise ValueError(
                    say(
                        "auto_reject must give a finite threshold a score, got {score!r} = {threshold}",
                        score=score,
                        threshold=threshold,
                    )
                )

    def copy_risk(self, similarity: float | None) -> bool:
        """Say whether a picture this similar to a real photo may be a copy of it; unknown similarity is no flag."""
        return similarity is not None and similarity >= self.copy_similarity

    def needed(self, item_quorum: int, *, copy_risk: bool) -> int:
        """Return how many people must approve an item."""
        return max(item_quorum, self.quorum, COPY_QUORUM if copy_risk else 1)

    def under_threshold(self, scores: Mapping[str, float]) -> tuple[str, float, float] | None:
        """Return (score, value, threshold) of the first score that is too low, None when there is none.

        A score that is missing or no number is not too low: people judge the picture.
        """
        for name, threshold in self.auto_reject.items():
            value = scores.get(name)
            if is_finite(value) and value < threshold:
                return name, float(value), threshold
        return None

    def audited(self, generation_id: int) -> bool:
        """Say whether people judge a picture under a threshold: a draw of `audit_share` that can be repeated."""
        return _draw("audit", self.version, generation_id) < self.audit_share

    def second_opinion(self, generation_id: int) -> bool:
        """Say whether a new picture needs two approvals: a draw of `second_opinion_share` that can be repeated."""
        return _draw("second opinion", self.version, generation_id) < self.second_opinion_share


def is_finite(value: object) -> TypeGuard[float]:
    """Say whether a value is a number that can be compared."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _draw(what: str, version: int, generation_id: int) -> float:
    """Return a number in [0, 1) that looks random and is the same each time."""
    digest = hashlib.sha256(f"{what}:{version}:{generation_id}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56


DEFAULT_POLICY = Policy()
