"""Readers of dumps, one module a family of formats, tried in order until one recognises the dump."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.errors import IngestRefused
from catalog.mapping import FILE_NAME, near
from catalog.mapping_parser import load_mapping
from catalog.paths import IMAGE_SUFFIXES, Dump
from catalog.phrases import say
from catalog.readers import (
    akeneo,
    berkeley_objects,
    bmecat,
    ec_cube,
    folder,
    google,
    magento,
    makeshop,
    rakuten,
    schema_org,
    shopify,
    table,
    woocommerce,
    yahoo_shopping,
)
from catalog.readers.draft import DraftCatalogue
from catalog.readers.mapped import read_mapped
from catalog.readers.table_set import TableSet
from catalog.records import Issue

_ESCAPING_LINK = re.compile(r"the link (.+?) leaves the dump")
Reader = Callable[[TableSet], DraftCatalogue]

READERS: dict[str, Reader] = {
    module.NAME: module.read
    for module in (
        magento,
        akeneo,
        bmecat,
        rakuten,
        yahoo_shopping,
        ec_cube,
        makeshop,
        shopify,
        woocommerce,
        google,
        berkeley_objects,
        schema_org,
        table,
        folder,
    )
}
"""A reader returns no products for a dump that is not its own; the most special ones come first."""


def read_dump(dump: Dump, encoding: str | None = None, mapping: Path | None = None) -> DraftCatalogue:
    """Read a dump by a mapping, its own or a given one, else with the first reader that recognises it.

    Raises:
        IngestRefused: Nothing usable is in it, or the mapping is wrong.
    """
    if not dump.with_suffix(IMAGE_SUFFIXES):
        raise IngestRefused(
            say(
                "no pictures in {root}: {count} files, none of them {suffixes}; give the folder that holds "
                "tables and pictures",
                root=dump.root,
                count=len(dump.files),
                suffixes=", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES)),
            )
        )
    if mapping is None and FILE_NAME in dump.files:
        catalogue = _read_mapped(dump, dump.local_path(dump.files[FILE_NAME]), encoding)
        catalogue.documents.add(FILE_NAME)
        return catalogue
    return _by_evidence(dump, encoding) if mapping is None else _read_mapped(dump, mapping, encoding)


def _by_evidence(dump: Dump, encoding: str | None) -> DraftCatalogue:
    unused: list[Issue] = []
    tables = TableSet(dump, encoding)
    for name, reader in READERS.items():
        catalogue = reader(tables)
        if catalogue.products:
            catalogue.issues = unused + catalogue.issues
            return _completed(catalogue, dump, name)
        errors = [issue for issue in catalogue.issues if issue.severity == "error"]
        if errors:
            # Guessing on from file names would hide that the dump's own table is broken.
            raise IngestRefused(_refusal(dump, errors))
        unused += catalogue.issues
    raise IngestRefused(
        say("no product found in {root}; a table needs a header row with key, name and pictures", root=dump.root)
    )


def _read_mapped(dump: Dump, mapping: Path, encoding: str | None) -> DraftCatalogue:
    spec = load_mapping(mapping)
    if spec.reader is not None:
        return _read_by(spec.reader, dump, mapping, encoding)
    catalogue = read_mapped(dump, spec, encoding)
    for given in spec.tables.values():
        if given.header:
            named = [path for path in dump.files if any(fnmatch.fnmatchcase(path, glob) for glob in given.files)]
            catalogue.headers.update(dict.fromkeys(named, given.header))
    if not catalogue.products:
        first = say("; first problem: {detail}", detail=catalogue.issues[0].detail) if catalogue.issues else ""
        raise IngestRefused(
            say(
                "{name} leads to no product in {root}{first}; correct its [product] section",
                name=mapping.name,
                root=dump.root,
                first=first,
            )
        )
    return _completed(catalogue, dump, catalogue.reader)


def _read_by(reader: str, dump: Dump, mapping: Path, encoding: str | None) -> DraftCatalogue:
    if reader not in READERS:
        raise IngestRefused(
            say("{name}: no reader {reader!r}{near}", name=mapping.name, reader=reader, near=near(reader, READERS))
        )
    catalogue = READERS[reader](TableSet(dump, encoding))
    if not catalogue.products:
        raise IngestRefused(
            say(
                "{name}: the reader {reader!r} finds no product in {root}; remove the line to find out, or "
                "describe the tables",
                name=mapping.name,
                reader=reader,
                root=dump.root,
            )
        )
    return _completed(catalogue, dump, reader)


def _completed(catalogue: DraftCatalogue, dump: Dump, reader: str) -> DraftCatalogue:
    catalogue.issues += _not_listed(dump, catalogue.issues)
    # Where no columns were concluded, the format itself is what a person may overrule.
    catalogue.mapping = catalogue.mapping or f'reader = "{reader}"\n'
    return catalogue


def _not_listed(dump: Dump, known: Sequence[Issue]) -> list[Issue]:
    """Say what the dump holds that was not looked at, unless a table has named it already."""
    found = list(dump.issues)
    found += [
        Issue(source=path, reason="FILE_UNREADABLE", detail=why)
        for path, why in dump.unreadable.items()
        if path not in dump.escaping
    ]
    said = (issue.detail for issue in known if issue.reason == "FILE_ESCAPES_ROOT")
    named = {link for detail in said for link in _ESCAPING_LINK.findall(detail)}
    for path, target in dump.escaping.items():
        if path not in named:
            found.append(
                Issue(
                    source=path,
                    reason="FILE_ESCAPES_ROOT",
                    detail=say("a link that leaves the dump ({target})", target=target),
                )
            )
    return found


def _refusal(dump: Dump, errors: Sequence[Issue]) -> str:
    first = errors[0]
    where = first.source if first.line is None else say("{source} line {line}", source=first.source, line=first.line)
    return say(
        "no usable product in {root}: {count} problem(s), the first in {where} ({reason}: {detail}); "
        "correct the table, or remove it to go by the names of the pictures",
        root=dump.root,
        count=len(errors),
        where=where,
        reason=first.reason,
        detail=first.detail,
    )
