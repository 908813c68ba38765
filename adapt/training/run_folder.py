"""Which folder a run goes into, and that only one process trains there."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from adapt.errors import CheckpointError, TrainingError
from adapt.training.checkpoint import read_json

try:
    import fcntl
except ImportError:  # Windows has other locks; there nothing is locked
    if not TYPE_CHECKING:
        fcntl = None

LOCK_FILE = "run.lock"


def choose_run_folder(base: Path, *, new: bool, suffix: str = "-") -> Path:
    """Return where a run goes: `base`, or with `new` another folder beside it.

    A run that `--new` began and that is not finished is gone on with, so that the same command resumes it too; else the
    first free number is taken.
    """
    if not new:
        return base
    folder, last, number = base, None, 2
    while folder.exists():
        folder, last, number = base.with_name(f"{base.name}{suffix}{number}"), folder, number + 1
    return last if last is not None and _began_new(last) else folder


def _began_new(folder: Path) -> bool:
    """Whether `--new` began this run and it is not finished; a damaged folder is nothing to go on with."""
    if (folder / "summary.json").exists():
        return False
    try:
        return bool(read_json(folder / "config.json").get("new"))
    except CheckpointError:
        return False


@contextmanager
def run_lock(folder: Path, *, active: bool = True) -> Iterator[None]:
    """Hold a run folder, so that the same command typed twice does not write it twice.

    The lock belongs to the process and ends with it, also by `kill -9`: what lies in the file is only for the message.

    Args:
        folder: the run's; made if it is not there.
        active: False holds nothing; of several processes of one training only the first locks.

    Raises:
        TrainingError: another process trains there.
    """
    if not active or fcntl is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_FILE
    with _locked(path) as file:
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": platform.node()}))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _locked(path: Path) -> IO[str]:
    """Open and lock the file; once more where its last owner took it away in between."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except OSError as error:
            file.close()
            raise TrainingError(
                f"run {path.parent.name} is being trained by {_owner(path)}; wait for it to end (the same command then "
                "goes on or says that it is finished), or start another with --new"
            ) from error
        file.close()


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
