"""Alembic environment: runs the migrations on the connection `catalog.migrations.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from catalog.schema import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, transactional_ddl=True)
# No begin_transaction() here: the caller's transaction is one for all steps, so a failure leaves the old tables.
context.run_migrations()
