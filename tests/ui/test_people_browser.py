"""People in a real browser: a proxy's header on pages and pictures, a typed name that the browser remembers."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog import people, queue
from catalog.store import Catalog

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
sync_api = pytest.importorskip("playwright.sync_api")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
CANDIDATE = "img[data-testid=candidate]"
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def serving(workspace: Path) -> Iterator[str]:
    """Run `adapt review` for a workspace; yield its address."""
    command = [sys.executable, "-m", "adapt.cli", "-w", str(workspace), "review", "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert "http://127.0.0.1:" in line, process.stderr.read() if process.stderr else ""
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait(20)


def picture_of(page: Any) -> str:
    """Wait until the candidate's picture is on screen; return its address."""
    page.wait_for_selector(CANDIDATE, timeout=WAIT_MS)
    page.wait_for_function(f"document.querySelector('{CANDIDATE}')?.naturalWidth > 0", timeout=WAIT_MS)
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
        page.get_by_text("aki", exact=True).wait_for(timeout=WAIT_MS)
        answers = [
            page.request.get(address).status,
            page.request.get(address, headers={"X-Forwarded-User": "mallory"}).status,
            chromium.new_context(extra_http_headers=sent).request.get(address).status,
        ]
        assert answers == [200, 403, 403]
        stranger = chromium.new_context().new_page()
        stranger.goto(f"{url}/?reviewer=aki")
        stranger.get_by_text("X-Forwarded-User is missing").wait_for(timeout=WAIT_MS)
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
        page.wait_for_function("document.documentElement.lang === 'ja'", timeout=WAIT_MS)
        page.get_by_text("未認証", exact=True).wait_for(timeout=WAIT_MS)
        later = context.new_page()
        later.goto(url)
        later.get_by_text("亜紀", exact=True).wait_for(timeout=WAIT_MS)
        later.wait_for_function("document.documentElement.lang === 'ja'", timeout=WAIT_MS)
        assert not later.get_by_text("Change person").count()
