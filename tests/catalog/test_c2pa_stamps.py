"""Signatures stamped by a time-stamp service: here one of our own, made of `openssl ts` on this machine."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from approved_pictures import Thing, approve, draw, tiny_picture

pytest.importorskip("c2pa")
from signing_pair import signing_pair

from catalog import export, provenance
from catalog.c2pa_signing import PictureSigner, StampRefused, problem, review_of, state
from catalog.errors import ExportRefused
from catalog.store import Catalog

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the stamps")
SETTINGS = """[tsa]
default_tsa = own
[own]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
"""
REVIEW = review_of(0, 1)


class Service:
    """A time-stamp service on this machine; `stamps_left` is how many it gives before it answers 503."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stamps_left, self.answer = folder, 1000, b""
        signing_pair(folder, stamps=True)
        (folder / "settings").write_text(SETTINGS.format(folder=folder))

    def stamp(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        files = {"queryfile": "query", "config": "settings", "signer": "certificate.pem", "inkey": "key.pem"}
        options = [part for name, file in files.items() for part in (f"-{name}", str(self.folder / file))]
        chain = ["-chain", str(self.folder / "certificate.pem"), "-out", str(self.folder / "reply")]
        subprocess.run(["openssl", "ts", "-reply", *options, *chain], check=True, capture_output=True)
        return (self.folder / "reply").read_bytes()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """A running service and its address."""
    made = Service(tmp_path / "service")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            made.stamps_left -= 1
            data = made.answer or (made.stamp(query) if made.stamps_left >= 0 else b"")
            self.send_response(200 if data else 503)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return signing_pair(tmp_path / "pair")


@pytest.fixture
def approved(tmp_path: Path) -> Path:
    workspace = draw(tmp_path / "workspace", (Thing(sku="MUG-1"),), 6)
    with Catalog.open(workspace) as catalog:
        approve(catalog, range(1, 7))
    return workspace


@pytest.mark.parametrize("number", range(3), ids=["png", "jpeg", "webp"])
def test_stamped_signature_is_valid_and_states_its_time(
    service: tuple[Service, str], pair: tuple[Path, Path], number: int
) -> None:
    plain = provenance.mark(tiny_picture(number))
    signed = PictureSigner(*pair, stamps_from=service[1]).sign(plain, REVIEW)
    assert state(signed) == "Valid" and problem(signed, REVIEW, stamped=True) is None
    unstamped = PictureSigner(*pair).sign(plain, REVIEW)
    assert problem(unstamped, REVIEW, stamped=True) == "its C2PA signature carries no time stamp"


def test_stamped_delivery_verifies_without_the_service(
    approved: Path, tmp_path: Path, pair: tuple[Path, Path], service: tuple[Service, str]
) -> None:
    with Catalog.open(approved) as catalog:
        folder = export.export(catalog, out=tmp_path / "out", c2pa=pair, c2pa_tsa=service[1]).path
        plain = export.export(catalog, out=tmp_path / "plain", c2pa=pair).path
    service[0].stamps_left = 0
    assert export.verify(folder).ok and export.verify(folder).signed
    summary = json.loads((plain / "export.json").read_text())
    assert "stamps_from" not in summary["c2pa"]
    summary["c2pa"]["stamps_from"] = service[1]
    (plain / "export.json").write_text(json.dumps(summary))
    problems = export.verify(plain).problems
    assert len(problems) == 6 and problems[0].endswith(": its C2PA signature carries no time stamp")


def test_export_goes_on_when_the_service_is_back(
    approved: Path, tmp_path: Path, pair: tuple[Path, Path], service: tuple[Service, str]
) -> None:
    out = tmp_path / "out"
    service[0].stamps_left = 4  # one of them for the trial before anything is written
    with Catalog.open(approved) as catalog:
        with pytest.raises(
            StampRefused, match=r"no time stamp from http.*; run the same command again later"
        ) as caught:
            export.export(catalog, out=out, c2pa=pair, c2pa_tsa=service[1])
        assert "\n" not in str(caught.value) and not out.exists()
        service[0].stamps_left = 1000
        assert export.export(catalog, out=out, c2pa=pair, c2pa_tsa=service[1]).reused == 3
    assert export.verify(out).ok


@pytest.mark.parametrize("answer", [b"no stamp", b"\x30\x03\x02\x01\x00"])
def test_service_that_gives_no_stamp_is_refused_before_anything_is_written(
    approved: Path, tmp_path: Path, pair: tuple[Path, Path], service: tuple[Service, str], answer: bytes
) -> None:
    service[0].answer = answer
    with Catalog.open(approved) as catalog, pytest.raises(StampRefused, match="no time stamp from") as caught:
        export.export(catalog, out=tmp_path / "out", c2pa=pair, c2pa_tsa=service[1])
    assert "\n" not in str(caught.value) and not list(tmp_path.glob("*out*"))


def test_stamp_of_another_signature_is_refused(
    pair: tuple[Path, Path], tmp_path: Path, service: tuple[Service, str]
) -> None:
    PictureSigner(*pair, stamps_from=service[1])
    service[0].answer = (tmp_path / "service" / "reply").read_bytes()
    with pytest.raises(StampRefused):
        PictureSigner(*pair, stamps_from=service[1])


def test_service_that_is_not_there_is_one_line(pair: tuple[Path, Path]) -> None:
    with pytest.raises(StampRefused, match=r"^no time stamp from http://127.0.0.1:9 \([a-z ]+\); run the same command"):
        PictureSigner(*pair, stamps_from="http://127.0.0.1:9")


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://a/b", "file:///etc/passwd", "http://", "http://a b/", "http://a:x/"]
)
def test_service_needs_a_web_address(pair: tuple[Path, Path], url: str) -> None:
    with pytest.raises(ExportRefused, match="give the http or https address of a time-stamp service") as caught:
        PictureSigner(*pair, stamps_from=url)
    assert "\n" not in str(caught.value)


def test_stamps_go_with_signatures(approved: Path) -> None:
    with Catalog.open(approved) as catalog, pytest.raises(ExportRefused, match=r"give certificate and key too: --c2pa"):
        export.export(catalog, c2pa_tsa="http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here leaves this machine, whatever its environment says."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
