"""Who looks at a screen or asks for a picture, and what they may do.

Three sources, chosen in `[review]` of the workspace's `adapt.toml`: `local`, a name that was typed and nobody checked;
`oidc`, an identity provider through `st.login`; `proxy`, a header that a trusted proxy sets. Roles are ours in each of
them. Services check roles once more: what is hidden here is refused there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import streamlit as st
from starlette.datastructures import Headers

from catalog import people, roles
from catalog.errors import CatalogError, ReviewRefused
from ui import oidc, proxy, review_config, workspace
from ui.i18n import preferred_language
from ui.review_config import ReviewConfig

NAME = "reviewer"
"""Where a typed name is kept: the tab's state, the address, and, as `COOKIE`, the browser."""
COOKIE = "adapt_reviewer"
_SINCE = "signed_in_since"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody the screens know."""

    name: str
    """Written on each decision."""
    role: str
    """One of `catalog.schema.ROLES`."""
    authenticated: bool
    """Whether somebody checked the name; False for typed ones."""
    source: str
    """`local`, `oidc` or `proxy`."""
    locale: str
    """Language the person chose last."""


class Unidentified(CatalogError):  # noqa: N818 - as in `catalog.errors`
    """Nobody is known here; `key` and `values` say why in the words of `ui/locales`."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(f"{key} {values}" if values else key)
        self.key = key
        self.values = values


def current() -> Person | None:
    """Return who looks at the screen, None for nobody that is allowed in."""
    try:
        return require()
    except Unidentified:
        return None


def require() -> Person:
    """Return who looks at the screen.

    Raises:
        Unidentified: Nobody signed in, the sign-in is too old, or the person has no role here.
        CatalogError: `[review]` is wrong, or the catalogue cannot be read.
    """
    config = review_config.current()
    return _known(_NAME_ON_SCREEN[config.identity](config), config)


def name_on_screen() -> str | None:
    """Return the name of who looks at the screen, None for nobody; asks no catalogue.

    For moves, whose services look up what the person may do.
    """
    config = review_config.current()
    try:
        return _NAME_ON_SCREEN[config.identity](config)
    except Unidentified:
        return None


def seconds_left() -> float | None:
    """Return for how long the sign-in of who looks at the screen counts; None where names are typed."""
    config = review_config.current()
    if config.identity == "local":
        return None
    begun = st.user.get("iat") if config.identity == "oidc" else st.session_state.get(_SINCE)
    age_s = _now().timestamp() - begun if isinstance(begun, int | float) else 0.0
    return config.max_session_hours * 3600 - age_s


def may(person: Person | None, *permissions: str) -> bool:
    """Say whether somebody has one of these permissions of `catalog.roles`; without any, whether they are somebody."""
    if person is None:
        return False
    return not permissions or any(roles.allows(person.role, permission) for permission in permissions)


def signed_in_name() -> str:
    """Return who addresses of pictures are signed for: nobody in particular where names are only typed."""
    return "" if review_config.current().identity == "local" else name_on_screen() or ""


def name_in_request(headers: Headers, cookies: Mapping[str, str]) -> str:
    """Return who a plain request comes from, "" where names are only typed; asks no catalogue.

    Raises:
        Unidentified: Nobody signed in, or the sign-in is too old.
        CatalogError: `[review]` is wrong.
    """
    config = review_config.current()
    if config.identity == "local":
        return ""
    if config.identity == "proxy":
        return proxy_name(config, headers.getlist(config.proxy_header))
    return claimed_name(config, oidc.claims_in(cookies), _now())


def admitted(name: str) -> Person:
    """Return a person whose name was established, as the catalogue knows them; raises as `require`."""
    return _known(name, review_config.current())


# --- names by source --------------------------------------------------------------------------------


def claimed_name(config: ReviewConfig, claims: Mapping[str, object], moment: datetime) -> str:
    """Return the name in the claims of an identity provider.

    Streamlit keeps its cookie for thirty days and looks at no expiry, so the age is measured here.

    Raises:
        Unidentified: Nobody signed in, too long ago, or without the claim that names people.
    """
    if not claims.get("is_logged_in"):
        raise Unidentified("identity.signed_out")
    issued = claims.get("iat")
    age_s = moment.timestamp() - issued if isinstance(issued, int | float) else None
    if age_s is None or not -oidc.CLOCK_SKEW_S <= age_s <= config.max_session_hours * 3600:
        raise Unidentified("identity.too_old", hours=f"{config.max_session_hours:g}")
    name = claims.get(config.user_claim)
    if not isinstance(name, str) or not name.strip():
        raise Unidentified("identity.no_claim", claim=config.user_claim)
    if config.user_claim == "email" and claims.get("email_verified") is False:
        raise Unidentified("identity.unverified", name=name.strip())
    return name.strip()


