"""The grid page wired to the services: filters, picks, the sample, and one verdict on many."""

from collections.abc import Callable
from pathlib import Path

import pytest
from component_messages import data_of, send
from screen_text import SHOWN, leftover_english
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from catalog import people, queue, review
from catalog.schema import GenerationRow, ProductRow, ReviewItemRow
from catalog.store import Catalog
from ui.gallery import picks

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"
HOSTILE = "<img src=x onerror=alert(1)> *y* :material/delete: \u202egnp =1+1"


class Grid:
    """The page in a test."""

    def __init__(self, app: AppTest, catalog: Catalog) -> None:
        self.app, self.catalog = app, catalog

    @property
    def items(self) -> list[int]:
        return [item["id"] for item in data_of(self.app)["items"]]

    @property
    def sample(self) -> list[int]:
        return [item["id"] for item in data_of(self.app)["sample"]]

    @property
    def text(self) -> str:
        return "\n".join(str(element.proto.body) for element in self.app.get("html"))

    def pick(self, *items: int) -> "Grid":
        send(self.app, "picked", among=self.items, picked=list(items))
        return self

    def open(self, *items: int) -> "Grid":
        send(self.app, "seen", items=list(items))
        return self

    def say(self, verdict: str, *, count: int | str, reasons: tuple[str, ...] = (), note: str = "") -> "Grid":
        self.app.button_group(key="grid_verdict").set_value(verdict).run()
        if reasons:
            self.app.button_group(key="grid_reasons").set_value(list(reasons))
        self.app.text_area(key="grid_note").input(note)
        self.app.text_input(key="grid_count").input(str(count))
        self.app.button(key="grid-decide").click().run()
        assert not self.app.exception
        return self

    def states(self) -> list[str]:
        return [item.state for item in queue.items(self.catalog)]


@pytest.fixture
def page(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Grid]:
    """Return a function that opens the page on `count` candidates as somebody of a role."""

    def start(count: int = 8, *, role: str = "lead", query: dict[str, str] | None = None, **options: object) -> Grid:
        workspace = queued(count, **options)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        catalog = Catalog.open(workspace)
        people.sign_in(catalog, "lea", role=role)
        people.sign_in(catalog, "ben", role="reviewer")
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        app.query_params.update({"lang": "en", "reviewer": "lea"} | (query or {}))
        app.switch_page("app_pages/grid.py").run()
        assert not app.exception
        return Grid(app, catalog)

    return start


def test_grid_settles_all_picked_after_a_look_at_the_sample(page: Callable[..., Grid]) -> None:
    grid = page()
    assert grid.items == [1, 2, 3, 4, 5, 6, 7, 8] and grid.sample == []
    grid.pick(1, 2, 3, 4, 5, 6, 7)
    assert len(grid.sample) == review.SAMPLE
    grid.say("reject", count=7, reasons=("blurred",))
    assert "0 of 5 sample pictures were opened" in grid.text and set(grid.states()) == {"pending"}
    grid.open(*grid.sample).say("reject", count=6, reasons=("blurred",))
    assert "These are 7 pictures, you typed 6." in grid.text and set(grid.states()) == {"pending"}
    grid.say("reject", count=7, reasons=("blurred",), note="soft edges")
    assert "7 rejected." in grid.text
    assert grid.states() == ["rejected"] * 7 + ["pending"]
    log = queue.decisions(grid.catalog)
    assert {(made.origin, made.verdict, made.reasons, made.note) for made in log} == {
        ("bulk", "reject", ("blurred",), "soft edges")
    }
    assert grid.items == [8] and data_of(grid.app)["picked"] == []


def test_grid_names_what_it_leaves_out_and_why(page: Callable[..., Grid]) -> None:
    grid = page(6)
    with grid.catalog.write() as session:
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 2).values(flagged=True))
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 5).values(quorum=2))
    grid.pick(1, 2, 3, 4, 5, 6)
    review.claim(grid.catalog, "ben", item_id=3)
    review.decide_item(grid.catalog, "ben", 4, "approve")
    review.decide_item(grid.catalog, "lea", 5, "approve")
    sha256 = queue.item(grid.catalog, 6).image_sha256
    next(path for path in grid.catalog.workspace.rglob(f"*{sha256}*") if path.is_file()).unlink()
    grid.app.button_group(key="grid_verdict").set_value("approve").run()
    for line in (
        "5 of them are left out:",
        "(2): is flagged or may be a copy and is approved one by one",
        "(3): a colleague is looking at it",
        "(4): has a decision already",
        "(5): you have decided it; another person must, too",
        "(6): the picture file is missing",
    ):
        assert line in grid.text, line
    grid.open(*grid.sample).say("approve", count=1)
    assert "1 approved." in grid.text
    assert [queue.item(grid.catalog, number).state for number in (1, 2, 3)] == ["approved", "pending", "pending"]


def test_grid_tells_a_flag_from_a_possible_copy(page: Callable[..., Grid]) -> None:
    grid = page(2)
    with grid.catalog.write() as session:
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 2).values(flagged=True))
    grid.app.run()
    assert [(item["risk"], item["flag"]) for item in data_of(grid.app)["items"]] == [(None, None), (None, "Flagged")]


def test_grid_says_possible_copy_once(page: Callable[..., Grid]) -> None:
    (item,) = data_of(page(1, similarity=0.99).app)["items"]
    assert (item["risk"], item["flag"]) == ("Possible copy", None)


def test_grid_takes_no_word_for_pictures_it_did_not_show(page: Callable[..., Grid]) -> None:
    grid = page(query={"product": "nothing"})
    grid.open(1, 2, 3)
    assert data_of(grid.app)["seen"] == [] and picks._SEEN in grid.app.session_state
    assert grid.app.session_state[picks._SEEN] == frozenset()


