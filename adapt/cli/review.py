"""`adapt review`: open the review screen in a browser."""

import errno
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
EVERY_ADDRESS = ("0.0.0.0", "::")
REFUSED = 2
"""Exit code of a server whose settings a person has to change first; its last line says how."""
START_LIMIT_S = 90
STOP_LIMIT_S = 10


def review(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 8501,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other machines need identity = oidc or proxy in adapt.toml.")
    ] = HOST,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the screen in a browser.")] = True,
) -> None:
    """Serve the screen, to this machine only unless told otherwise, until Ctrl-C."""
    session: Session = ctx.obj
    with session.open_catalog(create=False) as catalog:
        workspace = catalog.workspace
    port = _free_port(host, port, session.workspace)
    url = _url(host, port)
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            _command(host, port), env=_environment(session, workspace), stdin=subprocess.DEVNULL, stdout=log, stderr=log
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


def _free_port(host: str, port: int, workspace: Path) -> int:
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise AdaptError(
            f"--host {host} is no address of this machine ({error.strerror}); allowed are its IP addresses and names"
        ) from error
    with socket.socket(family) as probe:
        # As the server will bind: a port that only waits for old connections to time out counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise AdaptError(
                    f"--host {host} is no address of this machine; allowed are its IP addresses and names"
                ) from error
            raise AdaptError(
                f"port {port} cannot be used ({error.strerror}); choose another: adapt -w {workspace} review --port 0"
            ) from error
        return int(probe.getsockname()[1])


def _url(host: str, port: int) -> str:
    reached = HOST if host in EVERY_ADDRESS else host
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _command(host: str, port: int) -> list[str]:
    # Found, not imported: the screen and the command line know nothing of each other.
    if importlib.util.find_spec("ui") is None:
        raise AdaptError("the review screen is not installed; install this project with its ui package")
    return [sys.executable, "-m", "ui.serve", host, str(port)]


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
            if server.returncode == REFUSED:
                raise AdaptError(_last_line(log))
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
