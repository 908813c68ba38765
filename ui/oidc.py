"""Sign-in through an identity provider: its settings in the workspace's `secrets.toml`, its cookie in plain requests.

```toml
[auth]
redirect_uri = "https://review.example.com/oauth2callback"
cookie_secret = "32 random characters or more"
client_id = "…"
client_secret = "…"
server_metadata_url = "https://…/.well-known/openid-configuration"
```
"""

import importlib.util
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlit.auth_util import get_cookie_with_chunks, get_secrets_auth_section
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from catalog.errors import CatalogError

SECRETS = "secrets.toml"
"""File beside `adapt.toml`; never put it under version control."""
CLOCK_SKEW_S = 300
"""How far ahead a provider's clock may be."""
SHORTEST_SECRET = 32
"""Characters of a cookie secret: who guesses it signs in as anybody."""
_SHARED = ("redirect_uri", "cookie_secret")
_PROVIDER = ("client_id", "client_secret", "server_metadata_url")


def check(workspace: Path) -> None:
    """Check that people can sign in before a server is started for them.

    Raises:
        CatalogError: Authlib is missing, or `secrets.toml` does not say where people sign in.
    """
    if importlib.util.find_spec("authlib") is None:
        raise CatalogError("identity 'oidc' needs Authlib; install it with: pip install 'streamlit[auth]'")
    path = workspace / SECRETS
    try:
        section = tomllib.loads(path.read_text(encoding="utf-8")).get("auth")
    except FileNotFoundError as error:
        raise CatalogError(f"identity 'oidc' needs {path} with a section [auth]; see the README of ui") from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path} cannot be read ({error}); correct it") from error
    if not isinstance(section, dict):
        raise CatalogError(f"{path} has no section [auth]; see the README of ui")
    missing = [name for name in _SHARED if not section.get(name)]
    if not providers(section):
        missing += [name for name in _PROVIDER if not section.get(name)]
    if missing:
        raise CatalogError(f"{path} [auth] lacks {', '.join(missing)}; see the README of ui")
    if len(str(section["cookie_secret"])) < SHORTEST_SECRET:
        raise CatalogError(
            f"{path} [auth]: cookie_secret has {len(str(section['cookie_secret']))} characters; "
            f"at least {SHORTEST_SECRET} are needed, for example from: openssl rand -hex 32"
        )


def providers(section: Mapping[str, Any] | None = None) -> list[str | None]:
    """Return where one can sign in, None for the provider that is written in `[auth]` itself."""
    auth = get_secrets_auth_section().to_dict() if section is None else section
    found: list[str | None] = [None] if all(auth.get(name) for name in _PROVIDER) else []
    named = (name for name, part in auth.items() if isinstance(part, Mapping) and all(map(part.get, _PROVIDER)))
    return found + sorted(named)


def claims_in(cookies: Mapping[str, str]) -> Mapping[str, object]:
    """Return what Streamlit's signed cookie says of the person; empty without a cookie or with a forged one."""
    secret = get_cookie_secret()

    def part(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(secret, name, value.encode("latin-1", "replace"))

    data = get_cookie_with_chunks(part, USER_COOKIE_NAME)
    try:
        claims = json.loads(data) if data else {}
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
