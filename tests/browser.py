"""A real browser against a real server: what the browser tests start from."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


class Server:
    """`adapt review` as a process of its own, with a server below it."""

    def __init__(self, workspace: Path, port: int = 0) -> None:
        command = [sys.executable, "-m", "adapt.cli", "-w", str(workspace), "review", "--no-browser"]
        self.process = subprocess.Popen(
            [*command, "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, self.process.stderr.read()
        self.workspace, self.url = workspace, line.split()[-1]
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """End it and the server below it as a loss of power would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def serving(workspace: Path, port: int = 0) -> Iterator[str]:
    """Run `adapt review` on a free port for a workspace, or on this one; yield its address."""
    server = Server(workspace, port)
    try:
        yield server.url
    finally:
        server.stop()


def visit(chromium: Any, address: str, *, locale: str = "en-US", **options: Any) -> Any:
    """Open an address as a person of their own: another context, other cookies. Return the page."""
    context = chromium.new_context(
        locale=locale, viewport={"width": 1400, "height": 900}, reduced_motion="reduce", **options
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    return page
