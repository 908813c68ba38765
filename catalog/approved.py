"""Which candidates may leave the house, and why the others may not.

Two witnesses must agree: the item's state, and the decisions in the log that nobody superseded. Everything is read in
batches, so a hundred thousand candidates need no more memory than a thousand.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from catalog import decision_log
from catalog.alt_text import AltTexts
from catalog.exporters.delivery import ApprovedPicture, Offer
from catalog.left_out import Refusal, reasons_of, refusal
from catalog.policy import COPY_QUORUM, Policy
from catalog.products import load_products
from catalog.records import Product, Variant
from catalog.schema import (
    CaptionRow,
    DecisionRow,
    GenerationRow,
    ImageRow,
    ProductRow,
    ReviewItemRow,
    SourceRow,
    VariantRow,
)

_BATCH = 500
"""Items a query: SQLite limits the parameters of a statement."""
_STATES = {
    "rejected": "rejected",
    "conflict": "conflict",
    "changes": "changes",
    "not_chosen": "not_chosen",
}
"""State of an item that was decided otherwise → reason for leaving it out."""

Rule = Callable[[Offer], str | None]
"""A format's own reason to leave a picture out, None when it takes it; asked once for each approved one, in order."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A candidate and what the log says of it."""

    row: Any
    """Columns of `_rows`."""
    reason: str | None
    """Why it stays; None when it may leave."""
    reviewers: int = 0
    """People whose approval stands."""
    last: DecisionRow | None = None
    """The newest of these approvals."""
    refusal: Refusal = field(default_factory=Refusal)
    """What the log says against it, where its verdicts are why it stays."""

    @property
    def offer(self) -> Offer:
        """What shops would call the thing shown."""
        return Offer(product=f"{self.row.source}/{self.row.sku}", sku=self.row.sku, variant=self.row.variant or "")


