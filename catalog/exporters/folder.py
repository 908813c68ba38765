"""Delivery as a folder: `images/`, one line a picture in `manifest.jsonl`, and `export.json` with its digest.

Order, names and bytes follow from the pictures alone, so the same decisions give the same delivery.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from catalog import provenance
from catalog.errors import ExportRefused
from catalog.exporters.delivery import ApprovedPicture, DeliveredFile, Verification

MANIFEST = "manifest.jsonl"
SUMMARY = "export.json"
FORMAT_VERSION = 1
_NAME_MAX_CHARS = 60


class FolderExporter:
    """Writes and checks the `folder` format."""

    def write(
        self, folder: Path, pictures: Sequence[ApprovedPicture], read: Callable[[str], bytes]
    ) -> list[DeliveredFile]:
        """Write pictures, manifest and summary into an empty folder.

        Args:
            folder: An existing empty folder.
            pictures: What to deliver, in order.
            read: Returns a picture's bytes by digest.

        Raises:
            CatalogError: A picture cannot be read or cannot carry the mark.
        """
        (folder / "images").mkdir()
        delivered, lines = [], []
        for picture in pictures:
            data = provenance.mark(read(picture.sha256))
            name = f"images/{slug(picture.sku)}_{picture.item_id:06d}.{picture.ext}"
            digest = hashlib.sha256(data).hexdigest()
            write_durably(folder / name, data)
            delivered.append(
                DeliveredFile(
                    generation_id=picture.generation_id, path=name, sha256=digest, source_sha256=picture.sha256
                )
            )
            lines.append(_json(_manifest_line(picture, name, digest)))
        manifest = "".join(line + "\n" for line in lines).encode()
        write_durably(folder / MANIFEST, manifest)
        summary = {
            "format": "folder",
            "format_version": FORMAT_VERSION,
            "images": len(delivered),
            "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
            "digital_source_type": provenance.TRAINED,
        }
        write_durably(folder / SUMMARY, (_json(summary) + "\n").encode())
        return delivered

    def verify(self, folder: Path) -> Verification:
        """Read a delivery back: manifest against summary, each file's digest and mark, and no file too many.

        Raises:
            ExportRefused: The folder is no delivery of this format.
        """
        try:
            manifest = (folder / MANIFEST).read_bytes()
            summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
            rows = [json.loads(line) for line in manifest.decode().split("\n")[:-1]]
            stated = {row["file_name"]: row["sha256"] for row in rows}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ExportRefused(
                f"{folder} is no complete delivery: {MANIFEST} or {SUMMARY} is missing or damaged; export again"
            ) from error
        problems = []
        if summary.get("manifest_sha256") != hashlib.sha256(manifest).hexdigest():
            problems.append(f"{MANIFEST}: changed since the export")
        verified = 0
        for name, digest in stated.items():
            problem = _file_problem(folder, name, digest)
            if problem is None:
                verified += 1
            else:
                problems.append(f"{name}: {problem}")
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        problems += [f"{name}: not in the manifest" for name in sorted(found - set(stated) - {MANIFEST, SUMMARY})]
        return Verification(files=len(rows), verified=verified, problems=tuple(problems))


def slug(text: str) -> str:
    """Return a file name made of letters, digits, `.`, `_` and `-`; never empty, hidden or a way out of the folder."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[^\w.-]+", "-", plain, flags=re.ASCII).strip("-._")[:_NAME_MAX_CHARS] or "item"


def write_durably(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _file_problem(folder: Path, name: str, digest: str) -> str | None:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts:
        return "leaves the delivery folder"
    try:
        data = (folder / name).read_bytes()
    except OSError:
        return "missing"
    if hashlib.sha256(data).hexdigest() != digest:
        return "changed since the export"
    try:
        mark = provenance.source_type(data)
    except provenance.ProvenanceError:
        return "not a picture"
    return None if mark == provenance.TRAINED else "carries no provenance mark"


def _manifest_line(picture: ApprovedPicture, name: str, digest: str) -> dict[str, Any]:
    return {
        "file_name": name,
        "sha256": digest,
        "source_sha256": picture.sha256,
        "width": picture.width,
        "height": picture.height,
        "product": picture.product,
        "sku": picture.sku,
        "name": picture.name,
        "category": picture.category,
        "attributes": [
            {"name": fact.name, "value": fact.value, "unit": fact.unit, "lang": fact.lang}
            for fact in picture.attributes
        ],
        "prompt": picture.prompt,
        "run": picture.run,
        "seed": picture.seed,
        "scores": dict(picture.scores),
        "nearest_sha256": picture.nearest_sha256,
        "nearest_similarity": picture.nearest_similarity,
        "copy_risk": picture.copy_risk,
        "approvals": picture.approvals,
        "decided_at": picture.decided_at,
        "policy_version": picture.policy_version,
        "digital_source_type": provenance.TRAINED,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
