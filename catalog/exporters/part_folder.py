"""A delivery on its way: a hidden folder beside its final place, filled step by step and then given its name.

What a killed export left is used again: each finished file is noted with its digest, and a file that still has that
digest is not written a second time. Notes hold for one state only, a digest of everything the files depend on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from catalog.errors import ExportRefused
from catalog.phrases import say

WORK = ".work"
"""What making a delivery needs, inside its folder until it is complete."""
_CHUNK_BYTES = 1 << 20


class Digests:
    """SHA-256 by number, in a file of 32 bytes each: what a kill tears is no digest of anything and is done again."""

    def __init__(self, path: Path) -> None:
        """Open the file, made if missing."""
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0)

    def get(self, index: int) -> str:
        """Return the digest noted for a number; one of zeros or an empty text where there is none."""
        self._file.seek(index * 32)
        return self._file.read(32).hex()

    def put(self, index: int, digest: str) -> None:
        """Note a digest."""
        self._file.seek(index * 32)
        self._file.write(bytes.fromhex(digest))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class PartFolder:
    """The folder a delivery is made in.

    Attributes:
        path: Where it is until it is complete.
        reused: Files taken over from an export that was stopped.
    """

    def __init__(self, target: Path) -> None:
        """Choose the place; nothing is made."""
        self._target = target
        self.path = target.with_name(f".{target.name}.part")
        self._work = self.path / WORK
        self.reused = 0
        self._open: dict[str, Digests] = {}

    def begin(self, state: str, plan: Callable[[Path], str]) -> Path:
        """Make the folder, or take over one that was made for the same state.

        Args:
            state: Names what the files depend on besides the plan.
            plan: Writes what is to be delivered to an empty folder and returns a digest of it.

        Returns:
            The folder with the plan.

        Raises:
            ExportRefused: A link stands in the folder's place.
        """
        if self.path.is_symlink():
            raise ExportRefused(say("{path} is a link; remove it and run the same command again", path=self.path))
        fresh, kept, mark = self._work / "plan.new", self._work / "plan", self._work / "state"
        for old in (fresh, kept):
            shutil.rmtree(old, ignore_errors=True)
        fresh.mkdir(parents=True)
        whole = hashlib.sha256(f"{state}\n{plan(fresh)}".encode()).hexdigest()
        if not mark.is_file() or mark.read_text() != whole:
            for found in (*self.path.iterdir(), *self._work.iterdir()):
                if found not in (self._work, fresh):
                    shutil.rmtree(found) if found.is_dir() and not found.is_symlink() else found.unlink()
            mark.write_text(whole)
        fresh.rename(kept)
        return kept

    def digests(self, kind: str) -> Digests:
        """Return the notes about one kind of file."""
        if kind not in self._open:
            self._open[kind] = Digests(self._work / kind)
        return self._open[kind]

    def keep(self, kind: str, index: int, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Have a file: as it is there with the digest that was noted, or written now.

        Args:
            kind: Which notes to use.
            index: Number of the file in these notes.
            name: Path in the delivery.
            write: Writes the content.
        """
        path, notes = self.path / name, self.digests(kind)
        if notes.get(index) == digest_of(path):
            self.reused += 1
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.writing(name) as file:
            write(file)
        notes.put(index, digest_of(path) or "")

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file of the delivery to write to."""
        path = self.path / name
        path.unlink(missing_ok=True)  # never through a link somebody put there
        with path.open("xb") as file:
            yield file

    def publish(self) -> None:
        """Wait until the disk has everything, then give the folder its name.

        Raises:
            ExportRefused: There is something of that name by now.
        """
        self.close()
        # All at the end: most is on the disk by then, and waiting after each of many small files took most of the time.
        for found in walked(self.path):
            if found.is_file():
                _sync(Path(found.path))
        shutil.rmtree(self._work)
        for found in walked(self.path):
            if found.is_dir():
                _sync_folder(Path(found.path))
        _sync_folder(self.path)
        if self._target.exists() or self._target.is_symlink():
            raise ExportRefused(
                say("{target} exists by now; choose another folder with --out DIR, or remove it", target=self._target)
            )
        self.path.rename(self._target)
        _sync_folder(self._target.parent)

    def close(self) -> None:
        """Close the notes; the folder stays."""
        for digests in self._open.values():
            digests.close()
        self._open.clear()

    def discard(self) -> None:
        """Remove the folder with everything in it."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)


def walked(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield everything below a folder, links not followed and nothing collected: pictures may be a hundred thousand."""
    with os.scandir(folder) as found:
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from walked(Path(entry.path))


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file; None when there is none or a folder or link stands in its place."""
    if path.is_symlink() or not path.is_file():
        return None
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # folders cannot be opened elsewhere
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, flags: int = os.O_RDWR) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
