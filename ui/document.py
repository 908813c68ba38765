"""Middleware for the page's HTML document: its language, and the visitor's cookie that picture addresses need."""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import image_route
from ui.i18n import LANGUAGES, preferred_language

_STREAMLIT_LANG = b'<html lang="en">'
# Nobody may lay a page of theirs over the buttons that decide.
_FRAMING = {"X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_NOT_PASSED_ON = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")


class Document:
    """Streamlit always says `lang="en"`, which makes browsers offer to translate a Japanese page; this says what is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; rewrite answers that are HTML documents."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(("/_stcore", "/picture")):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visitor = _cookie(headers, image_route.COOKIE)
        language = _language(scope, headers)
        # Unpacked and whole, so that the document can be changed.
        scope = dict(scope)
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in _NOT_PASSED_ON]
        start: Message | None = None
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                if not Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    await send(message)
                    start = None
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = body.replace(_STREAMLIT_LANG, f'<html lang="{language}">'.encode(), 1)
            answer = MutableHeaders(raw=list(start["headers"]))
            answer["content-length"] = str(len(body))
            for name in ("etag", "last-modified", "accept-ranges"):
                del answer[name]
            if not image_route.is_visitor(visitor):
                # Lax, not Strict: somebody who comes from a link or back from signing in is no new visitor.
                cookie = f"{image_route.COOKIE}={image_route.new_visitor()}; Path=/; HttpOnly; SameSite=Lax"
                # A proxy that ends TLS says so; who lies about it spoils no cookie but their own.
                secure = "https" in (scope.get("scheme"), headers.get("x-forwarded-proto"))
                answer.append("set-cookie", cookie + ("; Secure" if secure else ""))
            for name, value in _FRAMING.items():
                answer[name] = value
            await send({**start, "headers": answer.raw})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, rewrite)


def _language(scope: Scope, headers: Headers) -> str:
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[0]
    return asked if asked in LANGUAGES else preferred_language(headers.get("accept-language"))


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found else None
