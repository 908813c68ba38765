"""Every screen, light and dark, by axe-core for WCAG 2.1 A and AA; and by hand what axe does not see. No exceptions."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, serving
from PIL import Image
from scenes import EMPTY, READY, SCENES
from worked_queue import work

from catalog import review
from catalog.generation import enqueue
from catalog.records import Candidate
from catalog.store import Catalog

pytestmark = BROWSER_TEST
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
GROUNDS = {"light": "rgb(246, 246, 244)", "dark": "rgb(27, 29, 29)"}
"""Colour behind everything, as `ui/.streamlit/config.toml` has it."""
WORKED, WAITING = 100, 30
PARTS = [
    ".st-key-frame",
    ".rd-progress",
    ".cv-tools",
    ".cv-stage",
    ".cv-below",
    ".rd-chips",
    ".rd-note",
    ".rd-actions",
    ".rd-rail",
    ".rd-history",
]
"""Parts of the desk in the order one reads them."""
FOCUS = """(PARTS) => {
    const here = document.activeElement, style = getComputedStyle(here);
    const part = PARTS.find((name) => here.closest(name)) ?? here.tagName;
    const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
    return [part, ring, here.outerHTML.slice(0, 160), here.tabIndex];
}"""
UNNAMED_PICTURES = """() => [...document.images].filter((image) => image.checkVisibility({ visibilityProperty: true })
    && !image.alt && !image.closest('[aria-hidden=true], [aria-label]')).map((image) => image.outerHTML)"""
HEADINGS = """() => [...document.querySelectorAll('h1')].filter((head) => head.checkVisibility())
    .map((head) => head.textContent)"""


@pytest.fixture(scope="module")
def server(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a queue that people have worked at: decisions, conflicts, a saved rule, a delivery, another wording."""
    workspace = fill_queue(tmp_path_factory.mktemp("axe") / "workspace", WORKED + WAITING)
    with Catalog.open(workspace) as catalog:
        assert enqueue(catalog, "mugs", [_other_wording(workspace, seed) for seed in range(WORKED, WORKED + WAITING)])
        work(catalog, WORKED, until=datetime.now(UTC))
        assert review.conflicts(catalog), "nothing to look at on the conflicts screen"
    with serving(workspace) as url:
        yield url


