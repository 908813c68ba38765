"""What holds on every screen, in a real browser: hostile text is text, nobody else is asked, Japanese, no pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, serving, visit
from sqlalchemy import update

from catalog import people, policies, queue, review
from catalog.policy import Policy
from catalog.schema import AttributeRow, GenerationRow, ProductRow, ReviewItemRow
from catalog.store import Catalog

pytestmark = BROWSER_TEST
SCREENS = ("home", "review", "grid", "compare", "conflicts", "thresholds", "insights", "export", "audit", "settings")
HOSTILE = "<img src=x onerror=\"document.title='caught'\"><script>document.title='caught'</script> \u202egnp =1+1 **b**"
FORMULA = '=HYPERLINK("http://x.example","x")'
DRAWN = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    const idle = document.querySelector('[data-test-script-state=notRunning]');
    return idle && main && main.innerText.trim().length > 40;
}"""
"""The page is drawn and Streamlit runs nothing."""


@pytest.fixture(scope="module")
def hostile(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `adapt review` where all text is hostile and one conflict is open; yield its address."""
    workspace = fill_queue(tmp_path_factory.mktemp("hostile") / "workspace", 8, name=HOSTILE)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "ada", role="admin")
        for name in (HOSTILE[:80], FORMULA):
            people.sign_in(catalog, name, role="reviewer")
        with catalog.write() as session:
            session.execute(update(GenerationRow).values(prompt=HOSTILE, run=HOSTILE))
            session.execute(update(ProductRow).values(sku=FORMULA, category=HOSTILE, description=HOSTILE))
            session.execute(update(AttributeRow).values(value=HOSTILE))
            session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 1).values(quorum=2))
        policies.save(catalog, "ada", Policy(auto_reject={"text_match": 0.1}), HOSTILE)
        review.decide_item(catalog, HOSTILE[:80], 1, "approve")
        review.decide_item(catalog, FORMULA, 1, "reject", reasons=("other",), note=HOSTILE)
        review.decide_item(catalog, "ada", 2, "reject", reasons=("other",), note=FORMULA)
        assert queue.progress(catalog).conflict == 1
    with serving(workspace) as url:
        yield url


def asked_hosts(page: Any) -> set[str]:
    """Return the hosts that a page asks, filled as it goes."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("websocket", lambda socket: hosts.add(socket.url.split("/")[2]))
    return hosts


@pytest.mark.parametrize("language", ["en", "ja"])
def test_hostile_text_is_text_and_no_other_host_is_asked(chromium: Any, hostile: str, language: str) -> None:
    page = visit(chromium, "about:blank", locale={"en": "en-US", "ja": "ja-JP"}[language])
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    hosts = asked_hosts(page)
    shown = set()
    for screen in SCREENS:
        page.goto(f"{hostile}/{'' if screen == 'home' else screen}?reviewer=ada&lang={language}")
        page.wait_for_function(DRAWN)
        if screen in ("review", "compare"):
            page.wait_for_selector("img[data-item]")
        assert page.evaluate("document.documentElement.lang") == language, screen
        assert page.title() != "caught", screen
        assert not page.locator("img[src=x], img[onerror], a[href*='x.example']").count(), screen
        if HOSTILE[:30] in page.inner_text("[data-testid=stMain]"):
            shown.add(screen)
    assert errors == []
    assert hosts == {hostile.removeprefix("http://")}
    assert shown >= {"home", "review", "compare", "conflicts", "thresholds", "insights", "audit", "settings"}, shown
    page.context.close()


def test_every_screen_without_pictures_says_what_to_type(
    chromium: Any, fill_queue: Callable[..., Path], tmp_path: Path
) -> None:
    workspace = fill_queue(tmp_path / "workspace", 0)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "ada", role="admin")
    with serving(workspace) as url:
        page = visit(chromium, "about:blank")
        for screen in SCREENS[:-1]:
            page.goto(f"{url}/{'' if screen == 'home' else screen}?reviewer=ada")
            page.get_by_text("adapt generate").first.wait_for()
            assert not page.locator("[data-testid=stException]").count()
        page.context.close()
