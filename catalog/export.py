"""Stage 9 of 9. Reads approved candidates. Writes a delivery folder with provenance in every picture.

A delivery is complete or not there: it is written beside its final place, read back, and only then given its name.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import decision_log
from catalog.errors import CatalogUnwritable, ExportRefused
from catalog.exporters import exporter
from catalog.exporters.delivery import ApprovedPicture, DeliveredFile, Verification
from catalog.policy import DEFAULT_POLICY, Policy
from catalog.products import attribute_record
from catalog.schema import (
    AttributeRow,
    CaptionRow,
    DecisionRow,
    ExportFileRow,
    ExportRunRow,
    GenerationRow,
    ImageRow,
    ProductRow,
    ReviewItemRow,
    SourceRow,
)
from catalog.schema import now as utc_now
from catalog.store import Catalog

Progress = Callable[[str, float, float | None], None]

_EXCLUDED_AS = {"pending": "undecided", "rejected": "rejected", "conflict": "conflict", "changes": "changes"}


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What an export did, or would do."""

    path: Path
    images: int
    excluded: dict[str, int]
    """Reason → number of candidates left out."""
    verified: int
    """Files whose digest and provenance mark agreed when read back; 0 in a dry run."""


def export(
    catalog: Catalog,
    *,
    format: str = "folder",
    out: Path | None = None,
    dry_run: bool = False,
    policy: Policy = DEFAULT_POLICY,
    progress: Progress | None = None,
) -> ExportReport:
    """Deliver every picture whose standing decision is approval.

    Args:
        catalog: An open catalogue.
        format: A name in `catalog.exporters.FORMATS`.
        out: Folder to make; default is the next free `exports/<format>-<number>` of the workspace.
        dry_run: Count only; write nothing.
        policy: Decides which pictures are marked as possible copies.
        progress: Called with (description, done, total).

    Raises:
        ExportRefused: Unknown format, nothing approved, `out` exists or is an address, the log of decisions was
            tampered with, or a written file does not read back.
        CatalogUnwritable: The delivery cannot be written.
    """
    writer = exporter(format)
    if out is not None and re.match(r"^[a-z][a-z0-9+.-]+:/", str(out)):
        raise ExportRefused(f"{out} is an address; a delivery is made in a folder of this machine: --out DIR")
    broken = decision_log.first_broken_decision(catalog)
    if broken is not None:
        raise ExportRefused(
            f"decision {broken} was changed or added outside the review, so approvals cannot be trusted; "
            "nothing was delivered: restore the database from a copy made before that"
        )
    target = (out or _next_free(catalog.workspace / "exports", format)).expanduser().absolute()
    with catalog.read() as session:
        pictures, excluded = _select(session, catalog, policy)
    if target.exists():
        raise ExportRefused(f"{target} exists already; choose another folder with --out DIR, or remove it")
    if dry_run:
        return ExportReport(path=target, images=len(pictures), excluded=excluded, verified=0)
    if not pictures:
        left = ", ".join(f"{count} {reason}" for reason, count in excluded.items()) or "no candidates"
        raise ExportRefused(f"no approved picture to export ({left}); approve some with: adapt review")
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    total, done = len(pictures), 0

    def read(sha256: str) -> bytes:
        nonlocal done
        if progress is not None:
            progress("exporting", done, total)
        done += 1
        data = catalog.blobs.read(sha256)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ExportRefused(f"picture {sha256[:12]}… changed on disk since it was reviewed; nothing was delivered")
        return data

    try:
        part.mkdir(parents=True)
        delivered = writer.write(part, pictures, read)
        check = writer.verify(part)
        if not check.ok:
            raise ExportRefused(f"the delivery does not read back: {check.problems[0]}; nothing was delivered")
        part.rename(target)
    except OSError as error:
        raise CatalogUnwritable(
            f"cannot write the delivery {target} ({error.strerror or error}); free space or choose another --out DIR"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    try:
        _record(catalog, format, target, delivered, excluded, policy)
    except BaseException:
        # A delivery the catalogue knows nothing of would be made a second time.
        shutil.rmtree(target, ignore_errors=True)
        raise
    return ExportReport(path=target, images=len(delivered), excluded=excluded, verified=check.verified)


def verify(folder: Path, *, format: str = "folder") -> Verification:
    """Read a delivery back without its catalogue.

    Raises:
        ExportRefused: Unknown format, or the folder is no delivery.
    """
    if not folder.is_dir():
        raise ExportRefused(f"no folder {folder}; give the path of a delivery")
    return exporter(format).verify(folder)


def _next_free(root: Path, format: str) -> Path:
    number = 1
    while (root / f"{format}-{number:03d}").exists():
        number += 1
    return root / f"{format}-{number:03d}"


def _select(session: Session, catalog: Catalog, policy: Policy) -> tuple[list[ApprovedPicture], dict[str, int]]:
    """Return what may leave, in a fixed order, and how many may not by reason."""
    excluded: Counter[str] = Counter()
    approvals = _approvals(session)
    rows = session.execute(
        select(ReviewItemRow, GenerationRow, ImageRow, ProductRow, SourceRow.name, CaptionRow.variant_id)
        .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
        .join(ImageRow, ImageRow.sha256 == GenerationRow.image_sha256)
        .join(ProductRow, ProductRow.id == GenerationRow.product_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
        .outerjoin(CaptionRow, CaptionRow.id == GenerationRow.caption_id)
        .order_by(SourceRow.name, ProductRow.sku, ReviewItemRow.id)
    )
    pictures = []
    for item, generation, image, product, source, variant_id in rows:
        approved = approvals.get((item.id, item.round), [])
        # The state is derived from the log; both must say so before a picture leaves the house.
        if item.state != "approved" or len(approved) < item.quorum:
            excluded[_EXCLUDED_AS.get(item.state, "undecided")] += 1
            continue
        if image.kind != "generated":
            excluded["not_generated"] += 1
            continue
        if not catalog.blobs.has(generation.image_sha256):
            excluded["picture_missing"] += 1
            continue
        last = max(approved, key=lambda decision: decision.id)
        pictures.append(
            ApprovedPicture(
                generation_id=generation.id,
                item_id=item.id,
                sha256=generation.image_sha256,
                ext=image.ext,
                width=image.width,
                height=image.height,
                product=f"{source}/{product.sku}",
                sku=product.sku,
                name=product.name,
                category=product.category,
                attributes=tuple(map(attribute_record, _facts(session, product.id, variant_id))),
                prompt=generation.prompt,
                run=generation.run,
                seed=generation.seed,
                scores=dict(generation.scores),
                nearest_sha256=generation.nearest_sha256,
                nearest_similarity=generation.nearest_similarity,
                copy_risk=policy.copy_risk(generation.nearest_similarity),
                approvals=len(approved),
                decided_at=last.decided_at.isoformat(timespec="milliseconds"),
                policy_version=last.policy_version,
            )
        )
    return pictures, dict(sorted(excluded.items()))


def _approvals(session: Session) -> dict[tuple[int, int], list[DecisionRow]]:
    """Return the approvals that stand, by (item, round)."""
    found: dict[tuple[int, int], list[DecisionRow]] = {}
    for row in session.scalars(decision_log.head_rows().where(DecisionRow.verdict == "approve")):
        found.setdefault((row.item_id, row.round), []).append(row)
    return found


def _facts(session: Session, product_id: int, variant_id: int | None) -> list[AttributeRow]:
    own = AttributeRow.variant_id.is_(None)
    return list(
        session.scalars(
            select(AttributeRow)
            .where(AttributeRow.product_id == product_id, AttributeRow.kind == "fact")
            .where(own if variant_id is None else own | (AttributeRow.variant_id == variant_id))
            .order_by(AttributeRow.position, AttributeRow.id)
        )
    )


def _record(
    catalog: Catalog,
    format: str,
    target: Path,
    delivered: list[DeliveredFile],
    excluded: dict[str, int],
    policy: Policy,
) -> None:
    with catalog.write() as session:
        run = ExportRunRow(
            format=format,
            path=str(target),
            state="done",
            counts={"images": len(delivered), "excluded": excluded},
            policy_version=policy.version,
            ended_at=utc_now(),
        )
        session.add(run)
        session.flush()
        session.add_all(
            ExportFileRow(
                export_run_id=run.id,
                generation_id=file.generation_id,
                path=file.path,
                sha256=file.sha256,
                source_sha256=file.source_sha256,
                verified=True,
            )
            for file in delivered
        )
