"""`adapt reviewers`: who reviews here, and what their roles let them do."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapt.cli._output import emit
from adapt.cli._session import Session

if TYPE_CHECKING:
    from catalog.people import Person


def reviewers(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A person to change; none lists all.")] = None,
    role: Annotated[str | None, typer.Option(help="Role to give: reviewer, lead, auditor or admin.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Let the person act, or stop them; decisions stay.")
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="Make a new person known, as a reviewer; the first of a workspace is admin.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="The admin who changes it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change and change nothing.")] = False,
) -> None:
    """List people, add one, or give one another role."""
    from catalog import people, roles

    session: Session = ctx.obj
    changes = role is not None or active is not None
    if changes and (name is None or by is None):
        raise typer.BadParameter("a change needs the person's name and --by ADMIN")
    if add and (name is None or changes):
        raise typer.BadParameter("--add needs the person's name and nothing else; give a role afterwards")
    with session.open_catalog(create=False) as catalog:
        if changes and dry_run:
            roles.require(catalog, by or "", "people")
        elif add and not dry_run:
            people.sign_in(catalog, name or "")
        elif changes:
            if role is not None:
                people.set_role(catalog, by or "", name or "", role)
            if active is not None:
                people.set_active(catalog, by or "", name or "", active)
        listed = people.everyone(catalog)
        if name is not None and not (add and dry_run):
            listed = [people.known(catalog, name)]
    result = {"reviewers": [_json(person) for person in listed], "dry_run": dry_run}
    lines = [_line(person) for person in listed] or ["nobody has reviewed here yet"]
    if changes and dry_run:
        wish = [word for word in (role, None if active is None else "active" if active else "inactive") if word]
        lines.append(f"would become {', '.join(wish)}")
    if add and dry_run:
        lines.append(f"would add {name}")
    emit(session, result, lines)


def _line(person: "Person") -> str:
    line = f"{person.name:<32} {person.role:<9} {person.source:<6} since {person.created_at:%Y-%m-%d}"
    return line if person.active else f"{line}  (inactive)"


def _json(person: "Person") -> dict[str, Any]:
    return {
        "name": person.name,
        "role": person.role,
        "active": person.active,
        "source": person.source,
        "since": person.created_at.isoformat(),
    }
