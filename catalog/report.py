"""What an ingest tells people: lines for the console, and the files `report.json`, `rejects.csv`, `mapping.toml`.

They lie in `<workspace>/ingest/<source>` and are of the newest run. Its mapping is what the reader concluded; once a
person has edited it, it is how the dump is read.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from catalog.atomic import replacing
from catalog.messages import Messages
from catalog.phrases import say
from catalog.records import Corrections, FileBooks, IngestReport, Issue
from catalog.rejects import corrections_file, merged, read_corrections, write_rejects

FOLDER = "ingest"
REPORT, REJECTS, MAPPING, CORRECTIONS = "report.json", "rejects.csv", "mapping.toml", "corrections.csv"
SHOWN_CODES = 5
_SHOWN_NAMES = 5


def folder_of(workspace: Path, source: str) -> Path:
    """Return the folder of a source's newest report."""
    return workspace / FOLDER / source


def edited_mapping(workspace: Path, source: str) -> Path | None:
    """Return the mapping of an earlier run if a person has changed it since, else None."""
    path = folder_of(workspace, source) / MAPPING
    if not path.is_file():
        return None
    try:
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return path  # its reader says what is wrong with it
    return None if first.startswith("# ") and _digest(rest) in first else path


def corrections_of(workspace: Path | None, source: str, given: Path | None) -> Corrections:
    """Return the corrected rows of a source: those kept from earlier runs, and over them those of a given file.

    Raises:
        IngestRefused: A file of them cannot be read.
    """
    kept = None if workspace is None else folder_of(workspace, source) / CORRECTIONS
    earlier = read_corrections(kept) if kept is not None and kept.is_file() else Corrections()
    return earlier if given is None else merged(earlier, read_corrections(given))


def keep_corrections(workspace: Path, source: str, corrections: Corrections) -> None:
    """Keep corrected rows for the runs to come."""
    _write(folder_of(workspace, source) / CORRECTIONS, corrections_file(corrections))


def write_report(workspace: Path, report: IngestReport, messages: Messages, counts: Mapping[str, object]) -> Path:
    """Write the files of a run and return their folder.

    Args:
        workspace: The workspace.
        report: What the run did.
        messages: Texts of the language that `rejects.csv` is written in.
        counts: The numbers of the run by name.
    """
    folder = folder_of(workspace, report.source)
    value = {
        "source": report.source,
        "run_id": report.run_id,
        "reader": report.reader,
        "encoding": report.encoding,
        "counts": dict(counts),
        "books": books_of(report),
        "codes": {
            code: {"count": count, "title": messages.title(code), "advice": messages.advice(code)}
            for code, count in Counter(issue.reason for issue in report.issues).most_common()
        },
        "issues": [asdict(issue) | {"detail": messages.said(issue.detail)} for issue in report.issues],
        "evidence": [messages.said(line) for line in report.evidence],
    }
    text = json.dumps(value, ensure_ascii=False, indent=1)
    _write(folder / REPORT, text.encode("utf-8", errors="backslashreplace"))
    rejects = write_rejects(report.issues, report.rejected, messages)
    if rejects is not None:
        _write(folder / REJECTS, rejects)
    else:
        (folder / REJECTS).unlink(missing_ok=True)
    if report.mapping and edited_mapping(workspace, report.source) is None:
        mapping = messages.said(report.mapping)
        mark = say("# as adapt read the dump, {digest}; edit it and it is used the next time", digest=_digest(mapping))
        _write(folder / MAPPING, f"{messages.said(mark)}\n{mapping}".encode())
    return folder


def books_of(report: IngestReport) -> dict[str, object]:
    """Return the books of rows and files as JSON keeps them; each adds up to what was read or is present."""
    return {
        "rows": asdict(report.rows),
        "pictures": _books(report.pictures),
        "documents": _books(report.documents),
    }


def summary(report: IngestReport, messages: Messages) -> Iterator[str]:
    """Yield what a run came to, in lines for the console."""
    text = messages.text
    yield text(
        "products",
        source=report.source,
        added=report.products_added,
        updated=report.products_updated,
        unchanged=report.products_unchanged,
        missing=report.products_missing,
        pruned=report.products_pruned,
    )
    yield text(
        "pictures",
        added=report.images_added,
        known=report.images_reused,
        linked=report.images_linked,
        captions=report.captions,
        seconds=report.seconds,
    )
    if report.rows.read:
        yield text("rows", **asdict(report.rows))
    for key, books in (("picture_files", report.pictures), ("other_files", report.documents)):
        if books.present:
            yield text(key, **(_books(books) | {"unreferenced": len(books.unreferenced)}))
    names = [*report.pictures.unreferenced, *report.documents.unreferenced]
    if names:
        shown = ", ".join(names[:_SHOWN_NAMES])
        more = len(names) - _SHOWN_NAMES
        yield text("unreferenced", paths=text("and_more", paths=shown, count=more) if more > 0 else shown)
    yield from _issues(report, messages)


def _issues(report: IngestReport, messages: Messages) -> Iterator[str]:
    if not report.issues:
        return
    yield messages.text("issues", quarantined=report.quarantined, warnings=report.warnings)
    first: dict[str, Issue] = {}
    for issue in report.issues:
        first.setdefault(issue.reason, issue)
    for code, count in Counter(issue.reason for issue in report.issues).most_common(SHOWN_CODES):
        issue = first[code]
        where = issue.place
        if issue.line is not None:
            where = messages.text("where_line", source=issue.place, line=issue.line)
        detail = messages.said(issue.detail)
        yield messages.text("issue", count=count, code=code, title=messages.title(code), where=where, detail=detail)
        if advice := messages.advice(code):
            yield messages.text("advice", advice=advice)


def _books(books: FileBooks) -> dict[str, object]:
    return asdict(books) | {"unreferenced": list(books.unreferenced)}


def _digest(mapping: str) -> str:
    return hashlib.sha256(mapping.encode()).hexdigest()[:12]


def _write(path: Path, data: bytes) -> None:
    with replacing(path) as part:
        part.write_bytes(data)
