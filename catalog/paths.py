"""The files of a dump, and the rules by which a written path may name one of them.

Nothing outside the dump is ever opened. One leading slash means the dump's root, as many shops
write, and a web address the file of its name; drive letters, UNC names, `..` and links that leave
the folder are refused. What is in a zip or tar is listed as if it lay in a folder of that name.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from urllib.parse import unquote

from catalog import archives
from catalog.dump_file import DumpFile as DumpFile
from catalog.errors import IngestRefused, PathRefused
from catalog.path_rules import clean_path as clean_path
from catalog.path_rules import excerpt as excerpt
from catalog.path_rules import is_junk, shown_path
from catalog.phrases import say, told
from catalog.records import Corrections, Issue

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"})
TEXT_SUFFIXES = frozenset({".txt", ".md", ".html", ".htm"}) | (
    {".pdf"} if importlib.util.find_spec("pypdfium2") else frozenset()
)
"""Files of running text; PDF where the extra `pdf` is installed."""
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt"})
WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
MAX_FILES = 2_000_000
WORKBOOK_PICTURES = "/xl/media/"
"""Where the pictures of a workbook lie, which is a zip."""
_QUERY = re.compile(r"(.+?\.\w{2,5})[?#].*", re.S)
_LINK = re.compile(r"^(?:https?://[^/?#\s]+|//[^/?#\s]+\.[a-z]{2,}(?=/))([^?#]*)", re.I)
_TABLES_AT_TOP = (".csv", ".tsv", ".jsonl", ".xml", ".toml", *WORKBOOK_SUFFIXES)


class Dump:
    """A listed dump: a folder, or a zip or tar file."""

    def __init__(
        self, root: Path | str, *, leave_out: Path | None = None, corrections: Corrections | None = None
    ) -> None:
        """List the dump.

        Args:
            root: The folder or archive.
            leave_out: Folder that is not part of it even if it lies inside, such as the workspace.
            corrections: Rows of its tables that a person corrected; they count instead of those that are there.

        Raises:
            IngestRefused: It is missing, neither folder nor archive, unreadable or empty.
        """
        self.root = checked_root(root)
        self.corrections = corrections or Corrections()
        self.corrected: set[tuple[str, int]] = set()
        """Corrections that found their row."""
        self.files: dict[str, DumpFile] = {}
        self.escaping: dict[str, str] = {}
        """Links that leave the folder: their path → where they point."""
        self.unreadable: dict[str, str] = {}
        """Files and folders that could not be looked at: their path → why."""
        self.ignored: dict[str, str] = {}
        """What else is there and not read: its path → why, or the code of the issue that says so."""
        self.archives: dict[str, int] = {}
        """Archives in the dump whose entries are among its files: their path → how many."""
        self.issues: list[Issue] = []
        """What the archives in it hold that is not read."""
        self._left_out = None if leave_out is None else os.path.realpath(leave_out)
        self._temporary: Path | None = None
        self._copies: dict[str, Path] = {}
        if self.root.is_dir():
            self._walk()
            for file in [file for file in self.files.values() if _is_archive_name(file.path)]:
                self._open_archive(file)
        else:
            self._add_all(self._listed_root())
        for file in sorted(self.files.values(), key=attrgetter("path")):
            if file.suffix in (".xlsx", ".xlsm"):
                self._add_pictures_of(file)
        if not self.files:
            raise IngestRefused(
                say(
                    "{root} holds no files that are read; give the folder or archive that holds the tables and "
                    "pictures",
                    root=root,
                )
            )
        self.recalled: set[str] = set()
        """Paths among `files` that are not here but were in an earlier dump."""
        self._folded: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        self._index(self.files)
        self._suggested = 0
        self._by_suffix = self._listed_by_suffix()

    def recall(self, files: Mapping[str, tuple[int, int]]) -> None:
        """Let written paths name files of an earlier dump too: a dump of changes brings its texts, not all pictures.

        Args:
            files: Path → size in bytes and time of the last change in ns.
        """
        gone = {path: seen for path, seen in files.items() if path not in self.files}
        for path, (size, mtime_ns) in gone.items():
            self.files[path] = DumpFile(path=path, actual=self.root / path, size=size, mtime_ns=mtime_ns)
        self.recalled.update(gone)
        self._index(gone)
        self._by_suffix = self._listed_by_suffix()

    def _index(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._folded.setdefault(path.casefold(), []).append(path)
            self._by_name.setdefault(path.rpartition("/")[2].casefold(), []).append(path)

    def with_suffix(self, suffixes: Iterable[str]) -> list[DumpFile]:
        """Return the files with one of these suffixes, by path."""
        found = [self._by_suffix[suffix] for suffix in set(suffixes) & self._by_suffix.keys()]
        return list(found[0]) if len(found) == 1 else sorted(chain.from_iterable(found), key=attrgetter("path"))

    def _listed_by_suffix(self) -> dict[str, list[DumpFile]]:
        by_suffix: dict[str, list[DumpFile]] = {}
        for path in sorted(self.files):
            by_suffix.setdefault(self.files[path].suffix, []).append(self.files[path])
        return by_suffix

    def resolve(self, written: str, *, folder: str = "", suggest: bool = True) -> DumpFile:
        """Return the file a manifest means.

        Tried in order: below the manifest's own folder, below the root, the same ignoring case, and
        as the end of exactly one file's path (a bare name, or the dump's own picture folder left out).

        Args:
            written: Path as the manifest has it.
            folder: Folder of the manifest inside the dump.
            suggest: Name similar files when nothing matches; costs time in large dumps.

        Raises:
            PathRefused: With code FILE_BAD_PATH, FILE_ESCAPES_ROOT, URL_NOT_FETCHED, FILE_AMBIGUOUS or FILE_MISSING.
        """
        link = _LINK.match(written.strip())
        if link:
            return self._resolve_link(unquote(link[1]), written)
        relative = clean_path(written)
        tries = [relative]
        if folder and not written.strip().startswith(("/", "\\")):
            tries.insert(0, f"{folder}/{relative}")
        for path in tries:
            if path in self.files:
                return self.files[path]
        self._refuse_leaving(tries, written)
        for path in tries:
            folded = self._folded.get(path.casefold(), [])
            if len(folded) == 1:
                return self.files[folded[0]]
        if "%" in relative and (plain := unquote(relative)) != relative:
            # Copied from a web address; a file that is really called so was found above.
            try:
                return self.resolve(plain, folder=folder, suggest=False)
            except PathRefused as error:
                if error.code != "FILE_MISSING":
                    raise
        try:
            return self._resolve_end(relative, written, suggest)
        except PathRefused as error:
            # `a.jpg?v=2` is an address without its server.
            if error.code != "FILE_MISSING" or not (address := _QUERY.fullmatch(relative)):
                raise
            with suppress(PathRefused):
                return self.resolve(address[1], folder=folder, suggest=False)
            raise

    def _resolve_link(self, way: str, written: str) -> DumpFile:
        """Return the file a web address names if the dump holds it: shops write addresses and pack the files."""
        tail = clean_path(way.strip("/") or "?")
        while True:
            try:
                return self._resolve_end(tail, written, suggest=False)
            except PathRefused as error:
                if "/" in tail and error.code == "FILE_MISSING":
                    tail = tail.partition("/")[2]  # the folders of a web server are seldom those of the dump
                    continue
                detail = say(
                    "{written} is a URL; nothing is fetched, put the file into the dump under its name",
                    written=excerpt(written),
                )
                raise PathRefused("URL_NOT_FETCHED" if error.code == "FILE_MISSING" else error.code, detail) from error

    def _resolve_end(self, relative: str, written: str, suggest: bool) -> DumpFile:
        ending = "/" + relative.casefold()
        name = relative.rpartition("/")[2].casefold()
        found = self._by_name.get(name, [])
        if name != relative.casefold():
            found = [path for path in found if self._ends(self.files[path], ending)]
        if len(found) == 1:
            return self.files[found[0]]
        if found:
            raise PathRefused(
                "FILE_AMBIGUOUS",
                say(
                    "{written} is the end of {count} files: {found}",
                    written=excerpt(written),
                    count=len(found),
                    found=", ".join(found[:3]),
                ),
            )
        raise PathRefused(
            "FILE_MISSING",
            say(
                "{written} is not in the dump{similar}",
                written=excerpt(written),
                similar=self._near(name) if suggest else "",
            ),
        )

    def _near(self, name: str) -> str:
        # Fuzzy matching is quadratic in the worst case; the first findings are what a person needs.
        if self._suggested >= 50:
            return ""
        self._suggested += 1
        near = difflib.get_close_matches(name, list(self._by_name)[:20_000], n=2, cutoff=0.8)
        return say("; similar: {names}", names=", ".join(self._by_name[hit][0] for hit in near)) if near else ""

    def _refuse_leaving(self, tries: list[str], written: str) -> None:
        for path in tries:
            parts = path.split("/")
            for length in range(1, len(parts) + 1 if self.escaping else 1):
                link = "/".join(parts[:length])
                if (target := self.escaping.get(link)) is not None:
                    raise PathRefused(
                        "FILE_ESCAPES_ROOT",
                        say(
                            "{written}: the link {link} leaves the dump ({target})",
                            written=excerpt(written),
                            link=link,
                            target=target,
                        ),
                    )

    @staticmethod
    def _ends(file: DumpFile, ending: str) -> bool:
        if f"/{file.path.casefold()}".endswith(ending):
            return True
        # `img/a.jpg` is what a table says of `img.zip`, whose writer saw it unpacked.
        inside = file.path[len(file.container) :]
        return bool(file.container) and f"/{archives.archive_stem(file.container)}{inside}".casefold().endswith(ending)

    def local_path(self, file: DumpFile) -> Path:
        """Return a path under which a file can be opened; an archive's entry is copied to a temporary file first."""
        if file.entry is None:
            return file.actual
        if file.path in self._copies:
            return self._copies[file.path]
        folder = Path(tempfile.mkdtemp(dir=self._temporary_folder()))
        copy = folder / (file.path.rpartition("/")[2] or "entry")
        with copy.open("wb") as out:
            for chunk in file.chunks(file.size):
                out.write(chunk)
        self._copies[file.path] = copy
        return copy

    def _temporary_folder(self) -> Path:
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="adapt-dump-"))
            weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)
        return self._temporary

    def _spool(self) -> Path:
        handle, name = tempfile.mkstemp(dir=self._temporary_folder())
        os.close(handle)
        return Path(name)

    # --- listing ---------------------------------------------------------------------------------

    def _add(self, file: DumpFile) -> None:
        known = self.files.get(file.path)
        if known is not None:
            # The same name in two normal forms; the one that is as written here stays.
            kept, other = (file, known) if file.actual.name == file.path.rpartition("/")[2] else (known, file)
            detail = say(
                "two files have this name in different Unicode forms; {name} is read",
                name=excerpt(ascii(kept.actual.name)),
            )
            self.issues.append(Issue(source=file.path, reason="FILE_AMBIGUOUS", detail=detail, severity="warning"))
            self.ignored[ascii(other.actual.name)[1:-1]] = "FILE_AMBIGUOUS"
            file = kept
        self.files[file.path] = file
        if len(self.files) > MAX_FILES:
            raise IngestRefused(
                say(
                    "{root} holds more than {limit:,} files; split the dump into several folders",
                    root=self.root,
                    limit=MAX_FILES,
                )
            )

    def _add_all(self, listing: archives.Listing) -> None:
        self.issues += listing.issues()
        prefix = f"{listing.container}/" if listing.container else ""
        self.ignored.update((prefix + name, why) for name, why in listing.ignored.items())
        for file in listing.files.values():
            self._add(file)

    def _listed_root(self) -> archives.Listing:
        try:
            listing = archives.list_archive(self.root, "", self._spool)
        except archives.ArchiveRefused as error:
            raise IngestRefused(
                say("{root} is not read ({code}): {detail}", root=self.root, code=error.code, detail=error.detail)
            ) from error
        if listing.damage and not listing.files:
            raise IngestRefused(
                say("{root} is not read (ZIP_DAMAGED): {damage}", root=self.root, damage=listing.damage)
            )
        return _without_top_folder(listing)

    def _open_archive(self, file: DumpFile) -> None:
        """Put the entries of an archive that lies in the dump into its place."""
        del self.files[file.path]
        try:
            listing = archives.list_archive(file.actual, file.path, self._spool)
        except archives.ArchiveRefused as error:
            self.issues.append(Issue(source=file.path, reason=error.code, detail=error.detail))
            self.ignored[file.path] = error.code
            return
        if self._is_unpacked(file, listing):
            detail = say("all its {count} files lie unpacked beside it, and those are read", count=len(listing.files))
            self.issues.append(Issue(source=file.path, reason="ZIP_UNPACKED", detail=detail, severity="warning"))
            self.ignored[file.path] = "ZIP_UNPACKED"
            return
        self.archives[file.path] = len(listing.files)
        self._add_all(listing)

    def _is_unpacked(self, file: DumpFile, listing: archives.Listing) -> bool:
        beside = f"{file.folder}/" if file.folder else ""
        name = archives.archive_stem(file.path.rpartition("/")[2])
        for folder in (beside, f"{beside}{name}/"):
            pairs = [(self.files.get(folder + path), entry) for path, entry in listing.files.items()]
            if pairs and all(found is not None and found.size == entry.size for found, entry in pairs):
                return True
        return False

    def _add_pictures_of(self, workbook: DumpFile) -> None:
        """List the pictures inside a workbook, which is a zip; what is wrong with it is said when it is read."""
        try:
            local = self.local_path(workbook)
            listing = archives.list_archive(local, workbook.path, self._spool)
        except (archives.ArchiveRefused, OSError):
            return
        for file in listing.files.values():
            if WORKBOOK_PICTURES in file.path and file.suffix in IMAGE_SUFFIXES:
                self._add(file)

    def _walk(self) -> None:
        pending = [(str(self.root), "")]
        while pending:
            folder, why = pending.pop()
            shown = "" if folder == str(self.root) else shown_path(os.path.relpath(folder, self.root)) + "/"
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                self.unreadable[shown.rstrip("/")] = told(error)
                continue
            for entry in entries:
                path = shown + shown_path(entry.name)
                junk = why or (
                    say("{junk} is hidden or left by a system", junk=entry.name) if is_junk(entry.name) else ""
                )
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if _is_workspace(entry.path) and entry.path != self._left_out:
                            self.ignored[path + "/"] = say("a workspace of adapt")
                        elif entry.path != self._left_out:
                            pending.append((entry.path, junk))
                    elif junk:
                        self.ignored[path] = junk
                    else:
                        self._look_at(entry, path)
                except OSError as error:
                    self.unreadable[path] = told(error)

    def _look_at(self, entry: os.DirEntry[str], path: str) -> None:
        actual = Path(entry.path)
        if entry.is_symlink():
            target = Path(os.path.realpath(entry.path))
            if not target.is_relative_to(self.root):
                self.escaping[path] = str(target)
                return
            actual = target
        info = entry.stat()
        # A pipe or device would block or never end.
        if stat.S_ISREG(info.st_mode):
            self._add(DumpFile(path=path, actual=actual, size=info.st_size, mtime_ns=info.st_mtime_ns))
        else:
            folder = stat.S_ISDIR(info.st_mode)
            self.ignored[path] = say("a link to a folder of the dump") if folder else say("a pipe or device")


