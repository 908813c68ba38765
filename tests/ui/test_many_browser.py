"""The screens with many pictures in a real browser: picks by keyboard, the sample, a choice among candidates."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, PATIENCE_MS, serving

from catalog import people, queue
from catalog.store import Catalog
from ui import compare_view

pytestmark = BROWSER_TEST
HOSTILE = "<img src=x onerror=\"document.title='caught'\"> \u202egnp"


@pytest.fixture(scope="module")
def server(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run `adapt review` on a free port for sixty candidates of one product; lea leads."""
    workspace = fill_queue(tmp_path_factory.mktemp("many") / "workspace", 60, name=HOSTILE)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "lea", role="lead")
    with serving(workspace) as url:
        yield url, workspace


def opened(chromium: Any, url: str, screen: str, ready: str) -> Any:
    context = chromium.new_context(locale="en-US", viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{url}/{screen}?reviewer=lea&size=60")
    page.wait_for_selector(ready)
    return page


def test_grid_is_worked_by_keyboard_and_takes_only_what_was_looked_at(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page = opened(chromium, url, "grid", ".gal-pick")
    assert page.locator(".gal-pick").count() == 60
    page.wait_for_function("[...document.querySelectorAll('.gal-pick img')].every((image) => image.naturalWidth > 0)")
    page.locator(".gal-pick").first.focus()
    for _ in range(5):
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_text("6 picked", exact=True).wait_for()
    assert page.locator(".gal-pick[aria-pressed=true]").count() == 6
    page.wait_for_function("document.querySelectorAll('.gal-sample-row button').length === 5")
    # The browser tells of a closing only after the next picture was opened; that one must stay.
    page.evaluate(
        """() => {
            const [first, second] = document.querySelectorAll('.gal-sample-row button');
            first.click();
            document.querySelector('.gal-view').close();
            second.focus();
            second.click();
        }"""
    )
    page.wait_for_function("document.querySelectorAll('.gal-sample-row .gal-seen').length === 1")
    assert page.evaluate("document.querySelector('.gal-view img').naturalWidth") == 64
    page.keyboard.press("Escape")
    # The focus comes back to the sample that was opened, although it was drawn anew.
    page.wait_for_function("document.activeElement.matches('.gal-sample-row .gal-seen')")
    for seen_before, number in enumerate((0, 2, 3, 4), start=1):
        page.locator(".gal-sample-row button").nth(number).focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('.gal-view img').naturalWidth === 64")
        page.wait_for_function(f"document.querySelectorAll('.gal-sample-row .gal-seen').length === {seen_before + 1}")
        page.keyboard.press("Escape")
    page.get_by_text("5 of 5 sample pictures opened.", exact=True).wait_for()
    page.get_by_role("radio", name="Approve").or_(page.get_by_role("button", name="Approve", exact=True)).first.click()
    page.get_by_label("How many are decided? Type 6").fill("6")
    page.get_by_label("How many are decided? Type 6").press("Tab")
    page.get_by_role("button", name="Decide 6 pictures").click()
    page.get_by_text("6 approved.").wait_for()
    with Catalog.open(workspace) as catalog:
        assert [item.id for item in queue.items(catalog, state="approved")] == [1, 2, 3, 4, 5, 6]
    assert page.title() != "caught"
    page.context.close()


@pytest.mark.parametrize("gap_ms", [40, 150])
def test_compare_chooses_by_number_what_was_on_screen(chromium: Any, server: tuple[str, Path], gap_ms: int) -> None:
    url, workspace = server
    with Catalog.open(workspace) as catalog:
        before = {decision.id for decision in queue.decisions(catalog, limit=100)}
    page = opened(chromium, url, "compare", ".cand-pane img[data-item]")
    page.evaluate(
        """window.seen = {}; setInterval(() => { for (const image of document.querySelectorAll('img[data-item]'))
        if (image.complete && image.naturalWidth) window.seen[image.dataset.item] ??= Date.now() }, 5)"""
    )
    page.wait_for_selector(".cand[data-ready=true]")
    shown = [int(image.get_attribute("data-item")) for image in page.locator("img[data-item]").all()]
    assert len(shown) == 4
    for _ in range(12):
        page.keyboard.press("2")
        page.wait_for_timeout(gap_ms)
    # Keys that came too early for the next candidates must not hide that one was chosen.
    page.get_by_text("Chosen for").wait_for()
    seen = {int(item): when / 1000 for item, when in page.evaluate("window.seen").items()}
    with Catalog.open(workspace) as catalog:
        made = [decision for decision in queue.decisions(catalog, limit=100) if decision.id not in before]
    chosen = [decision.item_id for decision in made if decision.verdict == "approve"]
    assert chosen[-1] == shown[1]
    assert {decision.origin for decision in made} == {"compare"} and len(made) == 4 * len(chosen)
    assert len({decision.item_id for decision in made}) == len(made)
    for decision in made:
        assert (decision.dwell_ms or 0) >= 400 and decision.decided_at.timestamp() > seen[decision.item_id]
    assert page.title() != "caught"
    page.context.close()


def test_messages_leave_one_at_a_time_and_say_when_nobody_answers(chromium: Any) -> None:
    script = (Path(compare_view.__file__).parent / "outbox.js").read_text(encoding="utf-8")
    page = chromium.new_page()
    found = page.evaluate(
        script
        + """(() => {
            let now = 0;
            performance.now = () => now;
            const sent = [], lost = [];
            const outbox = new Outbox((given) => lost.push(...given.map((each) => each.name)));
            const send = (name, value) => sent.push(`${name} ${value}`);
            outbox.update(0, send);
            outbox.send("shown", 1);
            outbox.ask("decide", 2);
            outbox.ask("undo", 3);
            outbox.send("renew", 4);
            outbox.update(0, send);
            const first = [...sent];
            outbox.update(1, send);
            outbox.update(2, send);
            now = 9000;
            outbox.tick();
            outbox.ask("decide", 5);
            return { first, sent, lost };
        })()"""
    )
    assert found == {
        "first": ["shown 1"],
        "sent": ["shown 1", "decide 2", "renew 4", "decide 5"],
        "lost": ["renew"],
    }
    page.close()
