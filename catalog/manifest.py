"""Frozen datasets: folders (see `catalog.frozen`) whose lines are captioned photos; written once, read by training."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.frozen import FolderKind, Frozen
from catalog.pairs import CaptionPair
from catalog.pairs import pairs as caption_pairs
from catalog.records import Caption, ManifestEntry

SPLITS = ("train", "test")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A frozen dataset as it lies on disk."""

    folder: Path
    """Absolute path of the dataset folder."""
    name: str
    content_hash: str
    """SHA-256 of `manifest.jsonl`, hexadecimal."""
    entries: tuple[ManifestEntry, ...]
    seed: int = 0
    """Seed that chose the split."""

    @property
    def counts(self) -> dict[str, int]:
        """Pictures, products and captions, and pictures in each split."""
        return count(self.entries)

    def pairs(self, kind: str, *, split: str | None = None) -> Iterator[CaptionPair]:
        """Yield caption pairs by fact set: `paraphrase`, `entails` or `hard_negative`.

        Args:
            kind: See `catalog.pairs.pairs`, which also says what indices of a pair mean.
            split: Only `train` or `test`; indices then count within `of_split(split)`.
        """
        return caption_pairs(self.entries if split is None else self.of_split(split), kind)

    def of_split(self, split: str) -> tuple[ManifestEntry, ...]:
        """Return the pictures of one split."""
        return tuple(entry for entry in self.entries if entry.split == split)


def count(entries: Sequence[ManifestEntry]) -> dict[str, int]:
    """Count pictures, products, distinct captions, and pictures in each split."""
    splits = Counter(entry.split for entry in entries)
    return {
        "images": len(entries),
        "products": len({entry.product for entry in entries}),
        "captions": len({(entry.product, caption.text) for entry in entries for caption in entry.captions}),
        **{split: splits[split] for split in SPLITS},
    }


def content_hash(entries: Sequence[ManifestEntry]) -> str:
    """Return the SHA-256 a dataset of these pictures has; it depends on nothing else."""
    return _KIND.content_hash(entries)


def write(folder: Path, entries: Iterable[ManifestEntry], *, name: str, seed: int = 0) -> Manifest:
    """Write a dataset folder and return it as read back.

    Args:
        folder: Final place; made with its parents. An identical dataset already there is returned untouched.
        entries: Pictures in the order they are to be numbered; `image` must be a local file of that `sha256`.
        name: Name of the dataset, kept in `dataset.json`.
        seed: Seed the split was drawn with, kept in `dataset.json`.

    Raises:
        CatalogError: A picture is missing or its bytes changed, another dataset is at `folder`, or the disk refused.
    """
    listed = tuple(entries)
    return _manifest(_KIND.write(folder, listed, about={"name": name, "seed": seed, "counts": count(listed)}))


def read(folder: Path) -> Manifest:
    """Read and check a dataset folder.

    Raises:
        CatalogError: The folder is absent, unreadable, of a newer format, edited since, or lacks a picture.
    """
    return _manifest(_KIND.read(folder))


def _manifest(frozen: Frozen[ManifestEntry]) -> Manifest:
    return Manifest(
        folder=frozen.folder,
        name=frozen.about["name"],
        content_hash=frozen.content_hash,
        entries=frozen.entries,
        seed=frozen.about.get("seed", 0),
    )


def _line_of(entry: ManifestEntry) -> dict[str, Any]:
    line: dict[str, Any] = {
        "product": entry.product,
        "product_id": entry.product_id,
        "category": entry.category,
        "split": entry.split,
        "group": entry.group,
        "captions": [_caption_line(caption) for caption in entry.captions],
    }
    if entry.box is not None:
        line["box"] = list(entry.box)
    if entry.variants:
        line["variants"] = list(entry.variants)
    return line


def _caption_line(caption: Caption) -> dict[str, Any]:
    return {
        "id": caption.id,
        "text": caption.text,
        "lang": caption.lang,
        "template": caption.template,
        "facts": dict(caption.facts),
        "origin": caption.origin,
    }


def _entry_from(line: Mapping[str, Any], image: Path) -> ManifestEntry:
    if line["split"] not in SPLITS:
        raise ValueError(f"split {line['split']!r} is not one of {', '.join(SPLITS)}")
    box = line.get("box")
    return ManifestEntry(
        image=image,
        sha256=line["sha256"],
        product=line["product"],
        product_id=int(line["product_id"]),
        category=line["category"],
        split=line["split"],
        captions=tuple(Caption(**caption) for caption in line["captions"]),
        group=line["group"],
        box=None if box is None else (int(box[0]), int(box[1]), int(box[2]), int(box[3])),
        variants=tuple(str(sha256) for sha256 in line.get("variants", ())),
    )


_KIND = FolderKind[ManifestEntry](
    kind="pictures", noun="dataset", line_of=_line_of, entry_from=_entry_from, lost="ingest its dump again"
)
