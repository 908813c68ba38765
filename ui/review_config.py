"""The `[review]` section of a workspace's `adapt.toml`: who reviewers are and what they may do.

```toml
[review]
identity = "proxy"                      # local (default) | oidc | proxy
proxy_header = "X-Forwarded-User"       # proxy: the header that names the person
proxy_addresses = ["10.0.0.4"]          # proxy: who may send it when the server listens beyond this machine
user_claim = "email"                    # oidc: the claim that names the person
max_session_hours = 12                  # oidc, proxy: after this long people sign in again
hosts = ["review.example.com"]          # names the screen is opened under, beside this machine's own
default_role = "reviewer"               # role of people nobody listed; without it oidc and proxy refuse them
roles = {"aki@example.com" = "admin"}   # what is listed here wins over what the catalogue says
```

How many people must agree is policy, not configuration: see `catalog.policy`.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from catalog.errors import CatalogError
from catalog.schema import ROLES
from ui import export_config

IDENTITIES = ("local", "oidc", "proxy")
DEFAULT_SESSION_HOURS = 12.0
LONGEST_SESSION_HOURS = 24.0 * 30
"""Streamlit's cookie of a signed-in person lives no longer."""
_PERSONAL_HEADER = "X-Forwarded-User"
_HEADERS_OF_OTHERS = re.compile(
    r"(accept|content|sec|if)-.*|accept|authorization|cache-control|connection|cookie|date|expect|forwarded|host|"
    r"keep-alive|origin|pragma|range|referer|te|trailer|transfer-encoding|upgrade(-.*)?|user-agent|via|"
    r"x-forwarded-(for|host|port|proto)|x-real-ip",
    re.IGNORECASE,
)
"""What browsers and proxies send about anything but the person."""
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_SETTINGS = (
    "identity",
    "proxy_header",
    "proxy_addresses",
    "user_claim",
    "max_session_hours",
    "hosts",
    "default_role",
    "roles",
)
_AT_THE_TOP = ("database_url", "blobs_url", "review", "export")
"""What `adapt.toml` holds outside of sections, and its sections."""
_NEAR = 0.7
"""Likeness from which an unknown name is taken for a slip: a section that is not read leaves names unchecked."""


@dataclass(frozen=True, kw_only=True)
class ReviewConfig:
    """Who reviewers are; every field has been checked."""

    identity: str = "local"
    """Where names come from, one of `IDENTITIES`."""
    proxy_header: str = ""
    """Header in which a proxy names the person, in `proxy` mode."""
    proxy_addresses: tuple[str, ...] = ()
    """IP addresses that may send the header when the server listens on more than this machine."""
    user_claim: str = "email"
    """Claim of the identity provider that names the person, in `oidc` mode."""
    max_session_hours: float = DEFAULT_SESSION_HOURS
    """Age at which a sign-in ends, whatever the cookie says."""
    hosts: tuple[str, ...] = ()
    """Names under which the screen is opened, beside this machine's own."""
    default_role: str | None = None
    """Role of a person seen for the first time. None: `catalog.people` decides for typed names, others are refused."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Role by name."""


def current() -> ReviewConfig:
    """Return the configuration of `$ADAPT_WORKSPACE`, read once: a change counts from the next start of the server.

    Raises:
        CatalogError: As `read`.
    """
    return _read_once(Path(os.environ.get("ADAPT_WORKSPACE") or "."))


def read(workspace: Path) -> ReviewConfig:
    """Return the configuration of a workspace; without a file or a section, the defaults.

    Raises:
        CatalogError: The file is not TOML, or a setting is unknown, misplaced or has a value that is not allowed.
    """
    path = workspace / "adapt.toml"
    if not path.is_file():
        if path.exists() or path.is_symlink():
            raise CatalogError(f"{path} is no file; put a file with the settings there or remove it")
        return ReviewConfig()
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogError(f"{path} is not valid TOML ({error}); correct it or remove it") from error
    _refuse_misplaced(settings, path)
    section = settings.get("review", {})
    if not isinstance(section, dict):
        raise CatalogError(f"{path}: review is {section!r}; write a section that starts with [review]")
    return _checked(section, f"{path} [review]")


@cache
def _read_once(workspace: Path) -> ReviewConfig:
    return read(workspace)


def _refuse_misplaced(settings: Mapping[str, Any], path: Path) -> None:
    for name in settings:
        for section, known in (("review", _SETTINGS), ("export", export_config.SETTINGS)):
            if name in known:
                raise CatalogError(f"{path}: {name} stands outside its section; write it below [{section}]")
        near = difflib.get_close_matches(name.lower(), _AT_THE_TOP, n=1, cutoff=_NEAR)
        if name not in _AT_THE_TOP and near:
            raise CatalogError(f"{path}: unknown name {name!r}; write {near[0]}, or remove it")


