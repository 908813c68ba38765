"""The files of a dump, and the rules by which a written path may name one of them.

Nothing outside the dump folder is ever opened. One leading slash means the dump's root, as many
shops write, and a web address the file of its name; drive letters, UNC names, `..` and links that
leave the folder are refused.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from catalog.errors import IngestRefused, PathRefused

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"})
TEXT_SUFFIXES = frozenset({".txt", ".md", ".html", ".htm"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt"})
MAX_FILES = 2_000_000
_EXCERPT = 120
_DRIVE = re.compile(r"^[A-Za-z]:")
_LINK = re.compile(r"^(?:https?://[^/?#\s]+|//[^/?#\s]+\.[a-z]{2,}(?=/))([^?#]*)", re.I)
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "node_modules"})


@dataclass(frozen=True, kw_only=True)
class DumpFile:
    """One regular file of a dump as seen when the folder was listed."""

    path: str
    """Path from the dump's root, `/` separated, NFC; never used for opening."""
    actual: Path
    """Absolute path on disk, in whatever normal form the file system keeps."""
    size: int
    mtime_ns: int

    @property
    def suffix(self) -> str:
        """Lower-case suffix with its dot."""
        return os.path.splitext(self.path)[1].lower()

    @property
    def folder(self) -> str:
        """Path of the folder the file is in; empty at the root."""
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """File name without suffix."""
        return os.path.splitext(self.path.rpartition("/")[2])[0]

    def read(self, limit: int) -> bytes:
        """Return the content, at most `limit` + 1 bytes so that a caller can tell it was too long."""
        with self.actual.open("rb") as file:
            return file.read(limit + 1)


class Dump:
    """A listed dump folder."""

    def __init__(self, root: Path, *, leave_out: Path | None = None) -> None:
        """List the folder.

        Args:
            root: The dump.
            leave_out: Folder that is not part of it even if it lies inside, such as the workspace.

        Raises:
            IngestRefused: It is missing, no folder, unreadable or empty.
        """
        self.root = checked_root(root)
        self.files: dict[str, DumpFile] = {}
        self.escaping: dict[str, str] = {}
        """Links that leave the folder: their path → where they point."""
        self.unreadable: dict[str, str] = {}
        """Files and folders that could not be looked at: their path → why."""
        self._left_out = None if leave_out is None else os.path.realpath(leave_out)
        for file in self._walk():
            self.files.setdefault(file.path, file)
        if not self.files:
            raise IngestRefused(f"{root} holds no files; give the folder that holds the tables and pictures")
        self._folded: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        for path in self.files:
            self._folded.setdefault(path.casefold(), []).append(path)
            self._by_name.setdefault(path.rpartition("/")[2].casefold(), []).append(path)
        self._suggested = 0

    def with_suffix(self, suffixes: Iterable[str]) -> list[DumpFile]:
        """Return the files with one of these suffixes, by path."""
        wanted = frozenset(suffixes)
        return [self.files[path] for path in sorted(self.files) if self.files[path].suffix in wanted]

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
        return self._resolve_end(relative, written, suggest)

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
                detail = f"{excerpt(written)} is a URL; nothing is fetched, put the file into the dump under its name"
                raise PathRefused("URL_NOT_FETCHED" if error.code == "FILE_MISSING" else error.code, detail) from error

    def _resolve_end(self, relative: str, written: str, suggest: bool) -> DumpFile:
        ending = "/" + relative.casefold()
        name = relative.rpartition("/")[2].casefold()
        found = [path for path in self._by_name.get(name, []) if f"/{path.casefold()}".endswith(ending)]
        if len(found) == 1:
            return self.files[found[0]]
        if found:
            raise PathRefused(
                "FILE_AMBIGUOUS", f"{excerpt(written)} is the end of {len(found)} files: {', '.join(found[:3])}"
            )
        raise PathRefused("FILE_MISSING", f"{excerpt(written)} is not in the dump{self._near(name) if suggest else ''}")

    def _near(self, name: str) -> str:
        # Fuzzy matching is quadratic in the worst case; the first findings are what a person needs.
        if self._suggested >= 50:
            return ""
        self._suggested += 1
        near = difflib.get_close_matches(name, list(self._by_name)[:20_000], n=2, cutoff=0.8)
        return f"; similar: {', '.join(self._by_name[hit][0] for hit in near)}" if near else ""

    def _refuse_leaving(self, tries: list[str], written: str) -> None:
        for path in tries:
            for link, target in self.escaping.items():
                if path == link or path.startswith(link + "/"):
                    raise PathRefused(
                        "FILE_ESCAPES_ROOT", f"{excerpt(written)}: the link {link} leaves the dump ({target})"
                    )

    def _walk(self) -> Iterator[DumpFile]:
        pending = [str(self.root)]
        seen = 0
        while pending:
            folder = pending.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                self.unreadable[_shown(os.path.relpath(folder, self.root))] = error.strerror or str(error)
                continue
            for entry in entries:
                if _is_junk(entry.name) or entry.path == self._left_out:
                    continue
                try:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                        continue
                    file = self._listed(entry)
                except OSError as error:
                    self.unreadable[_shown(os.path.relpath(entry.path, self.root))] = error.strerror or str(error)
                    continue
                if file is not None:
                    seen += 1
                    yield file
                if seen > MAX_FILES:
                    raise IngestRefused(
                        f"{self.root} holds more than {MAX_FILES:,} files; split the dump into several folders"
                    )

    def _listed(self, entry: os.DirEntry[str]) -> DumpFile | None:
        path = _shown(os.path.relpath(entry.path, self.root))
        actual = Path(entry.path)
        if entry.is_symlink():
            target = Path(os.path.realpath(entry.path))
            if not target.is_relative_to(self.root):
                self.escaping[path] = str(target)
                return None
            actual = target
        info = actual.stat()
        # A pipe or device would block or never end.
        if not stat.S_ISREG(info.st_mode):
            return None
        return DumpFile(path=path, actual=actual, size=info.st_size, mtime_ns=info.st_mtime_ns)


