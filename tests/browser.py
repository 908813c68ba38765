"""A real browser against a real server: what the browser tests start from."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE_MS = 60_000
"""For machines that do other things at the same time."""
BROWSER_TEST = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
"""Marks of a module whose tests drive Chromium."""


@contextmanager
def serving(workspace: Path, port: int = 0) -> Iterator[str]:
    """Run `adapt review` on a free port for a workspace, or on this one; yield its address."""
    command = [sys.executable, "-m", "adapt.cli", "-w", str(workspace), "review", "--port", str(port), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert "http://127.0.0.1:" in line, process.stderr.read() if process.stderr else ""
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait(20)
