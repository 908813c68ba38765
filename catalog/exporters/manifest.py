"""`manifest.jsonl`, which every format carries: one line a picture with its digest and what it was made from."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from catalog import provenance
from catalog.exporters.delivery import ApprovedPicture, Row

_NAME_MAX_CHARS = 60


def line_of(picture: ApprovedPicture, file_name: str, digest: str) -> dict[str, Any]:
    """Return the manifest's line for a delivered picture.

    Args:
        picture: What was approved.
        file_name: Where it is in the delivery, `/` separated.
        digest: SHA-256 of the delivered bytes.
    """
    return {
        **asdict(picture),
        "sha256": digest,
        "source_sha256": picture.sha256,
        "file_name": file_name,
        "digital_source_type": provenance.TRAINED,
    }


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the lines of a manifest.

    Raises:
        OSError: It cannot be read.
        ValueError: A line is no JSON object that names a file of the delivery and its digest.
    """
    with path.open("rb") as file:
        for line in file:
            row = json.loads(line.decode())
            if not isinstance(row, dict) or not isinstance(row.get("sha256"), str) or not is_inside(row["file_name"]):
                raise ValueError(f"not a line of a manifest: {line[:60]!r}")
            yield row


def picture_name(picture: ApprovedPicture) -> str:
    """Return the file name of a picture: product number, item number, ending."""
    return f"{slug(picture.sku)}_{picture.item_id:06d}.{picture.ext}"


def slug(text: str) -> str:
    """Return a file name made of letters, digits, `.`, `_` and `-`; never empty, hidden or a way out of the folder."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[^\w.-]+", "-", plain, flags=re.ASCII).strip("-._")[:_NAME_MAX_CHARS].rstrip("-._") or "item"


def is_inside(name: Any) -> bool:
    """Whether a name of a delivery stays inside its folder."""
    if not isinstance(name, str) or "\x00" in name or "\\" in name:
        return False
    pure = PurePosixPath(name)
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts
