"""Leaving the review with a note half typed, in a real browser: nobody waits for the picture, and no word is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, PATIENCE_MS, serving

from catalog import queue, review
from catalog.store import Catalog

pytestmark = BROWSER_TEST
NOTE = "the handle is bent"
READY = ".rd[data-ready=true]"


@pytest.fixture(scope="module")
def server(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    workspace = fill_queue(tmp_path_factory.mktemp("leaving") / "workspace", 6)
    with serving(workspace) as url:
        yield url, workspace


def test_a_note_survives_another_screen_and_the_loss_of_its_picture(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    context = chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{url}/review?reviewer=aki&lang=en")
    page.wait_for_selector(READY)

    def leave_and_find_it_free() -> None:
        page.locator(".st-key-frame a", has_text="Settings").click()
        page.locator(".rd").wait_for(state="detached")
        page.get_by_text("Your keys").or_(page.get_by_text("Keys")).first.wait_for()
        with Catalog.open(workspace) as catalog:
            assert "aki" not in [item.lease_owner for item in queue.items(catalog)]

    page.locator(".rd-note textarea").fill(NOTE)
    leave_and_find_it_free()
    page.locator(".st-key-frame a", has_text="Review").click()
    page.wait_for_selector(f"{READY}[data-item='1']")
    assert page.locator(".rd-note textarea").input_value() == NOTE
    assert page.locator(".rd-kept").is_hidden()

    leave_and_find_it_free()
    with Catalog.open(workspace) as catalog:
        assert review.claim(catalog, "ben", item_id=1) is not None
    page.locator(".st-key-frame a", has_text="Review").click()
    page.wait_for_selector(f"{READY}[data-item='2']")
    assert page.locator(".rd-note textarea").input_value() == ""
    assert page.locator(".rd-kept blockquote").inner_text() == NOTE

    page.locator(".rd-note textarea").fill("fine")
    page.locator(".rd-counts").click()
    page.keyboard.press("a")
    page.wait_for_selector(f"{READY}[data-item='3']")
    leave_and_find_it_free()
    page.locator(".st-key-frame a", has_text="Review").click()
    page.wait_for_selector(f"{READY}[data-item='3']")
    assert page.locator(".rd-kept").is_hidden(), "what was sent is no lost note, and the other was shown already"
    with Catalog.open(workspace) as catalog:
        assert [(made.item_id, made.note) for made in queue.decisions(catalog)] == [(2, "fine")]
    context.close()
