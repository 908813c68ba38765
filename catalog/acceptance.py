"""Which products of a dump must be written, each with the pictures it can keep, a transaction at a time."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from catalog.intake import PictureIntake
from catalog.paths import DumpFile
from catalog.phrases import say
from catalog.readers.draft import DraftPicture, DraftProduct
from catalog.records import Issue
from catalog.sync import KnownProduct
from catalog.upsert import Accepted

BATCH_IMAGES = 64
BATCH_PRODUCTS = 2000
LOOK_AHEAD = 256
"""Pictures, or products, planned ahead of the one that is written, at least: workers go on during a transaction."""
PROGRESS_EVERY = 10
Progress = Callable[[str, float, float | None], None]


@dataclass(kw_only=True)
class Acceptance:
    """Goes through the products of one run in order; its counts and issues are complete after the last batch."""

    intake: PictureIntake
    files: Mapping[str, DumpFile]
    """The files of the dump by path."""
    known: Mapping[str, KnownProduct]
    """The products of the source by SKU, as they were before the run."""
    look_ahead: int = LOOK_AHEAD
    progress: Progress
    issues: list[Issue]
    """What was found before; what is odd about pictures is added."""
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    links: int = 0
    stored: dict[str, str | None] = field(default_factory=dict)
    """Path of a picture → digest of its content, None when it was refused."""

    def batches(self, products: list[DraftProduct]) -> Iterator[list[Accepted]]:
        """Take in the pictures of each product and yield what must be written, a transaction at a time.

        Whoever takes a batch takes the pending rows of the intake with it, and says so by `handed_over`.
        """
        batch: list[Accepted] = []
        total = len(products)
        for number, draft in enumerate(self._looked_ahead(products), start=1):
            accepted = self._accept(draft)
            if accepted is not None:
                batch.append(accepted)
            if len(batch) >= BATCH_PRODUCTS or len(self.intake.new_files) >= BATCH_IMAGES:
                yield batch
                batch = []
            if number % PROGRESS_EVERY == 0:
                self.progress(say("products"), number, total)
        if batch or self.intake.new_files:
            yield batch
        self.progress(say("products"), total, total)

    def _looked_ahead(self, products: list[DraftProduct]) -> Iterator[DraftProduct]:
        """Yield the products in order; the pictures of those that follow are with the workers already."""
        ahead: deque[DraftProduct] = deque()
        for draft in products:
            for picture in draft.pictures:
                self.intake.plan(self.files[picture.path])
            ahead.append(draft)
            while ahead and max(self.intake.pending, len(ahead)) > self.look_ahead:
                yield ahead.popleft()
        yield from ahead

    def _accept(self, draft: DraftProduct) -> Accepted | None:
        """Return what to write for a product, or None when it is as the catalogue has it."""
        pictures = self._pictures(draft)
        self.links += len({(picture.variant_key, digest) for picture, digest in pictures})
        content = f"{draft.content_hash()} {' '.join(digest for _, digest in pictures)}"
        row_hash = hashlib.sha256(content.encode()).hexdigest()
        known = self.known.get(draft.sku)
        if known is None:
            self.added += 1
            return Accepted(draft=draft, row_hash=row_hash, pictures=pictures, product_id=None)
        if known.row_hash == row_hash and known.status == "active":
            self.unchanged += 1
            return None
        self.updated += 1
        return Accepted(draft=draft, row_hash=row_hash, pictures=pictures, product_id=known.id)

    def _pictures(self, draft: DraftProduct) -> list[tuple[DraftPicture, str]]:
        """Return the usable pictures of a product with the digests of their content, and report the others."""
        pictures: list[tuple[DraftPicture, str]] = []
        for picture in draft.pictures:
            seen = self.intake.settle(self.files[picture.path])
            if seen.image_sha256 is not None:
                pictures.append((picture, seen.image_sha256))
                if remark := self.intake.remarks.pop(picture.path, None):
                    self.issues.append(_issue(picture, *remark, severity="warning"))
            elif picture.path not in self.stored:
                self.issues.append(_issue(picture, seen.reason, seen.detail))
            self.stored[picture.path] = seen.image_sha256
        return pictures


def _issue(picture: DraftPicture, reason: str, detail: str, severity: str = "error") -> Issue:
    return Issue(
        source=picture.origin or picture.path,
        line=picture.line,
        reason=reason,
        detail=say("{path}: {detail}", path=picture.path, detail=detail) if picture.origin else detail,
        severity=severity,
    )
