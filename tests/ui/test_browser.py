"""The review screen in a real browser: `adapt review` on its port, keys, pictures, two people at once."""

import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog import decision_log, queue
from catalog.store import Catalog

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
sync_api = pytest.importorskip("playwright.sync_api")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
CANDIDATE = "img[data-testid=candidate]"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run `adapt review` on a free port for a workspace of 60 candidates; yield its address and the workspace."""
    workspace = fill_queue(tmp_path_factory.mktemp("browser") / "workspace", 60)
    command = [sys.executable, "-m", "adapt.cli", "-w", str(workspace), "review", "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert "http://127.0.0.1:" in line, process.stderr.read() if process.stderr else ""
        yield line.split()[-1], workspace
    finally:
        process.terminate()
        process.wait(20)


def opened(chromium: Any, url: str, reviewer: str, locale: str = "en-US") -> tuple[Any, set[str]]:
    """Open the screen as somebody; return the page and the hosts it asked, filled as it goes."""
    context = chromium.new_context(locale=locale, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{url}/?reviewer={reviewer}")
    page.wait_for_selector(CANDIDATE, timeout=60_000)
    page.wait_for_function(f"document.querySelector('{CANDIDATE}')?.naturalWidth > 0", timeout=60_000)
    return page, hosts


def shown(page: Any) -> int:
    return int(page.get_attribute(CANDIDATE, "data-item"))


def press(page: Any, key: str, *, leaves: int | None = None) -> None:
    """Press a key after a look at the picture; wait until item `leaves` has gone."""
    page.wait_for_timeout(600)
    page.keyboard.press(key)
    if leaves is not None:
        page.wait_for_selector(f"{CANDIDATE}:not([data-item='{leaves}'])", timeout=15_000)


def test_review_by_keyboard_shows_true_pixels_and_asks_no_other_host(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, hosts = opened(chromium, url, "aiko")
    assert page.evaluate(f"document.querySelector('{CANDIDATE}').naturalWidth") == 64
    assert page.evaluate(f"getComputedStyle(document.querySelector('{CANDIDATE}')).imageRendering") == "pixelated"
    assert page.evaluate(f"document.querySelector('{CANDIDATE}').getBoundingClientRect().width") > 300
    assert page.evaluate("document.documentElement.lang") == "en"
    first = shown(page)
    press(page, "a", leaves=first)
    second = shown(page)
    press(page, "x")
    page.get_by_text("Choose a reason to reject").wait_for()
    press(page, "1", leaves=second)
    third = shown(page)
    press(page, "s", leaves=third)
    fourth = shown(page)
    press(page, "u", leaves=fourth)
    assert shown(page) == third
    with Catalog.open(workspace) as catalog:
        log = [(made.item_id, made.verdict, made.reasons) for made in queue.decisions(catalog, reviewer="aiko")[::-1]]
        assert decision_log.first_broken_decision(catalog) is None
    assert log == [
        (first, "approve", ()),
        (second, "reject", ("wrong_colour",)),
        (third, "skip", ()),
        (third, "void", ()),
    ]
    assert hosts == {url.removeprefix("http://")}
    page.context.close()


def test_burst_of_keys_decides_nothing_unseen_and_nothing_twice(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "chen")
    page.evaluate(
        f"""window.seen = {{}}; setInterval(() => {{ const p = document.querySelector('{CANDIDATE}');
        if (p && p.complete && p.naturalWidth) window.seen[p.dataset.item] ??= Date.now() }}, 5)"""
    )
    for gap_ms in (40, 150):
        for _ in range(12):
            page.keyboard.press("a")
            page.wait_for_timeout(gap_ms)
        page.wait_for_timeout(1500)
    seen = {int(item): when / 1000 for item, when in page.evaluate("window.seen").items()}
    with Catalog.open(workspace) as catalog:
        made = queue.decisions(catalog, reviewer="chen", limit=100)
    assert len({decision.item_id for decision in made}) == len(made)
    for decision in made:
        assert decision.dwell_ms is not None and decision.dwell_ms >= 400
        assert decision.decided_at.timestamp() > seen[decision.item_id]
    page.context.close()


def test_two_people_hold_two_items_and_closing_the_tab_gives_one_back(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    first, _ = opened(chromium, url, "dora")
    second, _ = opened(chromium, url, "ben", locale="ja-JP")
    assert shown(first) != shown(second)
    assert second.evaluate("document.documentElement.lang") == "ja"
    second.get_by_role("button", name="承認").first.wait_for()
    given_back = shown(first)
    first.context.close()
    with Catalog.open(workspace) as catalog:
        for _ in range(50):
            if queue.item(catalog, given_back).lease_owner is None:
                break
            second.wait_for_timeout(200)
        assert queue.item(catalog, given_back).lease_owner is None
    second.context.close()


def test_picture_route_answers_only_the_browser_it_was_written_for(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "emil")
    address = url + page.get_attribute(CANDIDATE, "src")
    answer = page.request.get(address)
    with Catalog.open(workspace) as catalog:
        assert answer.body() == catalog.blobs.read(queue.item(catalog, shown(page)).image_sha256)
    assert answer.headers["cache-control"].startswith("private")
    stranger = chromium.new_context()
    refused = [
        page.request.get(address.partition("?")[0]).status,
        page.request.get(address[:-1] + ("0" if address[-1] != "0" else "1")).status,
        page.request.get(address.replace("size=original", "size=thumbnail")).status,
        stranger.request.get(address).status,
    ]
    assert refused == [403, 403, 403, 403]
    stranger.close()
    page.context.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="127.0.0.2 is this machine on Linux only")
def test_review_listens_on_one_address_of_this_machine_only(server: tuple[str, Path]) -> None:
    port = int(server[0].rpartition(":")[2])
    with urllib.request.urlopen(f"{server[0]}/_stcore/health", timeout=5) as answer:
        assert answer.status == 200
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=2):
        pass
