"""The review screen in a real browser: `adapt review` on its port, keys, pictures, two people at once."""

import re
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, PATIENCE_MS, serving

from catalog import decision_log, queue, review
from catalog.store import Catalog

pytestmark = BROWSER_TEST
sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=PATIENCE_MS)
CANDIDATE = "img[data-testid=candidate][data-item]"
READY = ".rd[data-ready=true]"
"""The desk when the picture has been on screen for long enough."""
PART, MATERIAL = "missing_part", "wrong_material"
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
    workspace = fill_queue(tmp_path_factory.mktemp("browser") / "workspace", 60)
    with serving(workspace) as url:
        yield url, workspace


def opened(chromium: Any, url: str, reviewer: str, locale: str = "en-US", **options: Any) -> tuple[Any, set[str]]:
    """Open the screen as somebody; return the page and the hosts it asked, filled as it goes."""
    context = chromium.new_context(
        locale=locale, viewport={"width": 1280, "height": 800}, reduced_motion="reduce", **options
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{url}/review?reviewer={reviewer}")
    page.wait_for_selector(READY)
    return page, hosts


def shown(page: Any) -> int:
    return int(page.get_attribute(CANDIDATE, "data-item"))


def press(page: Any, key: str, *, leaves: int | None = None) -> None:
    """Press a key once a decision may count; wait until item `leaves` has gone."""
    page.wait_for_selector(READY)
    page.keyboard.press(key)
    if leaves is not None:
        page.wait_for_selector(f"{CANDIDATE}:not([data-item='{leaves}'])")


def expects(page: Any, selector: str) -> Any:
    return sync_api.expect(page.locator(selector), selector)


def log_of(workspace: Path, reviewer: str) -> list[tuple[int, str, tuple[str, ...]]]:
    with Catalog.open(workspace) as catalog:
        assert decision_log.first_broken_decision(catalog) is None
        made = queue.decisions(catalog, reviewer=reviewer, limit=100)[::-1]
    return [(each.item_id, each.verdict, each.reasons) for each in made]


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


FOCUSED = (
    "body",
    ".rd-act.rd-approve",
    ".rd-chip",
    ".rd-tick",
    ".cv-stage",
    ".cv-modes button",
    ".cv-original",
    ".rd-rail",
    ".rd-open-help",
    "[data-testid=stButtonGroup] button",
    "[data-testid='stPageLink-NavLink']",
    ".st-key-change-person button",
)
"""What the focus may be on when a key is pressed: one of each kind, in the desk and in the frame around it."""


@pytest.mark.timeout(400)
def test_every_key_works_wherever_the_focus_is(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "matrix")
    expected: list[tuple[int, str, tuple[str, ...]]] = []

    def key(focused: str, name: str) -> None:
        page.wait_for_selector(READY)
        page.evaluate("selector => document.querySelector(selector).focus()", focused)
        page.keyboard.press(name)

    for focused in FOCUSED:
        item = shown(page)
        for pressed in ("true", "false"):
            key(focused, "f")
            expects(page, ".rd-flag").to_have_attribute("aria-pressed", pressed)
        mode = page.get_attribute(".cv", "data-mode")
        key(focused, "v")
        expects(page, ".cv").not_to_have_attribute("data-mode", mode)
        for name, zoom in (("+", "1.25"), ("-", "1.00"), ("+", "1.25"), ("0", "1.00")):
            key(focused, name)
            expects(page, ".cv-stage").to_have_attribute("style", re.compile(f"--z: {zoom}"))
        page.keyboard.down("b")
        expects(page, ".cv").to_have_attribute("data-photo", "true")
        page.keyboard.up("b")
        expects(page, ".cv").to_have_attribute("data-photo", "false")
        key(focused, "n")
        expects(page, ".rd-note textarea").to_be_focused()
        page.keyboard.press("Escape")
        key(focused, "?")
        page.get_by_role("dialog", name="Keys").wait_for()
        page.keyboard.press("Escape")
        for verdict, keys, reasons in (("approve", "a", ()), ("reject", "x4", (PART,)), ("changes", "3g", (MATERIAL,))):
            for name in keys:
                key(focused, name)
            page.wait_for_selector(f"{CANDIDATE}:not([data-item='{item}'])")
            key(focused, "u")
            page.wait_for_selector(f"{CANDIDATE}[data-item='{item}']")
            expected += [(item, verdict, reasons), (item, "void", ())]
        key(focused, "s")
        page.wait_for_selector(f"{CANDIDATE}:not([data-item='{item}'])")
        expected.append((item, "skip", ()))
    assert log_of(workspace, "matrix") == expected
    page.context.close()


def test_letters_and_composed_text_in_the_note_decide_nothing(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "hana", locale="ja-JP")
    item = shown(page)
    press(page, "n")
    expects(page, ".rd-note textarea").to_be_focused()
    page.keyboard.type("axs1u")
    page.keyboard.press("Enter")
    browser = page.context.new_cdp_session(page)
    browser.send("Input.imeSetComposition", {"text": "あか", "selectionStart": 2, "selectionEnd": 2})
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    browser.send("Input.insertText", {"text": "赤"})
    page.keyboard.press("Escape")
    expects(page, ".rd-note textarea").not_to_be_focused()
    note = page.input_value(".rd-note textarea")
    assert note.startswith("axs1u\n") and "赤" in note
    # Outside of a text field, too, a key that an input method is composing with is no key.
    view = page.get_attribute(".cv", "data-mode")
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'v', isComposing: true, bubbles: true}))"
    )
    expects(page, ".cv").to_have_attribute("data-mode", str(view))
    assert log_of(workspace, "hana") == [] and shown(page) == item
    press(page, "6")
    press(page, "x", leaves=item)
    with Catalog.open(workspace) as catalog:
        (made,) = queue.decisions(catalog, reviewer="hana")
    assert made.note == note.strip() and made.reasons == ("blurred",)
    expects(page, ".rd-note textarea").to_have_value("")
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
        page.wait_for_selector(READY)
    seen = {int(item): when / 1000 for item, when in page.evaluate("window.seen").items()}
    with Catalog.open(workspace) as catalog:
        made = queue.decisions(catalog, reviewer="chen", limit=100)
    assert made
    assert len({decision.item_id for decision in made}) == len(made)
    for decision in made:
        assert decision.dwell_ms is not None and decision.dwell_ms >= 400
        assert decision.decided_at.timestamp() > seen[decision.item_id]
    # Of a burst that decided, the first key that came too early says so.
    press(page, "a", leaves=shown(page))
    page.keyboard.press("a")
    expects(page, ".rd-work .rd-notice").to_contain_text("Too fast")
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
    page.keyboard.up("b")
    expects(page, ".cv").to_have_attribute("data-photo", "false")
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


def test_lost_lease_keeps_the_note(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "lena")
    item = shown(page)
    press(page, "n")
    page.keyboard.type("the handle is on the wrong side")
    page.keyboard.press("Escape")
    with Catalog.open(workspace) as catalog:
        review.release(catalog, item, queue.item(catalog, item).lease_token or "")
        assert review.claim(catalog, "somebody else", item_id=item) is not None
    press(page, "2")
    press(page, "x", leaves=item)
    expects(page, ".rd-kept blockquote").to_have_text("the handle is on the wrong side")
    expects(page, ".rd-work .rd-notice").to_contain_text("someone else took it")
    assert log_of(workspace, "lena") == []
    page.context.close()


def test_help_shows_the_keys_and_gives_an_action_another_one(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "remy")
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.wait_for()
    dialog.get_by_role("button", name="Change key: Skip").click()
    page.keyboard.press("a")
    dialog.get_by_text("A already means “Approve”").wait_for()
    dialog.get_by_role("button", name="Change key: Skip").click()
    page.keyboard.press("j")
    dialog.get_by_text("Keys saved.").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    item = shown(page)
    press(page, "j", leaves=item)
    assert log_of(workspace, "remy") == [(item, "skip", ())]
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
