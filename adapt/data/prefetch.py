"""Batches made ahead of the step that uses them, in threads, so that the step never waits for the disk.

A batch depends on its number alone, so batches made ahead are the very ones that would have been made in time.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

import torch

B_co = TypeVar("B_co", covariant=True)


class Batches(Protocol[B_co]):
    """Anything that makes batch number `step`; from several threads at a time."""

    batch_size: int
    """Pictures in a whole batch."""

    def batch(self, step: int, *, device: torch.device | str = "cpu") -> B_co:
        """Return batch number `step` on `device`."""
        ...


class Prefetch(Generic[B_co]):
    """Hands out the batches of `source`; use it in a `with` statement, which ends its threads."""

    def __init__(self, source: Batches[B_co], *, ahead: int, stop: int) -> None:
        """Wrap `source`.

        Args:
            source: makes the batches.
            ahead: batches kept ready, each made by a thread of its own; 0 makes them when asked.
            stop: number of the first batch that nobody will ask for.
        """
        self._source, self._ahead, self._stop = source, ahead, stop
        self.batch_size = source.batch_size
        self._pool = ThreadPoolExecutor(max(ahead, 1), thread_name_prefix="batches")
        self._coming: dict[int, Future[B_co]] = {}

    def batch(self, step: int, *, device: torch.device | str = "cpu") -> B_co:
        """Batch number `step`; the following ones are begun. An error while making it is raised here."""
        if not self._ahead:
            return self._source.batch(step, device=device)
        for number in [number for number in self._coming if not step <= number <= step + self._ahead]:
            self._coming.pop(number).cancel()
        for number in range(step, max(step + 1, min(step + 1 + self._ahead, self._stop))):
            if number not in self._coming:
                self._coming[number] = self._pool.submit(self._source.batch, number, device=device)
        return self._coming.pop(step).result()

    def __enter__(self) -> "Prefetch[B_co]":
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
