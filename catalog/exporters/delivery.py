"""What every delivery format takes and gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from catalog.records import Attribute


@dataclass(frozen=True, kw_only=True)
class ApprovedPicture:
    """One approved picture and what is delivered beside it. No reviewer is named."""

    generation_id: int
    item_id: int
    sha256: str
    """Digest of the picture as it was reviewed."""
    ext: str
    width: int
    height: int
    product: str
    sku: str
    name: str
    category: str
    attributes: tuple[Attribute, ...]
    prompt: str
    run: str
    seed: int
    scores: Mapping[str, float]
    nearest_sha256: str | None
    nearest_similarity: float | None
    copy_risk: bool
    approvals: int
    decided_at: str
    """UTC, ISO 8601."""
    policy_version: int


@dataclass(frozen=True, kw_only=True)
class DeliveredFile:
    """One picture file of a delivery."""

    generation_id: int
    path: str
    """Relative to the delivery, `/` separated."""
    sha256: str
    source_sha256: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What reading a delivery back found."""

    files: int
    verified: int
    """Files that are there, have the stated digest and carry the provenance mark."""
    problems: tuple[str, ...] = field(default=())
    """One line for each thing that does not agree."""

    @property
    def ok(self) -> bool:
        """Whether every file agrees and none is extra."""
        return not self.problems and self.files == self.verified


class Exporter(Protocol):
    """A delivery format."""

    def write(
        self, folder: Path, pictures: Sequence[ApprovedPicture], read: Callable[[str], bytes]
    ) -> list[DeliveredFile]:
        """Write a delivery into an empty folder; `read` returns a picture's bytes by digest."""

    def verify(self, folder: Path) -> Verification:
        """Read a delivery back; needs no catalogue."""
