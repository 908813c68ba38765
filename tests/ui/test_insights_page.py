"""Insights wired to the log, without a browser."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from overview_pages import HOSTILE, drew_hostile_as_text, facts_of, html_of, open_page, rows_of, words_of
from screen_text import leftover_english

from catalog import people, policies, review
from catalog.policy import Policy
from catalog.store import Catalog


@pytest.fixture
def judged(queued: Callable[..., Path]) -> Path:
    """Three mugs, the first two judged by aki and lea today: they agree on one; aki judged the third 40 days ago."""
    workspace = queued(3)
    long_ago = datetime.now(UTC) - timedelta(days=40)
    with Catalog.open(workspace) as catalog:
        for name, role in (("ada", "admin"), ("lea", "lead")):
            people.sign_in(catalog, name, role=role)
        policies.save(catalog, "ada", Policy(quorum=2), "two")
        review.decide_item(catalog, "aki", 3, "approve", clock=lambda: long_ago)
        review.decide_item(catalog, "aki", 1, "reject", reasons=("blurred", "copy"))
        review.decide_item(catalog, "aki", 2, "approve")
        review.decide_item(catalog, "lea", 2, "approve")
    return workspace


def test_insights_page_shows_a_lead_everybody_and_their_own_first(
    judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(judged, monkeypatch, "insights", "lea")
    rows = rows_of(app, "Decisions by day and person: 2 of 2 rows")
    assert [(row[1], row[2], row[4]) for row in rows] == [("lea (you)", "1", "0"), ("aki", "2", "0")]
    assert 'role="img" aria-label="Everybody’s decisions a day from' in html_of(app)
    assert "3 in all, at most 3 on one day" in html_of(app), "the chart sums what the table lists"
    assert "Everybody’s decisions a day" in words_of(app)


def test_insights_page_shows_reviewers_nobody_else(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(judged, monkeypatch, "insights", "aki", days="all")
    rows = rows_of(app, "Decisions by day and person: 2 of 2 rows")
    assert [(row[1], row[2]) for row in rows] == [("aki (you)", "2"), ("aki (you)", "1")]
    assert "lea" not in words_of(app).split()
    assert "Agreement by pair" not in words_of(app)
    assert 'aria-label="Your decisions a day from' in html_of(app) and "3 in all" in html_of(app)


def test_insights_page_tells_a_reviewer_what_is_everybodys(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog.open(judged) as catalog:
        review.decide_item(catalog, "lea", 3, "reject", reasons=("background",))
    app = open_page(judged, monkeypatch, "insights", "aki")
    assert "agreement and reasons are everybody’s, without names" in words_of(app)
    assert ["Background", "shop/MUG-1", "1"] in [row[:3] for row in rows_of(app, "Reasons by product")]
    assert "Everybody’s decisions, without names." in words_of(app)


def test_insights_page_counts_reasons_by_product_prompt_and_run(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(judged, monkeypatch, "insights", "olga")
    for caption, of in (
        ("Reasons by product", "shop/MUG-1"),
        ("Reasons by prompt", "a blue enamel mug on a white background"),
        ("Reasons by run", "mugs"),
    ):
        assert [row[:3] for row in rows_of(app, caption)] == [["Blurred", of, "1"], ["Copy", of, "1"]]


def test_insights_page_measures_agreement_with_its_interval(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(judged, monkeypatch, "insights", "lea")
    shown = facts_of(app)
    assert shown["Judged by both"] == "1"
    assert shown["Same verdict"] == "100.0 % 95 % interval 20.7 % – 100.0 %"
    assert shown["Kappa"] == "– not defined with so few or so equal verdicts"
    assert [row[:4] for row in rows_of(app, "Agreement by pair")] == [["aki", "lea", "1", "100.0 %"]]


def test_insights_page_takes_its_days_from_the_address(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(rows_of(open_page(judged, monkeypatch, "insights", "olga", days="90"), "Decisions by day")) == 3
    app = open_page(judged, monkeypatch, "insights", "olga", days="7")
    assert len(rows_of(app, "Decisions by day")) == 2
    app.button_group(key="days").set_value("all").run()
    assert len(rows_of(app, "Decisions by day")) == 3


def test_insights_page_sees_what_was_decided_since(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(judged, monkeypatch, "insights", "lea")
    with Catalog.open(judged) as catalog:
        review.decide_item(catalog, "lea", 3, "approve")
    app.run()
    assert rows_of(app, "Decisions by day")[0][1:3] == ["lea (you)", "2"]


def test_insights_page_works_with_an_empty_log(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(queued(0), monkeypatch, "insights", "aki")
    assert "No decisions in these days." in html_of(app) and "No reasons were given" in html_of(app)
    assert 'role="img"' not in html_of(app)


def test_insights_page_shows_hostile_names_as_text(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = HOSTILE.replace("\u202e", "")
    with Catalog.open(judged) as catalog:
        review.decide_item(catalog, name, 3, "approve")
    assert drew_hostile_as_text(open_page(judged, monkeypatch, "insights", "lea"))


def test_insights_page_speaks_japanese(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(judged, monkeypatch, "insights", "lea", lang="ja")
    shown = ["shop/MUG-1", "a blue enamel mug on a white background", "mugs", "lea", "aki"]
    assert leftover_english(app, shown) == []
    assert "カッパ係数" in html_of(app)
