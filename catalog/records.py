"""Plain, frozen records that cross package borders. Database rows never leave `catalog`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from catalog.phrases import mapped, printable


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One fact of a product or of one of its variants."""

    name: str
    value: str
    unit: str | None = None
    lang: str = "en"
    """BCP 47 language of `value`; `en` or `ja`."""
    source: str = ""
    """Where it was read: a column name or a file name."""
    kind: str = "fact"
    """`fact` for a short value, `text` for running text such as a description."""
    variant_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of the catalogue and how it belongs to a product."""

    image_id: int
    sha256: str
    width: int
    height: int
    role: str
    """`main`, `extra` or `listed` (joined from a side list)."""
    position: int
    variant_id: int | None = None
    origin: str = ""
    """Path inside the dump, `/` separated."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A sellable form of a product, e.g. one colour or size."""

    id: int
    key: str
    sku: str
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product with its facts, variants and pictures."""

    id: int
    source: str
    sku: str
    name: str
    category: str
    lang: str
    status: str
    description: str = ""
    attributes: tuple[Attribute, ...] = ()
    variants: tuple[Variant, ...] = ()
    pictures: tuple[Picture, ...] = ()

    @property
    def key(self) -> str:
        """Name that is unique in a workspace: `<source>/<sku>`."""
        return f"{self.source}/{self.sku}"


@dataclass(frozen=True)
class Caption:
    """One wording of what a picture shows."""

    id: int | None
    text: str
    lang: str
    template: str
    facts: Mapping[str, str]
    """Attribute name → stated value; two captions with equal facts are paraphrases."""
    origin: str = "template"
    """`human`, `template` or `class_attributes`."""


@dataclass(frozen=True)
class ManifestEntry:
    """One picture of a frozen dataset with everything training needs to know about it."""

    image: Path
    """Absolute path."""
    sha256: str
    product: str
    """`<source>/<sku>`, or `cub/<class>` for the bird pictures."""
    product_id: int
    category: str
    split: str
    """`train` or `test`."""
    captions: tuple[Caption, ...]
    group: str
    """Entries of one group must never be split between train and test."""
    box: tuple[int, int, int, int] | None = None
    """Part of the picture to use: left, top, right, bottom in pixels of the file; None for all of it."""
    variants: tuple[str, ...] = ()
    """Digests of pictures of this dataset that show the same shape in another colour."""


@dataclass(frozen=True)
class Candidate:
    """One generated picture offered for review."""

    image: Path
    product_id: int
    caption_id: int | None
    prompt: str
    seed: int
    scores: Mapping[str, float]
    nearest_sha256: str | None = None
    """Digest of the most similar real picture, if one was looked for."""
    nearest_similarity: float | None = None
    """Cosine similarity to that picture, in [-1, 1]."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One thing an ingest could not take, or took with a warning."""

    source: str
    """File inside the dump, `/` separated."""
    reason: str
    """Stable code such as `FILE_MISSING`."""
    detail: str
    """What is wrong, in English; a `Phrase` where it can be said in other languages."""
    line: int | None = None
    """Line in `source`, counted from 1; None where the whole file is meant."""
    severity: str = "error"
    """`error`: the item was quarantined; `warning`: it was kept."""
    part: str = ""
    """Sheet of a workbook, or way to a list of records inside a document."""

    @property
    def place(self) -> str:
        """What tells the table from all others of the dump: its file, and the part of it that is meant."""
        return f"{self.source}#{self.part}" if self.part else self.source

    def __post_init__(self) -> None:
        """Take from the detail what a terminal must not print: it quotes what damaged files hold."""
        if not self.detail.isprintable():
            object.__setattr__(self, "detail", mapped(self.detail, printable))


@dataclass(frozen=True, kw_only=True)
class Corrections:
    """Rows of a dump as a person corrected them."""

    rows: Mapping[tuple[str, int], Mapping[str, str]] = field(default_factory=dict)
    """(place of the table, line) → column → cell."""
    digests: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """(place, line) → digest of the row that was corrected; "" for one that could not be parsed."""


