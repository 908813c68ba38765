"""One person's verdicts on one item are found by both at once, however much the person decided.

By one of them alone, what SQLite chose for lack of a better index, a lead with thousands of decisions waited minutes.
"""

from __future__ import annotations

from alembic import op

from catalog.errors import CatalogError

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_decision_item_reviewer", "decision", ["item_id", "reviewer_id"])
    op.drop_index("ix_decision_item_id", table_name="decision")


def downgrade() -> None:
    """Refuse: the backup made before an upgrade is the way back."""
    raise CatalogError("a catalogue is not taken back a version; put the backup beside the database in its place")
