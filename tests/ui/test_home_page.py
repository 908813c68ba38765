"""The home page wired to the services: batches, pace, and what each role is offered."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from screen_text import leftover_english
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from catalog import people, review
from catalog.batches import Batch
from catalog.schema import GenerationRow, ReviewItemRow
from catalog.store import Catalog
from ui import batch_cards
from ui.i18n import Translator

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"
HOSTILE = "run <b>x</b> *y* \u202egnp.tfihs =1+1"


@pytest.fixture
def page(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens the page on `count` candidates as somebody of a role."""

    def start(count: int = 3, *, role: str = "admin", lang: str = "en", run: str = "mugs") -> AppTest:
        workspace = queued(count)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        with Catalog.open(workspace) as catalog:
            people.sign_in(catalog, "aki", role=role)
            with catalog.write() as session:
                session.execute(update(GenerationRow).values(run=run))
                session.execute(update(ReviewItemRow).values(created_at=review.utc_now() - timedelta(hours=5)))
            if count and role != "auditor":
                review.decide_item(catalog, "aki", 1, "approve")
        app = AppTest.from_file(SCRIPT, default_timeout=30)
        app.query_params.update({"lang": lang, "reviewer": "aki"})
        app.run()
        assert not app.exception
        return app

    return start


def html_of(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def links_of(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_home_shows_each_batch_and_starts_the_review(page: Callable[..., AppTest]) -> None:
    app = page()
    body = html_of(app)
    assert "2 pictures wait. You have decided 1." in body
    assert "<dt>Waiting</dt><dd>2</dd>" in body and "<dt>Approved</dt><dd>1</dd>" in body
    assert "<dt>Decided by you</dt><dd>1</dd>" in body and "<dt>Longest wait</dt><dd>5 h</dd>" in body
    assert "1 of 3 decided" in body and "not known yet" in body
    assert [button.label for button in app.button if button.key == "start-review"] == ["Start reviewing"]
    assert "Look at mugs" in links_of(app)


@pytest.mark.parametrize(("role", "starts", "looks"), [("reviewer", 1, 0), ("lead", 1, 1), ("auditor", 0, 1)])
def test_home_offers_what_the_role_may(page: Callable[..., AppTest], role: str, starts: int, looks: int) -> None:
    app = page(role=role)
    assert sum(button.key == "start-review" for button in app.button) == starts
    assert links_of(app).count("Look at mugs") == looks


def test_home_without_candidates_says_how_to_make_some(page: Callable[..., AppTest]) -> None:
    app = page(0)
    assert "No pictures yet. Make some with: adapt generate" in html_of(app)
    assert not any(button.key == "start-review" for button in app.button)


def test_home_shows_hostile_text_as_text(page: Callable[..., AppTest]) -> None:
    app = page(run=HOSTILE)
    assert "run &lt;b&gt;x&lt;/b&gt;" in html_of(app) and "<b>x</b>" not in html_of(app)
    (look,) = [label for label in links_of(app) if label.startswith("Look at")]
    assert "\\<b\\>" in look and "\\*y\\*" in look


def test_home_in_japanese_has_no_english_left(page: Callable[..., AppTest]) -> None:
    assert leftover_english(page(lang="ja"), ["aki", "mugs"]) == []


def test_home_shows_states_that_are_rare_where_there_are_any(page: Callable[..., AppTest]) -> None:
    app = page(4)
    assert "Changes wanted" not in html_of(app) and "Not chosen" not in html_of(app)
    with Catalog.open(Path(os.environ["ADAPT_WORKSPACE"])) as catalog:
        review.decide_item(catalog, "aki", 2, "changes", note="thinner")
        review.choose(catalog, "aki", 3, [4], scripted=True)
    body = html_of(app.run())
    assert "<dt>Changes wanted</dt><dd>1</dd>" in body and "<dt>Not chosen</dt><dd>1</dd>" in body


def test_card_tells_the_time_to_go_at_ones_own_pace() -> None:
    now = review.utc_now()
    batch = Batch(run="mugs", total=900, pending=600, conflict=0, approved=300, rejected=0, mine=9, oldest_pending=now)
    card = batch_cards.card(Translator("en"), batch, 12.0, now)
    assert "<dd>2 h</dd>" in card and "<dd>under a minute</dd>" in card


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, "under a minute"), (60, "1 min"), (7199, "120 min"), (7200, "2 h"), (5 * 86400, "5 days")],
)
def test_duration_is_told_in_one_unit(seconds: float, text: str) -> None:
    assert batch_cards.duration(Translator("en"), seconds) == text
