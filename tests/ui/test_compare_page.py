"""The compare page wired to the services: claims of several candidates, the guards, a choice and its undo."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from component_messages import data_of, send
from own_photos import photograph
from screen_text import SHOWN, leftover_english
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from catalog import decision_log, people, queue, review
from catalog.schema import GenerationRow, ProductRow, ReviewItemRow
from catalog.store import Catalog

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"
HOSTILE = "<script>alert(1)</script> \u202egnp =1+1"


class Compare:
    """The page in a test."""

    def __init__(self, app: AppTest, catalog: Catalog) -> None:
        self.app, self.catalog = app, catalog

    @property
    def items(self) -> list[int]:
        return [item["id"] for item in data_of(self.app)["items"]]

    @property
    def line(self) -> str:
        return (data_of(self.app)["notice"] or {"text": ""})["text"]

    def send(self, name: str, **message: Any) -> "Compare":
        send(self.app, name, **message)
        return self

    def look(self) -> "Compare":
        """Report that all are on screen, and let a minute pass instead of waiting."""
        self.send("shown", items=self.items)
        with self.catalog.write() as session:
            earlier = review.utc_now() - timedelta(minutes=1)
            shown = ReviewItemRow.first_shown_at.is_not(None)
            session.execute(update(ReviewItemRow).where(shown).values(first_shown_at=earlier))
        return self

    def choose(self, item: int) -> "Compare":
        return self.send("choose", item=item, of=self.items)

    def states(self) -> list[str]:
        return [item.state for item in queue.items(self.catalog)]


@pytest.fixture
def page(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Compare]:
    """Return a function that opens the page on `count` candidates of one product as a reviewer."""

    def start(
        count: int = 3, *, role: str = "reviewer", query: dict[str, str] | None = None, **options: Any
    ) -> Compare:
        workspace = queued(count, **options)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        catalog = Catalog.open(workspace)
        people.sign_in(catalog, "aki", role=role)
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        app.query_params.update({"lang": "en", "reviewer": "aki"} | (query or {}))
        app.switch_page("app_pages/compare.py").run()
        assert not app.exception
        return Compare(app, catalog)

    return start


def test_compare_approves_the_best_and_marks_the_others_as_not_chosen(page: Callable[..., Compare]) -> None:
    compare = page().look()
    assert compare.items == [1, 2, 3] and data_of(compare.app)["seen_ms"] is not None
    compare.choose(2)
    assert compare.states() == ["not_chosen", "approved", "not_chosen"]
    assert {made.origin for made in queue.decisions(compare.catalog)} == {"compare"}
    assert compare.items == [] and compare.line.startswith("Chosen for Blue enamel mug.")


def test_compare_undoes_a_choice_whole(page: Callable[..., Compare]) -> None:
    compare = page().look().choose(2).send("undo")
    assert compare.states() == ["pending"] * 3 and compare.items == [1, 2, 3]
    assert compare.line == "Undone. The candidates are back on screen."
    assert decision_log.first_broken_decision(compare.catalog) is None
    assert compare.look().line.startswith("Undone."), "what the browser reports by itself changes no line"
    assert compare.send("undo").line == "Nothing to undo."


def test_compare_takes_no_choice_before_all_were_seen(page: Callable[..., Compare]) -> None:
    compare = page()
    assert compare.choose(1).line.startswith("Not all candidates are on screen yet.")
    compare.send("shown", items=[1, 2]).choose(1)
    assert compare.line.startswith("Not all candidates are on screen yet.")
    compare.send("shown", items=compare.items)
    with compare.catalog.write() as session:
        session.execute(update(ReviewItemRow).values(first_shown_at=review.utc_now() + timedelta(minutes=1)))
    assert compare.choose(1).line.startswith("Too fast")
    assert queue.decisions(compare.catalog) == []


def test_compare_ignores_a_choice_among_others(page: Callable[..., Compare]) -> None:
    compare = page().look()
    compare.send("choose", item=1, of=[1, 2]).send("choose", item=9, of=[1, 2, 3]).send("choose", item="1", of="x")
    assert queue.decisions(compare.catalog) == [] and compare.items == [1, 2, 3]


def test_compare_shows_at_most_four(page: Callable[..., Compare]) -> None:
    assert page(6).items == [1, 2, 3, 4]


def test_compare_passes_on_and_offers_again(page: Callable[..., Compare]) -> None:
    compare = page()
    compare.send("pass", of=compare.items)
    assert compare.items == [] and {item.lease_owner for item in queue.items(compare.catalog)} == {None}
    assert compare.send("again").items == [1, 2, 3]


def test_compare_leaves_a_missing_picture_out(page: Callable[..., Compare]) -> None:
    compare = page().look().send("failed", item=2)
    assert compare.items == [1, 3] and "left out" in compare.line
    compare.choose(3)
    assert compare.states() == ["not_chosen", "pending", "approved"]


def test_compare_says_when_the_claims_were_lost(page: Callable[..., Compare]) -> None:
    compare = page().look()
    with compare.catalog.write() as session:
        session.execute(update(ReviewItemRow).values(lease_until=review.utc_now() - timedelta(seconds=1)))
    compare.choose(1)
    assert queue.decisions(compare.catalog) == [] and "held too long" in compare.line
    assert compare.items == [1, 2, 3]


def test_compare_holds_what_nobody_else_gets(page: Callable[..., Compare]) -> None:
    compare = page(4)
    assert review.claim(compare.catalog, "ben") is None
    before = [item.lease_until for item in queue.items(compare.catalog)]
    compare.send("renew", of=compare.items)
    assert all(now.lease_until > then for now, then in zip(queue.items(compare.catalog), before, strict=True))


@pytest.mark.parametrize("count", [0, 1])
def test_compare_without_two_candidates_says_so(page: Callable[..., Compare], count: int) -> None:
    compare = page(count)
    assert compare.items == [] and data_of(compare.app)["texts"]["compare.empty"] == "Nothing to compare"


def test_compare_opens_the_product_of_the_address(page: Callable[..., Compare]) -> None:
    assert page(query={"product": "1"}).items == [1, 2, 3]


def test_compare_goes_on_when_the_product_of_the_address_has_none(page: Callable[..., Compare]) -> None:
    assert page(query={"product": "999"}).items == [1, 2, 3]


def test_compare_asks_for_a_second_person_where_it_may_be_a_copy(page: Callable[..., Compare]) -> None:
    compare = page(2, similarity=0.99).look()
    assert "may be" in data_of(compare.app)["items"][0]["risk"] or "copy" in data_of(compare.app)["items"][0]["risk"]
    assert compare.choose(1).line.endswith("Another person must approve it, too.")
    assert compare.states() == ["pending", "not_chosen"]


def test_compare_tells_a_flag_from_a_possible_copy(page: Callable[..., Compare]) -> None:
    compare = page(2)
    with compare.catalog.write() as session:
        session.execute(update(ReviewItemRow).where(ReviewItemRow.id == 2).values(flagged=True))
    compare.send("pass", of=compare.items).send("again")
    first, second = data_of(compare.app)["items"]
    assert (first["flag"], first["risk"]) == (None, None)
    assert (second["flag"], second["risk"]) == ("This picture is flagged: a second person must agree.", None)


@pytest.mark.parametrize(
    ("similarity", "label", "side"),
    [(0.62, "Real photo", ""), (0.99, "Nearest real photo", "Similarity 0.99 · Other product: Black mug")],
)
def test_compare_shows_the_products_own_photo_or_what_a_possible_copy_is_near_to(
    page: Callable[..., Compare], similarity: float, label: str, side: str
) -> None:
    compare = page(2, similarity=similarity)
    photograph(compare.catalog)
    compare.send("pass", of=compare.items).send("again")
    photo = data_of(compare.app)["photo"]
    assert (photo["label"], photo["side"]) == (label, side)


def test_compare_is_closed_to_auditors(page: Callable[..., Compare]) -> None:
    compare = page(role="auditor")
    assert not compare.app.get("bidi_component")
    assert any("is not open to your role" in str(html.proto.body) for html in compare.app.get("html"))
    assert {item.lease_owner for item in queue.items(compare.catalog)} == {None}


def test_compare_passes_hostile_text_on_as_data(page: Callable[..., Compare]) -> None:
    compare = page(2, name=HOSTILE)
    with compare.catalog.write() as session:
        session.execute(update(GenerationRow).values(prompt=HOSTILE))
        session.execute(update(ProductRow).values(sku=HOSTILE))
    compare.send("pass", of=compare.items).send("again")
    shown = data_of(compare.app)
    assert (shown["product"]["name"], shown["items"][0]["prompt"]) == (HOSTILE, HOSTILE)
    assert not any("alert(1)" in str(html.proto.body) for html in compare.app.get("html"))


def test_compare_in_japanese_has_no_english_left(page: Callable[..., Compare]) -> None:
    compare = page(query={"lang": "ja"})
    assert leftover_english(compare.app, ["aki", *SHOWN]) == []
    assert not [text for text in data_of(compare.app)["texts"].values() if text.isascii()]
