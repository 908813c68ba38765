"""`adapt review`: open the review screen in a browser."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from types import FrameType
from typing import IO, Annotated

import typer

from adapt.cli._output import emit, note
from adapt.cli._session import Session
from adapt.errors import AdaptError

HOST = "127.0.0.1"
START_LIMIT_S = 90
STOP_LIMIT_S = 10


def review(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the screen in a browser.")] = True,
) -> None:
    """Serve the screen to this machine only, until Ctrl-C."""
    session: Session = ctx.obj
    with session.open_catalog(create=False) as catalog:
        workspace = catalog.workspace
    port = _free_port(port, session.workspace)
    url = f"http://{HOST}:{port}"
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            _command(port), env=_environment(session, workspace), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        signal.signal(signal.SIGTERM, _stop)
        try:
            _wait_until_up(server, url, log)
            emit(session, {"url": url, "port": port, "workspace": workspace}, [f"review screen: {url}"])
            note("stop it with Ctrl-C")
            if browser:
                webbrowser.open(url)
            code = server.wait()
            if code != 0:
                raise AdaptError(f"the review screen stopped: {_last_line(log)}; start it again with: adapt review")
        except KeyboardInterrupt:
            note("stopped")
        finally:
            _end(server)


def _free_port(port: int, workspace: Path) -> int:
    with socket.socket() as probe:
        # As the server will bind: a port that only waits for old connections to time out counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise AdaptError(
                f"port {port} cannot be used ({error.strerror}); choose another: adapt -w {workspace} review --port 0"
            ) from error
        return int(probe.getsockname()[1])


def _command(port: int) -> list[str]:
    # Found, not imported: the screen and the command line know nothing of each other.
    package = importlib.util.find_spec("ui")
    if package is None or package.origin is None:
        raise AdaptError("the review screen is not installed; install this project with its ui package")
    app = Path(package.origin).with_name("app.py")
    settings = {
        "server.address": HOST,
        "server.port": str(port),
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
        "server.fileWatcherType": "none",
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    return [sys.executable, "-m", "streamlit", "run", str(app), *flags]


def _environment(session: Session, workspace: Path) -> dict[str, str]:
    environment = {**os.environ, "ADAPT_WORKSPACE": str(workspace)}
    if url := session.database_url():
        environment["ADAPT_DATABASE_URL"] = url
    environment["ADAPT_BLOBS_URL"] = session.blobs_url()
    return environment


def _wait_until_up(server: "subprocess.Popen[bytes]", url: str, log: IO[bytes]) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AdaptError(f"the review screen did not start: {_last_line(log)}; see: adapt doctor")


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(server: "subprocess.Popen[bytes]") -> None:
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
