"""Bring a database to the tables of this release, on open, under a lock."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from catalog.schema import Base


def upgrade(engine: Engine, workspace: Path) -> None:
    """Create or upgrade the tables."""
    Base.metadata.create_all(engine)
