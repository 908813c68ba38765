"""Take picture files of a dump into the catalogue, reading only those that are new or changed.

Files are planned ahead, so that workers read them meanwhile, and settled in the order of the products: what a run
writes depends neither on the number of workers nor on their speed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.decoding import UNREADABLE, TakenPicture, take_picture
from catalog.images import MAX_BYTES
from catalog.paths import DumpFile
from catalog.phrases import say, told
from catalog.workers import WorkerDied, WorkerFailed, WorkerTimedOut

BIT_ROT = "IMG_BIT_ROT"
TIMED_OUT = "IMG_TIMEOUT"
CRASHED = "IMG_CRASHED"
TRANSIENT = frozenset({UNREADABLE, TIMED_OUT, CRASHED})
"""What a busy machine or a failing disk can cause: it leaves no trace in size and time, so it is tried again."""


@dataclass(frozen=True, kw_only=True)
class SeenFile:
    """What the catalogue remembers of a file, or what was found in it now."""

    size: int
    mtime_ns: int
    file_sha256: str
    image_sha256: str | None
    """Digest of the stored picture; None when the file was refused."""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class _SameAs:
    """A file with the content of one that was planned before it."""

    path: str
    """Path of the other file."""


@dataclass(kw_only=True)
class PictureIntake:
    """Decides for each file whether it is known, and has it decoded and stored when it is not."""

    executor: Executor
    """Runs `take_picture`."""
    blobs: str | None
    """Where the blob store is; None in a dry run: pictures are checked, nothing is stored."""
    remembered: Mapping[str, SeenFile]
    """By path in the dump, from earlier runs of this source."""
    stored: set[str]
    """Digests of all pictures the catalogue has, of any source."""
    known_sizes: Collection[int] = frozenset()
    """Sizes of remembered files and stored pictures, in bytes: only a file of such a size can be a copy of one."""
    verify: bool = False
    """Read files again even if size and time are as before."""
    recalled: Collection[str] = frozenset()
    """Files that this dump of changes names and does not hold: what is remembered of them counts."""
    new_images: list[dict[str, Any]] = field(default_factory=list)
    """Rows for the image table that no transaction has taken yet."""
    new_files: dict[str, SeenFile] = field(default_factory=dict)
    """Files to remember that no transaction has taken yet."""
    remarks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code and detail of what was odd about files whose picture is kept, by path."""
    images_added: int = 0
    images_reused: int = 0
    images_decoded: int = 0
    _plans: dict[str, SeenFile | _SameAs | Future[TakenPicture]] = field(default_factory=dict)
    _done: dict[str, SeenFile] = field(default_factory=dict)
    _by_content: dict[str, SeenFile] = field(default_factory=dict)
    _first_of_size: dict[int, DumpFile] = field(default_factory=dict)
    _first_of_content: dict[str, str] = field(default_factory=dict)
    _stored_before: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Index what is remembered by content, so that a moved file is not decoded again."""
        self._by_content = {seen.file_sha256: seen for seen in self.remembered.values() if seen.file_sha256}
        self._stored_before = frozenset(self.stored)

    @property
    def pending(self) -> int:
        """Files that are planned and not settled."""
        return len(self._plans)

    def plan(self, file: DumpFile) -> None:
        """Have `file` looked at; `settle` returns what came of it."""
        if file.path in self._done or file.path in self._plans:
            return
        seen = self.remembered.get(file.path)
        same = seen is not None and (seen.size, seen.mtime_ns) == (file.size, file.mtime_ns) and self._usable(seen)
        given = file.path not in self.recalled
        if seen is not None and same and not (self.verify and given and not self._verified(file, seen)):
            self._plans[file.path] = seen
        else:
            self._plans[file.path] = self._find(file)

    def settle(self, file: DumpFile) -> SeenFile:
        """Return what is in a planned file; a refused picture is an answer, not an error.

        Raises:
            CatalogUnwritable: The blob store cannot be written.
        """
        done = self._done.get(file.path)
        if done is not None:
            return done
        plan = self._plans.pop(file.path)
        if isinstance(plan, Future):
            seen = self._take(file, plan)
        elif isinstance(plan, _SameAs):
            # The other file was planned earlier, so it is settled.
            seen = replace(self._done[plan.path], size=file.size, mtime_ns=file.mtime_ns)
            self.images_reused += seen.image_sha256 is not None
        else:
            seen = plan
            self.images_reused += seen.image_sha256 is not None
        if seen is not self.remembered.get(file.path) and seen.reason not in TRANSIENT:
            self.new_files[file.path] = seen
        self._done[file.path] = seen
        return seen

    def handed_over(self) -> None:
        """Forget the pending rows after a transaction has taken them."""
        self.new_images.clear()
        self.new_files.clear()

    def _usable(self, seen: SeenFile) -> bool:
        return seen.image_sha256 is None or seen.image_sha256 in self._stored_before

    def _find(self, file: DumpFile) -> SeenFile | _SameAs | Future[TakenPicture]:
        """Return what is known of the content of a file, or have it read."""
        twin = self._first_of_size.setdefault(file.size, file)
        if file.size in self.known_sizes or twin is not file:
            try:
                digest = file_digest(file)
                if twin is not file:
                    self._first_of_content.setdefault(file_digest(twin), twin.path)
            except OSError:
                digest = ""  # the worker says why
            if digest:
                same = self._by_content.get(digest)
                if digest in self._stored_before:
                    return SeenFile(size=file.size, mtime_ns=file.mtime_ns, file_sha256=digest, image_sha256=digest)
                if same is not None and self._usable(same):
                    return replace(same, size=file.size, mtime_ns=file.mtime_ns)
                first = self._first_of_content.setdefault(digest, file.path)
                if first != file.path:
                    return _SameAs(first)
        return self.executor.submit(take_picture, file, self.blobs)

    def _verified(self, file: DumpFile, seen: SeenFile) -> bool:
        """Whether to go by what is remembered although the file was asked to be read again."""
        try:
            digest = file_digest(file)
        except OSError as error:
            self.remarks[file.path] = (
                UNREADABLE,
                say("{error}; the picture taken before stays", error=told(error)),
            )
            return seen.image_sha256 is not None
        if digest == seen.file_sha256:
            return True
        if seen.image_sha256 is None:
            return False
        detail = say(
            "the content changed although size and time did not; restore it from a backup, the stored picture stays"
        )
        self.remarks[file.path] = (BIT_ROT, detail)
        return True

    def _take(self, file: DumpFile, future: Future[TakenPicture]) -> SeenFile:
        taken = _outcome(future)
        self.images_decoded += 1
        seen = SeenFile(
            size=file.size,
            mtime_ns=file.mtime_ns,
            file_sha256=taken.file_sha256,
            image_sha256=None if taken.row is None else str(taken.row["sha256"]),
            reason=taken.reason,
            detail=taken.detail,
        )
        if taken.row is not None and seen.image_sha256 is not None:
            if seen.image_sha256 in self.stored:
                self.images_reused += 1
            else:
                self.stored.add(seen.image_sha256)
                self.new_images.append(dict(taken.row))
                self.images_added += 1
        return seen


def file_digest(file: DumpFile) -> str:
    """Return the SHA-256 of a file's content, cut off where `take_picture` cuts it off."""
    return hashlib.sha256(file.read(MAX_BYTES)).hexdigest()


def _outcome(future: Future[TakenPicture]) -> TakenPicture:
    """Return a worker's record, or one that says how the worker ended."""
    try:
        return future.result()
    except WorkerTimedOut as error:
        return TakenPicture(
            file_sha256="", reason=TIMED_OUT, detail=say("{error}; save it again from the original", error=told(error))
        )
    except (WorkerDied, WorkerFailed) as error:
        return TakenPicture(
            file_sha256="", reason=CRASHED, detail=say("decoding it {error}; save it again", error=told(error))
        )