def _checked(section: Mapping[str, Any], where: str) -> ReviewConfig:
    for name in section:
        if name not in _SETTINGS:
            raise CatalogError(f"{where}: unknown setting {name!r}; allowed are {', '.join(_SETTINGS)}")
    identity = _text(section, "identity", where, "local")
    if identity not in IDENTITIES:
        raise CatalogError(f"{where}: identity is {identity!r}; allowed are {', '.join(IDENTITIES)}")
    return ReviewConfig(
        identity=identity,
        proxy_header=_proxy_header(section, identity, where),
        proxy_addresses=_addresses(section, where),
        user_claim=_text(section, "user_claim", where, "email"),
        max_session_hours=_hours(section, where),
        hosts=_hosts(section, where),
        # Who may sign in at a provider is often everybody: without this setting nobody gets in whom nobody listed.
        default_role=_role(section["default_role"], "default_role", where) if "default_role" in section else None,
        roles=_roles(section, where),
    )


def _proxy_header(section: Mapping[str, Any], identity: str, where: str) -> str:
    header = _text(section, "proxy_header", where, "")
    if identity == "proxy" and not header:
        raise CatalogError(
            f"{where}: identity 'proxy' needs the header that names the person; "
            f'write for example: proxy_header = "{_PERSONAL_HEADER}"'
        )
    if header and identity != "proxy":
        raise CatalogError(f'{where}: proxy_header does nothing with identity {identity!r}; write: identity = "proxy"')
    if header and not _HEADER.fullmatch(header):
        raise CatalogError(f"{where}: proxy_header is {header!r}; allowed are letters, digits and hyphens")
    if _HEADERS_OF_OTHERS.fullmatch(header):
        raise CatalogError(
            f"{where}: proxy_header is {header!r}, which anybody may send and names no person; "
            f'write the one your proxy sets, such as: proxy_header = "{_PERSONAL_HEADER}"'
        )
    return header


def _addresses(section: Mapping[str, Any], where: str) -> tuple[str, ...]:
    given = _texts(section, "proxy_addresses", where)
    try:
        return tuple(str(ipaddress.ip_address(address)) for address in given)
    except ValueError as error:
        raise CatalogError(
            f'{where}: proxy_addresses: {error}; write IP addresses, for example: proxy_addresses = ["10.0.0.4"]'
        ) from error


def _hosts(section: Mapping[str, Any], where: str) -> tuple[str, ...]:
    hosts = _texts(section, "hosts", where)
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise CatalogError(
                f'{where}: hosts has {host!r}; write names without scheme and port, such as "review.example.com"'
            )
        if host.startswith("*.") and "." not in host.removeprefix("*."):
            raise CatalogError(f'{where}: hosts has {host!r}, which is nobody\'s own; write such as "*.example.com"')
    return hosts


def _hours(section: Mapping[str, Any], where: str) -> float:
    hours = section.get("max_session_hours", DEFAULT_SESSION_HOURS)
    number = isinstance(hours, int | float) and not isinstance(hours, bool)
    if not number or not 0 < hours <= LONGEST_SESSION_HOURS:
        raise CatalogError(
            f"{where}: max_session_hours is {hours!r}; allowed are numbers above 0 up to {LONGEST_SESSION_HOURS:g}"
        )
    return float(hours)


def _roles(section: Mapping[str, Any], where: str) -> Mapping[str, str]:
    given = section.get("roles", {})
    if not isinstance(given, dict):
        raise CatalogError(f'{where}: roles is {given!r}; write names with their role: roles = {{"aki" = "lead"}}')
    if not all(name.strip() for name in given):
        raise CatalogError(
            f'{where}: roles has a name that is empty; write names with their role: roles = {{"aki" = "lead"}}'
        )
    return MappingProxyType({name: _role(role, f"the role of {name!r}", where) for name, role in given.items()})


def _role(role: object, what: str, where: str) -> str:
    if not isinstance(role, str) or role not in ROLES:
        raise CatalogError(f"{where}: {what} is {role!r}; allowed are {', '.join(ROLES)}")
    return role


def _text(section: Mapping[str, Any], name: str, where: str, default: str) -> str:
    value = section.get(name, default)
    if not isinstance(value, str) or (name in section and not value.strip()):
        raise CatalogError(f'{where}: {name} is {value!r}; write text in quotes, such as: {name} = "..."')
    return value.strip()


def _texts(section: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    values = section.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise CatalogError(f'{where}: {name} is {values!r}; write a list of texts, such as: {name} = ["..."]')
    return tuple(values)
