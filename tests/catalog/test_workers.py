"""The executor of worker processes: results, errors, and workers that die, stall or want too much memory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import CatalogError, CatalogUnwritable
from catalog.paths import DumpFile
from catalog.worker import decode, encode
from catalog.workers import CALLS_A_WORKER, MEMORY_BYTES, WorkerDied, WorkerFailed, WorkerPool, WorkerTimedOut


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(2, timeout_s=30)
    yield made
    made.shutdown(cancel_futures=True)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def await_end(*pids: int) -> bool:
    deadline = time.monotonic() + 10
    while not all(map(gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return all(map(gone, pids))


def test_submit_returns_the_result_of_another_process(pool: WorkerPool) -> None:
    assert pool.submit(os.getpid).result() != os.getpid()
    assert [future.result() for future in [pool.submit(abs, -n) for n in range(50)]] == list(range(50))


def test_values_arrive_as_they_were_sent() -> None:
    file = DumpFile(path="画像/a.jpg", actual=Path("dump/\udcff.jpg"), size=3, mtime_ns=4)
    value = {"file": file, "data": b"\x00\xff", "list": [1, 2.5, None, True, "é\ud800"]}
    assert decode(encode(value)) == value
    with pytest.raises(TypeError, match="set cannot be sent"):
        encode({1})


def test_an_answer_cannot_name_a_class_outside_this_package() -> None:
    with pytest.raises(TypeError, match="no record of this package"):
        decode({"record": "subprocess:Popen", "fields": {"args": ["true"]}})


def test_errors_of_the_catalogue_come_back_as_themselves(pool: WorkerPool, tmp_path: Path) -> None:
    from catalog.decoding import take_picture

    file = tmp_path / "a.png"
    from PIL import Image

    Image.new("RGB", (32, 32)).save(file)
    (tmp_path / "blobs").write_text("in the way")
    seen = DumpFile(path="a.png", actual=file, size=1, mtime_ns=1)
    with pytest.raises(CatalogUnwritable, match="cannot store a picture"):
        pool.submit(take_picture, seen, str(tmp_path / "blobs")).result()
    with pytest.raises(WorkerFailed, match="ZeroDivisionError"):
        pool.submit(divmod, 1, 0).result()


def test_a_worker_that_dies_takes_only_its_own_call(pool: WorkerPool) -> None:
    calls: list[Future[Any]] = [pool.submit(abs, -n) for n in range(20)]
    crash = pool.submit(os.abort)
    calls += [pool.submit(abs, -n) for n in range(20, 40)]
    with pytest.raises(WorkerDied, match="SIGABRT"):
        crash.result()
    assert [call.result() for call in calls] == list(range(40))


def test_a_killed_worker_is_replaced() -> None:
    pool = WorkerPool(1)
    first = pool.submit(os.getpid).result()
    stuck = pool.submit(time.sleep, 60)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(WorkerDied, match="SIGKILL"):
        stuck.result()
    assert pool.submit(os.getpid).result() != first
    pool.shutdown()


def test_a_call_that_takes_too_long_ends_its_worker() -> None:
    pool = WorkerPool(1, timeout_s=0.2)
    with pytest.raises(WorkerTimedOut, match=r"not done after 0\.2 s"):
        pool.submit(time.sleep, 60).result()
    assert pool.submit(abs, -1).result() == 1
    pool.shutdown()


def test_memory_of_a_worker_is_limited(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailed, match="MemoryError"):
        pool.submit(bytes, MEMORY_BYTES).result()
    assert len(pool.submit(bytes, 1000).result()) == 1000


def test_few_calls_start_few_workers(pool: WorkerPool) -> None:
    for _ in range(3):
        pool.submit(abs, -1).result()
    assert len(pool._threads) == 1
    pool.warm(CALLS_A_WORKER + 1)
    assert len(pool._threads) == 2


def test_shutdown_leaves_no_process(pool: WorkerPool) -> None:
    pid = pool.submit(os.getpid).result()
    busy = [pool.submit(time.sleep, 60) for _ in range(3)]
    pool.shutdown(cancel_futures=True)
    assert await_end(pid)
    assert all(call.done() for call in busy)
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(abs, 1)


def test_workers_end_when_their_parent_is_killed(repository: Path) -> None:
    code = (
        "import os, sys, time; from catalog.workers import WorkerPool\n"
        "pool = WorkerPool(1); print(pool.submit(os.getpid).result(), flush=True); sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert not gone(worker)
    parent.kill()
    parent.communicate()
    assert await_end(worker)


def test_ctrl_c_ends_the_workers_and_leaves_no_traceback_of_theirs(repository: Path) -> None:
    code = (
        "import os, time; from catalog.workers import WorkerPool\n"
        "pool = WorkerPool(1)\n"
        "try: print(pool.submit(os.getpid).result(), flush=True); pool.submit(time.sleep, 60).result()\n"
        "except KeyboardInterrupt: pool.shutdown(cancel_futures=True); print('stopped', flush=True)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out, err = parent.communicate(timeout=30)
    assert (out, err) == (b"stopped\n", b"")
    assert await_end(worker)


def test_a_worker_that_cannot_start_is_one_line(tmp_path: Path) -> None:
    pool = WorkerPool(1, module="catalog.no_such_module")
    with pytest.raises(CatalogError, match=r"cannot start a worker process: .*no_such_module") as caught:
        pool.submit(abs, 1).result()
    assert "\n" not in str(caught.value)
    pool.shutdown()


def test_a_machine_that_cannot_start_processes_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    pool = WorkerPool(1)
    with pytest.raises(CatalogError, match="cannot start a worker process: No such file"):
        pool.submit(abs, 1).result()
    pool.shutdown()


def test_modules_in_the_working_folder_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('a file of the dump was run')")
    monkeypatch.chdir(tmp_path)
    pool = WorkerPool(1)
    assert pool.submit(abs, -1).result() == 1
    pool.shutdown()


def test_a_result_of_numpy_is_refused_rather_than_guessed(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailed, match="cannot be sent"):
        pool.submit(np.float32, 1).result()
