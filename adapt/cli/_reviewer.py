"""Who acts from the command line: a person who is here, however their name was typed."""

import shlex
from typing import TYPE_CHECKING

from adapt.errors import AdaptError

if TYPE_CHECKING:
    from catalog.store import Catalog

_SHOWN = 5
"""Most names that a refusal lists."""


def reviewer_here(catalog: "Catalog", name: str) -> str:
    """Return a person's name as it is written here; where nobody is yet, the first may be anybody.

    Raises:
        AdaptError: Others are here, and nobody of this name: a slip of the pen must not make a second person.
    """
    from catalog import people

    found = people.person(catalog, name) or people.alike(catalog, name)
    if found is not None:
        return found.name
    here = [person.name for person in people.everyone(catalog)]
    if not here:
        return name
    more = ", …" if len(here) > _SHOWN else ""
    raise AdaptError(
        f"nobody here is called {name[:80]!r}; there are: {', '.join(here[:_SHOWN])}{more}; "
        f"add a person with: adapt reviewers {shlex.quote(name[:80])} --add"
    )
