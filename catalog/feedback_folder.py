"""Frozen feedback: a folder (see `catalog.frozen`) whose lines are generated pictures with what people decided on them.

Nothing in it names a person: a reviewer is a number that stays the same from one freeze to the next, and notes, times
and the time spent on a picture stay in the database.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.frozen import FolderKind, Frozen
from catalog.policy import is_finite


@dataclass(frozen=True, kw_only=True)
class FeedbackDecision:
    """One decision that stands."""

    reviewer: int
    """Number of the person, or of the policy that decided by itself; the same in every freeze of one workspace."""
    verdict: str
    """`approve`, `reject`, `changes` or `not_chosen`."""
    reasons: tuple[str, ...] = ()
    """Codes of `catalog.policy.REJECT_REASONS`."""
    checks: Mapping[str, str]
    """Attribute name → `match`, `mismatch` or `not_visible`."""
    origin: str
    """How it came about: `review`, `bulk`, `compare`, `adjudication`, `script`, or `auto` for the policy's own."""
    policy_version: int
    """Of the review policy it was made under."""


@dataclass(frozen=True, kw_only=True)
class FeedbackEntry:
    """A generated picture, what it was made from and what was decided on it."""

    image: Path
    """Absolute path."""
    sha256: str
    product: str
    """`<source>/<sku>`."""
    product_id: int
    category: str
    run: str
    """Run that drew it: the version of the generator."""
    prompt: str
    seed: int
    scores: Mapping[str, float]
    nearest_sha256: str | None
    """The most similar real photo; None for a picture that was never compared with any."""
    nearest_similarity: float | None
    """Cosine similarity to it, in [-1, 1]."""
    copy_risk: bool
    """Whether it may be a copy: under the rules in force at the freeze, or when it was queued."""
    state: str
    """State of its review item: what the decisions come to."""
    quorum: int
    """Approvals it needs."""
    decisions: tuple[FeedbackDecision, ...]
    """In the order they were made."""

    @property
    def approved(self) -> bool:
        """Whether as many people approve it as it needs, or an adjudicator does."""
        approvals = [made for made in self.decisions if made.verdict == "approve"]
        adjudicated = any(made.origin == "adjudication" for made in approvals)
        return self.state == "approved" and (adjudicated or len(approvals) >= self.quorum)

    @property
    def rejected(self) -> bool:
        """Whether people reject it; what the policy rejects by itself is a score's word, not theirs."""
        return self.state == "rejected" and any(
            made.verdict == "reject" and made.origin != "auto" for made in self.decisions
        )

    @property
    def reasons(self) -> frozenset[str]:
        """Every reason of every rejection."""
        return frozenset(code for made in self.decisions if made.verdict == "reject" for code in made.reasons)

    @property
    def copy_checked(self) -> bool:
        """Whether it was compared with real photos and is none of them."""
        return is_finite(self.nearest_similarity) and not self.copy_risk


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """Frozen feedback as it lies on disk."""

    folder: Path
    """Absolute path of the folder."""
    content_hash: str
    """SHA-256 of `manifest.jsonl`, hexadecimal."""
    entries: tuple[FeedbackEntry, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Pictures, products, decisions, and pictures in each state."""
        return count(self.entries)


def count(entries: Sequence[FeedbackEntry]) -> dict[str, int]:
    """Count pictures, products and decisions, and pictures in each state."""
    return {
        "images": len(entries),
        "products": len({entry.product for entry in entries}),
        "decisions": sum(len(entry.decisions) for entry in entries),
        **dict(sorted(Counter(entry.state for entry in entries).items())),
    }


def content_hash(entries: Sequence[FeedbackEntry]) -> str:
    """Return the SHA-256 that frozen feedback of these entries has; it depends on nothing else."""
    return _KIND.content_hash(entries)


def write(folder: Path, entries: Sequence[FeedbackEntry]) -> Feedback:
    """Write a feedback folder and return it as read back; an identical one already there is left untouched.

    Raises:
        CatalogError: A picture is missing or its bytes changed, something else is at `folder`, or the disk refused.
    """
    return _feedback(_KIND.write(folder, entries, about={"name": "feedback", "counts": count(entries)}))


def read(folder: Path) -> Feedback:
    """Read and check a feedback folder.

    Each picture is read, too: there are few of them, and one that was exchanged would teach what nobody approved.

    Raises:
        CatalogError: The folder is absent, of another kind, unreadable, of a newer format, edited since, or lacks a
            picture, or a picture is not the one that was decided.
    """
    frozen = _KIND.read(folder)
    _KIND.check_pictures(frozen)
    return _feedback(frozen)


def _feedback(frozen: Frozen[FeedbackEntry]) -> Feedback:
    return Feedback(folder=frozen.folder, content_hash=frozen.content_hash, entries=frozen.entries)


def _line_of(entry: FeedbackEntry) -> dict[str, Any]:
    return {
        "product": entry.product,
        "product_id": entry.product_id,
        "category": entry.category,
        "run": entry.run,
        "prompt": entry.prompt,
        "seed": entry.seed,
        "scores": dict(entry.scores),
        "nearest_sha256": entry.nearest_sha256,
        "nearest_similarity": entry.nearest_similarity,
        "copy_risk": entry.copy_risk,
        "state": entry.state,
        "quorum": entry.quorum,
        "decisions": [
            {
                "reviewer": made.reviewer,
                "verdict": made.verdict,
                "reasons": list(made.reasons),
                "checks": dict(made.checks),
                "origin": made.origin,
                "policy_version": made.policy_version,
            }
            for made in entry.decisions
        ],
    }


def _entry_from(line: Mapping[str, Any], image: Path) -> FeedbackEntry:
    for name in _TEXTS:
        if not isinstance(line[name], str):
            raise TypeError(f"{name} is {line[name]!r}, not text")
    similarity = line["nearest_similarity"]
    return FeedbackEntry(
        image=image,
        sha256=line["sha256"],
        product=line["product"],
        product_id=int(line["product_id"]),
        category=line["category"],
        run=line["run"],
        prompt=line["prompt"],
        seed=int(line["seed"]),
        scores=dict(line["scores"]),
        nearest_sha256=line["nearest_sha256"],
        nearest_similarity=None if similarity is None else float(similarity),
        copy_risk=bool(line["copy_risk"]),
        state=line["state"],
        quorum=int(line["quorum"]),
        decisions=tuple(
            FeedbackDecision(
                reviewer=int(made["reviewer"]),
                verdict=made["verdict"],
                reasons=tuple(made["reasons"]),
                checks=dict(made["checks"]),
                origin=made["origin"],
                policy_version=int(made["policy_version"]),
            )
            for made in line["decisions"]
        ),
    )


_TEXTS = ("sha256", "product", "category", "run", "prompt", "state")


_KIND = FolderKind[FeedbackEntry](
    kind="feedback",
    noun="feedback",
    line_of=_line_of,
    entry_from=_entry_from,
    lost="draw it again: adapt generate --run RUN",
)
