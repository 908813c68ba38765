"""The keys of the review screen in a real browser: wherever the focus is, composed text, bursts, other keys."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, serving
from review_desk import CANDIDATE, READY, expects, log_of, opened, press, shown

from catalog import queue
from catalog.store import Catalog

pytestmark = BROWSER_TEST
PART, MATERIAL = "missing_part", "wrong_material"
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
SIX_TOO_EARLY = """() => {
    const desk = document.querySelector('.rd'), { item } = desk.dataset;
    const early = setInterval(() => {
        if (desk.dataset.item === item || desk.dataset.ready !== 'false') return;
        clearInterval(early);
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '6', bubbles: true }));
        window.pressedSix = true;
    }, 5);
}"""
"""Presses a number on the next picture before it has been on screen for long enough."""


@pytest.fixture(scope="module")
def server(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run `adapt review` on a free port for a workspace of 60 candidates; yield its address and the workspace."""
    workspace = fill_queue(tmp_path_factory.mktemp("keys") / "workspace", 60)
    with serving(workspace) as url:
        yield url, workspace


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


def test_first_number_after_a_wish_for_changes_sends_it_and_the_next_marks_nothing(
    chromium: Any, server: tuple[str, Path]
) -> None:
    url, workspace = server
    page, _ = opened(chromium, url, "gwen")
    item = shown(page)
    press(page, "g")
    expects(page, ".rd-ask").to_contain_text("press a number to send it, or write a note and press G again")
    page.evaluate(SIX_TOO_EARLY)
    for name in "345":
        page.keyboard.press(name)
    page.wait_for_function("window.pressedSix")
    page.wait_for_selector(f"{CANDIDATE}:not([data-item='{item}'])")
    page.wait_for_selector(READY)
    assert page.locator(".rd-chip[aria-pressed=true]").count() == 0
    assert log_of(workspace, "gwen") == [(item, "changes", (MATERIAL,))]
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
