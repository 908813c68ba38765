"""Who reviews here: names, roles, and who vouches for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import roles
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.schema import ROLES, ReviewerRow
from catalog.store import Catalog

SOURCES = ("local", "oidc", "proxy")
"""Who says that a person is who they say: nobody, a sign-in service, or a proxy in front of the screen."""
NAME_MAX_CHARS = 80
RULES = "(policy)"
"""The name under which thresholds reject; no person has it."""


class WrittenLike(ReviewRefused):
    """A new name is written like one that is here: one person would count as two."""

    def __init__(self, name: str, known: str) -> None:
        super().__init__(
            say("{name!r} is written like {known!r}, who is here already; use that name", name=name, known=known)
        )
        self.name = name
        self.known = known


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who signed in, or whose name a script gave."""

    name: str
    role: str
    """One of `schema.ROLES`."""
    active: bool
    """Whether they may act at all."""
    source: str
    """One of `SOURCES`."""
    locale: str
    settings: Mapping[str, Any]
    """What the screen keeps for them, such as keys."""
    created_at: datetime


def sign_in(catalog: Catalog, name: str, *, source: str = "local", role: str | None = None) -> Person:
    """Make a person known, or find them.

    Args:
        catalog: An open catalogue.
        name: The person.
        source: Who vouches for the name.
        role: What the configuration gives them, which wins over what they had; None leaves a known person's role. A
            new person is a reviewer, but the first local one of a workspace an admin.

    Raises:
        ReviewRefused: The name is none, or `source` or `role` is unknown.
        WrittenLike: The name is new and written like another.
    """
    if source not in SOURCES:
        raise ReviewRefused(
            say("no source {source!r} of names; allowed: {allowed}", source=source, allowed=", ".join(SOURCES))
        )
    if role is not None:
        _require_role(role)
    with catalog.write() as session:
        row = enter(session, name, source=source, role=role)
        if role is not None:
            row.role = role
        if source != "local":
            row.source = source
        return _person(row)


def enter(session: Session, name: str, *, source: str = "local", role: str | None = None) -> ReviewerRow:
    """Return a person's row inside a write transaction, making it when the name is new; raises as `sign_in`."""
    _require_name(name)
    row = session.scalar(select(ReviewerRow).where(ReviewerRow.name == name))
    if row is None:
        like = _alike(session, name)
        if like is not None:
            # Whoever vouches for names may know two people by these; which of them is meant, nobody here can say.
            raise WrittenLike(name, like.name)
        first = not session.scalar(select(func.count(ReviewerRow.id)).where(ReviewerRow.source != "system"))
        # Somebody must be able to give out roles; a name that others vouch for gets its role from the configuration.
        default = "admin" if first and source == "local" else "reviewer"
        row = ReviewerRow(name=name, source=source, role=role or default)
        session.add(row)
        session.flush()
    return row


def rules_id(session: Session) -> int:
    """Return the reviewer id under which thresholds write, inside a write transaction; nobody can act as it."""
    known = session.scalar(select(ReviewerRow.id).where(ReviewerRow.name == RULES))
    if known is not None:
        return known
    row = ReviewerRow(name=RULES, source="system", role="auditor", active=False)
    session.add(row)
    session.flush()
    return row.id


def everyone(catalog: Catalog) -> list[Person]:
    """Return all people, by name."""
    with catalog.read() as session:
        rows = session.scalars(select(ReviewerRow).where(ReviewerRow.source != "system").order_by(ReviewerRow.name))
        return [_person(row) for row in rows]


def person(catalog: Catalog, name: str) -> Person | None:
    """Return one person, None when nobody has the name."""
    with catalog.read() as session:
        row = session.scalar(select(ReviewerRow).where(ReviewerRow.name == name, ReviewerRow.source != "system"))
        return None if row is None else _person(row)


def alike(catalog: Catalog, name: str) -> Person | None:
    """Return the person whose name is written like this one, None for none.

    Case, width of letters and kind and number of spaces make no other name; of several, the first who came.
    """
    with catalog.read() as session:
        row = _alike(session, name)
        return None if row is None else _person(row)


def known(catalog: Catalog, name: str) -> Person:
    """Return one person; raises ReviewRefused when nobody has the name."""
    with catalog.read() as session:
        return _person(_known(session, name))


def set_role(catalog: Catalog, actor: str, name: str, role: str) -> Person:
    """Give a person another role.

    Raises:
        NotAllowed: `actor` is no admin.
        ReviewRefused: Unknown person or role, or nobody would be left to give out roles.
    """
    _require_role(role)
    with catalog.write() as session:
        roles.require(session, actor, "people")
        row = _known(session, name)
        row.role = role
        _require_an_admin(session, name)
        return _person(row)


def set_active(catalog: Catalog, actor: str, name: str, active: bool) -> Person:
    """Let a person act or stop them; what they decided stays. Raises as `set_role` does."""
    with catalog.write() as session:
        roles.require(session, actor, "people")
        row = _known(session, name)
        row.active = active
        _require_an_admin(session, name)
        return _person(row)


def save_settings(
    catalog: Catalog, name: str, *, locale: str | None = None, settings: Mapping[str, Any] | None = None
) -> Person:
    """Keep a person's own language and settings; None leaves what is there. Raises ReviewRefused for nobody's name."""
    with catalog.write() as session:
        row = _known(session, name)
        if locale is not None:
            row.locale = locale[:16]
        if settings is not None:
            row.settings = dict(settings)
        return _person(row)


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(plain.split())


def _alike(session: Session, name: str) -> ReviewerRow | None:
    wanted = _folded(name)
    rows = session.execute(
        select(ReviewerRow.id, ReviewerRow.name).where(ReviewerRow.source != "system").order_by(ReviewerRow.id)
    )
    for id_, known_name in rows:
        if _folded(known_name) == wanted:
            return session.get_one(ReviewerRow, id_)
    return None


def _require_name(name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > NAME_MAX_CHARS or not name.isprintable():
        raise ReviewRefused(
            say(
                "reviewer name {name!r}: allowed are 1 to {limit} printable characters",
                name=name,
                limit=NAME_MAX_CHARS,
            )
        )
    if _folded(name) == RULES:
        raise ReviewRefused(say("reviewer name {name!r} is kept for rules; choose another", name=name))


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise ReviewRefused(say("no role {role!r}; allowed: {allowed}", role=role, allowed=", ".join(ROLES)))


def _known(session: Session, name: str) -> ReviewerRow:
    row = session.scalar(select(ReviewerRow).where(ReviewerRow.name == name, ReviewerRow.source != "system"))
    if row is None:
        names = list(session.scalars(select(ReviewerRow.name).where(ReviewerRow.source != "system")))
        near = get_close_matches(name, names, n=3, cutoff=0.3) or sorted(names)[:3]
        raise ReviewRefused(
            say(
                "nobody here is called {name!r}; there are: {names}",
                name=name,
                names=", ".join(near) or say("none yet"),
            )
        )
    return row


def _require_an_admin(session: Session, changed: str) -> None:
    session.flush()
    admins = select(func.count(ReviewerRow.id)).where(ReviewerRow.role == "admin", ReviewerRow.active.is_(True))
    if not session.scalar(admins):
        raise ReviewRefused(
            say("{changed} is the last admin; make somebody else admin first, nothing was changed", changed=changed)
        )


def _person(row: ReviewerRow) -> Person:
    return Person(
        name=row.name,
        role=row.role,
        active=row.active,
        source=row.source,
        locale=row.locale,
        settings=dict(row.settings),
        created_at=row.created_at,
    )