def _is_workspace(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "catalog.db")) and os.path.isdir(os.path.join(folder, "blobs"))


def _is_archive_name(path: str) -> bool:
    return path.lower().endswith(archives.ARCHIVE_SUFFIXES)


def _without_top_folder(listing: archives.Listing) -> archives.Listing:
    """Take off the one folder that everything in an archive lies in, unless its name may be the product's."""
    tops = {path.partition("/")[0] for path in listing.files}
    if len(tops) != 1 or any("/" not in path for path in listing.files):
        return listing
    directly = [file.suffix for path, file in listing.files.items() if path.count("/") == 1]
    if set(directly) & IMAGE_SUFFIXES and not set(directly) & set(_TABLES_AT_TOP):
        return listing
    length = len(tops.pop()) + 1
    listing.files = {path[length:]: replace(file, path=file.path[length:]) for path, file in listing.files.items()}
    return listing


def checked_root(root: Path | str) -> Path:
    """Return the real path of a dump; raises IngestRefused when it is missing, unreadable, or no folder or archive."""
    shown, advice = str(root), say("give the folder or archive that holds the tables and pictures")
    if not shown.strip():
        raise IngestRefused(say("the path of the dump is empty; {advice}", advice=advice))
    root = Path(root)
    if not root.exists():
        raise IngestRefused(say("no such dump: {shown}; {advice}", shown=shown, advice=advice))
    try:
        if root.is_dir():
            os.listdir(root)
        elif not root.is_file() or root.suffix.lower() in WORKBOOK_SUFFIXES or not archives.is_archive(root):
            raise IngestRefused(say("{shown} is a file and no zip or tar; give the folder it is in", shown=shown))
    except OSError as error:
        raise IngestRefused(
            say("cannot read {shown} ({error}); allow reading or give another folder", shown=shown, error=told(error))
        ) from error
    return Path(os.path.realpath(root))
