"""A delivery on its way: a hidden folder beside its final place, filled step by step and then given its name.

What a killed export left is used again: each finished file is noted with its digest, and a file that still has that
digest is not written a second time. Notes hold for one state only, a digest of everything the files depend on.

One export at a time works in it, whichever workspace it is of, and no link in it is ever followed: whoever may write
beside a delivery must not be able to have anything else emptied or written to.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from catalog.errors import CatalogUnwritable, ExportRefused
from catalog.exporters.plain_files import digest_of, is_plain, walked
from catalog.lock import file_lock
from catalog.phrases import say, told

WORK = ".work"
"""What making a delivery needs, inside its folder until it is complete."""
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


class Digests:
    """SHA-256 by number, in a file of 32 bytes each: what a kill tears is no digest of anything and is done again."""

    def __init__(self, path: Path) -> None:
        """Open the file, made if missing."""
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o644), "r+b", buffering=0)

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
        self._lock = lock_of(target)
        self.reused = 0
        self._open: dict[str, Digests] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other export out of the folder, of this workspace or another.

        Raises:
            ExportRefused: The place is taken by now, or a link stands where the lock is to be.
            CatalogUnwritable: Another export works in the folder, or nothing can be made beside it.
        """
        try:
            with suppress(FileExistsError):  # where it is no folder, the lock tells so in better words
                self._target.parent.mkdir(parents=True)
            _refuse_link(self._lock)
            self._lock.touch()
        except OSError as error:
            raise CatalogUnwritable(
                say(
                    "cannot make the delivery {target} ({error}); choose another folder with --out DIR",
                    target=self._target,
                    error=told(error),
                )
            ) from error
        with file_lock(self._lock, say("export")):
            try:
                self._refuse_taken()
                yield
            finally:
                with suppress(PermissionError):  # Windows removes no file that is open; an empty one stays
                    self._lock.unlink(missing_ok=True)

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
        _refuse_link(self.path)
        if self.path.is_dir():
            _remove_links(self.path)
        fresh, kept, mark = self._work / "plan.new", self._work / "plan", self._work / "state"
        for old in (fresh, kept):
            shutil.rmtree(old, ignore_errors=True)
        fresh.mkdir(parents=True)
        whole = hashlib.sha256(f"{state}\n{plan(fresh)}".encode()).hexdigest()
        if not mark.is_file() or mark.read_bytes() != whole.encode():
            for found in (*self.path.iterdir(), *self._work.iterdir()):
                if found not in (self._work, fresh):
                    shutil.rmtree(found) if found.is_dir() else found.unlink()
            mark.write_bytes(whole.encode())
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
        _refuse_link(path.parent)
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            yield file

    def publish(self, last_check: Callable[[], None]) -> None:
        """Wait until the disk has everything, then give the folder its name.

        Args:
            last_check: Called right before; what it raises leaves the folder without its name.

        Raises:
            ExportRefused: There is something of that name by now.
        """
        self.close()
        # All at the end: most is on the disk by then, and waiting after each of many small files took most of the time.
        for found in walked(self.path):
            if found.is_file(follow_symlinks=False):
                _sync(Path(found.path))
        shutil.rmtree(self._work)
        for found in walked(self.path):
            if found.is_dir(follow_symlinks=False):
                _sync_folder(Path(found.path))
        _sync_folder(self.path)
        self._refuse_taken()
        last_check()
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

    def _refuse_taken(self) -> None:
        if self._target.exists() or self._target.is_symlink():
            raise ExportRefused(
                say("{target} exists by now; choose another folder with --out DIR, or remove it", target=self._target)
            )


def lock_of(target: Path) -> Path:
    """Return the file that is held while a delivery is made; beside it, since its folder changes its name."""
    return target.with_name(f".{target.name}.part.lock")


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise ExportRefused(say("{path} is a link; remove it and run the same command again", path=path))


def _remove_links(folder: Path) -> None:
    """Remove what no export puts into a folder of its own: links, which lead elsewhere, and pipes and devices."""
    for path in [found.path for found in walked(folder) if not is_plain(found)]:
        os.unlink(path)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # folders cannot be opened elsewhere
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, flags: int = os.O_RDWR) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
