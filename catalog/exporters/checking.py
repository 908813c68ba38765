"""Read a delivery back without its catalogue and without the network: every digest, every mark, nothing too many."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import c2pa_signing, provenance
from catalog.alt_text import one_line, shortened
from catalog.errors import ExportRefused
from catalog.exporters import FORMATS
from catalog.exporters.delivery import EXCLUDED, FORMAT_VERSION, MANIFEST, SUMMARY, Exporter, Row, Verification
from catalog.exporters.manifest import is_inside, read_rows
from catalog.exporters.part_folder import WORK
from catalog.exporters.plain_files import digest_of, is_plain, is_regular, walked
from catalog.phrases import joined, printable, say, told

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error, tarfile.TarError)
"""What readers of tables and archives raise for content that is not theirs."""
_NAME_SHOWN_CHARS = 200


@dataclass(frozen=True)
class Listing:
    """A set of names, to compare with another whatever their order, in little memory."""

    count: int
    total: int

    @classmethod
    def of(cls, names: Iterable[str]) -> Listing:
        """Return the listing of some names."""
        count = total = 0
        for name in names:
            count += 1
            total += int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest())
        return cls(count, total)


class PictureReader:
    """Gives the pictures of a delivery, one archive open at a time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened."""
        self._folder = folder
        self._shard = ""
        self._archive: tarfile.TarFile | None = None

    def read(self, name: str) -> bytes | None:
        """Return a picture's bytes by its `file_name`; None when there is none or it cannot be read."""
        head, _, member = name.partition("/")
        if not head.endswith(".tar"):
            path = self._folder / name
            try:
                return path.read_bytes() if is_regular(path) else None
            except OSError:
                return None
        try:
            if head != self._shard:
                self.close()
                if not is_regular(self._folder / head):
                    return None
                self._archive = tarfile.open(self._folder / head, "r:")  # noqa: SIM115  # for many reads
                self._shard = head
            if self._archive is None or not (found := self._archive.getmember(member)).isreg():
                return None
            file = self._archive.extractfile(found)
            return None if file is None else file.read()
        except _UNREADABLE:
            return None

    def close(self) -> None:
        """Close the archive that is open."""
        if self._archive is not None:
            self._archive.close()
        self._archive, self._shard = None, ""


def check(folder: Path, *, making: bool = False) -> Verification:
    """Read a delivery back; its format stands in `export.json`.

    Args:
        folder: The delivery.
        making: It is still being made, and what that needs is no part of it.

    Raises:
        ExportRefused: The folder is no delivery, or one this release cannot check.
    """
    summary, exporter = _summary(folder)
    plain = _is_plain(folder)
    problems: list[str] = [
        joined(": ", (_shown(name), problem))
        for name, digest in summary["files"].items()
        if (problem := _file_problem(folder / name, digest))
    ]
    # Nothing else is opened then: a pipe in the place of a table would never end.
    intact = plain and not problems
    verified, names, found = _check_pictures(folder, summary, problems)
    known = {*summary["files"], SUMMARY}
    extra = [name for name in _files(folder) if name not in known and name not in names]
    problems += [
        say("{name}: not in the manifest", name=_shown(name))
        for name in sorted(extra)
        if not (making and name.startswith(f"{WORK}/"))
    ]
    if intact and (problem := _table_problem(exporter, folder, summary, found)):
        problems.append(problem)
    if len(names) != summary["images"]:
        problems.append(
            say(
                "{manifest}: lists {count} pictures, {summary} says {stated}",
                manifest=MANIFEST,
                count=len(names),
                summary=SUMMARY,
                stated=summary["images"],
            )
        )
    return Verification(
        files=len(names),
        verified=verified,
        problems=tuple(problems),
        format=exporter.name,
        signed=summary["c2pa"] is not None and verified > 0,
    )


