"""What every delivery format takes and gives back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from catalog.exporters.part_folder import PartFolder

MANIFEST = "manifest.jsonl"
SUMMARY = "export.json"
EXCLUDED = "excluded.csv"
FORMAT_VERSION = 2


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
    variant: str
    """Number of the variant shown; empty when the picture is of the product as such."""
    name: str
    category: str
    lang: str
    """BCP 47 language of the product record."""
    attributes: tuple[Mapping[str, Any], ...]
    alt_text_en: str
    alt_text_ja: str
    prompt: str
    run: str
    seed: int
    scores: Mapping[str, float]
    nearest_sha256: str | None
    nearest_similarity: float | None
    copy_risk: bool
    approvals: int
    """People who approved it."""
    decided_at: str
    """UTC, ISO 8601."""
    policy_version: int

    def to_line(self) -> str:
        """Return the picture as one line of JSON."""
        return to_json(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> ApprovedPicture:
        """Return what `to_line` was called on."""
        values = json.loads(line)
        return cls(**{**values, "attributes": tuple(values["attributes"])})


@dataclass(frozen=True, kw_only=True)
class Offer:
    """How shops would name the thing a picture shows."""

    product: str
    sku: str
    variant: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What reading a delivery back found."""

    files: int
    verified: int
    """Files that are there, have the stated digest and carry the provenance mark."""
    problems: tuple[str, ...] = field(default=())
    """One line for each thing that does not agree."""
    format: str = ""
    signed: bool = False
    """Whether every verified file also carries a valid C2PA signature."""

    @property
    def ok(self) -> bool:
        """Whether every file agrees and none is extra."""
        return not self.problems and self.files == self.verified


Row = Mapping[str, Any]
"""A line of the manifest."""
Load = Callable[[ApprovedPicture], bytes]
"""Returns a picture's bytes as they are delivered: marked and, where asked for, signed."""


class Exporter(Protocol):
    """A delivery format."""

    name: str
    needs_base_url: bool
    """Whether its rows point to addresses on the web."""
    asks_for_px: int
    """Shortest side that whoever gets the delivery asks for; 0 where any will do."""

    def rule(self) -> Callable[[Offer], str | None]:
        """Return a rule that names a reason for each picture this format cannot take, for one pass in order."""

    def write_pictures(self, part: PartFolder, pictures: Iterable[ApprovedPicture], load: Load) -> None:
        """Write the picture files that are not there yet, and note the digest of each."""

    def file_name(self, index: int, picture: ApprovedPicture) -> str:
        """Return where a picture is in the delivery."""

    def write_tables(self, part: PartFolder, rows: Callable[[], Iterator[Row]], base_url: str) -> list[str]:
        """Write the format's own files from the manifest and return their names, archives included."""

    def listed(self, folder: Path, base_url: str) -> Iterator[str]:
        """Yield the `file_name` of each picture as a reader of this format finds it; raises ValueError or OSError."""


def to_json(value: Any) -> str:
    """Return JSON in one line with sorted keys, so that equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
