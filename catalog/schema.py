"""SQLAlchemy tables of the workspace database. Rows stay inside `catalog`; records go out.

Times are UTC. Table names are part of the contract; columns may be added by a migration.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PRODUCT_STATES = ("active", "missing")
RUN_STATES = ("running", "done", "failed")
ITEM_STATES = ("pending", "conflict", "approved", "rejected", "changes", "not_chosen")
VERDICTS = ("approve", "reject", "changes", "skip", "void", "not_chosen")
REGENERATION_STATES = ("queued", "served", "dropped")
ROLES = ("reviewer", "lead", "auditor", "admin")
DUPLICATE_KINDS = ("pixels", "derived", "near", "variant", "review")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on every database; SQLite itself would drop the zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Store as naive UTC; refuse a datetime without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("datetime without a time zone: use datetime.now(UTC)")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def _choice(values: tuple[str, ...], name: str) -> Enum:
    return Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


class Base(DeclarativeBase):
    """Declarative base with fixed constraint names, which migrations rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime, dict[str, Any]: JSON, str: String}


# --- the catalogue ------------------------------------------------------------------------------


class SourceRow(Base):
    """One dump."""

    __tablename__ = "source"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    root: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class IngestRunRow(Base):
    """One run of `adapt ingest`."""

    __tablename__ = "ingest_run"
    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(_choice(RUN_STATES, "run_state"), default="running")
    reader: Mapped[str] = mapped_column(default="")
    encoding: Mapped[str | None]
    mode: Mapped[str] = mapped_column(String(8), default="full")
    mapping: Mapped[str] = mapped_column(Text, default="")
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    evidence: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class ProductRow(Base):
    """A product, unique by (source, sku)."""

    __tablename__ = "product"
    __table_args__ = (UniqueConstraint("source_id", "sku"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    sku: Mapped[str]
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text, default="")
    lang: Mapped[str] = mapped_column(String(16), default="en")
    status: Mapped[str] = mapped_column(_choice(PRODUCT_STATES, "product_state"), default="active", index=True)
    description: Mapped[str] = mapped_column(Text, default="")
    row_hash: Mapped[str] = mapped_column(String(64), default="")
    first_run_id: Mapped[int | None] = mapped_column(ForeignKey("ingest_run.id", ondelete="SET NULL"))
    last_run_id: Mapped[int | None] = mapped_column(ForeignKey("ingest_run.id", ondelete="SET NULL"), index=True)
    origin: Mapped[str] = mapped_column(Text, default="")
    origin_line: Mapped[int | None]


class VariantRow(Base):
    """A sellable form of a product; `key` is unique in the product, `sku` need not be."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("product_id", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"), index=True)
    key: Mapped[str]
    sku: Mapped[str] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)


class AttributeRow(Base):
    """A fact of a product (`variant_id` null) or of one variant; `number` is its value in `unit`."""

    __tablename__ = "attribute"
    # Millions of rows in large catalogues: an index on what is null in most of them would cost a fifth of an ingest.
    __table_args__ = (
        Index(
            "ix_attribute_variant_id",
            "variant_id",
            sqlite_where=text("variant_id IS NOT NULL"),
            postgresql_where=text("variant_id IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"), index=True)
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variant.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    value_raw: Mapped[str] = mapped_column(Text, default="")
    unit: Mapped[str | None] = mapped_column(String(32))
    number: Mapped[float | None]
    lang: Mapped[str] = mapped_column(String(16), default="en")
    source: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(String(16), default="fact")
    position: Mapped[int] = mapped_column(default=0)


def _fingerprint(context: Any) -> str:
    """Return the algorithm of a row's `phash`; imported late, since most commands open no picture."""
    from catalog.fingerprint import VERSION

    return VERSION if context.get_current_parameters().get("phash") else ""


def _band(place: int) -> Callable[[Any], int | None]:
    """Return a column default: 16 of the 64 bits of the row's `phash`, so that no writer forgets them."""

    def of_row(context: Any) -> int | None:
        phash = context.get_current_parameters().get("phash")
        return int(phash[4 * place : 4 * place + 4], 16) if phash else None

    return of_row


class ImageRow(Base):
    """A picture, unique by content; the bytes are in the blob store.

    `fingerprint` is the algorithm of `phash` and `chroma`; `compared` tells that its duplicates were looked for.
    """

    __tablename__ = "image"
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    pixel_sha256: Mapped[str] = mapped_column(String(64), default="", index=True)
    ext: Mapped[str] = mapped_column(String(8))
    format: Mapped[str] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16), default="catalogue")
    phash: Mapped[str] = mapped_column(String(16), default="")
    chroma: Mapped[bytes | None] = mapped_column(LargeBinary)
    fingerprint: Mapped[str] = mapped_column(String(16), default=_fingerprint)
    band0: Mapped[int | None] = mapped_column(default=_band(0), index=True)
    band1: Mapped[int | None] = mapped_column(default=_band(1), index=True)
    band2: Mapped[int | None] = mapped_column(default=_band(2), index=True)
    band3: Mapped[int | None] = mapped_column(default=_band(3), index=True)
    compared: Mapped[bool] = mapped_column(default=False, index=True)
    placeholder: Mapped[bool] = mapped_column(default=False)
    flags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class DuplicateGroupRow(Base):
    """Pictures that repeat the keeper, or show its shape in another colour (`variant`)."""

    __tablename__ = "duplicate_group"
    __table_args__ = (UniqueConstraint("keeper_image_id", "kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(_choice(DUPLICATE_KINDS, "duplicate_kind"))
    keeper_image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))