@dataclass(frozen=True, kw_only=True)
class RowBooks:
    """What became of the rows of the tables that were used: read = accepted + duplicate + quarantined."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def __add__(self, other: RowBooks) -> RowBooks:
        return RowBooks(
            read=self.read + other.read,
            accepted=self.accepted + other.accepted,
            duplicate=self.duplicate + other.duplicate,
            quarantined=self.quarantined + other.quarantined,
        )


@dataclass(frozen=True, kw_only=True)
class FileBooks:
    """What became of files: present = linked + duplicate + quarantined + unreferenced."""

    present: int = 0
    linked: int = 0
    """Pictures that show a product; tables and texts that were read."""
    duplicate: int = 0
    """Further files of a picture that is linked: the same content, or a smaller size of it."""
    quarantined: int = 0
    unreferenced: tuple[str, ...] = ()
    """Files that nothing names, by path."""


@dataclass(frozen=True, kw_only=True)
class ProductSample:
    """A product as it was read, for a person to judge the reading by."""

    sku: str
    name: str
    category: str
    facts: Mapping[str, str]
    variants: int
    pictures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What one ingest run did."""

    run_id: int | None
    """None for a dry run, which leaves no row."""
    source: str
    products_added: int = 0
    products_updated: int = 0
    products_unchanged: int = 0
    products_missing: int = 0
    products_pruned: int = 0
    variants: int = 0
    images_added: int = 0
    images_reused: int = 0
    images_decoded: int = 0
    images_linked: int = 0
    """Product-picture links this dump stands for after the run."""
    quarantined: int = 0
    warnings: int = 0
    captions: int = 0
    seconds: float = 0.0
    issues: tuple[Issue, ...] = field(default=())
    evidence: tuple[str, ...] = field(default=())
    """What the reader concluded about each table and column, one line each."""
    reader: str = ""
    encoding: str | None = None
    rows: RowBooks = field(default_factory=RowBooks)
    pictures: FileBooks = field(default_factory=FileBooks)
    documents: FileBooks = field(default_factory=FileBooks)
    """All files of the dump that are no pictures."""
    mapping: str = ""
    """The `mapping.toml` that reads the dump in the same way."""
    samples: tuple[ProductSample, ...] = ()
    """The first products."""
    rejected: Mapping[tuple[str, int], Mapping[str, str]] = field(default_factory=dict)
    """(place of the table, line) → column → cell of table rows that have errors."""


@dataclass(frozen=True, kw_only=True)
class ReviewItem:
    """A candidate in the review queue as the screen and the command line see it."""

    id: int
    generation_id: int
    product_id: int
    product: str
    product_name: str
    image_sha256: str
    prompt: str
    run: str
    seed: int
    scores: Mapping[str, float]
    state: str
    round: int
    priority: float
    quorum: int
    version: int
    nearest_sha256: str | None = None
    nearest_similarity: float | None = None
    lease_owner: str | None = None
    lease_token: str | None = None
    lease_until: datetime | None = None
    first_shown_at: datetime | None = None
    flagged: bool = False
    """Looked like a copy of a real photo when it was queued."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One row of the decision log."""

    id: int
    item_id: int
    generation_id: int
    product_name: str
    image_sha256: str
    reviewer: str
    verdict: str
    """`approve`, `reject`, `changes`, `skip`, `not_chosen`, or `void` for an undone decision."""
    reasons: tuple[str, ...]
    note: str
    decided_at: datetime
    dwell_ms: int | None
    """Time from first shown to decided; None for a scripted decision, which saw no picture."""
    supersedes_id: int | None
    superseded: bool
    origin: str = "review"
    """`review`, `bulk`, `compare`, `adjudication`, `script`, or `auto` for a threshold."""
    round: int = 1
    policy_version: int = 0
    blind: bool = True
    """Made before the person could know what colleagues think."""
    checks: Mapping[str, str] = field(default_factory=dict)
    """Attribute of the record → `match`, `mismatch` or `not_visible`."""
    repeated: bool = False
    """The same decision had been saved before; nothing new was written."""


@dataclass(frozen=True, kw_only=True)
class ReviewProgress:
    """How far the review is, in items."""

    total: int
    pending: int
    held: int
    """Pending items that somebody holds at the moment."""
    approved: int
    rejected: int
    conflict: int
    changes: int
    decided_by_me: int
    skipped_by_me: int
    not_chosen: int = 0
    """Candidates that stood beside a chosen one."""

    @property
    def decided(self) -> int:
        """Items with a final state."""
        return self.approved + self.rejected


@dataclass(frozen=True, kw_only=True)
class Specification:
    """What the record says about the product, or the variant, that a picture should show."""

    product: str
    """`<source>/<sku>`."""
    sku: str
    name: str
    category: str
    description: str
    attributes: tuple[Attribute, ...]
    variant: str | None = None
    """Stock number of the variant that the caption speaks of."""
