"""Forged requests: another site's page, another name for this machine, plain posts, against a running server."""

import base64
import http.client
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import serving
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config

from ui.origin import SameOrigin


@pytest.fixture
def client() -> Iterator[TestClient]:
    async def page(request: object) -> PlainTextResponse:
        return PlainTextResponse("in")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(
        routes=[Route("/", page, methods=["GET", "POST"]), WebSocketRoute("/socket", socket)],
        middleware=[Middleware(SameOrigin)],
    )
    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", ["127.0.0.1", "*.example.com"])
    with TestClient(app, base_url="http://127.0.0.1:8501") as made:
        yield made
    config.set_option("server.allowedHosts", before)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8501", 200),
        ("127.0.0.1", 200),
        ("review.EXAMPLE.com", 200),
        ("evil.test", 403),
        ("127.0.0.1.evil.test", 403),
        ("example.com.evil.test:8501", 403),
        ("127.0.0.1:8501@evil.test", 403),
        ("", 403),
    ],
)
def test_host_must_be_one_of_ours(client: TestClient, host: str, status: int) -> None:
    assert client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "comes_in"),
    [
        ("http://127.0.0.1:8501", True),
        ("https://127.0.0.1:8501", True),
        (None, True),
        ("http://127.0.0.1:9999", False),
        ("http://localhost:8501", False),
        ("https://evil.test", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_posts_and_web_sockets_must_come_from_our_own_pages(
    client: TestClient, origin: str | None, comes_in: bool
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert client.get("/", headers=headers).status_code == 200
    assert client.post("/", headers=headers).status_code == (200 if comes_in else 403)
    if comes_in:
        with client.websocket_connect("ws://127.0.0.1:8501/socket", headers=headers):
            pass
    else:
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("ws://127.0.0.1:8501/socket", headers=headers),
        ):
            pass


@pytest.mark.slow
def test_running_server_refuses_forged_requests(fill_queue: Callable[..., Path], tmp_path: Path) -> None:
    with serving(fill_queue(tmp_path / "workspace", 1)) as url:
        own = urlsplit(url).netloc

        def status(method: str, path: str, **headers: str) -> int:
            connection = http.client.HTTPConnection(own, timeout=60)
            connection.putrequest(method, path, skip_host=True)
            for name, value in {"Host": own, **headers}.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            connection.close()
            return answer.status

        def shake_hands(**headers: str) -> int:
            upgrade = {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec_WebSocket_Version": "13",
                "Sec_WebSocket_Key": base64.b64encode(os.urandom(16)).decode(),
            }
            return status("GET", "/_stcore/stream", **upgrade, **headers)

        assert shake_hands(Origin=url) == 101
        assert shake_hands(Origin="https://evil.test") == 403
        assert shake_hands(Origin="http://localhost:9999") == 403
        assert shake_hands(Origin="http://evil.test", Host="evil.test") == 403
        assert [status("GET", "/"), status("GET", "/", Host="evil.test")] == [200, 403]
        picture = f"/picture/{'0' * 64}?size=original&until=9999999999&key=0"
        assert [status("GET", picture), status("GET", picture, Host="evil.test")] == [403, 403]
        assert status("POST", picture, Content_Length="0", Origin=url) == 405
        upload = "/_stcore/upload_file/session/file"
        assert status("PUT", upload, Content_Length="0", Origin="https://evil.test") == 403
        assert status("PUT", upload, Content_Length="0", Origin=url) in (400, 403)
