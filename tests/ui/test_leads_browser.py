"""What a team does together, in a real browser: rules, second opinion, conflict, threshold, delivery, log."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER_TEST, PATIENCE_MS, serving, visit
from review_desk import CANDIDATE, READY

from catalog import decision_log, export, insights, people, policies, queue
from catalog.store import Catalog

pytestmark = BROWSER_TEST
sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=PATIENCE_MS)
VALUE = "slider => slider.getAttribute('aria-valuenow') ?? slider.value"
ROLES = {"ada": "admin", "lea": "lead", "olga": "auditor", "aki": "reviewer", "ben": "reviewer"}
OPEN_TO = {
    "grid": ("admin", "lead", "auditor"),
    "compare": ("admin", "lead", "reviewer"),
    "conflicts": ("admin", "lead", "auditor"),
    "thresholds": ("admin", "lead", "auditor"),
    "insights": ("admin", "lead", "auditor", "reviewer"),
    "export": ("admin", "lead"),
    "audit": ("admin", "lead", "auditor"),
    "settings": ("admin", "lead", "auditor", "reviewer"),
    "review": ("admin", "lead", "reviewer"),
}


@pytest.fixture(scope="module")
def server(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run `adapt review` for a workspace of six candidates; one person of each role, and a second reviewer."""
    workspace = fill_queue(tmp_path_factory.mktemp("leads") / "workspace", 6)
    with Catalog.open(workspace) as catalog:
        for name, role in ROLES.items():
            people.sign_in(catalog, name, role=role)
    with serving(workspace) as url:
        yield url, workspace


def choose(page: Any, label: str, option: str) -> None:
    """Choose from one of Streamlit's lists."""
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def decide(page: Any, *keys: str) -> int:
    """Decide what is on screen once it may be; return its number."""
    page.wait_for_selector(READY)
    item = int(page.get_attribute(CANDIDATE, "data-item"))
    for key in keys:
        page.keyboard.press(key)
    sync_api.expect(page.locator(".rd")).not_to_have_attribute("data-item", str(item))
    return item


