"""Items of Google Merchant feeds in XML, RSS 2.0 or Atom, as rows whose columns are the `g:` fields."""

from __future__ import annotations

import codecs
import html
import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from catalog.paths import Dump, DumpFile
from catalog.phrases import say, told
from catalog.readers.drafting import Drafting, NamedRow, Place
from catalog.readers.encoding import decode_text
from catalog.readers.tabular import MAX_TABLE_BYTES

NAMESPACE = "http://base.google.com/ns/1.0"
_SUFFIXES = frozenset({".xml", ".rss", ".atom"})
_HEAD_BYTES = 65_536
_ITEMS = frozenset({"item", "entry"})
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._\-]+)["'][^>]*\?>""")
_PROLOG = re.compile(r"^\s*<\?xml[^>]*\?>")
_DETAIL = ("section_name", "attribute_name", "attribute_value")
_NAMES = {"summary": "description", "content": "description"}
"""Names of Atom."""
# Those of the parser itself; all others are multi-byte encodings it does not know.
_PARSED = frozenset({"utf-8", "utf8", "utf-16", "iso-8859-1", "us-ascii", "ascii", "windows-1252"})


def feeds(dump: Dump) -> Iterator[DumpFile]:
    """Yield the XML files that declare the namespace of Google Merchant."""
    for file in dump.with_suffix(_SUFFIXES):
        try:
            head = file.read(_HEAD_BYTES)
        except OSError:
            continue  # the dump says so itself
        if NAMESPACE.encode() in head.replace(b"\x00", b""):
            yield file


def read_items(file: DumpFile, drafting: Drafting) -> Iterator[NamedRow]:
    """Yield the items of a feed; of one that breaks off, those before the break, which is reported."""
    drafting.documents.add(file.path)
    whole = Place(file.path, None)
    try:
        data = file.read(MAX_TABLE_BYTES)
    except OSError as error:
        drafting.report(whole, "FILE_UNREADABLE", told(error))
        return
    if len(data) > MAX_TABLE_BYTES:
        drafting.report(whole, "FILE_UNREADABLE", say("larger than {limit} MiB; split it", limit=MAX_TABLE_BYTES >> 20))
        return
    number = 0
    try:
        for _, element in defusedxml.ElementTree.iterparse(io.BytesIO(_parsable(data)), events=("end",)):
            if _local(element.tag) in _ITEMS:
                number += 1
                yield _row(drafting.count(file.path, number), element)
                element.clear()
    except (ParseError, DefusedXmlException, ValueError) as error:
        line = error.position[0] if isinstance(error, ParseError) else None
        detail = say(
            "no XML that is read: {error}; {number} items before it were taken", error=str(error), number=number
        )
        drafting.report(Place(file.path, line), "FILE_UNREADABLE", detail)


def _parsable(data: bytes) -> bytes:
    """Return XML in an encoding the parser knows: Japanese shops declare Shift_JIS or EUC-JP."""
    declared = _DECLARED.match(data)
    if declared is None or (name := declared[1].decode().lower()) in _PARSED:
        return data
    try:
        codecs.lookup(name)
    except LookupError:
        text, _ = decode_text(data)
        return _PROLOG.sub("", text).encode()
    # Shops write ① and 髙, which only Microsoft's form of Shift_JIS has.
    text, _ = decode_text(data, "cp932" if "jis" in name else name)
    return _PROLOG.sub("", text).encode()


def _row(place: Place, item: Element) -> NamedRow:
    fields = [field for child in item if isinstance(child.tag, str) for field in _field(child)]
    # `id` and `title` of Atom and RSS stand in where there is no `g:` of the name.
    fields.sort(key=lambda field: not field[2])
    columns: dict[str, list[int]] = {}
    for index, (name, _, _) in enumerate(fields):
        columns.setdefault(name, []).append(index)
    return NamedRow(place, tuple(text for _, text, _ in fields), columns)


def _field(child: Element) -> Iterator[tuple[str, str, bool]]:
    """Yield (name, text, whether it is Google's); nothing for structures other than product details."""
    own = child.tag.startswith(f"{{{NAMESPACE}}}")
    name = _NAMES.get(name := _local(child.tag).lower(), name)
    if name == "product_detail" and len(child):
        parts = {_local(part.tag): (part.text or "").strip() for part in child if isinstance(part.tag, str)}
        section, label, value = (parts.get(part, "") for part in _DETAIL)
        yield name, f"{_plain(section)}:{_plain(label)}:{value}", own
    elif not any(isinstance(part.tag, str) and part.tag.startswith(f"{{{NAMESPACE}}}") for part in child):
        text = "".join(child.itertext()).strip()
        yield name, html.unescape(text) if "&" in text else text, own


def _plain(label: str) -> str:
    return re.sub(r"[:,]+", " ", label)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
