"""How a written path is read: what it may name, how the bytes of a name become text, which files are junk."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

from catalog.errors import PathRefused
from catalog.phrases import say

_EXCERPT = 120
_DRIVE = re.compile(r"^[A-Za-z]:")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL = re.compile(r"[\x00-\x1f]")
_JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "node_modules"})
_KANA = re.compile(r"[\u3041-\u30fe]")
_CJK = re.compile(r"[\u3005\u3041-\u30fe\u3400-\u9fff]")
_CP932_PAIR = re.compile(rb"(?:^|(?<=(.)))([\x81-\x9f\xe0-\xfc])([\x40-\x7e\x80-\xfc])", re.S)


def clean_path(written: str) -> str:
    """Return the root-relative, `/` separated, NFC form of a written path.

    Raises:
        PathRefused: The path is of a kind that is never followed.
    """
    text = written.strip()
    if not text or _CONTROL.search(text):
        raise PathRefused("FILE_BAD_PATH", say("{written} is no file name", written=excerpt(written)))
    if "://" in text or _SCHEME.match(text):
        raise PathRefused(
            "URL_NOT_FETCHED",
            say("{written} is a URL; only files in the dump folder are read", written=excerpt(written)),
        )
    if text[:2] in ("//", "\\\\", "/\\", "\\/"):
        raise PathRefused("FILE_ESCAPES_ROOT", say("{written} names another machine (UNC)", written=excerpt(written)))
    if _DRIVE.match(text):
        raise PathRefused(
            "FILE_ESCAPES_ROOT",
            say("{written} names a drive; write paths from the dump's root", written=excerpt(written)),
        )
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in text and ".." in (part.strip() for part in parts):
        raise PathRefused("FILE_ESCAPES_ROOT", say("{written} holds '..'", written=excerpt(written)))
    if not parts:
        raise PathRefused("FILE_BAD_PATH", say("{written} is no file name", written=excerpt(written)))
    # NFC only: NFKC would turn a full-width '．．' into '..'.
    path = "/".join(parts)
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def clean_entry(written: str) -> str:
    """Return the path of an archive's entry; unlike a cell of a table it may not start at a root.

    Raises:
        PathRefused: The name is absolute, climbs, names a drive or is none.
    """
    if written.startswith(("/", "\\")):
        raise PathRefused("FILE_ESCAPES_ROOT", say("{written} is an absolute path", written=excerpt(written)))
    return clean_path(written)


def excerpt(text: str) -> str:
    """Return a printable one-line excerpt in quotes."""
    shown = "".join(char if char.isprintable() else "?" for char in text[:_EXCERPT])
    return f"'{shown}{'…' if len(text) > _EXCERPT else ''}'"


def shown_path(relative: str) -> str:
    """Return a path on disk as the catalogue keeps it: `/` separated, NFC, text that a database takes."""
    path = relative.replace(os.sep, "/")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raw = os.fsencode(path)
        try:
            path = raw.decode("utf-8")  # Python was started in a locale that knows no such letters
        except UnicodeDecodeError:
            # Names unpacked from a Japanese zip without conversion; the database keeps text only.
            path = raw.decode("cp932", "backslashreplace")
    return unicodedata.normalize("NFC", path)


def is_junk(name: str) -> bool:
    """Whether a file or folder is left by a system or an editor, or hidden."""
    return name.startswith((".", "~$")) or name.lower() in _JUNK_NAMES


def junk_part(path: str) -> str | None:
    """Return the first part of a `/` separated path that makes it junk, or None."""
    return next((part for part in path.split("/") if is_junk(part)), None)


def name_encoding(names: Iterable[bytes]) -> str:
    """Return the encoding in which an archive's names without a Unicode mark are written.

    One archive is written by one program, so its names are decided together: UTF-8 where all of them
    are, CP932 where that yields Japanese, else CP437, the format's own.
    """
    odd = [name for name in names if not name.isascii()]
    if not odd:
        return "ascii"
    if _decodes(odd, "utf-8"):
        return "utf-8"
    return "cp932" if _decodes(odd, "cp932") and _is_japanese(odd) else "cp437"


def _decodes(names: Iterable[bytes], encoding: str) -> bool:
    try:
        for name in names:
            name.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_japanese(names: Iterable[bytes]) -> bool:
    """Whether names that decode as CP932 also read as it.

    `Möbel` in CP437 decodes, too: its ö and b make one kanji. Western letters above ASCII stand alone
    between letters; Japanese ones stand in runs, or at least beside no letter.
    """
    for name in names:
        text = name.decode("cp932")
        high = [char for char in text if char > "\x7f"]
        if 2 * len(_CJK.findall(text)) < len(high):
            return False
        pairs = _CP932_PAIR.findall(name)
        if pairs and all(trail < b"\x80" and before.isalpha() for before, _, trail in pairs):
            return False
    return True
