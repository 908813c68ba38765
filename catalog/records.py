"""Frozen records that cross packages; database rows never leave `catalog`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Caption:
    """One caption with the facts it states."""

    id: int | None
    """Row in the catalogue; None for one that is not stored there."""
    text: str
    lang: str
    """`en` or `ja`."""
    template: str
    """Name of the template that wrote it; empty for a human caption."""
    facts: Mapping[str, str]
    """Fact set: attribute name → normalised value. Equal sets mean paraphrases."""
    origin: str = "template"
    """`human`, `template` or `class_attributes`."""


@dataclass(frozen=True, kw_only=True)
class ManifestEntry:
    """One picture of a frozen dataset."""

    image: Path
    """Absolute path of the picture file."""
    sha256: str
    product: str
    """`<source>/<sku>` or `cub/<class>`."""
    product_id: int
    category: str
    split: str
    """`train` or `test`."""
    captions: tuple[Caption, ...]
    group: str
    """What must not be split: parent product or duplicate group."""
    box: tuple[int, int, int, int] | None = None
    """Part of the picture to use: left, top, width, height in pixels of the file; None for all of it."""
