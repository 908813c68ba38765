"""Times of the screens as the page itself has them: from the key, the click or the address to the painted picture.

A picture counts as painted when it has loaded and two frames have come after it: the first begins before the browser
paints, the second after. All times are of `performance.now()` in milliseconds, keys from the event's own time stamp.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE_MS = 30_000
READY = ".rd[data-ready=true]"
"""The desk when its picture has been on screen for as long as the rules ask."""

_PROBE = """
window.probe = {
  frames() {
    const later = (done) => requestAnimationFrame(() => done(performance.now()));
    return new Promise((done) => requestAnimationFrame(() => later(done)));
  },
  async until(holds) {
    const end = performance.now() + PATIENCE_MS;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`still not so: ${holds}`);
      await new Promise((done) => requestAnimationFrame(done));
    }
    return this.frames();
  },
  candidate() {
    const picture = document.querySelector("img[data-testid=candidate][data-item]");
    return picture && picture.complete && picture.naturalWidth > 0 ? picture.dataset.item : null;
  },
  drawn(selector, least) {
    const pictures = [...document.querySelectorAll(selector)];
    return pictures.length >= least && pictures.every((one) => one.complete && one.naturalWidth > 0);
  },
  idle() {
    return document.querySelector("[data-testid=stApp]")?.getAttribute("data-test-script-state") === "notRunning";
  },
  // The next key or click, and when what it leads to is painted.
  watch(kind, key, holds) {
    this.took = new Promise((done, fail) => {
      const begin = (event) => {
        if (key && event.key !== key) return;
        removeEventListener(kind, begin, true);
        this.until(holds(this)).then((at) => done(at - event.timeStamp), fail);
      };
      addEventListener(kind, begin, true);
    });
  },
};
"""
_NEXT = "(probe) => { const gone = probe.candidate(); return () => ![null, gone].includes(probe.candidate()); }"


@contextmanager
def browser(playwright: Any) -> Iterator[Any]:
    """Start Chromium with an empty profile."""
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    try:
        yield opened
    finally:
        opened.close()


def tab(chromium: Any) -> Any:
    """Open a tab with a cache and cookies of its own."""
    context = chromium.new_context(locale="en-US", viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(_PROBE.replace("PATIENCE_MS", str(PATIENCE_MS)))
    return context.new_page()


def opening_ms(page: Any, address: str, holds: str) -> float:
    """Go to an address and return the time from the request for the page until a condition holds and is painted."""
    page.goto(address, wait_until="commit")
    return float(page.evaluate(f"() => probe.until(() => {holds})"))


def candidate_ms(page: Any, url: str, name: str) -> float:
    """Open the review screen as somebody; return when the first picture is painted."""
    return opening_ms(page, f"{url}/review?reviewer={name}", "probe.candidate()")


def key_ms(page: Any, *keys: str) -> float:
    """Press keys when a decision may count; return the time from the last key until another picture is painted."""
    page.wait_for_selector(READY)
    for key in keys[:-1]:
        page.keyboard.press(key)
    page.evaluate(f"(key) => probe.watch('keydown', key, {_NEXT})", keys[-1])
    page.keyboard.press(keys[-1])
    return float(page.evaluate("() => probe.took"))


def click_ms(page: Any, target: Any, holds: str) -> float:
    """Click something; return the time until a condition holds and is painted."""
    page.evaluate(f"() => probe.watch('click', null, (probe) => () => {holds})")
    target.click()
    return float(page.evaluate("() => probe.took"))


def link_ms(page: Any, screen: str, holds: str) -> float:
    """Go to another screen by its link in the row above; return the time until a condition holds and is painted."""
    # The screen where people arrive has no path.
    path = "" if screen == "home" else screen
    target = page.locator(f"[data-testid=stPageLink-NavLink][href='{path}']").first
    return click_ms(page, target, f"location.pathname === '/{path}' && probe.idle() && {holds}")