def clean_path(written: str) -> str:
    """Return the root-relative, `/` separated, NFC form of a written path.

    Raises:
        PathRefused: The path is of a kind that is never followed.
    """
    text = written.strip()
    if not text or "\x00" in text or any(ord(char) < 32 for char in text):
        raise PathRefused("FILE_BAD_PATH", f"{excerpt(written)} is no file name")
    if _SCHEME.match(text) or "://" in text:
        raise PathRefused("URL_NOT_FETCHED", f"{excerpt(written)} is a URL; only files in the dump folder are read")
    if text[:2] in ("//", "\\\\", "/\\", "\\/"):
        raise PathRefused("FILE_ESCAPES_ROOT", f"{excerpt(written)} names another machine (UNC)")
    if _DRIVE.match(text):
        raise PathRefused("FILE_ESCAPES_ROOT", f"{excerpt(written)} names a drive; write paths from the dump's root")
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in (part.strip() for part in parts):
        raise PathRefused("FILE_ESCAPES_ROOT", f"{excerpt(written)} holds '..'")
    if not parts:
        raise PathRefused("FILE_BAD_PATH", f"{excerpt(written)} is no file name")
    # NFC only: NFKC would turn a full-width '．．' into '..'.
    return unicodedata.normalize("NFC", "/".join(parts))


def excerpt(text: str) -> str:
    """Return a printable one-line excerpt in quotes."""
    shown = "".join(char if char.isprintable() else "?" for char in text[:_EXCERPT])
    return f"'{shown}{'…' if len(text) > _EXCERPT else ''}'"


def _shown(relative: str) -> str:
    path = relative.replace(os.sep, "/")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        # Names unpacked from a Japanese zip without conversion; the database keeps text only.
        path = os.fsencode(path).decode("cp932", "backslashreplace")
    return unicodedata.normalize("NFC", path)


def _is_junk(name: str) -> bool:
    return name.startswith((".", "~$", "._")) or name.lower() in _JUNK_NAMES


def checked_root(root: Path) -> Path:
    """Return the real path of a dump folder; raises IngestRefused when it is missing, no folder or unreadable."""
    shown = str(root)
    if not root.exists():
        raise IngestRefused(f"no such dump: {shown}; give the folder that holds the tables and pictures")
    if not root.is_dir():
        raise IngestRefused(f"{shown} is a file; give the folder it is in (unpack archives first)")
    try:
        os.listdir(root)
    except OSError as error:
        raise IngestRefused(f"cannot read {shown} ({error.strerror}); allow reading or give another folder") from error
    return Path(os.path.realpath(root))
