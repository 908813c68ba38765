"""One file of a mapped dump → records: delimited text, JSON, JSON Lines or XML, as the mapping says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from catalog.errors import IngestRefused
from catalog.mapping import TableSpec, near
from catalog.paths import WORKBOOK_SUFFIXES, Dump, DumpFile
from catalog.phrases import say, told
from catalog.readers.correcting import corrected, tables_of
from catalog.readers.encoding import decode
from catalog.readers.json_text import parse_json
from catalog.readers.tabular import MAX_TABLE_BYTES, Row, Table, read_delimited, record_list
from catalog.readers.tree import Tree, records_at
from catalog.readers.workbook import SheetStart
from catalog.records import Issue

TREES = frozenset({".xml", ".json", ".jsonl", ".ndjson"})
WHOLE = "."
"""The way to a document that is itself one record."""
_UNIT = "\x1f"
"""ASCII's own unit separator stands in for a separator of several characters, which the csv module cannot take."""
Numbered = tuple[int, dict[str, Tree]]
"""Line, or position in the file's list, counted from 1; and the record."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """What one file, or one sheet of it, holds."""

    records: list[Numbered] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    encoding: str = ""
    sheet: str = ""


def read_records(
    file: DumpFile, spec: TableSpec, encoding: str | None, dump: Dump, parsed: Sequence[Table] | None = None
) -> Iterator[Records]:
    """Yield a file's records, and what could not be read.

    Args:
        file: The file.
        spec: How the mapping says to read it.
        encoding: Use this one instead of guessing.
        dump: The dump it is in.
        parsed: The file as tables, if someone has parsed it already.

    Raises:
        IngestRefused: It has none of the sheets the mapping names, or is a workbook and is said to be text.
    """
    start = None
    if file.suffix in WORKBOOK_SUFFIXES:
        start, parsed = _sheet_start(file, spec), None if spec.skip or spec.header or spec.comment else parsed
    if file.suffix in WORKBOOK_SUFFIXES or ((file.suffix in TREES) == spec.flat and spec == _as_it_is(spec)):
        tables, issues = (list(parsed), []) if parsed is not None else tables_of(file, encoding, dump, start)
        if spec.sheets and not any(table.sheet in spec.sheets for table in tables):
            known = near(spec.sheets[0], [table.sheet for table in tables if table.sheet])
            raise IngestRefused(
                say("{path} has no sheet {sheets!r}{known}", path=file.path, sheets=spec.sheets[0], known=known)
            )
        yield Records(issues=issues)
        for table in tables:
            if not spec.sheets or table.sheet in spec.sheets:
                if start is not None and start.header:
                    table = table.with_header()
                yield _from_table(_without_comments(table, spec.comment), spec, dump)
        return
    try:
        data = file.read(MAX_TABLE_BYTES)
    except OSError as error:
        reason = getattr(error, "code", "FILE_UNREADABLE")
        yield _nothing(Issue(source=file.path, reason=reason, detail=told(error)))
        return
    if len(data) > MAX_TABLE_BYTES:
        yield _nothing(_unreadable(file, say("larger than {limit} MiB; split it", limit=MAX_TABLE_BYTES >> 20)))
    elif file.suffix == ".xml":
        records, issues = _from_xml(file, data, spec)
        yield Records(records=records, issues=issues)
    else:
        decoded = decode(data, encoding)
        yield Records(issues=decoded.issues(file.path))
        yield _from_text(file, decoded.text.replace("\x00", ""), decoded.encoding, spec, dump)


def _nothing(issue: Issue) -> Records:
    return Records(issues=[issue])


def _from_text(file: DumpFile, text: str, encoding: str, spec: TableSpec, dump: Dump) -> Records:
    if file.suffix in (".jsonl", ".ndjson"):
        records, issues = _from_json_lines(file, text, spec)
    elif file.suffix == ".json":
        records, issues = _from_json(file, text, spec)
    else:
        return _from_table(corrected(_delimited(file, text, encoding, spec), dump), spec, dump)
    return Records(records=records, issues=issues, encoding=encoding)


def _as_it_is(spec: TableSpec) -> TableSpec:
    """Return the same table without what changes how its text falls into cells."""
    return replace(spec, separator=None, row_end=None, quotes=True, skip=0, comment=None, encoding=None)


def _sheet_start(file: DumpFile, spec: TableSpec) -> SheetStart | None:
    given = {
        "separator": spec.separator is not None,
        "row_end": spec.row_end is not None,
        "quotes": not spec.quotes,
        "encoding": spec.encoding is not None,
    }
    if wrong := [name for name, there in given.items() if there]:
        raise IngestRefused(
            say(
                "{path} is a workbook, which has no {settings}; leave that out, or write skip, comment or header",
                path=file.path,
                settings=", ".join(wrong),
            )
        )
    return SheetStart(skip=spec.skip, header=spec.header) if spec.skip or spec.header else None


def _without_comments(table: Table, comment: str | None) -> Table:
    """Return a table without the rows that are comments, and whose first other row is still its header."""
    if comment is None or not any(row.cells[0].startswith(comment) for row in table.rows if row.cells):
        return table
    return replace(table, rows=[row for row in table.rows if not row.cells[0].startswith(comment)])


def _delimited(file: DumpFile, text: str, encoding: str, spec: TableSpec) -> Table:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines):
        # Emptied and not removed, so that later lines keep their numbers.
        if number < spec.skip or (spec.comment is not None and line.startswith(spec.comment)):
            lines[number] = ""
    text, separator = "\n".join(lines), spec.separator
    if separator is not None and (spec.row_end is not None or not spec.quotes):
        return _unquoted(file, text, encoding, separator, spec.row_end)
    if separator is not None and len(separator) > 1:
        text, separator = text.replace(separator, _UNIT), _UNIT
    return read_delimited(file, text, encoding, separator)


def _unquoted(file: DumpFile, text: str, encoding: str, separator: str, row_end: str | None) -> Table:
    """Parse text that quotes nothing: each separator and each row end counts."""
    table = Table(file=file, encoding=encoding, layout=f"unquoted text separated by {separator!r}")
    line = 1
    for row in text.split(row_end or "\n"):
        body = row.lstrip("\n")
        start = line + len(row) - len(body)
        line += row.count("\n") + (row_end is None)
        if body.strip():
            table.rows.append(Row(start, tuple(body.split(separator))))
    return table


def _from_table(table: Table, spec: TableSpec, dump: Dump) -> Records:
    if not table.header:
        # Without a header row only the mapping knows which columns a correction speaks of.
        table = corrected(table.with_names(spec.header), dump) if spec.header else table.with_header()
    # What has no name is called by its place, as in a spreadsheet without headings.
    header = [name.strip() or f"column {number}" for number, name in enumerate(table.header, start=1)]
    if len(set(header)) == len(header):
        records: list[Numbered] = [(row.line, dict(zip(header, row.cells, strict=True))) for row in table.rows]
    else:
        records = [(row.line, _with_lists(header, row.cells)) for row in table.rows]
    return Records(records=records, issues=table.issues, encoding=table.encoding, sheet=table.sheet)


def _with_lists(header: Sequence[str], cells: Sequence[str]) -> dict[str, Tree]:
    """Return a row in which a column that stands there twice holds a list."""
    tree: dict[str, Tree] = {}
    for name, cell in zip(header, cells, strict=True):
        if name in tree:
            tree[name] = [*(tree[name] if isinstance(tree[name], list) else [tree[name]]), cell]
        else:
            tree[name] = cell
    return tree


def _from_json(file: DumpFile, text: str, spec: TableSpec) -> tuple[list[Numbered], list[Issue]]:
    try:
        value = parse_json(text)
    except ValueError as error:
        return [], [_unreadable(file, say("no JSON: {error}", error=str(error)), getattr(error, "lineno", None))]
    value = _plain_json(value)
    listed = value if spec.rows or isinstance(value, list) else record_list(value) or value
    found = records_at(listed, "" if spec.rows == WHOLE else spec.rows)
    issues = [] if found else [_unreadable(file, say("no objects at {rows}", rows=spec.rows or say("its top")))]
    return list(enumerate(found, start=1)), issues


def _from_json_lines(file: DumpFile, text: str, spec: TableSpec) -> tuple[list[Numbered], list[Issue]]:
    records: list[Numbered] = []
    issues: list[Issue] = []
    for number, line in enumerate(text.split("\n"), start=1):  # JSON may hold U+2028, where splitlines() breaks
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except ValueError as error:
            detail = say("no JSON object: {error}", error=str(error))
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
        return [], [_unreadable(file, say("no XML that is read: {error}", error=str(error)), line)]
    way = [_local(part) for part in spec.rows.replace("/", ".").split(".") if part]
    # The root may be named or left out.
    found = records_at(tree, ".".join(way[1:] if way[:1] == [_local(root.tag)] else way))
    issues = [] if found else [_unreadable(file, say("no elements at {rows}", rows=spec.rows or say("its root")))]
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
