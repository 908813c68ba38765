"""Who may do what. Services ask here inside their own transaction; screens may ask, too, but nothing rests on that."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import terms
from catalog.errors import ReviewRefused
from catalog.phrases import say
from catalog.schema import ROLES, ReviewerRow
from catalog.store import Catalog

PERMISSIONS = ("decide", "adjudicate", "bulk", "policy", "export", "audit", "people")
_DECIDING = frozenset({"decide"})
_LEADING = _DECIDING | {"adjudicate", "bulk", "policy", "export", "audit"}
_GRANTED: dict[str, frozenset[str]] = {
    "reviewer": _DECIDING,
    "lead": _LEADING,
    "auditor": frozenset({"audit"}),
    "admin": _LEADING | {"people"},
}
_DOING = {
    "decide": say("decide"),
    "adjudicate": say("settle conflicts"),
    "bulk": say("decide in bulk"),
    "policy": say("change the rules"),
    "export": say("export"),
    "audit": say("read the log"),
    "people": say("change roles"),
}


class NotAllowed(ReviewRefused):
    """The person's role does not allow this; nothing was written."""


def allows(role: str, permission: str) -> bool:
    """Say whether a role of `schema.ROLES` has one of `PERMISSIONS`."""
    return permission in _GRANTED[role]


def require(where: Session | Catalog, name: str, permission: str) -> int:
    """Return the id of a person who may do something.

    Args:
        where: A catalogue, or the session of the transaction that depends on the answer.
        name: The person.
        permission: One of `PERMISSIONS`.

    Raises:
        NotAllowed: Nobody has this name, they were put out of action, or their role does not allow it.
    """
    if isinstance(where, Catalog):
        with where.read() as session:
            return require(session, name, permission)
    person = where.scalar(select(ReviewerRow).where(ReviewerRow.name == name))
    if person is None:
        raise NotAllowed(
            say("nobody here is called {name!r}, so nothing was done; list people with: adapt reviewers", name=name)
        )
    return check(person, permission)


def check(person: ReviewerRow, permission: str) -> int:
    """Return the id of a person whose row is at hand; raises NotAllowed as `require` does."""
    if not person.active:
        raise NotAllowed(
            say("{name} may not act here any more; an admin may change that: adapt reviewers", name=person.name)
        )
    if not allows(person.role, permission):
        fitting = terms.one_of([terms.ROLES[role] for role in ROLES if allows(role, permission)])
        raise NotAllowed(
            say(
                "{name} is {role} and may not {doing}; {fitting} may: an admin gives roles with adapt reviewers",
                name=person.name,
                role=terms.ROLES[person.role],
                doing=_DOING[permission],
                fitting=fitting,
            )
        )
    return person.id
