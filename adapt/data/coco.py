"""Read COCO captions in the official layout as dataset entries.

Expected in the folder: annotations/captions_SPLIT.json and the pictures in SPLIT/ (val2014, train2017, …). A picture
that is listed but not on disk is counted and skipped, so part of COCO is enough. The years overlap (val2017 and much of
train2017 are val2014 pictures): an image id becomes one entry, a test entry as soon as one val split lists it.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapt.errors import AdaptError
from catalog.records import Caption, ManifestEntry

HELD_OUT_SHARE = 0.1
"""Share of the pictures held out with `official_split=False`."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CocoCounts:
    """What a reading found, in pictures."""

    listed: int
    """Image ids in the captions files."""
    missing: int
    """Listed, but the file is not on disk."""
    uncaptioned: int
    """On disk, but without a caption."""
    used: int


@dataclass
class _Listed:
    """One image id while the captions files are read."""

    paths: list[Path] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    in_val: bool = False


def read_coco(
    root: Path, *, splits: Sequence[str] = (), official_split: bool = True
) -> tuple[list[ManifestEntry], CocoCounts]:
    """Read every captioned picture that is on disk.

    Args:
        root: Folder that holds annotations/ and the picture folders.
        splits: Such as `("train2014", "val2014")`; empty for every captions file there is.
        official_split: Pictures of val splits are the test split. False: a tenth of all pictures, chosen by a hash of
            the image id, is; for parts of COCO with few pictures of a train split.

    Returns:
        Entries sorted by image id, one product and one group each, and the counts.

    Raises:
        AdaptError: No captions file or no picture is there, or a file is not COCO captions JSON.
    """
    files = sorted((root / "annotations").glob("captions_*.json"))
    names = {path.stem.removeprefix("captions_"): path for path in files}
    if not names:
        raise AdaptError(
            f"{root} is not COCO: no annotations/captions_*.json; expected for instance "
            "annotations/captions_val2014.json and val2014/, give the folder that holds both with --data-dir"
        )
    unknown = [split for split in splits if split not in names]
    if unknown:
        raise AdaptError(f"{root}: no captions for {', '.join(unknown)}; there are {', '.join(names)}")
    listed: dict[int, _Listed] = {}
    for split in splits or names:
        _add_split(listed, names[split], root / split)
    entries, missing, uncaptioned = [], 0, 0
    for image_id, image in sorted(listed.items()):
        path = next((candidate for candidate in image.paths if candidate.is_file()), None)
        if path is None:
            missing += 1
        elif not image.texts:
            uncaptioned += 1
        else:
            in_test = image.in_val if official_split else _is_held_out(image_id)
            entries.append(_entry(image_id, path, image, "test" if in_test else "train"))
    if not entries and uncaptioned:
        raise AdaptError(
            f"{root}: none of the {uncaptioned} pictures on disk has a caption with words in "
            f"{', '.join(names[split].name for split in splits or names)}; take the file from the official archive"
        )
    if not entries:
        folders = " or ".join(f"{split}/" for split in splits or names)
        raise AdaptError(f"{root}: none of the {len(listed)} listed pictures is on disk; unpack them into {folders}")
    if missing or uncaptioned:
        _LOG.warning("%s: %d pictures not on disk and %d without captions left out", root, missing, uncaptioned)
    return entries, CocoCounts(listed=len(listed), missing=missing, uncaptioned=uncaptioned, used=len(entries))


def _add_split(listed: dict[int, _Listed], captions_file: Path, folder: Path) -> None:
    try:
        content: dict[str, Any] = json.loads(captions_file.read_text("utf-8"))
        for image in content["images"]:
            record = listed.setdefault(int(image["id"]), _Listed())
            # Only the name: a captions file must not lead out of its picture folder.
            record.paths.append(folder / Path(image["file_name"]).name)
            record.in_val |= folder.name.startswith("val")
        for annotation in content["annotations"]:
            text = " ".join(annotation["caption"].split())
            record = listed[int(annotation["image_id"])]
            if text and text not in record.texts:
                record.texts.append(text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise AdaptError(
            f"{captions_file}: {reason}; expected COCO captions JSON with images (id, file_name) "
            "and annotations (id, image_id, caption)"
        ) from None


def _is_held_out(image_id: int) -> bool:
    return int(hashlib.sha256(f"coco/{image_id}".encode()).hexdigest()[:8], 16) < HELD_OUT_SHARE * 2**32


def _entry(image_id: int, path: Path, image: _Listed, split: str) -> ManifestEntry:
    return ManifestEntry(
        image=path.resolve(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        product=f"coco/{image_id}",
        product_id=image_id,
        category="coco",
        split=split,
        captions=tuple(
            Caption(id=None, text=text, lang="en", template="human", facts={}, origin="human") for text in image.texts
        ),
        group=f"coco/{image_id}",
    )
