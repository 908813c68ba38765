"""Files in a folder that others may write to: links are not followed, pipes and devices not opened."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def walked(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield everything below a folder, links not followed and nothing collected: pictures may be a hundred thousand."""
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def is_plain(found: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a file: no link, pipe or device."""
    return found.is_dir(follow_symlinks=False) or found.is_file(follow_symlinks=False)


def is_regular(path: Path) -> bool:
    """Whether a file is there that can be read to its end: no link, folder, pipe or device, and no name too long."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file; None when there is none or something else stands in its place."""
    if not is_regular(path):
        return None
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()
