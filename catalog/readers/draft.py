"""What a reader makes of a dump, before anything is stored."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from operator import attrgetter

from catalog.records import Issue, RowBooks

_JSON = json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":"))
_read_of_attribute = attrgetter("name", "value", "source", "unit", "kind", "number")
_read_of_picture = attrgetter("path", "role", "variant_key", "origin")


@dataclass(kw_only=True, slots=True)
class DraftAttribute:
    """A fact, or running text, as read."""

    name: str
    value: str
    source: str = ""
    unit: str | None = None
    kind: str = "fact"
    """`fact` or `text`."""
    number: float | None = None
    """The value as a number in `unit`, where it is one."""


@dataclass(kw_only=True, slots=True)
class DraftPicture:
    """A picture file that resolves inside the dump."""

    path: str
    """Path in the dump, as listed."""
    role: str = "main"
    variant_key: str | None = None
    origin: str = ""
    """File that names the picture; empty when it was found by its place."""
    line: int | None = None


@dataclass(kw_only=True, slots=True)
class DraftVariant:
    """A sellable form; `key` is unique in its product."""

    key: str
    sku: str
    name: str = ""
    attributes: list[DraftAttribute] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class DraftProduct:
    """A product as read."""

    sku: str
    name: str
    category: str = ""
    description: str = ""
    attributes: list[DraftAttribute] = field(default_factory=list)
    variants: list[DraftVariant] = field(default_factory=list)
    pictures: list[DraftPicture] = field(default_factory=list)
    origin: str = ""
    line: int | None = None

    def content_hash(self) -> str:
        """Return a digest of everything read; line numbers do not count, or one new row would touch all below it."""
        # By hand, and values without names: `asdict` copies every value deeply, which takes longer than reading.
        content = [
            *(self.sku, self.name, self.category, self.description, self.origin),
            [*map(_read_of_attribute, self.attributes)],
            [
                [variant.key, variant.sku, variant.name, [*map(_read_of_attribute, variant.attributes)]]
                for variant in self.variants
            ],
            [*map(_read_of_picture, self.pictures)],
        ]
        return hashlib.sha256(_JSON.encode(content).encode()).hexdigest()


@dataclass(kw_only=True)
class DraftCatalogue:
    """All a reader found in one dump."""

    reader: str
    products: list[DraftProduct] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    """What was concluded and why, one line each, for people."""
    encoding: str | None = None
    rows: RowBooks = field(default_factory=RowBooks)
    documents: set[str] = field(default_factory=set)
    """Files of the dump that were read as tables or texts."""
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Column names that a mapping gave to files without a header row."""
    mapping: str = ""
    """The `mapping.toml` that reads the dump in the same way, for a person to edit."""
