"""Makes `tests/hostile` importable as `hostile`, and starts a private PostgreSQL server for the tests that need one."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))

START_S = 30


def _programs() -> Path:
    """Folder of initdb and postgres; Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    return folders[-1]


def _other_user() -> dict[str, Any]:
    """Arguments for subprocess: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names.get("nobody")
    if entry is None:
        pytest.skip("no user to run PostgreSQL as")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a server in a folder of its own, on a free port of the loopback interface."""
    pytest.importorskip("pg8000")
    programs, user = _programs(), _other_user()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adapt-postgres-", dir="/tmp"))
        if user:
            os.chown(folder, user["user"], user["group"])
        data = f"{folder}/data"
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "adapt", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"],
            cwd=folder, capture_output=True, text=True, check=False, **user,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"initdb does not work here: {made.stderr.strip()}")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = ["-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        log = stack.enter_context(Path(folder, "log").open("wb"))
        server = subprocess.Popen([programs / "postgres", *options], cwd=folder, stdout=log, stderr=log, **user)
        try:
            deadline = time.monotonic() + START_S
            while not _answers(port):
                assert server.poll() is None and time.monotonic() < deadline, Path(folder, "log").read_text()
                time.sleep(0.05)
            yield f"postgresql://adapt@127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(port: int) -> bool:
    import pg8000.native

    try:
        pg8000.native.Connection("adapt", host="127.0.0.1", port=port, database="postgres", timeout=2).close()
    except (pg8000.native.DatabaseError, pg8000.native.InterfaceError):
        return False
    return True


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Address of an empty database."""
    import pg8000.native

    name = f"t{uuid.uuid4().hex}"
    port = int(postgres_server.rpartition(":")[2])
    connection = pg8000.native.Connection("adapt", host="127.0.0.1", port=port, database="postgres")
    connection.run(f"CREATE DATABASE {name}")
    connection.close()
    return f"{postgres_server}/{name}"


@pytest.fixture(scope="session")
def catalogue_state() -> Callable[[Any], dict[str, list[tuple[Any, ...]]]]:
    """Return a function that gives all rows that describe a catalogue, without ids, times and runs."""
    from sqlalchemy import text

    queries = {
        "product": "SELECT s.name, p.sku, p.name, p.category, p.lang, p.status, p.description, p.row_hash, p.origin,"
        " p.origin_line FROM product p JOIN source s ON s.id = p.source_id",
        "variant": "SELECT p.sku, v.key, v.sku, v.name, v.position FROM variant v"
        " JOIN product p ON p.id = v.product_id",
        "attribute": "SELECT p.sku, v.key, a.name, a.value, a.value_raw, a.unit, a.lang, a.source, a.kind, a.position"
        " FROM attribute a JOIN product p ON p.id = a.product_id LEFT JOIN variant v ON v.id = a.variant_id",
        "image": "SELECT sha256, pixel_sha256, ext, format, width, height, size_bytes, phash FROM image",
        "link": "SELECT p.sku, v.key, i.sha256, l.position, l.role, l.origin FROM product_image l"
        " JOIN product p ON p.id = l.product_id JOIN image i ON i.id = l.image_id"
        " LEFT JOIN variant v ON v.id = l.variant_id",
        "caption": "SELECT p.sku, c.text, c.lang, c.template, c.fact_set, c.origin FROM caption c"
        " JOIN product p ON p.id = c.product_id",
        "file": "SELECT f.path, f.size, f.mtime_ns, f.sha256, i.sha256, f.reason, f.detail FROM source_file f"
        " LEFT JOIN image i ON i.id = f.image_id",
        "quarantine": "SELECT q.source, q.line, q.reason, q.detail, q.severity FROM quarantine q"
        " WHERE q.run_id = (SELECT max(id) FROM ingest_run)",
    }

    def read(catalog: Any) -> dict[str, list[tuple[Any, ...]]]:
        with catalog.read() as session:
            return {
                name: sorted((tuple(row) for row in session.execute(text(query))), key=repr)
                for name, query in queries.items()
            }

    return read