def _other_wording(workspace: Path, seed: int) -> Candidate:
    path = workspace.parent / f"other-{seed}.png"
    Image.new("RGB", (64, 64), (60, 90, seed)).save(path)
    return Candidate(
        image=path,
        product_id=1,
        caption_id=1,
        prompt="an enamel mug in blue",
        seed=seed,
        scores={"text_match": 0.9},
        nearest_sha256=None,
        nearest_similarity=None,
    )


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a catalogue with nothing in it."""
    workspace = tmp_path_factory.mktemp("empty") / "workspace"
    with Catalog.open(workspace):
        pass
    with serving(workspace) as url:
        yield url


def looking(chromium: Any, language: str, scheme: str = "light", width: int = 1280) -> Any:
    locale = {"en": "en-US", "ja": "ja-JP"}[language]
    size = {"width": width, "height": 800}
    return chromium.new_context(locale=locale, viewport=size, color_scheme=scheme, reduced_motion="reduce")


def violations(page: Any) -> list[str]:
    """Return what axe finds, a line each: the rule, where, and what it says."""
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']} {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", GROUNDS)
@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_no_violation_on_a_screen(chromium: Any, server: str, name: str, scheme: str) -> None:
    # English in the light and Japanese in the dark, so that both go through all screens.
    language = {"light": "en", "dark": "ja"}[scheme]
    context = looking(chromium, language, scheme)
    page = SCENES[name].open(context, server, language)
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert ground == GROUNDS[scheme]
    assert violations(page) == []
    assert page.evaluate("document.documentElement.lang") == language
    assert len(page.evaluate(HEADINGS)) == 1, page.evaluate(HEADINGS)
    assert page.evaluate(UNNAMED_PICTURES) == []
    assert not page.locator("[data-testid=stDialog], [role=dialog]:not(dialog)").count(), "Streamlit's own dialog"
    context.close()


@pytest.mark.parametrize("scheme", GROUNDS)
@pytest.mark.parametrize("name", EMPTY)
def test_axe_finds_no_violation_where_nothing_is_there_yet(
    chromium: Any, empty_server: str, name: str, scheme: str
) -> None:
    context = looking(chromium, "en", scheme)
    page = EMPTY[name].open(context, empty_server, "en")
    assert violations(page) == []
    assert len(page.evaluate(HEADINGS)) == 1
    context.close()


@pytest.mark.parametrize("name", SCENES)
def test_no_screen_scrolls_sideways_on_a_narrow_window(chromium: Any, server: str, name: str) -> None:
    context = looking(chromium, "ja", width=900)
    page = SCENES[name].open(context, server, "ja")
    main = page.evaluate(
        "(() => { const m = document.querySelector('#stMain'); return [m.scrollWidth, m.clientWidth] })()"
    )
    assert main[0] <= main[1]
    context.close()


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ja", 1280), ("en", 900), ("ja", 900)])
def test_decision_bar_and_picture_are_in_view_without_scrolling(
    chromium: Any, server: str, language: str, width: int
) -> None:
    context = looking(chromium, language, width=width)
    page = SCENES["review"].open(context, server, language)
    for button in page.locator(".rd-act:visible").all():
        box = button.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 800 and box["x"] + box["width"] <= width, box
    picture = page.locator("[data-testid=candidate]").bounding_box()
    assert picture["y"] + picture["height"] < 800 and picture["height"] >= 240
    context.close()


def test_focus_goes_through_the_desk_in_reading_order_and_is_always_seen(chromium: Any, server: str) -> None:
    context = looking(chromium, "en")
    page = SCENES["review"].open(context, server, "en")
    page.evaluate("document.activeElement.blur()")
    passed: list[str] = []
    for _ in range(90):
        page.keyboard.press("Tab")
        part, ring, element, tab_index = page.evaluate(FOCUS, PARTS)
        if part in ("BODY", "HTML"):
            break
        assert ring, f"no ring around {element}"
        assert tab_index == 0, element
        if not passed or passed[-1] != part:
            passed.append(part)
    # Before them, Streamlit's own link to the content and the content as a whole.
    assert [part for part in passed if part in PARTS] == PARTS
    context.close()


def test_no_state_is_told_by_colour_alone(chromium: Any, server: str) -> None:
    context = looking(chromium, "en")
    page = SCENES["review-note"].open(context, server, "en")
    chip = page.locator(".rd-chip[aria-pressed=true]").first
    assert chip.locator("i").text_content() == "✓"
    weights = page.evaluate(
        """['true', 'false'].map((on) => document.querySelector(`.rd-tick[aria-pressed=${on}]`))
        .map((tick) => getComputedStyle(tick).borderTopWidth)"""
    )
    assert weights[0] != weights[1]
    words = page.locator(".rd-word").all_text_contents()
    assert words and all(word[0] in "✓✕»✎↺○" for word in words)
    assert page.get_attribute(".rd-track", "aria-label")
    assert page.locator(".rd-strip .rd-current").get_attribute("aria-label").endswith("(this one)")
    context.close()


def test_nothing_moves_by_itself_for_who_asked_for_less_motion(chromium: Any, server: str) -> None:
    context = looking(chromium, "en")
    page = SCENES["review"].open(context, server, "en")
    page.evaluate(
        """() => { window.turns = 0; new MutationObserver(() => { window.turns += 1; }).observe(
        document.querySelector('.cv'), { attributeFilter: ['data-photo'], attributes: true }); }"""
    )
    page.locator(".cv-modes [data-mode=flicker]").click()
    before = page.evaluate("window.turns")
    page.wait_for_timeout(2500)
    assert page.evaluate("window.turns") == before
    assert page.evaluate("getComputedStyle(document.querySelector('.rd-track i')).transitionDuration") == "0s"
    page.wait_for_selector(READY)
    context.close()
