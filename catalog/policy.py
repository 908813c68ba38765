"""Rules of the review that a company may set: how long a claim lasts, what counts as seen, what looks like a copy."""

from dataclasses import dataclass

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
"""Codes a rejection may give, in the order of the keys 1-9."""


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

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: A value is outside its range; the text names the field.
        """
        for name in ("lease_s", "min_view_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more seconds, got {getattr(self, name)}")
        if not -1 <= self.copy_similarity <= 1:
            raise ValueError(f"copy_similarity must be from -1 to 1, got {self.copy_similarity}")

    def copy_risk(self, similarity: float | None) -> bool:
        """Say whether a picture this similar to a real photo may be a copy of it; unknown similarity is no flag."""
        return similarity is not None and similarity >= self.copy_similarity


DEFAULT_POLICY = Policy()
