"""The review screen in a real browser: `adapt review` on its port, pictures, zoom, two people at once."""

import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, serving
from review_desk import CANDIDATE, READY, expects, log_of, opened, press, shown

from catalog import queue
from catalog.store import Catalog

pytestmark = BROWSER_TEST
HOLD_PICTURES = """() => {
    const real = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src'), waiting = [];
    const set = function (address) {
        if (String(address).includes('size=original')) waiting.push(() => real.set.call(this, address));
        else real.set.call(this, address);
    };
    Object.defineProperty(HTMLImageElement.prototype, 'src', { ...real, set });
    window.releasePictures = () => {
        Object.defineProperty(HTMLImageElement.prototype, 'src', real);
        waiting.forEach((load) => load());
    };
}"""
"""Script that lets no picture load until `releasePictures` is called: a network that is very slow."""


@pytest.fixture(scope="module")
def server(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run `adapt review` on a free port for a workspace of 60 candidates; yield its address and the workspace."""
    workspace = fill_queue(tmp_path_factory.mktemp("review") / "workspace", 60)
    with serving(workspace) as url:
        yield url, workspace


def test_review_by_keyboard_shows_true_pixels_and_asks_no_other_host(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, hosts = opened(chromium, url, "aki")
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
    press(page, "2")
    press(page, "6")
    press(page, "x", leaves=third)
    fourth = shown(page)
    press(page, "s", leaves=fourth)
    fifth = shown(page)
    press(page, "u", leaves=fifth)
    assert shown(page) == fourth
    assert log_of(workspace, "aki") == [
        (first, "approve", ()),
        (second, "reject", ("wrong_colour",)),
        (third, "reject", ("wrong_shape", "blurred")),
        (fourth, "skip", ()),
        (fourth, "void", ()),
    ]
    press(page, "ArrowLeft")
    page.get_by_text("Your earlier decision").wait_for()
    assert shown(page) == third
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f"{CANDIDATE}[data-item='{fourth}']")
    assert hosts == {url.removeprefix("http://")}
    page.context.close()


def test_picture_that_does_not_arrive_cannot_be_approved(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "slow")
    page.evaluate(HOLD_PICTURES)
    first = shown(page)
    press(page, "a")
    expects(page, ".rd").not_to_have_attribute("data-item", str(first))
    expects(page, ".cv-candidate .cv-none").to_have_text("Loading the picture …")
    for _ in range(3):
        page.keyboard.press("a")
    expects(page, ".rd-work .rd-notice").to_contain_text("Too fast")
    assert [verdict for _, verdict, _ in log_of(workspace, "slow")] == ["approve"]
    page.evaluate("window.releasePictures()")
    second = int(page.get_attribute(".rd", "data-item"))
    press(page, "a", leaves=second)
    assert [item for item, _, _ in log_of(workspace, "slow")] == [first, second]
    page.context.close()


def test_zoom_and_mode_stay_on_the_next_picture_and_flicker_asks_nobody(
    chromium: Any, server: tuple[str, Path]
) -> None:
    url, _ = server
    page, _ = opened(chromium, url, "zoe")
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    page.wait_for_selector(READY)
    page.hover(".cv-candidate .cv-surround")
    page.mouse.wheel(0, -400)
    page.keyboard.press("+")
    page.focus(".cv-stage")
    page.keyboard.press("ArrowLeft")
    place = page.get_attribute(".cv-stage", "style")
    assert "--z: 1.0000" not in place and "--x: 0.0000" not in place
    transforms = page.evaluate(
        "['candidate', 'nearest'].map(id => getComputedStyle(document.querySelector(`[data-testid=${id}]`)).transform)"
    )
    assert transforms[0] == transforms[1] != "none"
    page.evaluate("document.activeElement.blur()")
    item = shown(page)
    press(page, "s", leaves=item)
    assert page.get_attribute(".cv-stage", "style") == place
    page.wait_for_selector(READY)
    assert sent
    sent.clear()
    page.keyboard.down("b")
    expects(page, ".cv").to_have_attribute("data-photo", "true")
    expects(page, ".cv-candidate .cv-over").to_be_visible()
    expects(page, ".cv-candidate figcaption").to_contain_text("Nearest real photoSimilarity 0.62")
    photo = page.get_attribute("[data-testid=nearest]", "src")
    expects(page, ".cv-original").to_have_attribute("href", str(photo))
    page.keyboard.up("b")
    expects(page, ".cv").to_have_attribute("data-photo", "false")
    expects(page, ".cv-candidate figcaption").to_contain_text("Generated picture64 × 64 px")
    assert sent == []
    page.keyboard.press("0")
    assert "--z: 1.0000" in page.get_attribute(".cv-stage", "style")
    page.context.close()


def test_mismatch_picks_its_reason_and_is_kept_with_the_decision(chromium: Any, server: tuple[str, Path]) -> None:
    page, _ = opened(chromium, server[0], "mira")
    page.get_by_role("button", name="colour blue: mismatch").click()
    expects(page, ".rd-chip[data-reason=wrong_colour]").to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="colour blue: match", exact=True).click()
    expects(page, ".rd-chip[data-reason=wrong_colour]").to_have_attribute("aria-pressed", "false")
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
