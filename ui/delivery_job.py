"""An export, or the check of one, that goes on in the server while screens come and go: one at a time a workspace.

A tab that is closed stops nothing. A server that is stopped stops the job as a kill would: the next export goes on from
the files that are there.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from catalog.errors import CatalogError
from catalog.export import ExportReport
from catalog.exporters.delivery import Verification
from catalog.phrases import told

Result = ExportReport | Verification
Progress = Callable[[str, float, float | None], None]
Work = Callable[[Progress], Result]

_jobs: dict[Path, "Job"] = {}
_lock = threading.Lock()


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """The job was asked to stop."""


@dataclass
class Job:
    """What runs, or what came of it."""

    what: str
    """`export` or `check`."""
    of: str
    """The format that is made, or the folder that is checked."""
    starter: str
    """Who started it."""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    step: str = ""
    """What is being done, as the export says it."""
    done: float = 0
    total: float = 0
    result: Result | None = None
    refused: str = ""
    """Why it failed, in one line; empty while it runs and when it did not."""
    stopped: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return not self.ended.is_set()

    @property
    def share(self) -> float:
        """How far the step is, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def stop(self) -> None:
        """Ask it to stop after the picture at hand."""
        self._stop.set()

    def run(self, work: Work) -> None:
        """Do the work; what goes wrong is kept as one line."""
        try:
            self.result = work(self._progress)
        except Stopped:
            self.stopped = True
        except (CatalogError, OSError) as error:
            self.refused = told(error)
        except BaseException as error:
            self.refused = f"{type(error).__name__}: {error}"
            raise
        finally:
            self.ended.set()

    def _progress(self, step: str, done: float, total: float | None) -> None:
        if self._stop.is_set():
            raise Stopped
        self.step, self.done, self.total = step, done, total or 0


def current(workspace: Path) -> Job | None:
    """Return the job of a workspace that runs, or the last one."""
    return _jobs.get(workspace)


def start(workspace: Path, what: str, of: str, starter: str, work: Work) -> Job | None:
    """Start a job; returns None when one is running already.

    Args:
        workspace: Folder of the catalogue.
        what: `export` or `check`.
        of: The format that is made, or the folder that is checked.
        starter: Who started it.
        work: Called with a function that takes its progress.
    """
    with _lock:
        before = _jobs.get(workspace)
        if before is not None and before.running:
            return None
        job = Job(what=what, of=of, starter=starter)
        _jobs[workspace] = job
    threading.Thread(target=job.run, args=(work,), name=f"{what} of {of}", daemon=True).start()
    return job
