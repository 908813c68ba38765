"""Tables of text cells: CSV, TSV and the like, JSON and JSON Lines. Every cell stays text."""

from __future__ import annotations

from catalog.paths import DumpFile
from catalog.phrases import say, told
from catalog.readers.cell_table import Row as Row
from catalog.readers.cell_table import Table as Table
from catalog.readers.delimited import read_delimited as read_delimited
from catalog.readers.encoding import decode
from catalog.readers.json_table import from_json, from_json_lines
from catalog.readers.json_table import record_list as record_list
from catalog.records import Issue

MAX_TABLE_BYTES = 1 << 30
MAX_LINES = 10_000_000
"""Each becomes a row, however short: a mebibyte of line breaks takes 20 in memory."""
MAX_LINE_BYTES = 32 << 20
"""A longer line holds a cell that no catalogue means; it is dropped while the file is read."""
_MAX_READ_BYTES = 64 << 30
_LINES = frozenset({".jsonl", ".ndjson"})


def read_table(file: DumpFile, encoding: str | None = None) -> Table | Issue:
    """Parse a file, or return the issue that says why it is no table."""
    try:
        data, long_lines = (file.read(MAX_TABLE_BYTES), []) if file.suffix == ".json" else _read_lines(file)
    except OSError as error:
        detail = told(error)
        return Issue(source=file.path, reason=getattr(error, "code", "FILE_UNREADABLE"), detail=detail)
    if len(data) > MAX_TABLE_BYTES:
        return Issue(
            source=file.path,
            reason="FILE_UNREADABLE",
            detail=say("larger than {limit} MiB; split it", limit=MAX_TABLE_BYTES >> 20),
        )
    if not data.strip() and not long_lines:
        return _empty(file, say("the file is empty"))
    decoded = decode(data, encoding)
    text, used = decoded.text, decoded.encoding
    issues = decoded.issues(file.path) + [
        Issue(
            source=file.path,
            line=line,
            reason="ROW_CELL_TOO_LONG",
            detail=say("a line of more than {limit} MiB; shorten its longest cell", limit=MAX_LINE_BYTES >> 20),
        )
        for line in long_lines
    ]
    if "\x00" in text:
        nuls, text = text.count("\x00"), text.replace("\x00", "")
        if not text.strip():
            return _empty(file, say("holds {nuls} NUL bytes and nothing else", nuls=nuls))
        detail = say("{nuls} NUL bytes left out; the file may be damaged", nuls=nuls)
        issues.append(Issue(source=file.path, reason="TXT_NUL", detail=detail, severity="warning"))
    if text.count("\n") > MAX_LINES:
        return Issue(
            source=file.path,
            reason="FILE_UNREADABLE",
            detail=say("more than {limit} lines; split it", limit=f"{MAX_LINES:,}"),
        )
    if file.suffix == ".json":
        parsed = from_json(file, text, used)
    else:
        parsed = (from_json_lines if file.suffix in _LINES else read_delimited)(file, text, used)
    if isinstance(parsed, Table):
        parsed.issues[:0] = issues
    return parsed


def _empty(file: DumpFile, detail: str) -> Issue:
    # JSON may be the text of a product; any other table without content is a broken export.
    severity = "warning" if file.suffix == ".json" else "error"
    return Issue(source=file.path, reason="TABLE_EMPTY", detail=detail, severity=severity)


def _read_lines(file: DumpFile) -> tuple[bytes, list[int]]:
    """Return a file's bytes with overlong lines emptied, and the numbers of those lines."""
    kept, long_lines = bytearray(), list[int]()
    line_start, dropping = 0, False
    for chunk in file.chunks(_MAX_READ_BYTES):
        if dropping:
            end = chunk.find(b"\n")
            if end < 0:
                continue
            chunk, dropping = chunk[end:], False
        kept += chunk
        line_start = max(kept.rfind(b"\n", len(kept) - len(chunk)) + 1, line_start)
        if len(kept) - line_start > MAX_LINE_BYTES:
            del kept[line_start:]
            dropping = True
            long_lines.append(kept.count(b"\n") + 1)
        if len(kept) > MAX_TABLE_BYTES:
            break
    return bytes(kept), long_lines