class DuplicateMemberRow(Base):
    """One picture of a group, the keeper apart: how far it is from the keeper, in hash bits and in chroma."""

    __tablename__ = "duplicate_member"
    __table_args__ = (UniqueConstraint("group_id", "image_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("duplicate_group.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"), index=True)
    distance: Mapped[int]
    chroma: Mapped[float]


class ProductImageRow(Base):
    """A picture shows a product, or one variant of it."""

    __tablename__ = "product_image"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"), index=True)
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variant.id", ondelete="CASCADE"), index=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    role: Mapped[str] = mapped_column(String(16), default="main")
    origin: Mapped[str] = mapped_column(Text, default="")


class CaptionRow(Base):
    """One wording; with `variant_id` it goes only with that variant's pictures."""

    __tablename__ = "caption"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"), index=True)
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variant.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(16), default="en")
    template: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    fact_set: Mapped[str] = mapped_column(String(64), default="", index=True)
    origin: Mapped[str] = mapped_column(String(32), default="template")
    seed: Mapped[int] = mapped_column(BigInteger, default=0)
    glossary_version: Mapped[str] = mapped_column(String(64), default="")


class SourceFileRow(Base):
    """What was seen of one file of a dump, so that an unchanged one is not read again."""

    __tablename__ = "source_file"
    __table_args__ = (UniqueConstraint("source_id", "path"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    image_id: Mapped[int | None] = mapped_column(ForeignKey("image.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    last_run_id: Mapped[int | None] = mapped_column(ForeignKey("ingest_run.id", ondelete="SET NULL"), index=True)


class QuarantineRow(Base):
    """One item a run could not take (`error`) or took with a `warning`; `params` fills translated messages."""

    __tablename__ = "quarantine"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("ingest_run.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(Text)
    line: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(64), index=True)
    detail: Mapped[str] = mapped_column(Text, default="")
    severity: Mapped[str] = mapped_column(String(16), default="error")
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)


# --- generation and review ----------------------------------------------------------------------


class GenerationRow(Base):
    """One generated picture and what it was made from."""

    __tablename__ = "generation"
    __table_args__ = (UniqueConstraint("run", "product_id", "caption_id", "prompt", "seed"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("image.sha256"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"), index=True)
    caption_id: Mapped[int | None] = mapped_column(ForeignKey("caption.id", ondelete="SET NULL"), index=True)
    run: Mapped[str] = mapped_column(index=True)
    seed: Mapped[int] = mapped_column(BigInteger)
    prompt: Mapped[str] = mapped_column(Text)
    scores: Mapped[dict[str, Any]] = mapped_column(default=dict)
    nearest_sha256: Mapped[str | None] = mapped_column(String(64))
    nearest_similarity: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ReviewItemRow(Base):
    """A generation's place in the review queue. Lease columns are set and cleared together."""

    __tablename__ = "review_item"
    __table_args__ = (
        Index("ix_review_item_queue", "state", "priority", "id"),
        Index("ix_review_item_order", "priority", "id"),
        # Only items that somebody holds: a handful among a hundred thousand.
        Index(
            "ix_review_item_lease_until",
            "lease_until",
            sqlite_where=text("lease_until IS NOT NULL"),
            postgresql_where=text("lease_until IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    generation_id: Mapped[int] = mapped_column(ForeignKey("generation.id", ondelete="CASCADE"), unique=True)
    state: Mapped[str] = mapped_column(_choice(ITEM_STATES, "item_state"), default="pending")
    round: Mapped[int] = mapped_column(default=1)
    priority: Mapped[float] = mapped_column(default=0.0)
    quorum: Mapped[int] = mapped_column(default=1)
    flagged: Mapped[bool] = mapped_column(default=False)
    policy_version: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(index=True)
    lease_token: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)
    first_shown_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ReviewerRow(Base):
    """A person who decides; `source` is who vouches for the name: local (nobody), oidc, proxy, or system for rules."""

    __tablename__ = "reviewer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(_choice(ROLES, "role"), default="reviewer")
    active: Mapped[bool] = mapped_column(default=True)
    source: Mapped[str] = mapped_column(String(16), default="local")
    locale: Mapped[str] = mapped_column(String(16), default="en")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class DecisionRow(Base):
    """One verdict. Rows are never changed: a correction is a new row that supersedes one."""

    __tablename__ = "decision"
    __table_args__ = (
        Index(
            "ux_decision_first",
            "item_id",
            "reviewer_id",
            "round",
            unique=True,
            sqlite_where=text("supersedes_id IS NULL AND verdict <> 'skip'"),
            postgresql_where=text("supersedes_id IS NULL AND verdict <> 'skip'"),
        ),
        Index("ix_decision_reviewer_verdict", "reviewer_id", "verdict"),
        # What one person said about one item: asked of every item that a screen lists.
        Index("ix_decision_item_reviewer", "item_id", "reviewer_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"))
    round: Mapped[int] = mapped_column(default=1)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("reviewer.id"), index=True)
    verdict: Mapped[str] = mapped_column(_choice(VERDICTS, "verdict"))
    origin: Mapped[str] = mapped_column(String(16), default="review")
    note: Mapped[str] = mapped_column(Text, default="")
    shown_at: Mapped[datetime | None]
    decided_at: Mapped[datetime] = mapped_column(default=now, index=True)
    dwell_ms: Mapped[int | None]
    blind: Mapped[bool] = mapped_column(default=True)
    policy_version: Mapped[int] = mapped_column(default=0)
    ui_version: Mapped[str] = mapped_column(String(32), default="")
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), unique=True)
    prev_hash: Mapped[str] = mapped_column(String(64), default="")
    hash: Mapped[str] = mapped_column(String(64), default="")


class DecisionReasonRow(Base):
    """Why, by stable code; labels live in the locale files of the screen."""

    __tablename__ = "decision_reason"
    __table_args__ = (UniqueConstraint("decision_id", "reason_code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    reason_code: Mapped[str] = mapped_column(String(64), index=True)
    region: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class AttributeCheckRow(Base):
    """A reviewer's tick on one fact of the specification: match, mismatch or not_visible."""

    __tablename__ = "attribute_check"
    __table_args__ = (UniqueConstraint("decision_id", "attribute"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    attribute: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(16))
    model_guess: Mapped[str] = mapped_column(String(16), default="")


class RegenerationRow(Base):
    """A wish for another picture in the place of a rejected one, made by one decision and served by `generate`."""

    __tablename__ = "regeneration"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"), index=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"), index=True)
    caption_id: Mapped[int | None] = mapped_column(ForeignKey("caption.id", ondelete="SET NULL"), index=True)
    prompt: Mapped[str] = mapped_column(Text)
    run: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(_choice(REGENERATION_STATES, "regeneration_state"), default="queued", index=True)
    generation_id: Mapped[int | None] = mapped_column(ForeignKey("generation.id", ondelete="SET NULL"), index=True)
    requested_at: Mapped[datetime] = mapped_column(default=now)
    served_at: Mapped[datetime | None]


class CommentRow(Base):
    """A remark on an item, open until it is resolved."""

    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id", ondelete="CASCADE"), index=True)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("reviewer.id"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    resolved_at: Mapped[datetime | None]


class PolicyRow(Base):
    """One version of the review thresholds; the newest one is in force."""

    __tablename__ = "policy"
    version: Mapped[int] = mapped_column(primary_key=True)
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
    author: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class ExportRunRow(Base):
    """One delivery."""

    __tablename__ = "export_run"
    id: Mapped[int] = mapped_column(primary_key=True)
    format: Mapped[str] = mapped_column(String(32))
    path: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(_choice(RUN_STATES, "export_state"), default="running")
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    policy_version: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class ExportFileRow(Base):
    """One delivered file and whether reading it back agreed."""

    __tablename__ = "export_file"
    __table_args__ = (UniqueConstraint("export_run_id", "path"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    export_run_id: Mapped[int] = mapped_column(ForeignKey("export_run.id", ondelete="CASCADE"), index=True)
    generation_id: Mapped[int | None] = mapped_column(ForeignKey("generation.id", ondelete="SET NULL"), index=True)
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    source_sha256: Mapped[str] = mapped_column(String(64), default="")
    verified: Mapped[bool] = mapped_column(default=False)
    c2pa_state: Mapped[str] = mapped_column(String(16), default="none")


# --- append-only ---------------------------------------------------------------------------------

APPEND_ONLY_TABLES = ("decision", "decision_reason", "attribute_check", "policy")


def append_only_statements(table: str, dialect: str) -> list[str]:
    """Return the statements that make the database refuse to change or delete rows of `table`."""
    message = f"{table} is append-only: add a row that supersedes this one"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$",
        f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()",
    ]


for _name in APPEND_ONLY_TABLES:
    for _dialect in ("sqlite", "postgresql"):
        for _statement in append_only_statements(_name, _dialect):
            # DDL() formats with %, and neither statement holds one.
            event.listen(Base.metadata.tables[_name], "after_create", DDL(_statement).execute_if(dialect=_dialect))
