"""Fill a delivery: the plan of what leaves, the pictures, the tables, and the summary that proves them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog import provenance
from catalog.alt_text import AltTexts
from catalog.approved import Selection
from catalog.blobs import BlobStore
from catalog.c2pa_signing import PictureSigner, review_of
from catalog.errors import ExportRefused
from catalog.exporters.delivery import (
    EXCLUDED,
    FORMAT_VERSION,
    MANIFEST,
    SUMMARY,
    ApprovedPicture,
    Exporter,
    Row,
    to_json,
)
from catalog.exporters.manifest import line_of, read_rows
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.picture_folder import PICTURES
from catalog.exporters.plain_files import digest_of
from catalog.exporters.tables import TableFile
from catalog.phrases import say
from catalog.policy import Policy

Progress = Callable[[str, float, float | None], None]

_PLAN = "pictures.jsonl"
_EXCLUDED_COLUMNS = ("item", "generation", "product", "sku", "reason", "reasons", "decided_by")
"""`reason` is why it stays; where verdicts are why, `reasons` are their codes and `decided_by` is who gave them."""


@dataclass(kw_only=True)
class Plan:
    """What a delivery is made of, apart from the pictures."""

    exporter: Exporter
    policy: Policy
    base_url: str
    signer: PictureSigner | None
    images: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    log_hash: str = ""
    small: int = 0
    """Pictures that leave with a side shorter than is asked for."""

    @property
    def state(self) -> str:
        """What the bytes of picture files depend on, apart from the pictures."""
        signed = (self.signer.certificate_sha256, self.signer.stamps_from) if self.signer is not None else None
        mark = hashlib.sha256(provenance.packet()).hexdigest()
        return to_json([FORMAT_VERSION, self.exporter.name, self.base_url, signed, mark])

    def summary(self, files: dict[str, str | None]) -> dict[str, Any]:
        """Return the content of `export.json`; nothing in it depends on when or where the export ran."""
        return {
            "format": self.exporter.name,
            "format_version": FORMAT_VERSION,
            "images": self.images,
            "excluded": self.excluded,
            "policy_version": self.policy.version,
            "log_hash": self.log_hash,
            "base_url": self.base_url,
            "c2pa": None if self.signer is None else self._signed_by(self.signer),
            "digital_source_type": provenance.TRAINED,
            "files": files,
        }

    @staticmethod
    def _signed_by(signer: PictureSigner) -> dict[str, str]:
        stamps = {"stamps_from": signer.stamps_from} if signer.stamps_from else {}
        return {"certificate_sha256": signer.certificate_sha256, **stamps}


def write_plan(selection: Selection, alt: AltTexts, folder: Path) -> str:
    """Write the approved pictures to a file, a line each, and what was left out beside it; return the file's digest."""
    digest = hashlib.sha256()
    with (folder / _PLAN).open("wb") as file, (folder / EXCLUDED).open("wb") as left:
        table = TableFile(left, _EXCLUDED_COLUMNS, for_people=True)
        for batch in selection.judged():
            for picture in selection.pictures(batch, alt):
                line = picture.to_line().encode()
                digest.update(line)
                file.write(line)
            for judged in batch:
                if judged.reason is not None:
                    row, said = judged.row, judged.refusal
                    shown = (row.id, row.generation_id, f"{row.source}/{row.sku}", row.sku, judged.reason)
                    table.add((*shown, ";".join(said.reasons), said.decided_by))
    return digest.hexdigest()


def fill(
    part: PartFolder, plan: Plan, planned: Path, load: Callable[[ApprovedPicture], bytes], progress: Progress | None
) -> None:
    """Write pictures, manifest, the format's own tables, the list of what was left out and the summary.

    Args:
        part: The folder to fill.
        plan: Format and options.
        planned: Folder with what `write_plan` wrote.
        load: Returns a picture's bytes as they leave.
        progress: Called with (description, done, total).
    """

    def counted() -> Iterator[ApprovedPicture]:
        for done, picture in enumerate(_pictures(planned)):
            if progress is not None:
                progress("exporting", done, plan.images)
            yield picture

    def rows() -> Iterator[Row]:
        return read_rows(part.path / MANIFEST)

    plan.exporter.write_pictures(part, counted(), load)
    notes = part.digests(PICTURES)
    with part.writing(MANIFEST) as file:
        for index, picture in enumerate(_pictures(planned)):
            row = line_of(picture, plan.exporter.file_name(index, picture), notes.get(index))
            file.write((to_json(row) + "\n").encode())
    names = [MANIFEST, *plan.exporter.write_tables(part, rows, plan.base_url), EXCLUDED]
    with part.writing(EXCLUDED) as file, (planned / EXCLUDED).open("rb") as left:
        shutil.copyfileobj(left, file)
    files = {name: digest_of(part.path / name) for name in names}
    with part.writing(SUMMARY) as file:
        file.write((to_json(plan.summary(files)) + "\n").encode())


def load(blobs: BlobStore, signer: PictureSigner | None, picture: ApprovedPicture) -> bytes:
    """Return a picture as it leaves: as it was reviewed, with the mark and the signature."""
    data = blobs.read(picture.sha256)
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        raise ExportRefused(
            say(
                "the picture of item {item_id} changed on disk since it was reviewed; nothing was delivered: "
                "put {digest}… back from a copy, or take its approval back with: adapt decide {item_id} --undo",
                item_id=picture.item_id,
                digest=picture.sha256[:12],
            )
        )
    marked = provenance.mark(data)
    return marked if signer is None else signer.sign(marked, review_of(picture.policy_version, picture.approvals))


def _pictures(planned: Path) -> Iterator[ApprovedPicture]:
    with (planned / _PLAN).open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield ApprovedPicture.from_line(line)
