"""The one open catalogue of this server process, shared by the page and the picture route."""

import os
from functools import cache
from pathlib import Path

from catalog.errors import CatalogError
from catalog.phrases import say
from catalog.store import Catalog


def catalog() -> Catalog:
    """Return the catalogue of `$ADAPT_WORKSPACE`, opened on first use.

    Raises:
        CatalogError: The variable is not set, or there is no catalogue.
    """
    workspace = os.environ.get("ADAPT_WORKSPACE")
    if not workspace:
        raise CatalogError(say("no workspace is set; start this screen with: adapt -w DIR review"))
    return _opened(Path(workspace), os.environ.get("ADAPT_DATABASE_URL"), os.environ.get("ADAPT_BLOBS_URL"))


@cache
def _opened(workspace: Path, url: str | None, blobs: str | None) -> Catalog:
    return Catalog.open(workspace, create=False, url=url, blobs=blobs)
