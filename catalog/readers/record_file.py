"""One file of a mapped dump → records: delimited text, JSON, JSON Lines or XML, as the mapping says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from catalog.mapping import TableSpec
from catalog.paths import DumpFile
from catalog.readers.encoding import decode_text
from catalog.readers.tabular import MAX_TABLE_BYTES, Table, read_delimited, record_list
from catalog.readers.tree import Tree, records_at
from catalog.records import Issue

Numbered = tuple[int, dict[str, Tree]]
"""Line, or position in the file's list, counted from 1; and the record."""


def read_records(file: DumpFile, spec: TableSpec, encoding: str | None) -> tuple[list[Numbered], list[Issue]]:
    """Return a file's records, and what could not be read."""
    try:
        data = file.read(MAX_TABLE_BYTES)
    except OSError as error:
        return [], [_unreadable(file, str(error.strerror or error))]
    if len(data) > MAX_TABLE_BYTES:
        return [], [_unreadable(file, f"larger than {MAX_TABLE_BYTES >> 20} MiB; split it")]
    if file.suffix == ".xml":
        return _from_xml(file, data, spec)
    text, used = decode_text(data, encoding)
    text = text.replace("\x00", "")
    if file.suffix in (".jsonl", ".ndjson"):
        return _from_json_lines(file, text, spec)
    if file.suffix == ".json":
        return _from_json(file, text, spec)
    return _from_table(read_delimited(file, text, used, spec.separator), spec)


def _from_table(table: Table, spec: TableSpec) -> tuple[list[Numbered], list[Issue]]:
    table = table.with_names(spec.header) if spec.header else table.with_header()
    records = []
    for row in table.rows:
        tree: dict[str, Tree] = {}
        for name, cell in zip(table.header, row.cells, strict=True):
            # A column that stands there twice holds a list.
            tree[name] = [tree[name], cell] if name in tree else cell
        records.append((row.line, tree))
    return records, table.issues


def _from_json(file: DumpFile, text: str, spec: TableSpec) -> tuple[list[Numbered], list[Issue]]:
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        return [], [_unreadable(file, f"no JSON: {error}", getattr(error, "lineno", None))]
    value = _plain_json(value)
    found = records_at(value if spec.rows or isinstance(value, list) else record_list(value) or value, spec.rows)
    issues = [] if found else [_unreadable(file, f"no objects at {spec.rows or 'its top'}")]
    return list(enumerate(found, start=1)), issues


def _from_json_lines(file: DumpFile, text: str, spec: TableSpec) -> tuple[list[Numbered], list[Issue]]:
    records: list[Numbered] = []
    issues: list[Issue] = []
    for number, line in enumerate(text.split("\n"), start=1):  # JSON may hold U+2028, where splitlines() breaks
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_int=str, parse_float=str)
        except (ValueError, RecursionError) as error:
            detail = f"no JSON object: {error}"
            issues.append(Issue(source=file.path, line=number, reason="ROW_UNREADABLE", detail=detail))
            continue
        records += [(number, record) for record in records_at(_plain_json(value), spec.rows)]
    return records, issues


def _plain_json(tree: Tree) -> Tree:
    """Return JSON without its truth values, which would print as Python's."""
    if isinstance(tree, dict):
        return {key: _plain_json(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain_json(item) for item in tree]
    return ("yes" if tree else "no") if isinstance(tree, bool) else tree


def _from_xml(file: DumpFile, data: bytes, spec: TableSpec) -> tuple[list[Numbered], list[Issue]]:
    try:
        root = defusedxml.ElementTree.fromstring(data)
        tree = _xml_tree(root)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        line = error.position[0] if isinstance(error, ParseError) else None
        return [], [_unreadable(file, f"no XML that is read: {error}", line)]
    way = [_local(part) for part in spec.rows.replace("/", ".").split(".") if part]
    # The root may be named or left out.
    found = records_at(tree, ".".join(way[1:] if way[:1] == [_local(root.tag)] else way))
    issues = [] if found else [_unreadable(file, f"no elements at {spec.rows or 'its root'}")]
    return list(enumerate(found, start=1)), issues


def _xml_tree(element: Element) -> Tree:
    """Return an element as a tree: children by name without namespace, attributes as `@name`, own text as `#text`."""
    tree: dict[str, Tree] = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    for child in _elements(element):
        name, value = _local(child.tag), _xml_tree(child)
        if name not in tree:
            tree[name] = value
        elif isinstance(tree[name], list):
            tree[name].append(value)
        else:
            tree[name] = [tree[name], value]
    text = (element.text or "").strip()
    if not tree:
        return text
    return {**tree, "#text": text} if text else tree


def _elements(element: Element) -> Iterator[Element]:
    return (child for child in element if isinstance(child.tag, str))  # comments have a function for a tag


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2]


def _unreadable(file: DumpFile, detail: str, line: int | None = None) -> Issue:
    return Issue(source=file.path, line=line, reason="FILE_UNREADABLE", detail=detail)
