"""Every screen of the review with something on it, opened in a browser: what is looked at and what is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from browser import PATIENCE_MS

READY = ".rd[data-ready=true]"
"""The desk when its picture may be decided."""
IDLE = """() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]')
    && [...document.images].every((image) => image.complete
        || (image.loading === 'lazy' && image.getBoundingClientRect().top > innerHeight))"""


def _nothing(page: Any) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A screen, who looks at it, and what they have done there."""

    screen: str
    person: str | None
    """One of `worked_queue.PEOPLE`; None before anybody gave a name."""
    ready: str
    """What is on the page once it is drawn."""
    act: Callable[[Any], None] = _nothing
    query: tuple[tuple[str, str], ...] = ()

    def open(self, context: Any, url: str, language: str, patience_ms: int = PATIENCE_MS) -> Any:
        """Open it in a browser's context and return the page, with all pictures loaded and nothing running."""
        context.set_default_timeout(patience_ms)
        page = context.new_page()
        person = {} if self.person is None else {"reviewer": self.person}
        query = urlencode({**person, "lang": language, **dict(self.query)})
        page.goto(f"{url}/{self.screen}?{query}")
        page.wait_for_selector(self.ready)
        page.wait_for_function(IDLE)
        self.act(page)
        page.wait_for_function(IDLE)
        return page


def _help(page: Any) -> None:
    page.keyboard.press("?")
    page.wait_for_selector(".rd-help[open]")


def _asked_for_reasons(page: Any) -> None:
    page.keyboard.press("x")
    page.wait_for_selector(".rd-ask.rd-asking")


def _note(page: Any) -> None:
    page.locator(".rd-tick.rd-mismatch").first.click()
    page.keyboard.press("n")
    page.keyboard.type("The lid is missing.")


def _picked(page: Any) -> None:
    for number in range(6):
        page.locator(".gal-pick").nth(number).click()
        page.wait_for_selector(f".gal-pick[aria-pressed=true] >> nth={number}")
    page.wait_for_function("document.querySelectorAll('.gal-sample-row button').length === 5")


def _viewed(page: Any) -> None:
    page.locator(".gal-open").first.click()
    page.wait_for_selector(".gal-view[open] img")
    page.wait_for_function("document.querySelector('.gal-view img').naturalWidth > 0")


def _counted(page: Any) -> None:
    page.locator(".st-key-count-export button").click()
    page.wait_for_selector(".facts")


def _checked(page: Any) -> None:
    page.locator(".st-key-check-log button").click()
    page.wait_for_selector(".result")


SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "home": Scene(screen="home", person="lead-1", ready=".batch"),
        "review": Scene(screen="review", person="reviewer-1", ready=READY),
        "review-reasons": Scene(screen="review", person="reviewer-1", ready=READY, act=_asked_for_reasons),
        "review-note": Scene(screen="review", person="reviewer-1", ready=READY, act=_note),
        "review-help": Scene(screen="review", person="reviewer-1", ready=READY, act=_help),
        "grid": Scene(screen="grid", person="lead-1", ready=".gal-pick", act=_picked),
        "grid-viewer": Scene(screen="grid", person="lead-1", ready=".gal-pick", act=_viewed),
        "compare": Scene(screen="compare", person="reviewer-1", ready=".cand[data-ready=true]"),
        "conflicts": Scene(screen="conflicts", person="lead-1", ready=".opinion"),
        "thresholds": Scene(screen="thresholds", person="lead-1", ready=".thumbs img"),
        "insights": Scene(screen="insights", person="lead-1", ready=".columns"),
        "export": Scene(screen="export", person="lead-1", ready=".st-key-count-export", act=_counted),
        "audit": Scene(screen="audit", person="auditor-1", ready=".scroll table", act=_checked),
        "settings": Scene(screen="settings", person="admin-1", ready=".st-key-reset-keys"),
        "entrance": Scene(screen="home", person=None, ready="[data-testid=stForm]"),
        "refusal": Scene(screen="audit", person="reviewer-1", ready=".note.warning"),
    }
)
"""Name → scene, of a queue that `worked_queue.work` made."""
EMPTY: Mapping[str, Scene] = MappingProxyType(
    {
        "empty-home": Scene(screen="home", person="admin-1", ready=".page"),
        "empty-review": Scene(screen="review", person="admin-1", ready=".rd-empty:not([hidden])"),
        "empty-grid": Scene(screen="grid", person="admin-1", ready=".st-key-grid-bulk"),
        "empty-compare": Scene(screen="compare", person="admin-1", ready=".cand-empty:not([hidden])"),
        "empty-conflicts": Scene(screen="conflicts", person="admin-1", ready=".note"),
        "empty-thresholds": Scene(screen="thresholds", person="admin-1", ready=".page"),
        "empty-insights": Scene(screen="insights", person="admin-1", ready=".page"),
        "empty-export": Scene(screen="export", person="admin-1", ready=".page"),
        "empty-audit": Scene(screen="audit", person="admin-1", ready=".page"),
    }
)
"""Name → scene, of a catalogue with nothing in it."""
