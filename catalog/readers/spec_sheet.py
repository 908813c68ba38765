"""PDF spec sheets to text: a line of two columns reads `Label: value`, all else is running text.

Needs the extra `pdf` (`uv sync --extra pdf`). Scanned pages have no text; nothing is recognised in pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.paths import DumpFile
from catalog.phrases import say, told
from catalog.records import Issue

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage  # type: ignore[import-untyped]

MAX_PDF_BYTES = 50 << 20
MAX_PAGES = 200
MAX_CHARS = 1 << 20
_MAX_LABEL_CHARS = 40
_COLUMN_GAP = 1.2
"""Gap between two columns, in heights of the line; words of one text stand closer."""

Piece = tuple[float, float, float, float, str]
"""Left, bottom, right, top in points, and the text."""


def read_pdf(file: DumpFile) -> str | Issue:
    """Return the text of a PDF, or the issue that says why there is none."""
    if file.size > MAX_PDF_BYTES:
        return _issue(
            file, "FILE_UNREADABLE", say("larger than {limit} MiB; save a smaller PDF", limit=MAX_PDF_BYTES >> 20)
        )
    try:
        data = file.read(MAX_PDF_BYTES)
    except OSError as error:
        return _issue(file, "FILE_UNREADABLE", told(error))
    import pypdfium2  # an extra

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            return _issue(file, "FILE_ENCRYPTED", say("protected by a password; save it without one"))
        return _issue(file, "FILE_UNREADABLE", say("no PDF that opens ({error}); save it again", error=str(error)))
    try:
        text = _text_of(document)
    except pypdfium2.PdfiumError as error:
        return _issue(file, "FILE_UNREADABLE", say("a damaged PDF ({error}); save it again", error=str(error)))
    finally:
        document.close()
    if not text.strip():
        detail = say("no text in it, only pictures, as a scanner makes; write its facts into a table or text file")
        return _issue(file, "PDF_NO_TEXT", detail, "warning")
    return text


def _text_of(document: PdfDocument) -> str:
    parts: list[str] = []
    for number in range(min(len(document), MAX_PAGES)):
        page = document[number]
        lines = _lines(_pieces(page.get_textpage()))
        page.close()
        parts.append("\n".join(lines))
        if sum(map(len, parts)) > MAX_CHARS:
            break
    return "\n".join(parts)[:MAX_CHARS]


def _pieces(page: PdfTextPage) -> list[Piece]:
    found = []
    for index in range(min(page.count_rects(), MAX_CHARS)):
        left, bottom, right, top = page.get_rect(index)
        text = " ".join(page.get_text_bounded(left, bottom, right, top).split())
        if text:
            found.append((left, bottom, right, top, text))
    return found


def _lines(pieces: Sequence[Piece]) -> list[str]:
    """Return the lines of a page from top to bottom, two columns joined by a colon."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (-piece[1] - piece[3], piece[0])):
        middle = (piece[1] + piece[3]) / 2
        if rows and rows[-1][0][1] <= middle <= rows[-1][0][3]:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    cells = [_cells(sorted(row)) for row in rows]
    # A column of values begins at one place; the second half of a sentence begins anywhere.
    starts = Counter(round(row[1][0] / 3) for row in cells if len(row) == 2)
    return [_line(row, starts) for row in cells]


def _cells(row: Sequence[Piece]) -> list[tuple[float, str]]:
    """Return (left edge, text) of the columns of a line."""
    cells: list[tuple[float, str]] = []
    end = float("-inf")
    for left, bottom, right, top, text in row:
        if cells and left - end < _COLUMN_GAP * (top - bottom):
            start, before = cells[-1]
            cells[-1] = (start, f"{before} {text}")
        else:
            cells.append((left, text))
        end = right
    return cells


def _line(cells: Sequence[tuple[float, str]], starts: Counter[int]) -> str:
    texts = [text for _, text in cells]
    if len(cells) == 2 and len(texts[0]) <= _MAX_LABEL_CHARS and texts[0][-1] not in ".。":
        place = round(cells[1][0] / 3)
        if sum(starts[near] for near in (place - 1, place, place + 1)) >= 2 or texts[0][-1] in ":：":
            return f"{texts[0].rstrip(' :：')}: {texts[1]}"
    return " ".join(texts)


def _issue(file: DumpFile, reason: str, detail: str, severity: str = "error") -> Issue:
    return Issue(source=file.path, reason=reason, detail=detail, severity=severity)
