"""The HTML document: its language, the visitor's cookie, and that nobody frames it."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui import image_route
from ui.app import first_screen
from ui.document import Document


@pytest.fixture
def visit() -> Callable[..., TestClient]:
    """Return a function that opens a server of one HTML page as a browser with headers and cookies."""

    def open_browser(**options: object) -> TestClient:
        async def page(request: Request) -> HTMLResponse:
            return HTMLResponse('<!doctype html><html lang="en"><body>画面</body></html>')

        return TestClient(Starlette(routes=[Route("/", page)], middleware=[Middleware(Document)]), **options)

    return open_browser


@pytest.mark.parametrize(
    ("path", "accepted", "lang"),
    [("/", "ja-JP,en;q=0.5", "ja"), ("/", "de", "en"), ("/?lang=ja", "en", "ja"), ("/?lang=xx", "ja", "ja")],
)
def test_document_says_its_language(visit: Callable[..., TestClient], path: str, accepted: str, lang: str) -> None:
    answer = visit().get(path, headers={"Accept-Language": accepted})
    assert f'<html lang="{lang}">' in answer.text and "画面" in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_visitor_gets_one_cookie_and_keeps_it(visit: Callable[..., TestClient]) -> None:
    browser = visit()
    first = browser.get("/")
    given = first.headers["set-cookie"]
    assert "HttpOnly" in given and "SameSite=Lax" in given and "Secure" not in given
    assert image_route.is_visitor(browser.cookies[image_route.COOKIE])
    assert "set-cookie" not in browser.get("/").headers


@pytest.mark.parametrize("forged", ["", "x", "f" * 31, "F" * 32, "f" * 33, "é"])
def test_cookie_that_is_none_of_ours_is_replaced(visit: Callable[..., TestClient], forged: str) -> None:
    answer = visit().get("/", headers={"Cookie": f"{image_route.COOKIE}={forged}".encode()})
    assert image_route.COOKIE in answer.headers["set-cookie"]


def test_cookie_stays_on_tls_behind_a_proxy_that_ends_it(visit: Callable[..., TestClient]) -> None:
    assert "Secure" in visit().get("/", headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert "Secure" in visit(base_url="https://testserver").get("/").headers["set-cookie"]


def test_document_cannot_be_framed_by_another_site(visit: Callable[..., TestClient]) -> None:
    headers = visit().get("/").headers
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("SAMEORIGIN", "nosniff")


@pytest.mark.parametrize(
    ("asked", "leads_to"), [("/home", "./"), ("/home?lang=ja&reviewer=aki", "./?lang=ja&reviewer=aki")]
)
def test_first_screen_answers_to_its_name_too(asked: str, leads_to: str) -> None:
    browser = TestClient(Starlette(routes=[Route("/home", first_screen)]), follow_redirects=False)
    assert browser.get(asked).headers["location"] == leads_to
