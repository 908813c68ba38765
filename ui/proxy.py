"""The header in which a proxy names the person: nobody else's copy of it gets past this middleware."""

import ipaddress
import logging

import streamlit as st
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog.errors import CatalogError
from ui import review_config
from ui.review_config import ReviewConfig

_log = logging.getLogger(__name__)


class TrustedHeader:
    """Drops the header unless a proxy sent it.

    It counts when the server listens to this machine only, or when the connection comes from an address of
    `proxy_addresses`; and only once, since of two copies one may be the visitor's own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, pages, pictures and web sockets, without headers that are not to be trusted."""
        if scope["type"] in ("http", "websocket"):
            scope = {**scope, "headers": _trusted(scope)}
        await self.app(scope, receive, send)


def as_text(value: str) -> str:
    """Return a header's value with its letters put right: servers read headers as Latin-1, proxies write UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def is_loopback(address: str | None) -> bool:
    """Say whether an address reaches this machine only; None, which listens everywhere, does not."""
    if address in (None, ""):
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _trusted(scope: Scope) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = list(scope["headers"])
    try:
        config = review_config.current()
    except CatalogError:
        # The page says what is wrong; nobody gets further than that.
        return headers
    if config.identity != "proxy":
        return headers
    name = config.proxy_header.lower().encode()
    copies = sum(1 for key, _ in headers if key.lower() == name)
    if copies == 0 or (copies == 1 and _from_proxy(scope, config)):
        return headers
    _log.warning(
        "%s dropped: %d copies from %s; list the proxy's address in proxy_addresses and let it overwrite the header",
        config.proxy_header,
        copies,
        (scope.get("client") or ("an unknown address",))[0],
    )
    return [(key, value) for key, value in headers if key.lower() != name]


def _from_proxy(scope: Scope, config: ReviewConfig) -> bool:
    if is_loopback(st.get_option("server.address")):
        return True
    client = scope.get("client")
    return client is not None and client[0] in config.proxy_addresses
