"""Versions of the review's rules: added, never changed; the newest is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import roles
from catalog.clock import Clock, utc_now
from catalog.notes import NOTE_MAX_CHARS as NOTE_MAX_CHARS
from catalog.notes import checked_note
from catalog.policy import DEFAULT_POLICY, Policy
from catalog.schema import PolicyRow
from catalog.store import Catalog


@dataclass(frozen=True, kw_only=True)
class PolicyVersion:
    """A saved version and who saved it."""

    policy: Policy
    author: str
    note: str
    created_at: datetime


def current(catalog: Catalog) -> Policy:
    """Return the rules in force; the built-in ones, version 0, when none were saved."""
    with catalog.read() as session:
        return in_force(session)


def in_force(session: Session) -> Policy:
    """Return the rules in force inside an open transaction."""
    row = session.scalar(select(PolicyRow).order_by(PolicyRow.version.desc()).limit(1))
    return DEFAULT_POLICY if row is None else _policy(row)


def versions(catalog: Catalog) -> list[PolicyVersion]:
    """Return all saved versions, newest first."""
    with catalog.read() as session:
        return [
            PolicyVersion(policy=_policy(row), author=row.author, note=row.note, created_at=row.created_at)
            for row in session.scalars(select(PolicyRow).order_by(PolicyRow.version.desc()))
        ]


def by_version(session: Session) -> Mapping[int, Policy]:
    """Return all rules there ever were, by version."""
    return {0: DEFAULT_POLICY} | {row.version: _policy(row) for row in session.scalars(select(PolicyRow))}


def save(catalog: Catalog, actor: str, policy: Policy, note: str, *, clock: Clock = utc_now) -> Policy:
    """Put rules in force from now on; what is decided already stays as it was decided.

    Returns:
        The rules with the version they got.

    Raises:
        NotAllowed: `actor` is neither lead nor admin.
        ReviewRefused: The note is too long.
    """
    with catalog.write() as session:
        roles.require(session, actor, "policy")
        saved = replace(policy, version=in_force(session).version + 1)
        rules = asdict(saved)
        del rules["version"]
        session.add(
            PolicyRow(version=saved.version, rules=rules, author=actor, note=checked_note(note), created_at=clock())
        )
        return saved


def _policy(row: PolicyRow) -> Policy:
    known: dict[str, Any] = {field.name: row.rules[field.name] for field in fields(Policy) if field.name in row.rules}
    return Policy(version=row.version, **known)
