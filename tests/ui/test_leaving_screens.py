"""Going to another screen gives back what the tab holds, coming back offers the same; a run in the address limits."""

from collections.abc import Callable
from pathlib import Path

import pytest
from component_messages import data_of
from screen_text import SHOWN, leftover_english
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from catalog import queue, review
from catalog.store import Catalog

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"
HOSTILE = "<img src=x onerror=alert(1)> *y* :material/delete: {run} \u202egnp"


class Tab:
    """One tab in a test."""

    def __init__(self, app: AppTest, catalog: Catalog) -> None:
        self.app, self.catalog = app, catalog

    def go(self, screen: str, **query: str) -> "Tab":
        self.app.query_params.clear()
        self.app.query_params.update({"reviewer": "aki", "lang": "en"} | query)
        self.app.switch_page(f"app_pages/{screen}.py").run()
        assert not self.app.exception
        return self

    @property
    def item(self) -> int | None:
        shown = data_of(self.app)["item"]
        return None if shown is None else shown["id"]

    @property
    def text(self) -> str:
        return "\n".join(str(element.proto.body) for element in self.app.get("html"))

    def holders(self) -> list[str | None]:
        return [item.lease_owner for item in queue.items(self.catalog)]


@pytest.fixture
def tab(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Tab:
    """A tab on four candidates, the last two of a run of their own."""
    workspace = queued(4)
    monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
    catalog = Catalog.open(workspace)
    with catalog.write() as session:
        session.execute(text("UPDATE generation SET run = 'late' WHERE id IN (3, 4)"))
    return Tab(AppTest.from_file(SCRIPT, default_timeout=60), catalog)


def test_leaving_the_review_gives_the_picture_back_and_coming_back_takes_it_again(tab: Tab) -> None:
    tab.go("review")
    assert tab.item == 1 and tab.holders() == ["aki", None, None, None]
    tab.go("home")
    assert tab.holders() == [None] * 4
    review.decide_item(tab.catalog, "aki", 2, "skip")
    tab.go("review")
    assert tab.item == 1 and tab.holders()[0] == "aki"


def test_a_picture_that_a_colleague_took_meanwhile_stays_with_them(tab: Tab) -> None:
    tab.go("review").go("settings")
    review.claim(tab.catalog, "ben", item_id=1)
    tab.go("review")
    assert tab.item == 2 and tab.holders() == ["ben", "aki", None, None]


def test_leaving_the_comparison_gives_all_candidates_back(tab: Tab) -> None:
    tab.go("compare")
    assert tab.holders() == ["aki"] * 4
    tab.go("review")
    assert tab.holders() == ["aki", None, None, None]
    tab.go("compare")
    assert tab.holders() == ["aki"] * 4 and len(data_of(tab.app)["items"]) == 4


def test_changing_the_person_gives_everything_back(tab: Tab) -> None:
    tab.go("review")
    tab.app.button(key="change-person").click().run()
    assert tab.holders() == [None] * 4


def test_a_run_in_the_address_limits_the_review_and_can_be_left(tab: Tab) -> None:
    tab.go("review")
    tab.go("review", run="late")
    assert tab.item == 3 and tab.holders() == [None, None, "aki", None]
    assert "Only pictures of the run <bdi>late</bdi> are shown." in tab.text
    tab.app.button(key="all-runs").click().run()
    assert not tab.app.exception and "run" not in tab.app.query_params
    assert tab.item == 3 and "Only pictures" not in tab.text, "what is on screen stays there"


def test_a_run_with_nothing_left_says_so_and_offers_all(tab: Tab) -> None:
    for number in (3, 4):
        review.decide_item(tab.catalog, "aki", number, "approve")
    tab.go("review", run="late")
    assert tab.item is None and tab.holders() == [None] * 4
    assert "Nothing of the run <bdi>late</bdi> waits for you." in tab.text
    tab.app.button(key="all-runs").click().run()
    assert tab.item == 1


@pytest.mark.parametrize("run", [HOSTILE, "no such run", "x\0y"])
def test_a_run_that_is_none_shows_its_name_as_text_and_no_picture(tab: Tab, run: str) -> None:
    tab.go("review", run=run)
    assert tab.item is None and "<img src=x" not in tab.text and "no candidates of a run" in str(data_of(tab.app))
    tab.app.button(key="all-runs").click().run()
    assert tab.item == 1


def test_home_starts_the_review_of_one_batch(tab: Tab) -> None:
    tab.go("home")
    links = {link.proto.label: link.proto.query_string for link in tab.app.get("page_link")}
    assert "run=late" in links["Review late"] and "run=mugs" in links["Review mugs"]


def test_a_limited_review_in_japanese_has_no_english_left(tab: Tab) -> None:
    tab.go("review", run="late", lang="ja")
    assert leftover_english(tab.app, ["aki", "late", *SHOWN]) == []
