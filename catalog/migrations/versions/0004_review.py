"""What several people need to review together: origins of decisions, who vouches for whom, candidates not chosen.

On SQLite the two tables whose allowed values grow are recreated, and with them their triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from catalog.errors import CatalogError
from catalog.schema import append_only_statements

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATES = ("pending", "conflict", "approved", "rejected", "changes", "not_chosen")
_VERDICTS = ("approve", "reject", "changes", "skip", "void", "not_chosen")
_FIRST = "supersedes_id IS NULL AND verdict <> 'skip'"
_HELD = "lease_until IS NOT NULL"


def upgrade() -> None:
    """Apply."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        _recreate_review_item()
        _recreate_decision()
    else:
        _widen("review_item", "item_state", "state", _STATES)
        _widen("decision", "verdict", "verdict", _VERDICTS)
        op.add_column("decision", sa.Column("origin", sa.String(length=16), nullable=False, server_default="review"))
    held = sa.text(_HELD)
    op.create_index("ix_review_item_order", "review_item", ["priority", "id"])
    op.create_index(
        "ix_review_item_lease_until", "review_item", ["lease_until"], sqlite_where=held, postgresql_where=held
    )
    op.create_index("ix_decision_reviewer_verdict", "decision", ["reviewer_id", "verdict"])
    op.create_index("ix_decision_decided_at", "decision", ["decided_at"])

    op.add_column("reviewer", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("reviewer", sa.Column("source", sa.String(length=16), nullable=False, server_default="local"))
    # Roles bound nobody before, so nobody was made one who could give them out.
    op.execute(
        "UPDATE reviewer SET role = 'admin' WHERE id = (SELECT min(id) FROM reviewer)"
        " AND NOT EXISTS (SELECT 1 FROM reviewer WHERE role = 'admin')"
    )
    _create_regeneration()
    for statement in append_only_statements("policy", op.get_bind().dialect.name):
        op.execute(statement)


def _widen(table: str, constraint: str, column: str, values: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{constraint}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{constraint}"), table, sa.column(column).in_(values))


def _check(table: str, constraint: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(sa.column(column).in_(values), name=op.f(f"ck_{table}_{constraint}"))


def _recreate_review_item() -> None:
    op.create_table(
        "review_item_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Double(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_token", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_shown_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        _check("review_item", "item_state", "state", _STATES),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generation.id"],
            name=op.f("fk_review_item_generation_id_generation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_item")),
        sa.UniqueConstraint("generation_id", name=op.f("uq_review_item_generation_id")),
    )
    columns = (
        "id, generation_id, state, round, priority, quorum, flagged, policy_version, lease_owner, lease_token,"
        " lease_until, version, first_shown_at, created_at"
    )
    _replace("review_item", columns)
    op.create_index("ix_review_item_lease_owner", "review_item", ["lease_owner"], unique=False)
    op.create_index("ix_review_item_queue", "review_item", ["state", "priority", "id"], unique=False)


def _recreate_decision() -> None:
    op.create_table(
        "decision_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False, server_default="review"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("shown_at", sa.DateTime(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("dwell_ms", sa.Integer(), nullable=True),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("ui_version", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        _check("decision", "verdict", "verdict", _VERDICTS),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_decision_item_id_review_item")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["reviewer.id"], name=op.f("fk_decision_reviewer_id_reviewer")),
        # Its own table: under the name it has until it is renamed, which SQLite then follows.
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["decision_new.id"], name=op.f("fk_decision_supersedes_id_decision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_decision_idempotency_key")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_decision_supersedes_id")),
    )
    columns = (
        "id, item_id, round, reviewer_id, verdict, note, shown_at, decided_at, dwell_ms, blind, policy_version,"
        " ui_version, idempotency_key, supersedes_id, prev_hash, hash"
    )
    _replace("decision", columns)
    op.create_index("ix_decision_item_id", "decision", ["item_id"], unique=False)
    op.create_index("ix_decision_reviewer_id", "decision", ["reviewer_id"], unique=False)
    first = sa.text(_FIRST)
    op.create_index(
        "ux_decision_first", "decision", ["item_id", "reviewer_id", "round"], unique=True, sqlite_where=first
    )
    for statement in append_only_statements("decision", "sqlite"):
        op.execute(statement)


def _replace(table: str, columns: str) -> None:
    op.execute(f"INSERT INTO {table}_new ({columns}) SELECT {columns} FROM {table}")
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)


def _create_regeneration() -> None:
    op.create_table(
        "regeneration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("caption_id", sa.Integer(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "served",
                "dropped",
                name="regeneration_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("generation_id", sa.Integer(), nullable=True),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("served_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["caption_id"], ["caption.id"], name=op.f("fk_regeneration_caption_id_caption"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_regeneration_decision_id_decision")),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generation.id"],
            name=op.f("fk_regeneration_generation_id_generation"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["item_id"], ["review_item.id"], name=op.f("fk_regeneration_item_id_review_item")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_regeneration_product_id_product"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regeneration")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_regeneration_decision_id")),
    )
    for column in ("caption_id", "generation_id", "item_id", "product_id", "state"):
        op.create_index(f"ix_regeneration_{column}", "regeneration", [column], unique=False)


def downgrade() -> None:
    """Refuse: the backup made before an upgrade is the way back."""
    raise CatalogError("a catalogue is not taken back a version; put the backup beside the database in its place")
