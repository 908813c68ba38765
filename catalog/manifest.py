"""Frozen dataset folders: `manifest.jsonl`, `dataset.json` and `images/<sha256>.<ext>`, written once, read by training.

Line n of `manifest.jsonl` is picture n. `dataset.json` carries the SHA-256 of that file, so a damaged or edited folder
is noticed when it is read. A folder appears by one rename: a killed write leaves no half dataset under the final name.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import CatalogError, CatalogUnwritable, ManifestInvalid
from catalog.pairs import CaptionPair
from catalog.pairs import pairs as caption_pairs
from catalog.records import Caption, ManifestEntry

FORMAT = 1
"""Version of the folder layout; a reader refuses a newer one."""
MANIFEST_FILE = "manifest.jsonl"
DATASET_FILE = "dataset.json"
IMAGE_FOLDER = "images"
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
    return hashlib.sha256(_manifest_bytes(entries)).hexdigest()


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
    folder = folder.absolute()
    listed = tuple(entries)
    content = _manifest_bytes(listed)
    digest = content_hash(listed)
    if folder.exists():
        return _same_or_refuse(folder, digest)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        (temporary / IMAGE_FOLDER).mkdir(parents=True)
        for entry in listed:
            _copy_image(entry, temporary / IMAGE_FOLDER)
        (temporary / MANIFEST_FILE).write_bytes(content)
        about = {"format": FORMAT, "name": name, "content_hash": digest, "seed": seed, "counts": count(listed)}
        (temporary / DATASET_FILE).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.rename(folder)
    except OSError as error:
        if (folder / DATASET_FILE).exists():  # another process froze the same dataset first
            return _same_or_refuse(folder, digest)
        raise CatalogUnwritable(
            f"cannot write dataset {folder}: {error.strerror or error}; free space or choose another workspace"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return read(folder)


def read(folder: Path) -> Manifest:
    """Read and check a dataset folder.

    Raises:
        CatalogError: The folder is absent, unreadable, of a newer format, edited since, or lacks a picture.
    """
    folder = Path(folder).absolute()
    about = _read_about(folder)
    try:
        content = (folder / MANIFEST_FILE).read_bytes()
    except OSError as error:
        raise _damaged(folder, f"{MANIFEST_FILE} cannot be read ({error.strerror})") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != about["content_hash"]:
        raise _damaged(
            folder, f"{MANIFEST_FILE} has hash {digest[:8]}, {DATASET_FILE} says {about['content_hash'][:8]}"
        )
    present = {path.name for path in (folder / IMAGE_FOLDER).glob("*")}
    entries = []
    for number, line in enumerate(content.decode("utf-8").split("\n")[:-1], start=1):
        try:
            entry = _entry_from(json.loads(line), folder)
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(folder, f"{MANIFEST_FILE} line {number}: {error!r}") from error
        if entry.image.name not in present:
            raise _damaged(folder, f"picture {entry.image.name} of line {number} is missing")
        entries.append(entry)
    return Manifest(
        folder=folder, name=about["name"], content_hash=digest, entries=tuple(entries), seed=about.get("seed", 0)
    )


def _damaged(folder: Path, what: str) -> ManifestInvalid:
    return ManifestInvalid(f"dataset {folder} is damaged: {what}; delete the folder and freeze it again")


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / DATASET_FILE
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CatalogError(
            f"no dataset at {folder}: it has no {DATASET_FILE}; name a folder under <workspace>/datasets"
        ) from error
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"{DATASET_FILE} cannot be read ({error})") from error
    if not isinstance(about, dict) or not all(isinstance(about.get(key), str) for key in ("name", "content_hash")):
        raise _damaged(folder, f"{DATASET_FILE} lacks name or content_hash")
    if not isinstance(about.get("format"), int) or about["format"] > FORMAT:
        raise ManifestInvalid(
            f"dataset {folder} has format {about.get('format')!r}, this version reads up to {FORMAT}; update adapt"
        )
    return about


def _same_or_refuse(folder: Path, digest: str) -> Manifest:
    if not (folder / DATASET_FILE).exists():
        raise _damaged(folder, f"it has no {DATASET_FILE}")
    manifest = read(folder)
    if manifest.content_hash != digest:
        raise CatalogError(f"{folder} holds another dataset ({manifest.content_hash[:8]}); give this one another name")
    return manifest


def _copy_image(entry: ManifestEntry, images: Path) -> None:
    target = images / _file_name(entry)
    if target.exists():
        return
    try:
        data = entry.image.read_bytes()
    except FileNotFoundError as error:
        raise CatalogError(f"picture {entry.image} of {entry.product} is gone; ingest its dump again") from error
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise CatalogError(
            f"picture {entry.image} of {entry.product} has changed on disk; delete it and ingest its dump again"
        )
    target.write_bytes(data)


def _file_name(entry: ManifestEntry) -> str:
    return f"{entry.sha256}{entry.image.suffix.lower()}"


def _manifest_bytes(entries: Sequence[ManifestEntry]) -> bytes:
    lines = [
        json.dumps(_line_of(entry), ensure_ascii=False, sort_keys=True, separators=(",", ":")) for entry in entries
    ]
    return "".join(line + "\n" for line in lines).encode()


def _line_of(entry: ManifestEntry) -> dict[str, Any]:
    line: dict[str, Any] = {
        "image": f"{IMAGE_FOLDER}/{_file_name(entry)}",
        "sha256": entry.sha256,
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


def _entry_from(line: Mapping[str, Any], folder: Path) -> ManifestEntry:
    image = str(line["image"])
    if Path(image).parts[:-1] != (IMAGE_FOLDER,):
        raise ValueError(f"picture path {image!r} is not {IMAGE_FOLDER}/<file>")
    if line["split"] not in SPLITS:
        raise ValueError(f"split {line['split']!r} is not one of {', '.join(SPLITS)}")
    box = line.get("box")
    return ManifestEntry(
        image=folder / image,
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
