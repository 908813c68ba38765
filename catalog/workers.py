"""An executor of worker processes for work that hostile files may crash, stall or bloat.

Unlike `ProcessPoolExecutor`, a worker that dies takes only its own call with it: another is started in its place.
They are started as `python -m catalog.worker` and not by multiprocessing, which would run the caller's script again.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from catalog import errors
from catalog.errors import CatalogError
from catalog.phrases import say, told
from catalog.worker import decode, encode, name_of, read_frame, write_frame

T = TypeVar("T")

MEMORY_BYTES = 480 << 20
"""What a worker may allocate; part of it libraries reserve and never use, so that in all it stays below 500 MB."""
TIMEOUT_S = 60.0
CALLS_A_WORKER = 16
"""Another worker is started only when this many calls wait for each that runs: a start costs a quarter of a second."""
_MODULE = "catalog.decoding"
# Several workers with several threads each would only fight over the cores.
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class WorkerDied(Exception):  # noqa: N818
    """The worker ended while it had this call: killed, crashed, or out of memory."""


class WorkerTimedOut(WorkerDied):
    """The worker was ended because the call took too long."""


class WorkerFailed(Exception):  # noqa: N818
    """The function raised something that is no error of the catalogue."""


@dataclass(frozen=True)
class _Call:
    future: Future[Any]
    message: dict[str, Any]


class WorkerPool(Executor):
    """Runs module-level functions in other processes, one call a worker at a time."""

    def __init__(
        self,
        workers: int | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
        module: str = _MODULE,
    ) -> None:
        """Make a pool; no process is started yet.

        Args:
            workers: Most processes at a time, at least 1; default is one a core.
            timeout_s: Longest time for one call, in seconds.
            memory_bytes: Most memory one worker may allocate.
            module: Imported when a worker starts, so that the first call finds it loaded.
        """
        self.size = available_cores() if workers is None else max(1, workers)
        self._settings = {"timeout_s": timeout_s, "memory_bytes": memory_bytes, "module": module}
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._running: set[_Worker] = set()
        self._waiting = 0
        self._closed = False
        self._cancelled = False
        self._refused = "the pool is closed"

    def warm(self, calls: int) -> None:
        """Start as many workers as `calls` calls deserve, so that they load while other work goes on."""
        with self._lock:
            self._grow(calls)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Schedule `fn(*args)`; it must be a function of a module, with arguments `catalog.worker` can encode.

        The future raises WorkerTimedOut or WorkerDied when the worker ended, CatalogError as the function raised it,
        and WorkerFailed for any other error of the function.
        """
        if kwargs:
            raise TypeError("a worker takes no keyword arguments")
        future: Future[T] = Future()
        call = _Call(future, {"function": name_of(fn), "arguments": encode(args)})
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._waiting += 1
            self._grow(self._waiting)
            self._calls.put(call)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with `cancel_futures` end the workers at once, whatever they do."""
        with self._lock:
            first, self._closed = not self._closed, True
            if cancel_futures:
                self._cancelled = True
                for worker in self._running:
                    worker.process.kill()
        if first:
            for _ in self._threads:
                self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _grow(self, calls: int) -> None:
        wanted = min(self.size, -(-calls // CALLS_A_WORKER))
        while len(self._threads) < wanted:
            thread = threading.Thread(target=self._attend, name=f"worker-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _attend(self) -> None:
        """Keep one worker busy, and start another in its place when it dies."""
        worker: _Worker | None = None
        try:
            while True:
                # Started before there is a call, so that it loads meanwhile.
                worker = worker or self._start()
                call = self._calls.get()
                if call is None:
                    return
                with self._lock:
                    self._waiting -= 1
                if self._cancelled:
                    call.future.cancel()
                if call.future.set_running_or_notify_cancel() and not self._carry_out(call, worker):
                    self._end(worker)
                    worker = None
        finally:
            self._end(worker)

    def _carry_out(self, call: _Call, worker: _Worker | None) -> bool:
        """Settle a call's future; return whether the worker still lives."""
        try:
            if worker is None:
                raise CatalogError(
                    say("cannot start a worker process: {refused}; close other programs", refused=self._refused)
                )
            answer = worker.ask(call.message)
            result, error = (None, _error_of(answer)) if "error" in answer else (decode(answer["result"]), None)
        except (CatalogError, WorkerDied) as died:
            call.future.set_exception(died)
            return False
        except Exception as odd:  # a worker that answers nonsense is as good as dead
            call.future.set_exception(
                WorkerDied(say("gave an answer that cannot be read ({name})", name=type(odd).__name__))
            )
            return False
        if error is None:
            call.future.set_result(result)
        else:
            call.future.set_exception(error)
        return True

    def _start(self) -> _Worker | None:
        with self._lock:
            if self._cancelled:
                return None
            try:
                worker = _Worker(self._settings)
            except OSError as error:
                self._refused = told(error)
                return None
            self._running.add(worker)
            return worker

    def _end(self, worker: _Worker | None) -> None:
        if worker is not None:
            with self._lock:
                self._running.discard(worker)
            worker.end()


class _Worker:
    """One process and the pipes to it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._timeout_s = settings["timeout_s"]
        self._ready = False
        # The working folder is no place to import from (-P, no relative paths): it may well be the dump.
        inherited = filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        paths = os.pathsep.join([str(Path(__file__).resolve().parents[1]), *inherited])
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": paths}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "catalog.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._calls: IO[bytes] = self.process.stdin
        self._answers: IO[bytes] = self.process.stdout
        with contextlib.suppress(OSError):  # `ask` says what became of it
            write_frame(self._calls, settings)

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a call.

        Raises:
            WorkerDied: The process ended during the call.
            CatalogError: It never started.
        """
        if not self._ready:
            if self._read() is None:
                raise CatalogError(
                    say(
                        "cannot start a worker process: {last_words}; check the installation",
                        last_words=self._last_words(),
                    )
                )
            self._ready = True
        with contextlib.suppress(OSError):
            write_frame(self._calls, message)
        answer = self._read()
        if answer is not None:
            return answer
        status = self.process.wait()
        if hasattr(signal, "SIGALRM") and status == -signal.SIGALRM:
            raise WorkerTimedOut(say("not done after {timeout_s:g} s", timeout_s=self._timeout_s))
        raise WorkerDied(_how(status))

    def end(self) -> None:
        """End the process and close the pipes."""
        self.process.kill()
        self.process.wait()
        for pipe in (self._calls, self._answers, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # closing flushes into a pipe that may be broken
                    pipe.close()

    def _read(self) -> dict[str, Any] | None:
        try:
            return read_frame(self._answers)
        except (OSError, ValueError):
            return None

    def _last_words(self) -> str:
        status = self.process.wait()
        said = b"" if self.process.stderr is None else self.process.stderr.read()
        lines = said.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else _how(status)


def _error_of(answer: dict[str, Any]) -> Exception:
    module, _, name = str(answer["error"]).partition(":")
    kind = getattr(errors, name, None) if module == errors.__name__ else None
    if isinstance(kind, type) and issubclass(kind, CatalogError):
        return kind(decode(answer["said"]))
    return WorkerFailed(say("{name}: {said}", name=name, said=decode(answer["said"])))


def _how(status: int) -> str:
    if status < 0:
        try:
            return say("ended by signal {name}", name=signal.Signals(-status).name)
        except ValueError:
            return say("ended by signal {name}", name=-status)
    return say("ended with status {status}", status=status)


def available_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
