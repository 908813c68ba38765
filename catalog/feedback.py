"""Freeze what people decided, so that training can learn from it. Next: `adapt finetune --feedback`.

What counts are the decisions that stand in the present round of an item: rows nobody superseded. A skip or an undone
decision is no judgement and stays out.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import decision_log, feedback_folder, policies
from catalog.dataset import FOLDER
from catalog.errors import CatalogError
from catalog.feedback_folder import Feedback, FeedbackDecision, FeedbackEntry
from catalog.policy import Policy
from catalog.schema import (
    AttributeCheckRow,
    DecisionReasonRow,
    DecisionRow,
    GenerationRow,
    ProductRow,
    ReviewerRow,
    ReviewItemRow,
    SourceRow,
)
from catalog.store import Catalog


def freeze(catalog: Catalog, *, policy: Policy | None = None) -> Feedback:
    """Freeze the decisions that stand now; the same decisions give the same folder `datasets/feedback-<hash>`.

    Args:
        catalog: Open catalogue.
        policy: Says which pictures are possible copies, and how many approvals each needs; default is the one in force.

    Raises:
        CatalogError: Nothing is decided yet, a picture is missing, or the folder cannot be written.
    """
    planned = plan(catalog, policy=policy)
    return feedback_folder.write(planned.folder, planned.entries)


def plan(catalog: Catalog, *, policy: Policy | None = None) -> Feedback:
    """Return what `freeze` would write, and write nothing; pictures are those of the store.

    Raises:
        CatalogError: Nothing is decided yet, or a picture is missing.
    """
    with catalog.read() as session:
        made = _standing_decisions(session)
        entries = _entries(session, catalog, made, policy or policies.in_force(session))
    if not entries:
        raise CatalogError("nothing is decided yet, so there is no feedback to learn from; decide first: adapt review")
    digest = feedback_folder.content_hash(entries)
    folder = catalog.workspace / FOLDER / f"feedback-{digest[:8]}"
    return Feedback(folder=folder, content_hash=digest, entries=tuple(entries))


def _standing_decisions(session: Session) -> dict[tuple[int, int], list[FeedbackDecision]]:
    """Decisions that stand by (item, round), oldest first."""
    heads = list(
        session.scalars(decision_log.head_rows().where(DecisionRow.verdict != "void").order_by(DecisionRow.id))
    )
    reasons: dict[int, list[str]] = defaultdict(list)
    for decision_id, code in session.execute(
        select(DecisionReasonRow.decision_id, DecisionReasonRow.reason_code).order_by(DecisionReasonRow.id)
    ):
        reasons[decision_id].append(code)
    checks: dict[int, dict[str, str]] = defaultdict(dict)
    for decision_id, attribute, verdict in session.execute(
        select(AttributeCheckRow.decision_id, AttributeCheckRow.attribute, AttributeCheckRow.verdict)
    ):
        checks[decision_id][attribute] = verdict
    numbers = {row.id: _anonymous_number(row) for row in session.scalars(select(ReviewerRow))}
    made: dict[tuple[int, int], list[FeedbackDecision]] = defaultdict(list)
    for head in heads:
        made[head.item_id, head.round].append(
            FeedbackDecision(
                reviewer=numbers[head.reviewer_id],
                verdict=head.verdict,
                reasons=tuple(reasons.get(head.id, ())),
                checks=checks.get(head.id, {}),
                origin=head.origin,
                policy_version=head.policy_version,
            )
        )
    return made


def _anonymous_number(row: ReviewerRow) -> int:
    """A number for a person: the same in every freeze, and not to be had without this database.

    The row's own number would tell who joined first; the moment of joining, to the microsecond, is known here alone.
    """
    return int.from_bytes(hashlib.sha256(f"{row.id}:{row.created_at.isoformat()}".encode()).digest()[:4])


def _entries(
    session: Session,
    catalog: Catalog,
    made: Mapping[tuple[int, int], Sequence[FeedbackDecision]],
    rules: Policy,
) -> list[FeedbackEntry]:
    rows = session.execute(
        select(ReviewItemRow, GenerationRow, ProductRow.sku, ProductRow.category, SourceRow.name)
        .join(GenerationRow, GenerationRow.id == ReviewItemRow.generation_id)
        .join(ProductRow, ProductRow.id == GenerationRow.product_id)
        .join(SourceRow, SourceRow.id == ProductRow.source_id)
        .order_by(ReviewItemRow.id)
    )
    entries = []
    for item, generation, sku, category, source in rows:
        decisions = made.get((item.id, item.round))
        if not decisions:
            continue
        if not catalog.blobs.has(generation.image_sha256):
            raise CatalogError(
                f"picture {generation.image_sha256[:12]}… of item {item.id} is not in the blob store at "
                f"{catalog.blobs.root}; draw it again: adapt generate --run {generation.run}"
            )
        copy_risk = item.flagged or rules.copy_risk(generation.nearest_similarity)
        entries.append(
            FeedbackEntry(
                image=catalog.blobs.path(generation.image_sha256),
                sha256=generation.image_sha256,
                product=f"{source}/{sku}",
                product_id=generation.product_id,
                category=category,
                run=generation.run,
                prompt=generation.prompt,
                seed=generation.seed,
                scores=dict(generation.scores),
                nearest_sha256=generation.nearest_sha256,
                nearest_similarity=generation.nearest_similarity,
                copy_risk=copy_risk,
                state=item.state,
                quorum=rules.needed(item.quorum, copy_risk=copy_risk),
                decisions=tuple(decisions),
            )
        )
    return entries
