"""The audit screen wired to the log, without a browser."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from approved_pictures import Thing, approve, draw
from overview_pages import HOSTILE, drew_hostile_as_text, html_of, keys_of, named, open_page, rows_of
from screen_text import leftover_english
from sqlalchemy import text

from catalog import people, policies, review
from catalog.policy import Policy
from catalog.schema import ITEM_STATES, VERDICTS
from catalog.store import Catalog
from ui import decision_table, image_route, tables
from ui.i18n import strings
from ui.thresholds import STATE_SIGNS


def first_of(may: int) -> Callable[[], datetime]:
    return lambda: datetime(2026, 5, may, 12, tzinfo=UTC)


@pytest.fixture
def logged(queued: Callable[..., Path]) -> Path:
    """Three mugs: aki rejects 1 with a formula as note and takes it back, approves 2; ben approves 3 later."""
    workspace = queued(3)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "ada", role="admin")
        review.decide_item(catalog, "aki", 1, "reject", reasons=("blurred",), note='=HYPERLINK("x")', clock=first_of(1))
        review.undo_item(catalog, "aki", 1, clock=first_of(1))
        review.decide_item(catalog, "aki", 2, "approve", clock=first_of(2))
        review.decide_item(catalog, "ben", 3, "approve", clock=first_of(3))
    return workspace


def numbers(app: object) -> list[str]:
    return [row[0] for row in rows_of(app, "Decisions, newest first")]  # type: ignore[arg-type]


def test_audit_page_lists_the_log_newest_first(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(logged, monkeypatch, "audit", "olga")
    rows = rows_of(app, "Decisions, newest first")
    assert [row[0] for row in rows] == ["4", "3", "2", "1"]
    assert rows[3][1:] == [
        "2026-05-01 12:00:00", "aki", "✕ Rejected", "Blue enamel mug", "1", "Blurred", "=HYPERLINK(&quot;x&quot;)",
        "Script", "superseded",
    ]  # fmt: skip
    assert rows[2][3] == "↺ Undone" and rows[2][9] == "replaces no. 1"


def test_audit_page_takes_its_search_from_the_address(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for query, expected in (
        ({"person": "ben"}, ["4"]),
        ({"verdict": "approve", "product": "mug-1"}, ["4", "3"]),
        ({"item": "1"}, ["2", "1"]),
        ({"since": "2026-05-02", "until": "2026-05-02"}, ["3"]),
        ({"before": "3"}, ["2", "1"]),
        ({"before": "x", "item": "nan", "verdict": "nonsense", "since": "1"}, ["4", "3", "2", "1"]),
    ):
        assert numbers(open_page(logged, monkeypatch, "audit", **query)) == expected, query


def test_audit_page_links_a_lead_to_rule_on_what_stands(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = re.compile(r'<a href="(conflicts[^"]*)">Rule on this</a>')
    assert link.findall(html_of(open_page(logged, monkeypatch, "audit", "lea"))) == [
        "conflicts?item=3",
        "conflicts?item=2",
    ]
    assert link.findall(html_of(open_page(logged, monkeypatch, "audit", "olga"))) == []


def test_audit_page_searches_and_clears(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(logged, monkeypatch, "audit")
    app.selectbox(key="person").select("ben")
    app.text_input(key="product").input("no such thing").run()
    assert "No decision fits this search." in html_of(app)
    app.button(key="clear-search").click().run()
    assert numbers(app) == ["4", "3", "2", "1"]


def test_audit_page_turns_pages(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(workspace, [Thing(sku="MUG-1")], 64)
    with Catalog.open(workspace) as catalog:
        approve(catalog, range(1, 65))
    app = open_page(workspace, monkeypatch, "audit")
    assert numbers(app) == [str(number) for number in range(64, 14, -1)]
    app.button(key="older-rows").click().run()
    assert numbers(app) == [str(number) for number in range(14, 0, -1)]
    assert "older-rows" not in keys_of(app)
    app.button(key="newer-rows").click().run()
    assert numbers(app)[0] == "64" and not {"newest-rows", "newer-rows"} & keys_of(app)


def test_audit_page_says_that_the_log_holds(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(logged, monkeypatch, "audit", "lea")
    app.button(key="check-log").click().run()
    assert "✓ The log holds: 4 decisions, none changed" in html_of(app)


def test_audit_page_says_what_was_changed(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog.open(logged) as catalog, catalog.write() as session:
        session.execute(text("DROP TRIGGER decision_no_update"))
        session.execute(text("UPDATE decision SET note = 'other' WHERE id = 3"))
        session.execute(text("UPDATE review_item SET state = 'approved' WHERE id = 1"))
    app = open_page(logged, monkeypatch, "audit")
    app.button(key="check-log").click().run()
    body = html_of(app)
    assert "✕ The log cannot be trusted: 4 decisions checked" in body
    assert "Decision 3 was changed or added outside the review" in body
    assert "Item 1: stored as “Approved”, the log says “Waiting”." in body


def test_audit_page_links_to_the_rows_of_the_search(logged: Path, monkeypatch: pytest.MonkeyPatch, client: Any) -> None:
    client.kept[image_route.COOKIE] = "0" * 32
    app = open_page(logged, monkeypatch, "audit", "olga", person="aki", since="2026-05-01")
    assert not app.get("download_button")  # their files lie where anybody can fetch them
    links = re.findall(r'<a href="(/download/[^"]*)">(.*?)</a>', html_of(app))
    assert [label for _, label in links] == ["Download as CSV", "Download as JSONL"]
    asked = [parse_qs(urlsplit(unescape(link)).query) for link, _ in links]
    assert [query["person"] for query in asked] == [["olga"]] * 2
    assert json.loads(asked[0]["search"][0]) == {"reviewer": "aki", "since": "2026-05-01T00:00:00+00:00"}


def test_audit_page_hides_opinions_on_open_pictures_from_a_lead(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog.open(logged) as catalog:
        policies.save(catalog, "ada", Policy(quorum=2), "two")
        review.decide_item(catalog, "aki", 1, "approve")
    assert numbers(open_page(logged, monkeypatch, "audit", "olga"))[0] == "5"
    assert numbers(open_page(logged, monkeypatch, "audit", "lea")) == ["4", "3"]
    with Catalog.open(logged) as catalog:
        review.decide_item(catalog, "lea", 1, "approve")
    assert numbers(open_page(logged, monkeypatch, "audit", "lea")) == ["6", "5", "4", "3", "2", "1"]


def test_audit_page_is_not_open_to_reviewers(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(logged, monkeypatch, "audit", "aki")
    assert "is not open to your role (Reviewer)" in html_of(app) and "check-log" not in keys_of(app)


def test_audit_page_shows_hostile_text_as_text(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = queued(1, name=HOSTILE)
    with Catalog.open(workspace) as catalog:
        review.decide_item(catalog, "aki", 1, "reject", reasons=("other",), note=HOSTILE)
    app = open_page(workspace, monkeypatch, "audit")
    assert drew_hostile_as_text(app)
    assert html_of(app).count("<bdi>&lt;img") == 2


def test_audit_page_works_with_an_empty_log(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(queued(0), monkeypatch, "audit")
    assert "No decision fits this search." in html_of(app)
    app.button(key="check-log").click().run()
    assert "The log holds: 0 decisions" in html_of(app)


def test_audit_page_speaks_japanese_and_names_everything(logged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(logged, monkeypatch, "audit", "lea", lang="ja")
    shown = ["Blue enamel mug", '=HYPERLINK("x")', "aki", "ben", "ada", "lea", "olga", "(policy)", "YYYY-MM-DD"]
    assert leftover_english(app, shown) == []
    for widget in (*app.selectbox, *app.text_input, *app.date_input, *app.button):
        assert named(widget)


def test_audit_page_has_words_for_all_it_may_say() -> None:
    asked = {f"verdict.{code}" for code in VERDICTS} | {f"audit.origin_{code}" for code in decision_table.ORIGINS}
    assert asked | {f"thresholds.state_{state}" for state in ITEM_STATES} <= set(strings("ja"))
    assert set(tables.SIGNS) == set(VERDICTS) and set(STATE_SIGNS) == set(ITEM_STATES)
