"""Which JSON files are about one product: those named after a picture or its folder, without several records."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from typing import Any

from catalog.paths import IMAGE_SUFFIXES, Dump, DumpFile
from catalog.readers import headers
from catalog.readers.encoding import decode_text
from catalog.readers.json_sidecar import MAX_JSON_BYTES
from catalog.readers.json_text import parse_json
from catalog.readers.json_values import pair_of
from catalog.readers.trade_keys import same_key

FOLDER_TEXTS = frozenset({"spec", "specs", "description", "info", "product", "data", "about", "text"})
"""Names of texts that are about the product whose folder they lie in."""
_NUMBER = re.compile(r"^[0-9]{8,14}(?![0-9])")
_SEPARATORS = " _-.("


class JsonBeside:
    """Tells the JSON files that belong to one product from those that are tables."""

    def __init__(self, dump: Dump) -> None:
        """Take a dump; its pictures are looked at when the first JSON file is asked about."""
        self._dump = dump

    def is_sidecar(self, file: DumpFile, encoding: str | None) -> bool:
        """Whether a file is about one product, by its name and by what it holds; a broken one may be."""
        return file.suffix == ".json" and self._is_named_so(file) and not _holds_records(file, encoding)

    def _is_named_so(self, file: DumpFile) -> bool:
        own, last = file.stem.casefold(), file.folder.rpartition("/")[2].casefold()
        if file.folder in self._folders and last and own in FOLDER_TEXTS | {last}:
            return True
        name = _padded(file.stem)
        place = bisect_left(self._stems, name)
        while place < len(self._stems) and self._stems[place].startswith(name):
            if self._stems[place] == name or self._stems[place][len(name)] in _SEPARATORS:
                return True
            place += 1
        return own in self._folder_names

    @cached_property
    def _folders(self) -> set[str]:
        return {file.folder for file in self._dump.with_suffix(IMAGE_SUFFIXES)}

    @cached_property
    def _folder_names(self) -> set[str]:
        return {folder.rpartition("/")[2].casefold() for folder in self._folders} - {""}

    @cached_property
    def _stems(self) -> list[str]:
        return sorted({_padded(file.stem) for file in self._dump.with_suffix(IMAGE_SUFFIXES)})


def _padded(stem: str) -> str:
    """Return a stem case folded, and the trade number it begins with in 14 digits."""
    return _NUMBER.sub(lambda number: same_key(number[0]), stem.casefold())


def _holds_records(file: DumpFile, encoding: str | None) -> bool:
    """Whether a file lists several things that have keys or pictures of their own."""
    try:
        value: Any = parse_json(decode_text(file.read(MAX_JSON_BYTES), encoding)[0])
    except (ValueError, OSError, RecursionError):
        return False
    # Parts of one product have names as well; objects under names, such as languages, are no records.
    roles = {"sku", "gtin", "parent", "image", *(["name"] if isinstance(value, list) else [])}
    lists = [value] if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for listed in lists:
        records = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        if len(records) > 1 and sum(_has_role(item, roles) for item in records) * 2 > len(records):
            return True
    return False


def _has_role(item: dict[str, Any], roles: set[str]) -> bool:
    return pair_of(item) is None and any((headers.role_of(key) or ("",))[0] in roles for key in item)