def test_rules_second_opinion_conflict_and_ruling(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    ada = visit(chromium, f"{url}/settings?reviewer=ada")
    ada.get_by_label("Approvals a picture needs").fill("2")
    ada.get_by_label("Why is this changed?").fill("two <b>people</b> look")
    ada.get_by_role("button", name="Save as a new version").click()
    ada.get_by_text("Saved as version 1.").wait_for()
    choose(ada, "Action", "Skip")
    ada.get_by_label("New key").fill("j")
    ada.get_by_role("button", name="Save key").click()
    ada.get_by_text("Keys saved.").wait_for()
    with Catalog.open(workspace) as catalog:
        assert policies.current(catalog).quorum == 2
        assert people.known(catalog, "ada").settings == {"keys": {"skip": "j"}}
    ada.context.close()

    aki, ben = (visit(chromium, f"{url}/review?reviewer={name}") for name in ("aki", "ben"))
    aki.wait_for_selector(READY), ben.wait_for_selector(READY)
    theirs = [int(page.get_attribute(CANDIDATE, "data-item")) for page in (aki, ben)]
    assert theirs == [1, 2], "two people hold two items"
    assert decide(aki, "a") == 1 and decide(ben, "s") == 2
    # Until their own word is said, nothing on the page says what the first one was.
    ben.wait_for_selector(f"{CANDIDATE}[data-item='1']")
    words = ben.inner_text("body")
    assert "aki" not in words and "✓ Approved" not in words
    assert decide(ben, "x", "1") == 1
    aki.context.close(), ben.context.close()

    lea = visit(chromium, f"{url}/conflicts?reviewer=lea")
    lea.get_by_text("Opinion 2").wait_for()
    words = lea.inner_text("[data-testid=stMain]")
    assert "Approved" in words and "Rejected" in words and "Colour" in words
    assert "aki" not in words and "ben" not in words
    lea.get_by_role("radio", name="Approve").or_(lea.get_by_role("button", name="Approve", exact=True)).first.click()
    lea.get_by_role("button", name="Settle", exact=True).click()
    lea.get_by_text("A ruling needs a note").wait_for()
    lea.get_by_label("Why? Everybody can read this later.").fill("the record says blue")
    lea.get_by_label("Why? Everybody can read this later.").press("Tab")
    lea.get_by_role("button", name="Settle", exact=True).click()
    lea.get_by_text("Settled: approved.").wait_for()
    lea.get_by_text("aki", exact=True).wait_for()
    lea.context.close()
    with Catalog.open(workspace) as catalog:
        assert queue.item(catalog, 1).state == "approved"
        log = [(made.reviewer, made.verdict) for made in queue.decisions(catalog, item_id=1)[::-1]]
        assert log == [("aki", "approve"), ("ben", "reject"), ("lea", "approve")]
        assert decision_log.first_broken_decision(catalog) is None


def test_threshold_is_previewed_and_saved_as_a_version(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page = visit(chromium, f"{url}/thresholds?reviewer=lea")
    page.get_by_text("Nothing is ever approved automatically.").wait_for()
    slider = page.get_by_role("slider").first
    slider.focus()
    before = float(slider.evaluate(VALUE))
    rejected = page.locator("dt:text-is('Would be rejected unseen') + dd")
    sync_api.expect(rejected).to_contain_text("0")
    for _ in range(5):
        slider.press("ArrowRight")
    sync_api.expect(rejected).not_to_have_text(rejected.inner_text())
    page.get_by_label("Why? The note is kept with the version").fill("weak matches")
    page.get_by_label("Why? The note is kept with the version").press("Tab")
    page.get_by_role("button", name="Save as version").click()
    page.get_by_text("Saved as version 2.").wait_for()
    page.get_by_text("weak matches").wait_for()
    with Catalog.open(workspace) as catalog:
        rules = policies.current(catalog)
        assert rules.auto_reject["text_match"] == pytest.approx(float(slider.evaluate(VALUE)), abs=1e-6)
        assert rules.auto_reject["text_match"] > before
        assert rules.audit_share > 0 and (rules.version, rules.quorum) == (2, 2)
    page.context.close()


def test_delivery_is_counted_made_and_read_back(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    page = visit(chromium, f"{url}/export?reviewer=lea")
    page.get_by_role("button", name="Count without exporting").click()
    leaving = page.locator("dt:text-is('Would leave') + dd")
    with Catalog.open(workspace) as catalog:
        approved = len(queue.items(catalog, state="approved"))
    assert leaving.inner_text() == str(approved) == "1"
    assert not (workspace / "exports").exists()
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_text("pictures delivered to exports/folder-001").wait_for()
    page.get_by_text(f"{approved} of {approved} files were read back").wait_for()
    page.get_by_role("button", name="Check this delivery").click()
    page.get_by_text("pictures agree with the manifest").wait_for()
    assert export.verify(workspace / "exports" / "folder-001").ok
    page.context.close()


def test_log_is_searched_checked_and_taken_away(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    with Catalog.open(workspace) as catalog:
        made = queue.decisions(catalog, limit=100)
    page = visit(chromium, f"{url}/audit?reviewer=olga", accept_downloads=True)
    page.get_by_role("button", name="Check the log").click()
    page.get_by_text(f"The log holds: {len(made)} decisions, none changed").wait_for()
    for kind in ("CSV", "JSONL"):
        with page.expect_download() as told:
            page.get_by_role("link", name=f"Download as {kind}").click()
        text = Path(told.value.path()).read_text(encoding="utf-8-sig")
        rows: list[Any] = list(csv.DictReader(io.StringIO(text)))
        if kind == "JSONL":
            rows = [json.loads(line) for line in text.splitlines()]
        assert [int(row["id"]) for row in rows] == [decision.id for decision in made]
    page.get_by_label("Product", exact=True).fill("no such thing")
    page.get_by_label("Product", exact=True).press("Enter")
    page.get_by_text("No decision fits this search.").wait_for()
    page.get_by_role("button", name="Clear the search").click()
    page.get_by_text("the record says blue").wait_for()
    page.context.close()


def test_home_and_insights_show_what_the_services_count(chromium: Any, server: tuple[str, Path]) -> None:
    url, workspace = server
    with Catalog.open(workspace) as catalog:
        counts = queue.progress(catalog, "lea")
        pace = insights.throughput(catalog)
    page = visit(chromium, f"{url}/?reviewer=lea")
    page.get_by_text(f"{counts.pending} pictures wait. You have decided {counts.decided_by_me}.").wait_for()
    for name, value in (("Waiting", counts.pending), ("Approved", counts.approved), ("Rejected", counts.rejected)):
        assert page.locator(f"dt:text-is('{name}') + dd").first.inner_text() == str(value), name
    page.goto(f"{url}/insights?reviewer=lea")
    page.get_by_text("Why pictures are rejected").wait_for()
    table = page.inner_text("[data-testid=stMain]")
    assert pace and all(row.reviewer in table and str(row.decisions) in table for row in pace)
    page.context.close()


def test_every_screen_refuses_who_may_not_open_it(chromium: Any, server: tuple[str, Path]) -> None:
    url, _ = server
    for name in ("lea", "olga", "aki"):
        page = visit(chromium, f"{url}/?reviewer={name}")
        for screen, roles in OPEN_TO.items():
            page.goto(f"{url}/{screen}?reviewer={name}")
            refusal = page.get_by_text("is not open to your role")
            if ROLES[name] in roles:
                page.locator(".st-key-frame").get_by_text(screen.capitalize(), exact=True).wait_for()
                assert refusal.count() == 0, (name, screen)
            else:
                refusal.wait_for()
                assert not page.locator("[data-testid=stBaseButton-primary], .gal, .cand, .rd").count()
        page.context.close()
    page = visit(chromium, f"{url}/export")
    page.get_by_label("Your name").wait_for()
    assert not page.get_by_text("Count without exporting").count()
    page.context.close()
