"""People in a real browser: a proxy's header on pages and pictures, a typed name that the browser remembers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import BROWSER_TEST, PATIENCE_MS, serving

from catalog import people, queue
from catalog.store import Catalog

pytestmark = BROWSER_TEST
CANDIDATE = "img[data-testid=candidate]"


def picture_of(page: Any) -> str:
    """Wait until the candidate's picture is on screen; return its address."""
    page.wait_for_selector(CANDIDATE, timeout=PATIENCE_MS)
    page.wait_for_function(f"document.querySelector('{CANDIDATE}')?.naturalWidth > 0", timeout=PATIENCE_MS)
    return str(page.get_attribute(CANDIDATE, "src"))


def test_proxy_names_the_person_on_pages_and_pictures(
    chromium: Any, fill_queue: Callable[..., Path], tmp_path: Path
) -> None:
    workspace = fill_queue(tmp_path / "workspace", 2)
    settings = '[review]\nidentity = "proxy"\nproxy_header = "X-Forwarded-User"\nroles = {aki = "lead"}\n'
    (workspace / "adapt.toml").write_text(settings, encoding="utf-8")
    # What proxies send beside it must not hide that the connection comes from this machine.
    sent = {"X-Forwarded-User": "aki", "X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": "https"}
    with serving(workspace) as url:
        context = chromium.new_context(extra_http_headers=sent)
        page = context.new_page()
        page.goto(f"{url}/review?reviewer=mallory")
        address = url + picture_of(page)
        page.get_by_text("aki", exact=True).wait_for(timeout=PATIENCE_MS)
        answers = [
            page.request.get(address).status,
            page.request.get(address, headers={"X-Forwarded-User": "mallory"}).status,
            chromium.new_context(extra_http_headers=sent).request.get(address).status,
        ]
        assert answers == [200, 403, 403]
        stranger = chromium.new_context().new_page()
        stranger.goto(f"{url}/?reviewer=aki")
        stranger.get_by_text("X-Forwarded-User is missing").wait_for(timeout=PATIENCE_MS)
        with Catalog.open(workspace) as catalog:
            assert [person.name for person in people.everyone(catalog)] == ["aki"]
            assert queue.progress(catalog).held == 1


def test_typed_name_and_language_are_remembered(chromium: Any, fill_queue: Callable[..., Path], tmp_path: Path) -> None:
    workspace = fill_queue(tmp_path / "workspace", 2)
    with serving(workspace) as url:
        context = chromium.new_context(locale="en-US")
        page = context.new_page()
        page.goto(f"{url}/review")
        page.get_by_label("Your name").fill("亜紀")
        page.get_by_label("Your name").press("Enter")
        picture_of(page)
        page.get_by_text("日本語", exact=True).click()
        page.wait_for_function("document.documentElement.lang === 'ja'", timeout=PATIENCE_MS)
        page.get_by_text("未認証", exact=True).wait_for(timeout=PATIENCE_MS)
        later = context.new_page()
        later.goto(url)
        later.get_by_text("亜紀", exact=True).wait_for(timeout=PATIENCE_MS)
        later.wait_for_function("document.documentElement.lang === 'ja'", timeout=PATIENCE_MS)
        assert not later.get_by_text("Change person").count()
