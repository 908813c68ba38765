"""Requests that another site forged in a person's browser: refused before they reach a page or the picture route.

Streamlit asks for the host on web sockets alone, and takes any page of this machine, whatever its port, for its own.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

_READING = ("GET", "HEAD", "OPTIONS")


class SameOrigin:
    """Lets a request in only under a name of `server.allowedHosts`; one that can change something only from our pages.

    A browser says in `Origin` which page a web socket or a post comes from. Programs that are no browsers send none;
    nobody can make a person's browser leave it out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may come in; refuse the rest with 403."""
        if scope["type"] not in ("http", "websocket") or _may_come_in(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting answers the handshake with 403.
            await WebSocketClose()(scope, receive, send)
        else:
            await PlainTextResponse("not allowed", status_code=403)(scope, receive, send)


def _may_come_in(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    host, origin = headers.get("host"), headers.get("origin")
    if not is_host_allowed(host):
        return False
    reads = scope["type"] == "http" and scope["method"] in _READING
    return reads or origin is None or _netloc(origin) == (host or "").lower()


def _netloc(origin: str) -> str | None:
    """Return host and port of an `Origin` header; None for `null` and what is no address."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
