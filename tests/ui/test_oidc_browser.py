"""Sign-in by OpenID Connect in a real browser, at a provider of the tests' own."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, PATIENCE_MS, serving

from catalog import people
from catalog.store import Catalog

pytest.importorskip("authlib", reason="the extra oidc is not installed")
from oidc_provider import Provider, providing

pytestmark = BROWSER_TEST
CANDIDATE = "img[data-testid=candidate]"
PEOPLE = {
    "Aki": {"email": "aki@example.com", "email_verified": True, "name": "Aki"},
    "Ren": {"email": "ren@example.com", "email_verified": True},
    "Sora": {"email": "sora@example.com", "email_verified": False},
}
SETTINGS = '[review]\nidentity = "oidc"\nmax_session_hours = 8\nroles = {"aki@example.com" = "lead"}\n'


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def workspace(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = fill_queue(tmp_path_factory.mktemp("oidc") / "workspace", 3)
    (made / "adapt.toml").write_text(SETTINGS, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def server(workspace: Path, provider: Provider) -> Iterator[str]:
    port = free_port()
    (workspace / "secrets.toml").write_text(provider.settings(f"http://127.0.0.1:{port}"), encoding="utf-8")
    with serving(workspace, port) as url:
        yield url


@pytest.fixture(autouse=True)
def just_signed_in(provider: Provider) -> None:
    provider.age_s = 0


def sign_in(page: Any, url: str, person: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Sign in").click(timeout=PATIENCE_MS)
    page.get_by_role("link", name=person).click(timeout=PATIENCE_MS)
    page.wait_for_url(f"{url}/**", timeout=PATIENCE_MS)


def picture_of(page: Any) -> str:
    page.wait_for_selector(CANDIDATE, timeout=PATIENCE_MS)
    page.wait_for_function(f"document.querySelector('{CANDIDATE}')?.naturalWidth > 0", timeout=PATIENCE_MS)
    return str(page.get_attribute(CANDIDATE, "src"))


def test_person_signs_in_sees_pictures_and_signs_out(chromium: Any, server: str, workspace: Path) -> None:
    context = chromium.new_context(locale="en-US")
    page = context.new_page()
    sign_in(page, server, "Aki")
    page.get_by_text("aki@example.com", exact=True).wait_for(timeout=PATIENCE_MS)
    page.get_by_text("Lead", exact=True).wait_for(timeout=PATIENCE_MS)
    assert not page.get_by_text("not signed in", exact=True).count()
    page.goto(f"{server}/review")
    address = server + picture_of(page)
    assert page.request.get(address).status == 200
    cookies = [cookie for cookie in context.cookies() if not cookie["name"].startswith("_streamlit_user")]
    for strangers in ([], cookies):
        other = chromium.new_context()
        other.add_cookies(strangers)
        assert other.request.get(address).status == 403
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are not signed in.").wait_for(timeout=PATIENCE_MS)
    assert page.request.get(address).status == 403
    with Catalog.open(workspace) as catalog:
        assert [(one.name, one.role, one.source) for one in people.everyone(catalog)] == [
            ("aki@example.com", "lead", "oidc")
        ]


@pytest.mark.parametrize(
    ("person", "line"),
    [
        ("Ren", "ren@example.com is signed in but has no role here."),
        ("Sora", "The address sora@example.com has not been confirmed at your sign-in service."),
    ],
)
def test_person_who_may_not_come_in_reads_why(chromium: Any, server: str, person: str, line: str) -> None:
    page = chromium.new_context(locale="en-US").new_page()
    sign_in(page, server, person)
    page.get_by_text(line).wait_for(timeout=PATIENCE_MS)
    assert not page.locator(CANDIDATE).count()


def test_old_sign_in_is_told_so_and_can_be_renewed(chromium: Any, server: str, provider: Provider) -> None:
    provider.age_s = 9 * 3600
    page = chromium.new_context(locale="ja-JP").new_page()
    page.goto(server)
    page.get_by_role("button", name="ログイン").click(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Aki").click(timeout=PATIENCE_MS)
    page.get_by_text("ログインから 8 時間以上たっている").wait_for(timeout=PATIENCE_MS)
    provider.age_s = 0
    page.get_by_role("button", name="ログイン").click()
    page.get_by_role("link", name="Aki").click(timeout=PATIENCE_MS)
    page.get_by_text("aki@example.com", exact=True).wait_for(timeout=PATIENCE_MS)


def test_sign_in_that_ends_says_so_by_itself(chromium: Any, server: str, provider: Provider) -> None:
    provider.age_s = 8 * 3600 - 20
    page = chromium.new_context(locale="en-US").new_page()
    sign_in(page, server, "Aki")
    page.get_by_text("Your sign-in is older than 8 hours").wait_for(timeout=PATIENCE_MS)
    assert page.get_by_role("button", name="Sign in").is_visible()


def test_note_outlives_a_new_sign_in_in_the_same_tab(chromium: Any, server: str, workspace: Path) -> None:
    page = chromium.new_context(locale="en-US").new_page()
    sign_in(page, server, "Aki")
    page.get_by_text("aki@example.com", exact=True).wait_for(timeout=PATIENCE_MS)
    page.goto(f"{server}/review")
    picture_of(page)
    page.locator(".rd-note textarea").fill("the rim bends")
    page.context.clear_cookies(name="_streamlit_user")
    page.goto(server)
    page.get_by_text("You are not signed in.").wait_for(timeout=PATIENCE_MS)
    sign_in(page, server, "Aki")
    page.get_by_text("aki@example.com", exact=True).wait_for(timeout=PATIENCE_MS)
    page.goto(f"{server}/review")
    picture_of(page)
    page.wait_for_function(
        "document.querySelector('.rd-note textarea').value === 'the rim bends'"
        " || document.querySelector('.rd-kept:not([hidden]) blockquote')?.textContent === 'the rim bends'",
        timeout=PATIENCE_MS,
    )
    assert page.evaluate("sessionStorage.getItem('adapt-note') !== null")
