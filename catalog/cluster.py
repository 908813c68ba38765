"""Decode pictures on a Dask cluster: the same worker function, on other machines.

Each Dask worker hands a call on to a process of `catalog.workers`, so that a hostile file is limited in memory and time
there as here. The dump and the blob store must be reachable under the same names from every machine.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from catalog.blobs import BlobStore
from catalog.errors import CatalogError
from catalog.phrases import say, told
from catalog.workers import CALLS_A_WORKER, WorkerDied, WorkerPool

T = TypeVar("T")

CONNECT_S = 10
_lock = threading.Lock()
_pools: list[WorkerPool] = []


class ClusterExecutor(Executor):
    """Runs module-level functions on the workers of a Dask cluster, each in a limited process of its own."""

    def __init__(self, client: Any) -> None:
        """Wrap an open `distributed.Client`."""
        self._inner = client.get_executor(pure=False, retries=0)
        self.size = max(1, sum(client.nthreads().values()))

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Schedule `fn(*args)`; its future fails as one of `WorkerPool.submit` does."""
        outer: Future[T] = Future()
        outer.set_running_or_notify_cancel()
        inner = self._inner.submit(run_limited, fn, *args, **kwargs)
        inner.add_done_callback(lambda done: _pass_on(done, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Forget what is scheduled; the cluster goes on running."""
        self._inner.shutdown(wait=wait)


@contextmanager
def cluster_executor(address: str, dump: Path, blobs: str | None) -> Iterator[ClusterExecutor]:
    """Connect to a Dask scheduler and yield an executor whose workers reach both the dump and the blob store.

    Args:
        address: Address of the scheduler, such as `tcp://host:8786`.
        dump: Folder of the dump.
        blobs: Where the blob store is; None when nothing is stored.

    Raises:
        CatalogError: No cluster answers there, it has no workers, or a worker cannot do the work.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise CatalogError(say("a cluster needs the package `distributed`: pip install 'adapt[cluster]'")) from error
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise CatalogError(
            say(
                "no Dask scheduler answers at {address} ({error}); give its address as --cluster tcp://HOST:8786",
                address=address,
                error=str(error).splitlines()[0],
            )
        ) from error
    try:
        _check(client, address, Path(os.path.realpath(dump)), blobs)
        yield ClusterExecutor(client)
    finally:
        client.close()


def run_limited(fn: Callable[..., T], *args: Any) -> T:
    """Run `fn(*args)` in a limited process beside this Dask worker."""
    from distributed import get_worker

    with _lock:
        if not _pools:
            threads = get_worker().state.nthreads
            _pools.append(WorkerPool(threads))
            _pools[0].warm(threads * CALLS_A_WORKER)
    return _pools[0].submit(fn, *args).result()


def look_around(dump: str, sample: str, size: int, blobs: str | None, mark: str) -> str:
    """Return what keeps this worker from the dump or the blob store; empty when nothing does."""
    try:
        if os.stat(sample).st_size != size:
            return say(
                "sees another file at {sample}; the dump must be on a file system all workers share", sample=sample
            )
        with open(sample, "rb") as file:
            file.read(1)
    except OSError as error:
        return say(
            "cannot read the dump at {dump} ({error}); it must be on a file system all workers share",
            dump=dump,
            error=told(error),
        )
    if blobs is not None:
        try:
            BlobStore(blobs).leave_mark(mark)
        except Exception as error:
            return say(
                "cannot write to the blob store at {blobs} ({name}: {error})",
                blobs=blobs,
                name=type(error).__name__,
                error=str(error),
            )
    return ""


def _check(client: Any, address: str, dump: Path, blobs: str | None) -> None:
    names = list(client.nthreads())
    if not names:
        raise CatalogError(
            say("the cluster at {address} has no workers; start some: dask worker {address}", address=address)
        )
    sample = _some_file(dump)
    marks = {name: uuid.uuid4().hex for name in names}
    for name, mark in marks.items():
        try:
            answers = client.run(
                look_around, str(dump), str(sample), sample.stat().st_size, blobs, mark, workers=[name]
            )
        except Exception as error:  # whatever the other side could not import or unpack
            raise CatalogError(
                say(
                    "worker {name} cannot run this release ({kind}: {error}); install the same adapt there",
                    name=name,
                    kind=type(error).__name__,
                    error=str(error),
                )
            ) from error
        if answers[name]:
            raise CatalogError(say("worker {name} {answer}", name=name, answer=answers[name]))
    if blobs is not None:
        store = BlobStore(blobs)
        lost = [name for name, mark in marks.items() if not store.take_mark(mark)]
        if lost:
            raise CatalogError(
                say(
                    "what worker {lost} stores at {blobs} is not to be seen here; name a store all machines "
                    "share, such as blobs_url = 's3://bucket/blobs' in adapt.toml",
                    lost=lost[0],
                    blobs=blobs,
                )
            )


def _some_file(dump: Path) -> Path:
    if dump.is_file():
        return dump
    for folder, _, names in os.walk(dump):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file():
                return path
    raise CatalogError(say("{dump} holds no files; give the folder that holds the tables and pictures", dump=dump))


def _pass_on(done: Future[T], outer: Future[T]) -> None:
    error = None if done.cancelled() else done.exception()
    if done.cancelled():
        outer.set_exception(WorkerDied(say("was cancelled by the cluster")))
    elif error is None:
        outer.set_result(done.result())
    elif isinstance(error, (CatalogError, WorkerDied)):
        outer.set_exception(error)
    else:
        # A Dask worker that was killed, or whose machine went away.
        outer.set_exception(WorkerDied(say("failed on the cluster ({name})", name=type(error).__name__)))