@pytest.mark.parametrize(
    ("verdict", "message"),
    [("reject", "A rejection needs a reason"), ("changes", "Say what to change")],
)
def test_grid_asks_for_what_the_verdict_needs(page: Callable[..., Grid], verdict: str, message: str) -> None:
    grid = page(2).pick(1, 2)
    grid.open(1, 2).say(verdict, count=2)
    assert message in grid.text and set(grid.states()) == {"pending"}


def test_grid_shows_what_the_rules_refuse_in_the_end(page: Callable[..., Grid]) -> None:
    grid = page(2).pick(1, 2).open(1, 2)
    grid.app.button_group(key="grid_verdict").set_value("approve").run()
    grid.app.text_input(key="grid_count").input("2").run()
    people.sign_in(grid.catalog, "lea", role="reviewer")
    grid.app.button(key="grid-decide").click().run()
    assert set(grid.states()) == {"pending"} and "is not open to your role" in grid.text


def test_grid_picks_all_that_match_up_to_a_limit(page: Callable[..., Grid], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picks, "MOST", 30)
    grid = page(40, query={"size": "24", "page": "2"})
    assert grid.items == list(range(25, 41))
    assert grid.app.button(key="pick-all").label == "Pick the first 30 of 40"
    grid.app.button(key="pick-all").click().run()
    assert "30 picked" in grid.text and data_of(grid.app)["revision"] == 1
    assert set(data_of(grid.app)["picked"]) == {25, 26, 27, 28, 29, 30, *grid.sample}
    grid.app.button(key="pick-none").click().run()
    assert "0 picked" in grid.text


def test_grid_filters_are_in_the_address(page: Callable[..., Grid]) -> None:
    grid = page(query={"score": "text_match", "least": "0.33", "most": "0.35", "state": "nonsense", "page": "99"})
    assert grid.items == [3, 4, 5]
    grid.app.text_input(key="grid_product").input("MUG-1").run()
    assert grid.items == [3, 4, 5] and grid.app.query_params["product"] in ("MUG-1", ["MUG-1"])
    grid.app.selectbox(key="grid_score").set_value("all").run()
    assert len(grid.items) == 8 and "score" not in grid.app.query_params
    grid.app.selectbox(key="grid_state").set_value("approved").run()
    assert grid.items == [] and "No pictures match" in "".join(str(text.value) for text in grid.app.markdown)


def test_grid_finds_possible_copies(page: Callable[..., Grid]) -> None:
    grid = page(3, similarity=0.99, query={"risk": "copy"})
    assert grid.items == [1, 2, 3]
    assert {item["risk"] for item in data_of(grid.app)["items"]} == {"Possible copy"}
    grid.app.selectbox(key="grid_risk").set_value("clear").run()
    assert grid.items == []


def test_grid_lets_auditors_look_only(page: Callable[..., Grid]) -> None:
    grid = page(3, role="auditor")
    assert data_of(grid.app)["pickable"] is False and len(grid.items) == 3
    assert not [button for button in grid.app.button if button.key and button.key.startswith(("pick-", "grid-"))]


def test_grid_is_closed_to_reviewers(page: Callable[..., Grid]) -> None:
    grid = page(1, role="reviewer")
    assert "“Grid” is not open to your role (Reviewer)" in grid.text and not grid.app.get("bidi_component")


def test_grid_without_candidates_says_so(page: Callable[..., Grid]) -> None:
    grid = page(0)
    assert grid.items == [] and any("No pictures match" in str(text.value) for text in grid.app.markdown)


def test_grid_shows_hostile_text_as_text(page: Callable[..., Grid]) -> None:
    grid = page(2, query={"product": "<img"}, name=HOSTILE)
    with grid.catalog.write() as session:
        session.execute(update(GenerationRow).values(prompt=HOSTILE, run=HOSTILE))
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 1).values(state="approved"))
        assert session.get_one(ProductRow, 1).name == HOSTILE
    grid.app.selectbox(key="grid_state").set_value("all").run()
    grid.pick(1, 2)
    shown = data_of(grid.app)["items"]
    assert [(item["name"], item["prompt"]) for item in shown] == [(HOSTILE, HOSTILE)] * 2
    assert "&lt;img src=x onerror=alert(1)&gt;" in grid.text and "<img src=x" not in grid.text


def test_grid_in_japanese_has_no_english_left(page: Callable[..., Grid]) -> None:
    grid = page(2, query={"lang": "ja"}).pick(1, 2)
    assert leftover_english(grid.app, ["lea", "mugs", "O", *SHOWN]) == []
    assert not [text for text in data_of(grid.app)["texts"].values() if text.isascii()]


def test_grid_leads_to_a_ruling_on_decided_pictures_for_who_may(page: Callable[..., Grid]) -> None:
    grid = page(2, query={"state": "all"})
    review.decide_item(grid.catalog, "ben", 1, "approve")
    grid.app.run()
    assert [item["address"] for item in data_of(grid.app)["items"]] == ["conflicts?item=1", None]
    people.sign_in(grid.catalog, "lea", role="auditor")
    grid.app.run()
    assert [item["address"] for item in data_of(grid.app)["items"]] == [None, None]


def test_grid_says_its_filters_in_the_language_switched_to(page: Callable[..., Grid]) -> None:
    grid = page(2, query={"state": "all"})
    grid.app.button_group(key="language").set_value("ja").run()
    sent = grid.app.selectbox(key="grid_state").proto
    assert sent.set_value and sent.raw_value == "すべて"
