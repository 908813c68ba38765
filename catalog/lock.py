"""A lock between processes on one machine, released by the system when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import CatalogUnwritable
from catalog.phrases import say, told

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Say whether a file still has its name: where it was removed, the next one makes and locks another."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def file_lock(path: Path, what: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold an exclusive lock on `path`.

    Args:
        path: Lock file; made if missing. Who removes it does so while holding it.
        what: What is going on under the lock, for the message.
        wait_s: How long to wait for another holder, in seconds.

    Raises:
        CatalogUnwritable: Another process holds it, or the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CatalogUnwritable(
            say(
                "cannot write in {parent} ({error}); the workspace must be writable: choose another with -w DIR",
                parent=path.parent,
                error=told(error),
            )
        ) from error
    try:
        deadline = time.monotonic() + wait_s
        while not (_try_lock(descriptor) and _is_at(descriptor, path)):
            if time.monotonic() >= deadline:
                raise CatalogUnwritable(
                    say(
                        "another {what} is running in {parent}; wait for it to end and run this again",
                        what=what,
                        parent=path.parent,
                    )
                )
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
