"""Readers of dumps, one module a family of formats, tried in order until one recognises the dump."""

from __future__ import annotations

from collections.abc import Callable

from catalog.errors import IngestRefused
from catalog.paths import IMAGE_SUFFIXES, TABLE_SUFFIXES, Dump
from catalog.readers import folder, table
from catalog.readers.draft import DraftCatalogue

Reader = Callable[[Dump, str | None], DraftCatalogue | None]

READERS: tuple[Reader, ...] = (table.read, folder.read)
"""A reader returns None for a dump that is not its own; the most special ones come first."""


def read_dump(dump: Dump, encoding: str | None = None) -> DraftCatalogue:
    """Read a dump with the first reader that recognises it.

    Raises:
        IngestRefused: Nothing usable is in it.
    """
    if not dump.with_suffix(IMAGE_SUFFIXES):
        raise IngestRefused(
            f"no pictures in {dump.root}: {len(dump.files)} files, none of them "
            f"{', '.join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))}; "
            "give the folder that holds tables and pictures"
        )
    for reader in READERS:
        catalogue = reader(dump, encoding)
        if catalogue is not None and catalogue.products:
            return catalogue
        if catalogue is not None and catalogue.issues:
            first = catalogue.issues[0]
            raise IngestRefused(
                f"no usable product in {dump.root}: {len(catalogue.issues)} rows refused, "
                f"first {first.source} line {first.line}: {first.reason}, {first.detail}"
            )
    tables = ", ".join(file.path for file in dump.with_suffix(TABLE_SUFFIXES)[:3])
    raise IngestRefused(
        f"no product found in {dump.root} (tables seen: {tables or 'none'}); a table needs a header and key column"
    )
