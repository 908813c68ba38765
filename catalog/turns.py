"""Writers of one process take turns: who came first writes first.

SQLite lets a waiting writer ask again ten times a second and tells nobody when the lock is free, so of a dozen threads
the one that just wrote would write again and another might wait for ever. Between processes SQLite's own waiting is
enough: they are few.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that is given to waiting threads in the order they came; not to be taken twice by one thread."""

    def __init__(self) -> None:
        """Make a lock that is free."""
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def mine(self, wait_s: float) -> Iterator[bool]:
        """Wait for one's turn, at most `wait_s` seconds, and yield whether it came."""
        turn = threading.Event()
        with self._guard:
            self._waiting.append(turn)
            if self._waiting[0] is turn:
                turn.set()
        try:
            yield turn.wait(wait_s)
        finally:
            with self._guard:
                self._waiting.remove(turn)
                if self._waiting:
                    self._waiting[0].set()


_GUARD = threading.Lock()
_BY_DATABASE: defaultdict[str, Turns] = defaultdict(Turns)


def turns_at(database: str) -> Turns:
    """Return the turns of a database, by its address; one for all engines of this process."""
    with _GUARD:
        return _BY_DATABASE[database]
