"""Pictures for the screens: the original bytes, or a small copy, to the browser and person that were given the address.

Streamlit's own media and static routes answer anyone, and its image element re-encodes what it shows. Here an address
is signed for one picture, one size, the visitor's cookie and, where people sign in, the person; it ends within a day.
A copied address is refused in another browser, and in the same browser once the person signed out or lost their role.

The key lives in this process, so addresses end with the server: screens that reconnect draw themselves anew with new
ones, and no secret lies on a disk.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Sequence
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from catalog.errors import CatalogError
from catalog.store import Catalog
from ui import identity, pictures, workspace

COOKIE = "adapt_visitor"
ROUTE = "/picture/{sha256}"
ADDRESS_PERIOD_S = 12 * 3600
"""An address stays the same this long, so that browsers may keep the picture, and ends one period later."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VISITOR = re.compile(r"[0-9a-f]{32}")
_TYPES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))
SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
"""Headers that keep an answer from being anything but what it is."""
_KEY = secrets.token_bytes(32)
_log = logging.getLogger(__name__)


def new_visitor() -> str:
    """Return the value of a new visitor's cookie."""
    return secrets.token_hex(16)


def is_visitor(value: str | None) -> bool:
    """Say whether a cookie value is one this module gives out."""
    return _VISITOR.fullmatch(value or "") is not None


def address(
    sha256: str,
    visitor: str | None,
    size: str = pictures.ORIGINAL,
    *,
    person: str | None = None,
    moment: float | None = None,
) -> str:
    """Return the address of a picture that works for one visitor's browser only.

    Args:
        sha256: The picture.
        visitor: Value of the visitor's cookie.
        size: One of `pictures.SIZES`.
        person: Who may open it where people sign in; default is who looks at the screen that is being drawn.
        moment: Seconds since 1970; default is now.
    """
    until, key = signed((sha256, size), visitor, person=person, moment=moment)
    return f"/picture/{sha256}?size={size}&until={until}&key={key}"


def signed(
    what: Sequence[str], visitor: str | None, *, person: str | None = None, moment: float | None = None
) -> tuple[str, str]:
    """Return when an address ends, in seconds since 1970, and the key that lets one visitor's browser open it.

    Args:
        what: All that the address asks for.
        visitor: Value of the visitor's cookie.
        person: As for `address`.
        moment: As for `address`.
    """
    name = identity.signed_in_name() if person is None else person
    now = time.time() if moment is None else moment
    until = str((int(now) // ADDRESS_PERIOD_S + 2) * ADDRESS_PERIOD_S)
    return until, _signature(what, visitor or "", name, until)


async def picture(request: Request) -> Response:
    """Answer a picture: 403 to who may not see it, 404 when its file is missing or damaged."""
    sha256, size = request.path_params["sha256"], request.query_params.get("size", pictures.ORIGINAL)
    if not _SHA256.fullmatch(sha256) or size not in pictures.SIZES or not await allowed(request, sha256, size):
        return PlainTextResponse("not allowed", status_code=403, headers=SAFETY)
    try:
        data = await asyncio.wrap_future(pictures.ask(workspace.catalog(), sha256, size))
    except (CatalogError, OSError) as error:
        _log.warning("picture %s (%s): %s", sha256, size, error)
        return PlainTextResponse("no such picture", status_code=404, headers=SAFETY)
    kind = next((name for magic, name in _TYPES if data.startswith(magic)), "application/octet-stream")
    left = max(0, int(request.query_params["until"]) - int(time.time()))
    return Response(data, media_type=kind, headers=SAFETY | {"Cache-Control": f"private, max-age={left}, immutable"})


async def allowed(request: Request, *what: str) -> bool:
    """Say whether a request's `until` and `key` were made by `signed` for its browser and person, who is let in still.

    Args:
        request: What the browser sent.
        what: All that the address asks for.
    """
    visitor, until = request.cookies.get(COOKIE), request.query_params.get("until", "")
    if not is_visitor(visitor) or not re.fullmatch(r"[0-9]{1,12}", until) or int(until) <= time.time():
        return False
    try:
        name = identity.name_in_request(request.headers, request.cookies)
        fits = _signature(what, visitor or "", name, until)
        if not hmac.compare_digest(request.query_params.get("key", "").encode(), fits.encode()):
            return False
        # Asked each time: a role that was taken away must count at once, not when the address ends.
        if name:
            await asyncio.wrap_future(pictures.workers().submit(identity.admitted, name))
    except CatalogError as error:
        _log.info("%s refused: %s", what[0], error)
        return False
    return True


def intact(catalog: Catalog, sha256: str) -> bool:
    """Say whether a picture's file is there and holds what its name says."""
    try:
        return _is_intact(catalog, sha256)
    except (CatalogError, OSError):
        return False


@lru_cache(maxsize=4096)
def _is_intact(catalog: Catalog, sha256: str) -> bool:
    # Raises for a wrong file: it may be put right while the server runs, so that must not be remembered.
    return bool(pictures.original(catalog, sha256))


def _signature(what: Sequence[str], visitor: str, person: str, until: str) -> str:
    # As JSON: no text can run over into the next one.
    text = json.dumps([*what, visitor, until, person])
    return hmac.new(_KEY, text.encode(), hashlib.sha256).hexdigest()[:32]