class Selection:
    """The candidates of one snapshot of the catalogue, in a fixed order: by source, product and item."""

    def __init__(self, session: Session, stored: Set[str], policy: Policy, rule: Callable[[], Rule]) -> None:
        """Take the order down.

        Args:
            session: An open transaction; all methods read in it.
            stored: Digests of the pictures whose files are there.
            policy: Says what looks like a copy and how many must approve.
            rule: Returns a fresh rule of the format, for one pass over the candidates.
        """
        self._session, self._stored, self._policy, self._rule = session, stored, policy, rule
        order = (
            select(ReviewItemRow.id)
            .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
            .join(ProductRow, ProductRow.id == GenerationRow.product_id)
            .join(SourceRow, SourceRow.id == ProductRow.source_id)
            .order_by(SourceRow.name, ProductRow.sku, ReviewItemRow.id)
        )
        self._ids = array("q", session.scalars(order.execution_options(yield_per=10_000)))

    def judged(self) -> Iterator[list[Judged]]:
        """Yield all candidates, a batch at a time."""
        rule = self._rule()
        for start in range(0, len(self._ids), _BATCH):
            ids = self._ids[start : start + _BATCH].tolist()
            rows = {row.id: row for row in self._session.execute(_rows(ids))}
            heads: dict[tuple[int, int], list[DecisionRow]] = {}
            against: list[int] = []
            for head in self._session.scalars(decision_log.head_rows().where(DecisionRow.item_id.in_(ids))):
                if head.verdict != "void":
                    heads.setdefault((head.item_id, head.round), []).append(head)
                    against += [head.id] if head.verdict != "approve" else []
            codes = self._codes(against)
            yield [self._judge(rows[id_], heads.get((id_, rows[id_].round), []), codes, rule) for id_ in ids]
            self._session.expunge_all()

    def pictures(self, batch: Sequence[Judged], alt: AltTexts) -> Iterator[ApprovedPicture]:
        """Yield what is delivered of a batch, with the product records."""
        leaving = [judged for judged in batch if judged.reason is None]
        ids = sorted({judged.row.product_id for judged in leaving})
        products = {product.id: product for product in load_products(self._session, ids)}
        texts: dict[tuple[int, int | None], dict[str, str]] = {}
        for judged in leaving:
            product, variant_id = products[judged.row.product_id], judged.row.variant_id
            variant = next((made for made in product.variants if made.id == variant_id), None)
            if (product.id, variant_id) not in texts:
                texts[product.id, variant_id] = alt.of(product, variant)
            yield self._picture(judged, product, variant, texts[product.id, variant_id])

    def _codes(self, decision_ids: Sequence[int]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        # An item may have many verdicts against it.
        for start in range(0, len(decision_ids), _BATCH):
            found |= reasons_of(self._session, decision_ids[start : start + _BATCH])
        return found

    def _judge(self, row: Any, heads: Sequence[DecisionRow], codes: Mapping[int, Sequence[str]], rule: Rule) -> Judged:
        approvals = {head.reviewer_id: head for head in heads if head.verdict == "approve"}
        reason = self._reason(row, heads, len(approvals))
        if reason is not None:
            said = refusal(heads, codes) if reason in _STATES.values() else Refusal()
            return Judged(row=row, reason=reason, refusal=said)
        last = max(approvals.values(), key=lambda head: head.id)
        judged = Judged(row=row, reason=None, reviewers=len(approvals), last=last)
        refused = rule(judged.offer)
        return judged if refused is None else Judged(row=row, reason=refused)

    def _reason(self, row: Any, heads: Sequence[DecisionRow], approvals: int) -> str | None:
        if row.state in _STATES:
            return _STATES[row.state]
        # A ruling stands against the verdicts it was made about, and needs no quorum.
        settled = decision_log.settled_state(heads, self._policy.needed(row.quorum, copy_risk=False))
        if settled in _STATES:
            return "conflict"
        if not approvals:
            return "undecided"
        if self._copy_risk(row) and approvals < COPY_QUORUM:
            return "copy_risk_needs_second_reviewer"
        if settled != "approved":
            return "quorum"
        if row.state != "approved":
            return "undecided"
        if row.kind != "generated":
            return "not_generated"
        return None if row.image_sha256 in self._stored else "picture_missing"

    def _copy_risk(self, row: Any) -> bool:
        return bool(row.flagged) or self._policy.copy_risk(row.nearest_similarity)

    def _picture(
        self, judged: Judged, product: Product, variant: Variant | None, alt: Mapping[str, str]
    ) -> ApprovedPicture:
        row, last = judged.row, judged.last
        assert last is not None  # whoever may leave was approved
        facts = (*product.attributes, *(variant.attributes if variant is not None else ()))
        return ApprovedPicture(
            generation_id=row.generation_id,
            item_id=row.id,
            sha256=row.image_sha256,
            ext=row.ext,
            width=row.width,
            height=row.height,
            product=product.key,
            sku=product.sku,
            variant=row.variant or "",
            name=product.name,
            category=product.category,
            lang=product.lang,
            attributes=tuple(
                {"name": fact.name, "value": fact.value, "unit": fact.unit, "lang": fact.lang}
                for fact in facts
                if fact.kind == "fact"
            ),
            alt_text_en=alt["en"],
            alt_text_ja=alt["ja"],
            prompt=row.prompt,
            run=row.run,
            seed=row.seed,
            scores=dict(row.scores),
            nearest_sha256=row.nearest_sha256,
            nearest_similarity=row.nearest_similarity,
            copy_risk=self._copy_risk(row),
            approvals=judged.reviewers,
            decided_at=last.decided_at.isoformat(timespec="milliseconds"),
            policy_version=last.policy_version,
        )


def not_approved(session: Session, item_ids: Set[int], policy: Policy) -> list[int]:
    """Return which of some items may not leave as things stand in a transaction, whatever a format says of them."""
    now = Selection(session, frozenset(), policy, lambda: lambda _: None)
    return [
        judged.row.id
        for batch in now.judged()
        for judged in batch
        # No file is looked for: what leaves was read by then.
        if judged.reason not in (None, "picture_missing") and judged.row.id in item_ids
    ]


def _rows(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Select what is asked of some items; a prompt and a picture each, no facts."""
    return (
        select(
            ReviewItemRow.id,
            ReviewItemRow.round,
            ReviewItemRow.state,
            ReviewItemRow.quorum,
            ReviewItemRow.flagged,
            GenerationRow.id.label("generation_id"),
            GenerationRow.image_sha256,
            GenerationRow.product_id,
            GenerationRow.prompt,
            GenerationRow.run,
            GenerationRow.seed,
            GenerationRow.scores,
            GenerationRow.nearest_sha256,
            GenerationRow.nearest_similarity,
            ImageRow.ext,
            ImageRow.width,
            ImageRow.height,
            ImageRow.kind,
            ProductRow.sku,
            SourceRow.name.label("source"),
            CaptionRow.variant_id,
            VariantRow.sku.label("variant"),
        )
        .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
        .join(ImageRow, ImageRow.sha256 == GenerationRow.image_sha256)
        .join(ProductRow, ProductRow.id == GenerationRow.product_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
        .outerjoin(CaptionRow, CaptionRow.id == GenerationRow.caption_id)
        .outerjoin(VariantRow, VariantRow.id == CaptionRow.variant_id)
        .where(ReviewItemRow.id.in_(ids))
    )
