"""Rows of the decision log to take away, for the browser and person that were given the address.

Streamlit's download button puts its files under `/media`, which answers anyone who knows the address. Here it is signed
as those of pictures are, the role is asked for again by the service, and nothing is kept on the way.
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from catalog import audit
from catalog.audit import Search
from catalog.errors import CatalogError
from catalog.roles import NotAllowed
from ui import image_route, review_config, workspace

ROUTE = "/download/{name}"
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
"""What the log is written as; keys are those of `audit.FORMATS`."""
_NAMES = {f"decisions.{kind}": kind for kind in MEDIA_TYPES}
_CHUNK_BYTES = 1 << 18
_HEADERS = image_route.SAFETY | {"Cache-Control": "no-store"}
_log = logging.getLogger(__name__)


def address(kind: str, search: Search, visitor: str | None, person: str) -> str:
    """Return the address of a search's rows that works for one visitor's browser and one person only.

    Args:
        kind: A key of `MEDIA_TYPES`.
        search: Which rows.
        visitor: Value of the visitor's cookie.
        person: Who looks at the screen.
    """
    name, asked = f"decisions.{kind}", _to_text(search)
    # A typed name is part of what is asked; one that was checked comes with the request once more.
    checked = "" if review_config.current().identity == "local" else person
    until, key = image_route.signed((name, person, asked), visitor, person=checked)
    return f"/download/{name}?{urlencode({'person': person, 'search': asked, 'until': until, 'key': key})}"


async def decisions(request: Request) -> Response:
    """Answer the rows as an attachment: 403 to who may not have them, 503 when they cannot be read now."""
    name = request.path_params["name"]
    person, asked = request.query_params.get("person", ""), request.query_params.get("search", "")
    if name not in _NAMES or not await image_route.allowed(request, name, person, asked):
        return _refused()
    with ExitStack() as kept:
        try:
            path = Path(kept.enter_context(TemporaryDirectory())) / name
            await run_in_threadpool(audit.export, workspace.catalog(), person, path, _from_text(asked))
            file, size = kept.enter_context(path.open("rb")), path.stat().st_size
        except NotAllowed as error:
            _log.info("%s refused: %s", name, error)
            return _refused()
        except (CatalogError, OSError) as error:
            _log.warning("%s: %s", name, error)
            return PlainTextResponse("the log cannot be read now; try again", status_code=503, headers=_HEADERS)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
        kind = MEDIA_TYPES[_NAMES[name]]
        return StreamingResponse(_chunks(file, kept.pop_all()), media_type=kind, headers=_HEADERS | headers)


def _refused() -> Response:
    said = "not allowed; open the audit screen again and take the file from there"
    return PlainTextResponse(said, status_code=403, headers=_HEADERS)


async def _chunks(file: BinaryIO, kept: ExitStack) -> AsyncIterator[bytes]:
    # The file lives as long as it is on its way, also when the browser goes away in the middle.
    with kept:
        while chunk := await run_in_threadpool(file.read, _CHUNK_BYTES):
            yield chunk


def _to_text(search: Search) -> str:
    asked = {name: value for name, value in asdict(search).items() if value not in (None, "")}
    return json.dumps(asked, default=datetime.isoformat, sort_keys=True)


def _from_text(text: str) -> Search:
    asked = json.loads(text)
    moments = {name: datetime.fromisoformat(asked[name]) for name in ("since", "until") if name in asked}
    return Search(**{**asked, **moments})
