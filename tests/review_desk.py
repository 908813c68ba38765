"""The review screen in a real browser: opening it as somebody, pressing keys when they may count, reading the log."""

from pathlib import Path
from typing import Any

from browser import PATIENCE_MS

from catalog import decision_log, queue
from catalog.store import Catalog

CANDIDATE = "img[data-testid=candidate][data-item]"
READY = ".rd[data-ready=true]"
"""The desk when the picture has been on screen for long enough."""


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
    """Return the item whose picture is on screen."""
    return int(page.get_attribute(CANDIDATE, "data-item"))


def press(page: Any, key: str, *, leaves: int | None = None) -> None:
    """Press a key once a decision may count; wait until item `leaves` has gone."""
    page.wait_for_selector(READY)
    page.keyboard.press(key)
    if leaves is not None:
        page.wait_for_selector(f"{CANDIDATE}:not([data-item='{leaves}'])")


def expects(page: Any, selector: str) -> Any:
    """Return what waits until an element is as expected."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE_MS)
    return expect(page.locator(selector), selector)


def log_of(workspace: Path, reviewer: str) -> list[tuple[int, str, tuple[str, ...]]]:
    """Return what somebody decided, oldest first: item, verdict, reasons; the whole chain must hold."""
    with Catalog.open(workspace) as catalog:
        assert decision_log.first_broken_decision(catalog) is None
        made = queue.decisions(catalog, reviewer=reviewer, limit=100)[::-1]
    return [(each.item_id, each.verdict, each.reasons) for each in made]
