"""Pictures for the screen: the original bytes, or a thumbnail, to the browser that was given the address.

Streamlit's own media and static routes answer anyone, and its image element re-encodes what it shows. Here the address
is signed for one picture, one size and the visitor's cookie; a copied address is refused in another browser.
"""

import hashlib
import hmac
import os
import re
import secrets
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from catalog.errors import CatalogError
from catalog.store import Catalog
from ui import workspace

COOKIE = "adapt_visitor"
ROUTE = "/picture/{sha256}"
THUMBNAIL_PX = 96
"""Longest side of a thumbnail."""
_SIZES = ("original", "thumbnail")
_TYPES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))
_SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
# A key of this process: addresses end with the server, and nothing has to be stored.
_KEY = secrets.token_bytes(32)


def new_visitor() -> str:
    """Return the value of a new visitor's cookie."""
    return secrets.token_hex(16)


def is_visitor(value: str | None) -> bool:
    """Say whether a cookie value is one this module gives out."""
    return bool(value) and re.fullmatch(r"[0-9a-f]{32}", value or "") is not None


def address(sha256: str, visitor: str | None, size: str = "original") -> str:
    """Return the address of a picture that works for one visitor's browser only."""
    return f"/picture/{sha256}?size={size}&key={_signature(sha256, size, visitor or '')}"


def picture(request: Request) -> Response:
    """Answer a picture's original bytes or its thumbnail: 403 without a fitting cookie and key, 404 when it is gone."""
    sha256, size = request.path_params["sha256"], request.query_params.get("size", "original")
    visitor, key = request.cookies.get(COOKIE), request.query_params.get("key", "")
    fits = hmac.compare_digest(key.encode(), _signature(sha256, size, visitor or "").encode())
    if not is_visitor(visitor) or size not in _SIZES or not fits:
        return PlainTextResponse("not allowed", status_code=403, headers=_SAFETY)
    try:
        catalog = workspace.catalog()
        data = catalog.blobs.read(sha256) if size == "original" else thumbnail(catalog, sha256)
    except (CatalogError, OSError):
        return PlainTextResponse("no such picture", status_code=404, headers=_SAFETY)
    kind = next((name for magic, name in _TYPES if data.startswith(magic)), "application/octet-stream")
    caching = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(data, media_type=kind, headers=_SAFETY | caching)


def thumbnail(catalog: Catalog, sha256: str) -> bytes:
    """Return a small WebP of a picture; made once, kept in the workspace's `cache/thumbnails`.

    Raises:
        CatalogError: The picture is missing or damaged.
    """
    path = catalog.workspace / "cache" / "thumbnails" / sha256[:2] / f"{sha256}-{THUMBNAIL_PX}.webp"
    try:
        return path.read_bytes()
    except OSError:
        data = _small(catalog.blobs.read(sha256))
        _keep(path, data)
        return data


def intact(catalog: Catalog, sha256: str) -> bool:
    """Say whether a picture's file is there and holds what its name says."""
    try:
        return _digest_agrees(catalog, sha256)
    except (CatalogError, OSError):
        return False


@lru_cache(maxsize=4096)
def _digest_agrees(catalog: Catalog, sha256: str) -> bool:
    if hashlib.sha256(catalog.blobs.read(sha256)).hexdigest() != sha256:
        # Raised, not returned: a wrong file may be put right while the server runs, so it must not be remembered.
        raise CatalogError(f"picture {sha256[:12]}… is damaged")
    return True


def _small(data: bytes) -> bytes:
    try:
        with Image.open(BytesIO(data)) as picture:
            shown = picture.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise CatalogError(f"picture is damaged: {error}") from error
    shown.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    out = BytesIO()
    shown.save(out, "WEBP", quality=85)
    return out.getvalue()


def _keep(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError:
        # A full or read-only disk costs speed, not pictures.
        part.unlink(missing_ok=True)


def _signature(sha256: str, size: str, visitor: str) -> str:
    return hmac.new(_KEY, f"{sha256}\n{size}\n{visitor}".encode(), hashlib.sha256).hexdigest()[:32]