def proxy_name(config: ReviewConfig, values: list[str]) -> str:
    """Return the name in the proxy's header; `values` are those that `proxy.TrustedHeader` let through.

    Raises:
        Unidentified: There is none.
    """
    name = proxy.as_text(values[0]).strip() if values else ""
    if not name:
        raise Unidentified("identity.no_header", header=config.proxy_header)
    return name


def _typed_on_screen(config: ReviewConfig) -> str:
    if NAME in st.session_state:
        name = str(st.session_state[NAME])
    else:
        name = st.query_params.get(NAME) or unquote(st.context.cookies.get(COOKIE, ""))
    if not name:
        raise Unidentified("identity.no_name")
    # Going to another screen empties the address, and the cookie is the one from when the tab connected.
    st.session_state[NAME] = name
    return name


def _claimed_on_screen(config: ReviewConfig) -> str:
    return claimed_name(config, dict(st.user), _now())


def _proxied_on_screen(config: ReviewConfig) -> str:
    name = proxy_name(config, st.context.headers.get_all(config.proxy_header))
    # The header came when the tab connected; the proxy may have signed the person out since.
    now = _now().timestamp()
    if now - st.session_state.setdefault(_SINCE, now) > config.max_session_hours * 3600:
        raise Unidentified("identity.reload", hours=f"{config.max_session_hours:g}")
    return name


_NAME_ON_SCREEN: Mapping[str, Callable[[ReviewConfig], str]] = {
    "local": _typed_on_screen,
    "oidc": _claimed_on_screen,
    "proxy": _proxied_on_screen,
}


def take_name(name: str) -> None:
    """Look at the screens of this tab as somebody, in `local` mode; the address keeps it."""
    st.session_state[NAME] = name.strip()
    st.query_params[NAME] = name.strip()


def drop_name() -> None:
    """Forget who looks at the screens of this tab, in `local` mode."""
    st.session_state[NAME] = ""
    st.query_params.pop(NAME, None)


def remembering_script(name: str) -> str:
    """Return the script that makes the browser remember a typed name for a year, or forget it when it is empty."""
    age_s = 365 * 86400 if name else 0
    # Quoted to letters, digits and percent signs: nothing a person typed can end the string.
    return f"document.cookie = '{COOKIE}={quote(name, safe='')}; path=/; SameSite=Strict; max-age={age_s}'"


# --- people of the catalogue ------------------------------------------------------------------------


def _known(name: str, config: ReviewConfig) -> Person:
    catalog = workspace.catalog()
    found = people.person(catalog, name)
    if found is None and config.identity == "local":
        # Typed in another case or width, it is the same person, who must not count twice.
        found = people.alike(catalog, name)
        if found is not None:
            name = st.session_state[NAME] = found.name
    listed = config.roles.get(name)
    # A role that a typed name got says nothing about the person who signs in under the same name.
    unchecked = found is not None and config.identity != "local" and found.source == "local"
    if found is None or unchecked or (listed is not None and found.role != listed):
        role = listed or (config.default_role if found is None or unchecked else None)
        if role is None and config.identity != "local":
            raise Unidentified("identity.no_role", name=name)
        try:
            new = people.sign_in(catalog, name, source=config.identity, role=role)
        except people.WrittenLike as error:
            raise Unidentified("identity.written_like", name=name, known=error.known) from error
        except ReviewRefused as error:
            raise Unidentified("identity.bad_name", limit=people.NAME_MAX_CHARS) from error
        found = new if found is not None else people.save_settings(catalog, name, locale=_language())
    if not found.active:
        raise Unidentified("identity.inactive", name=name)
    return Person(
        name=found.name,
        role=found.role,
        authenticated=config.identity != "local",
        source=config.identity,
        locale=found.locale,
    )


def _language() -> str:
    return preferred_language(st.query_params.get("lang") or st.context.locale)


def _now() -> datetime:
    return datetime.now(UTC)
