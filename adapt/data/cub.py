"""Read CUB-200-2011 with Reed's captions, in the official layout, as dataset entries.

Expected in the folder: images.txt, classes.txt, image_class_labels.txt, bounding_boxes.txt, images/, and for captions
text/CLASS/NAME.txt with ten lines each; classes without captions need attributes/. An optional frames.txt (not
official) says which pictures were already cut to their bird (`bbox_crop`) and are used whole; every other picture is
cut as AttnGAN does, a square of half width 0.75 · max(w, h) about the centre of its box, clipped to the picture.

The official train/test split is not used: pictures chosen by a hash of their name are held out (`is_held_out`), since
nothing may ever train on those, whatever else is trained.
"""

import hashlib
import logging
import re
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from adapt.data.class_captions import class_captions, plain_name, read_class_facts
from adapt.errors import AdaptError
from catalog.records import Caption, ManifestEntry

HELD_OUT_SHARE = 0.0915
"""Of the 2,628 captioned pictures in the development copy exactly 256 have a hash below this share."""
CROP_RATIO = 0.75
"""AttnGAN's crop: half its side over the longer side of the bird's box."""

_LOG = logging.getLogger(__name__)
_WHOLE = re.compile(r"\d{1,9}")
_DECIMAL = re.compile(r"-?\d{1,9}(\.\d*)?")
_TABLES = ("images.txt", "classes.txt", "image_class_labels.txt", "bounding_boxes.txt")


def is_held_out(name: str) -> bool:
    """Say whether nothing may train on a captioned picture.

    Args:
        name: As in images.txt: `CLASS/FILE.jpg`.
    """
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) < HELD_OUT_SHARE * 2**32


def read_cub(root: Path, *, held_out: Collection[str] = ()) -> list[ManifestEntry]:
    """Read every picture that is on disk; those that are not are counted in one warning.

    Args:
        root: Folder `CUB_200_2011`.
        held_out: Further names (`CLASS/FILE.jpg`) to put into the test split.

    Returns:
        Entries in the order of images.txt. Split `test` for captioned pictures that `is_held_out` names and for
        `held_out`, else `train`. Product is the class, group the picture.

    Raises:
        AdaptError: The folder lacks a file of the layout, a file is malformed or no picture is there.
    """
    missing = [name for name in (*_TABLES, "images") if not (root / name).exists()]
    if missing:
        raise AdaptError(
            f"{root} is not CUB-200-2011: no {', '.join(missing)}; expected {', '.join(_TABLES)}, images/ and text/, "
            "give that folder with --data-dir"
        )
    images = _table(root / "images.txt", 1)
    class_names = {int(key): name for key, (name,) in _table(root / "classes.txt", 1, integer_key=True).items()}
    labels = {key: int(label) for key, (label,) in _table(root / "image_class_labels.txt", 1, numbers=True).items()}
    boxes = _table(root / "bounding_boxes.txt", 4, numbers=True)
    frames = _table(root / "frames.txt", 1) if (root / "frames.txt").is_file() else {}
    written: dict[int, tuple[Caption, ...]] = {}
    entries, absent = [], 0
    for key, (name,) in images.items():
        path = root / "images" / name
        if not path.is_file():
            absent += 1
            continue
        try:
            label, box, class_name = labels[key], boxes[key], class_names[labels[key]]
        except KeyError:
            raise AdaptError(
                f"{root}: picture {key} ({name}) has no class or no box; take all .txt files from one archive"
            ) from None
        captions = _human_captions(root, name)
        if not captions:
            if not written:
                facts = dict(zip(class_names, read_class_facts(root, len(class_names)), strict=True))
                written = {number: class_captions(class_names[number], facts[number]) for number in class_names}
            captions = written[label]
        human = captions[0].origin == "human"
        entries.append(
            ManifestEntry(
                image=path.resolve(),
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                product=f"cub/{class_name}",
                product_id=label,
                category=plain_name(class_name),
                split="test" if (human and is_held_out(name)) or name in held_out else "train",
                captions=captions,
                group=f"cub/{name}",
                box=None if frames.get(key) == ("bbox_crop",) else bird_crop(path, box),
            )
        )
    if not entries:
        raise AdaptError(f"{root}: none of the {len(images)} pictures of images.txt is in images/; unpack them there")
    if absent:
        _LOG.warning("%s: %d of %d pictures are not on disk and were left out", root, absent, len(images))
    return entries


def bird_crop(path: Path, box: tuple[str, ...]) -> tuple[int, int, int, int]:
    """Part of an uncut photograph that AttnGAN trains on: left, top, right, bottom in pixels.

    Args:
        path: The photograph; only its header is read.
        box: x, y, width, height of the bird as written in bounding_boxes.txt, pixels.

    Raises:
        AdaptError: The picture cannot be read, or the box lies outside it.
    """
    try:
        with Image.open(path) as image:
            width_px, height_px = image.size
    except OSError as error:
        raise AdaptError(
            f"cannot read picture {path} ({error.strerror or 'damaged or no picture'}); "
            "take it from the archive again, or delete it to leave it out"
        ) from error
    x, y, w, h = (float(value) for value in box)
    half = int(max(w, h) * CROP_RATIO)
    center_x, center_y = int(x + w / 2), int(y + h / 2)
    left, top = max(0, center_x - half), max(0, center_y - half)
    right, bottom = min(width_px, center_x + half), min(height_px, center_y + half)
    if right <= left or bottom <= top:
        raise AdaptError(
            f"the box of {path} ({' '.join(box)}) holds no part of its {width_px}x{height_px} px; "
            "take bounding_boxes.txt from the archive of the pictures"
        )
    return left, top, right, bottom


def _table(path: Path, columns: int, *, numbers: bool = False, integer_key: bool = False) -> dict[str, tuple[str, ...]]:
    """Rows of an official file: id, then `columns` values; whole or decimal `numbers` where so asked."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AdaptError(
            f"{path} is no text ({type(error).__name__}); take the file from the official archive"
        ) from error
    rows = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        key, *values = line.split()
        # A class is a whole number, a side of a box may have decimals.
        number_like = _WHOLE if columns == 1 else _DECIMAL
        good = len(values) == columns and (not numbers or all(number_like.fullmatch(value) for value in values))
        if not good or (integer_key and not _WHOLE.fullmatch(key)):
            kind = "number" if numbers else "value"
            raise AdaptError(
                f"{path}, line {number}: {line[:80]!r}; expected an id and {columns} {kind}{'s' if columns > 1 else ''}"
                ", take the file from the official archive"
            )
        rows[key] = tuple(values)
    return rows


def _human_captions(root: Path, name: str) -> tuple[Caption, ...]:
    path = (root / "text" / name).with_suffix(".txt")
    if not path.is_file():
        return ()
    # Some of Reed's lines hold stray bytes; dropping them loses no word.
    lines = (" ".join(line.split()) for line in path.read_text("utf-8", errors="ignore").splitlines())
    return tuple(
        Caption(id=None, text=line, lang="en", template="human", facts={}, origin="human") for line in lines if line
    )