def _summary(folder: Path) -> tuple[dict[str, Any], Exporter]:
    if not os.path.isdir(folder):  # says no to a name that is too long, too
        raise ExportRefused(say("no folder {folder}; give the path of a delivery", folder=_shown(str(folder))))
    try:
        if not is_regular(folder / SUMMARY):
            raise ValueError(SUMMARY)
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        version = summary["format_version"]
        if version != FORMAT_VERSION:
            raise ExportRefused(
                say(
                    "{folder} is a delivery of version {version}, this release checks {known}; export again",
                    folder=folder,
                    version=version,
                    known=FORMAT_VERSION,
                )
            )
        exporter = FORMATS[summary["format"]]
        files = summary["files"]
        sound = all(is_inside(name) and isinstance(digest, str) for name, digest in files.items())
        if not sound or not {MANIFEST, EXCLUDED} <= files.keys():
            raise ValueError(files)
        return {"images": 0, "base_url": "", "c2pa": None, **summary}, exporter
    except (*_UNREADABLE, AttributeError) as error:
        raise ExportRefused(
            say(
                "{folder} is no complete delivery: {summary} is missing or damaged; export again",
                folder=folder,
                summary=SUMMARY,
            )
        ) from error


def _check_pictures(folder: Path, summary: dict[str, Any], problems: list[str]) -> tuple[int, set[str], Listing]:
    """Check each picture of the manifest; return how many agree, and their names twice: all, and as a listing."""
    names: set[str] = set()
    reader, verified = PictureReader(folder), 0
    if not is_regular(folder / MANIFEST):
        return verified, names, Listing.of(names)  # the digests have told
    try:
        for row in read_rows(folder / MANIFEST):
            name = row["file_name"]
            problem = say("listed twice") if name in names else _picture_problem(reader, row, summary)
            names.add(name)
            if problem is None:
                verified += 1
            else:
                problems.append(joined(": ", (_shown(name), problem)))
    except _UNREADABLE:
        problems.append(say("{table}: cannot be read after {count} pictures", table=MANIFEST, count=len(names)))
    finally:
        reader.close()
    return verified, names, Listing.of(names)


def _picture_problem(reader: PictureReader, row: Row, summary: dict[str, Any]) -> str | None:
    data = reader.read(row["file_name"])
    if data is None:
        return say("missing")
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        return say("changed since the export")
    try:
        mark = provenance.source_type(data)
    except provenance.ProvenanceError:
        return say("not a picture")
    if mark != provenance.TRAINED:
        return say("carries no provenance mark")
    if summary["c2pa"] is None:
        return None
    review = c2pa_signing.review_of(row["policy_version"], row["approvals"])
    return c2pa_signing.problem(data, review, stamped="stamps_from" in summary["c2pa"])


def _table_problem(exporter: Exporter, folder: Path, summary: dict[str, Any], expected: Listing) -> str | None:
    tables = ", ".join(_shown(name) for name in summary["files"] if name not in (MANIFEST, EXCLUDED))
    try:
        if Listing.of(exporter.listed(folder, summary["base_url"])) == expected:
            return None
    except _UNREADABLE as error:
        return say(
            "{tables}: cannot be read as {format} ({error})",
            tables=tables or exporter.name,
            format=exporter.name,
            error=_shown(str(error)),
        )
    return say("{tables}: does not list the pictures of {manifest}", tables=tables, manifest=MANIFEST)


def _file_problem(path: Path, digest: str) -> str | None:
    try:
        found = digest_of(path)
    except OSError as error:
        return say("cannot be read ({error})", error=told(error))
    if found is None:
        return say("missing")
    return None if found == digest else say("changed since the export")


def _is_plain(folder: Path) -> bool:
    try:
        return all(map(is_plain, walked(folder)))
    except OSError as error:
        raise ExportRefused(
            say(
                "cannot read {shown} ({error}); allow reading or give another folder",
                shown=_shown(str(error.filename)),
                error=told(error),
            )
        ) from error


def _shown(text: str) -> str:
    """Return a name or another's words as a part of one line."""
    return shortened(one_line(printable(text)), _NAME_SHOWN_CHARS)


def _files(folder: Path) -> Iterator[str]:
    for found in walked(folder):
        if not found.is_dir(follow_symlinks=False):
            yield Path(found.path).relative_to(folder).as_posix()
