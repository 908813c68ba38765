"""Numbers of facts, modes of runs, values of messages, and duplicates of pictures.

Columns are added in place: a batch step would recreate its table on SQLite and lose triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from catalog.errors import CatalogError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BANDS = ("band0", "band1", "band2", "band3")


def upgrade() -> None:
    """Apply."""
    op.add_column("attribute", sa.Column("number", sa.Double(), nullable=True))
    op.add_column("ingest_run", sa.Column("mode", sa.String(length=8), nullable=False, server_default="full"))
    op.add_column("ingest_run", sa.Column("mapping", sa.Text(), nullable=False, server_default=""))
    op.add_column("quarantine", sa.Column("params", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
    for name in _BANDS:
        op.add_column("image", sa.Column(name, sa.Integer(), nullable=True))
        op.create_index(f"ix_image_{name}", "image", [name], unique=False)
    op.add_column("image", sa.Column("fingerprint", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("image", sa.Column("compared", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_image_compared", "image", ["compared"], unique=False)
    op.add_column("image", sa.Column("placeholder", sa.Boolean(), nullable=False, server_default=sa.false()))

    op.create_table(
        "duplicate_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "pixels",
                "derived",
                "near",
                "variant",
                "review",
                name="duplicate_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("keeper_image_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["keeper_image_id"],
            ["image.id"],
            name=op.f("fk_duplicate_group_keeper_image_id_image"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_group")),
        sa.UniqueConstraint("keeper_image_id", "kind", name=op.f("uq_duplicate_group_keeper_image_id_kind")),
    )
    op.create_table(
        "duplicate_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.Column("chroma", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["duplicate_group.id"],
            name=op.f("fk_duplicate_member_group_id_duplicate_group"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["image_id"], ["image.id"], name=op.f("fk_duplicate_member_image_id_image"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_member")),
        sa.UniqueConstraint("group_id", "image_id", name=op.f("uq_duplicate_member_group_id_image_id")),
    )
    op.create_index("ix_duplicate_member_image_id", "duplicate_member", ["image_id"], unique=False)


def downgrade() -> None:
    """Refuse: the backup made before an upgrade is the way back."""
    raise CatalogError("a catalogue is not taken back a version; put the backup beside the database in its place")
