"""One process trains in a run folder, and `--new` can be gone on with by the same command."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapt.errors import TrainingError
from adapt.training.run_folder import LOCK_FILE, choose_run_folder, run_lock

HOLD = (
    "import sys, time; from pathlib import Path; from adapt.training.run_folder import run_lock\n"
    "with run_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
)


def test_second_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    run = tmp_path / "run-1"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match=rf"^run run-1 is being trained by process {process.pid} on .*--new$"):
            run_lock(run).__enter__()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert json.loads((run / LOCK_FILE).read_text())["pid"] == process.pid  # stale, and in nobody's way
    with run_lock(run):
        assert json.loads((run / LOCK_FILE).read_text())["pid"] == os.getpid()
    assert not (run / LOCK_FILE).exists()


def test_lock_is_given_back_after_a_failure_and_held_by_the_first_process_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), run_lock(tmp_path):
        raise ValueError("stop")
    with run_lock(tmp_path), run_lock(tmp_path, active=False):
        assert (tmp_path / LOCK_FILE).exists()
        with pytest.raises(TrainingError, match="is being trained"):
            run_lock(tmp_path).__enter__()


def test_new_run_goes_on_until_it_is_finished(tmp_path: Path) -> None:
    base = tmp_path / "run"

    def begin(folder: Path, *, new: bool, finished: bool) -> None:
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"new": new}))
        if finished:
            (folder / "summary.json").write_text("{}")

    assert choose_run_folder(base, new=False) == choose_run_folder(base, new=True) == base
    begin(base, new=False, finished=False)
    assert choose_run_folder(base, new=True) == tmp_path / "run-2"  # what --new did not begin is left alone
    begin(tmp_path / "run-2", new=True, finished=False)
    assert choose_run_folder(base, new=True) == tmp_path / "run-2"
    (tmp_path / "run-2" / "config.json").write_text("{")
    assert choose_run_folder(base, new=True, suffix="-") == tmp_path / "run-3"
    (tmp_path / "run-2" / "config.json").write_text('{"new": true}')
    (tmp_path / "run-2" / "summary.json").write_text("{}")
    assert choose_run_folder(base, new=True) == tmp_path / "run-3"
    assert choose_run_folder(base, new=False) == base
