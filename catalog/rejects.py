"""`rejects.csv`: rows that could not be taken, to be corrected in a spreadsheet and given back.

Excel changes what it opens: it drops leading zeros, turns long numbers into `4.9E+12` and runs formulas. Cells it would
touch carry an apostrophe, which is taken off again when the file comes back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

from catalog.errors import IngestRefused
from catalog.messages import Messages
from catalog.phrases import both, say, told
from catalog.readers.correcting import BEYOND, digest_of
from catalog.readers.encoding import decode_text
from catalog.records import Corrections, Issue

FILE, LINE, ROW, CODE, MESSAGE, SUGGESTION = "_file", "_line", "_row", "_code", "_message", "_suggestion"
COLUMNS = (FILE, LINE, ROW, CODE, MESSAGE, SUGGESTION)
MAX_BYTES = 256 << 20
_MAX_DIGITS = 12
# What a spreadsheet runs (in full width too) or rewrites.
_FORMULA = re.compile(r"^[=+\-@＝＋－＠\t\r\n\x00]")
_TOUCHED = re.compile(r"^(?:[=+\-@＝＋－＠\t\r\n\x00']|0\d|\d{12,}$|\d+(?:\.\d+)?[eE][+-]?\d+$|\d{1,4}[-/.]\d{1,2})")


def write_rejects(
    issues: Sequence[Issue], originals: Mapping[tuple[str, int], Mapping[str, str]], messages: Messages
) -> bytes | None:
    """Return the rows with errors as a CSV file for spreadsheets, or None when there are none.

    Args:
        issues: All issues of a run.
        originals: (place of the table, line) → column → cell of the rows that have issues.
        messages: Texts of the reader's language.
    """
    by_row: dict[tuple[str, int], list[Issue]] = {}
    for issue in issues:
        if issue.line is not None and issue.severity == "error":
            by_row.setdefault((issue.place, issue.line), []).append(issue)
    if not by_row:
        return None
    columns = list(dict.fromkeys(column for place in by_row for column in originals.get(place, ())))
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*COLUMNS, *map(guarded, columns)])
    for (file, line), found in by_row.items():
        cells = originals.get((file, line), {})
        told = [
            guarded(file),
            str(line),
            guarded(digest_of(cells)) if cells else "",
            " ".join(dict.fromkeys(issue.reason for issue in found)),
            "; ".join(dict.fromkeys(messages.said(issue.detail) for issue in found)),
            " ".join(dict.fromkeys(filter(None, (messages.advice(issue.reason) for issue in found)))),
        ]
        # What is told begins with a quoted value at times, which is no reason to guard it.
        safe = [f" {cell}" if _FORMULA.match(cell) else cell for cell in told]
        writer.writerow([*safe, *(guarded(cells.get(column, "")) for column in columns)])
    # Excel takes a CSV without byte order mark for the system's own encoding.
    return buffer.getvalue().encode("utf-8-sig", errors="replace")


def read_corrections(path: Path) -> Corrections:
    """Read a corrected `rejects.csv`; a row whose cells were all emptied is left out of the run as before.

    Raises:
        IngestRefused: It cannot be read, or is not such a file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IngestRefused(
            say("cannot read {path} ({error}); give the corrected rejects.csv", path=path, error=told(error))
        ) from error
    if len(data) > MAX_BYTES:
        raise IngestRefused(
            say(
                "{path} is larger than {limit} MiB; correct the tables of the dump instead",
                path=path,
                limit=MAX_BYTES >> 20,
            )
        )
    text, _ = decode_text(data)
    # Excel saves with the list separator of its country.
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = [released(cell.strip()) for cell in next(reader, [])]
    missing = [column for column in (FILE, LINE) if column not in header]
    if missing:
        raise IngestRefused(
            say(
                "{path} lacks the column {missing}; give back the rejects.csv of a run",
                path=path,
                missing=reduce(both, missing),
            )
        )
    rows: dict[tuple[str, int], Mapping[str, str]] = {}
    digests: dict[tuple[str, int], str] = {}
    for cells in reader:
        named = {name: released(cell) for name, cell in zip(header, cells, strict=False)}
        own = {name: cell for name, cell in named.items() if name not in (*COLUMNS, BEYOND)}
        if not any(cell.strip() for cell in own.values()):
            continue
        line = named.get(LINE, "").strip()
        if not line.isdecimal() or len(line) > _MAX_DIGITS:
            raise IngestRefused(
                say(
                    "{path} line {number}: {line!r} is no line number; leave {column} as it was",
                    path=path,
                    number=reader.line_num,
                    line=line,
                    column=LINE,
                )
            )
        place = (named.get(FILE, "").strip(), int(line))
        rows[place], digests[place] = own, named.get(ROW, "").strip()
    return Corrections(rows=rows, digests=digests)


def guarded(cell: str) -> str:
    """Return a cell that a spreadsheet neither runs nor rewrites; `released` undoes it."""
    return f"'{cell}" if _TOUCHED.match(cell) else cell


def released(cell: str) -> str:
    """Return a cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _TOUCHED.match(cell[1:]) else cell


def merged(kept: Corrections, given: Corrections) -> Corrections:
    """Return earlier corrections with newer ones in their place."""
    return Corrections(rows={**kept.rows, **given.rows}, digests={**kept.digests, **given.digests})


def corrections_file(corrections: Corrections) -> bytes:
    """Return corrections in the form in which `read_corrections` takes them."""
    columns = list(dict.fromkeys(column for cells in corrections.rows.values() for column in cells))
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([FILE, LINE, ROW, *map(guarded, columns)])
    for (file, line), cells in corrections.rows.items():
        told = [file, str(line), corrections.digests[file, line]]
        writer.writerow([guarded(cell) for cell in [*told, *(cells.get(column, "") for column in columns)]])
    return buffer.getvalue().encode("utf-8-sig", errors="replace")
