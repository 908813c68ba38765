"""The review page wired to the services, without a browser: what it shows, and what each message of the desk does."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from own_photos import photograph
from sqlalchemy import event, update
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from catalog import people, queue, regeneration, review
from catalog.generation import enqueue
from catalog.policy import REJECT_REASONS
from catalog.records import Candidate
from catalog.schema import ReviewItemRow
from catalog.store import Catalog
from ui import workspace

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"


class Desk:
    """The page in a test: reads what the desk was given, sends what its browser part would send."""

    def __init__(self, app: AppTest, catalog: Catalog) -> None:
        self.app = app
        self.catalog = catalog

    @property
    def data(self) -> dict[str, Any]:
        (shown,) = json.loads(self._component().json)
        return dict(shown)

    @property
    def item(self) -> int | None:
        shown = self.data["item"]
        return None if shown is None else shown["id"]

    @property
    def line(self) -> str:
        return (self.data["notice"] or {"text": ""})["text"]

    def _component(self) -> Any:
        (component,) = self.app.get("bidi_component")
        return component.proto

    def send(self, name: str, **message: object) -> "Desk":
        states = self.app._tree.get_widget_states()
        trigger = json.dumps([{"event": name, "value": message}])
        # The id under which the browser's part sends its messages.
        aggregator = f"$$STREAMLIT_INTERNAL_KEY_{self._component().id}__events"
        states.widgets.append(WidgetState(id=aggregator, json_trigger_value=trigger))
        self.app._run(states)
        assert not self.app.exception
        return self

    def look(self) -> "Desk":
        """Report that the picture is on screen, and let a minute pass instead of waiting."""
        self.send("shown", item=self.item)
        with self.catalog.write() as session:
            earlier = review.utc_now() - timedelta(minutes=1)
            shown = ReviewItemRow.first_shown_at.is_not(None)
            session.execute(update(ReviewItemRow).where(shown).values(first_shown_at=earlier))
        return self

    def decide(self, verdict: str, **options: object) -> "Desk":
        return self.send("decide", item=self.item, verdict=verdict, **options)

    def log(self) -> list[tuple[int, str, tuple[str, ...]]]:
        return [(made.item_id, made.verdict, made.reasons) for made in queue.decisions(self.catalog)[::-1]]


@pytest.fixture
def page(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    """Return a function that opens the page as a reviewer on a workspace of `count` candidates."""

    def start(count: int = 3, *, reviewer: str | None = "aki", lang: str = "en", **options: object) -> Desk:
        workspace = queued(count, **options)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        app = AppTest.from_file(SCRIPT, default_timeout=30)
        app.query_params["lang"] = lang
        if reviewer:
            app.query_params["reviewer"] = reviewer
        app.switch_page("app_pages/review.py").run()
        assert not app.exception
        return Desk(app, Catalog.open(workspace))

    return start


def html_of(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def test_page_shows_one_item_whole(page: Callable[..., Desk]) -> None:
    desk = page()
    shown = desk.data["item"]
    assert shown["id"] == 1 and desk.data["held"] == 1
    assert shown["address"].startswith(f"/picture/{queue.item(desk.catalog, 1).image_sha256}?size=original")
    assert shown["prompt"] == "a blue enamel mug on a white background"
    assert shown["description"] == "Holds <8 fl oz & keeps it warm."
    assert [(row["name"], row["value"], row["reason"]) for row in shown["attributes"]] == [
        ("colour", "blue", "wrong_colour"),
        ("material", "enamel", "wrong_material"),
        ("height", "8.5 cm", None),
    ]
    assert shown["photos"][0]["side"] == "Similarity 0.62"
    assert shown["scores"] == [{"name": "Match with the text (text_match)", "value": "0.310", "percentile": 17}]
    assert [reason["code"] for reason in desk.data["reasons"]] == list(REJECT_REASONS)
    assert desk.data["progress"]["pending"] == 3


def test_page_approves_what_the_browser_showed_and_goes_on(page: Callable[..., Desk]) -> None:
    desk = page().look()
    assert desk.data["seen_ms"] is not None
    desk.decide("approve")
    assert queue.item(desk.catalog, 1).state == "approved"
    assert desk.item == 2 and desk.data["left"] == 1 and desk.data["seen_ms"] is None


def test_page_approves_nothing_the_browser_did_not_show(page: Callable[..., Desk]) -> None:
    desk = page()
    desk.decide("approve")
    assert desk.line == "The picture has not been on screen yet. Nothing was decided."
    desk.send("shown", item=2)
    desk.decide("reject", reasons=["blurred"])
    assert desk.line.startswith("Too fast")
    assert desk.log() == [] and desk.item == 1


def test_page_approves_no_picture_that_could_not_be_loaded(page: Callable[..., Desk]) -> None:
    desk = page()
    desk.send("failed", item=1)
    assert desk.data["lost"]
    with desk.catalog.write() as session:
        session.execute(update(ReviewItemRow).values(first_shown_at=review.utc_now() - timedelta(minutes=1)))
    assert desk.decide("approve").line.startswith("The picture has not been on screen")
    desk.decide("skip")
    assert desk.log() == [(1, "skip", ())]


def test_page_ignores_what_is_about_another_item(page: Callable[..., Desk]) -> None:
    desk = page().look()
    for name in ("decide", "shown", "failed", "renew", "flag"):
        desk.send(name, item=2, verdict="approve", on=True)
    assert desk.log() == [] and desk.item == 1
    assert not queue.item(desk.catalog, 1).flagged and not queue.item(desk.catalog, 2).flagged


@pytest.mark.parametrize("message", [{}, {"item": "1"}, {"item": None, "verdict": 3}, {"item": 1, "verdict": "void"}])
def test_page_survives_forged_messages(page: Callable[..., Desk], message: dict[str, object]) -> None:
    desk = page().look()
    for name in ("decide", "shown", "undo", "look", "remap", "flag"):
        desk.send(name, **message)
    assert [verdict for _, verdict, _ in desk.log()] == []


def test_page_rejects_with_reasons_and_a_note(page: Callable[..., Desk]) -> None:
    desk = page().look()
    assert "needs a reason" in desk.decide("reject").line
    desk.decide("reject", reasons=["distorted", "copy"], note="the handle bends")
    assert desk.log() == [(1, "reject", ("distorted", "copy"))]
    assert queue.decisions(desk.catalog)[0].note == "the handle bends"
    assert desk.data["history"][0]["why"] == "Distorted, Copy"


def test_page_decides_once_when_a_message_comes_twice(page: Callable[..., Desk]) -> None:
    desk = page().look()
    desk.decide("approve")
    desk.send("decide", item=1, verdict="approve")
    assert desk.log() == [(1, "approve", ())]


def test_page_asks_for_another_picture_where_changes_are_wanted(page: Callable[..., Desk]) -> None:
    desk = page().look()
    desk.decide("changes", note="the handle is missing")
    assert queue.item(desk.catalog, 1).state == "changes"
    assert desk.line.startswith("Another picture was asked for")
    assert desk.line.endswith("adapt generate --requested")
    assert [wish.item_id for wish in regeneration.pending(desk.catalog)] == [1]
    people.sign_in(desk.catalog, "ada", role="admin")
    people.set_role(desk.catalog, "ada", "aki", "reviewer")
    desk.look().decide("changes", note="the handle is missing")
    assert desk.line == "Another picture was asked for. A lead has it drawn."


def test_page_skips_undoes_and_offers_skipped_again(page: Callable[..., Desk]) -> None:
    desk = page(2)
    desk.look().decide("skip")
    desk.look().decide("skip")
    assert desk.item is None and desk.data["progress"]["skipped"] == 2
    desk.send("undo", decision=None)
    assert desk.item == 2 and desk.line.startswith("Undone")
    desk.look().decide("approve")
    desk.send("again")
    assert desk.item == 1


def test_page_undoes_an_older_decision_and_gives_the_held_item_back(page: Callable[..., Desk]) -> None:
    desk = page()
    desk.look().decide("approve")
    desk.look().decide("approve")
    first = desk.data["history"][-1]["id"]
    desk.send("undo", decision=first)
    assert desk.item == 1 and desk.data["left"] == 3
    assert queue.item(desk.catalog, 3).lease_owner is None
    assert [made["verdict"] for made in desk.data["history"]] == ["approve", "void"]


def test_page_looks_at_earlier_decisions_without_deciding(page: Callable[..., Desk]) -> None:
    desk = page()
    desk.look().decide("reject", reasons=["blurred"])
    desk.send("look", decision=desk.data["history"][0]["id"])
    assert desk.item == 1 and desk.data["held"] == 2
    assert desk.data["past"]["word"] == "Rejected"
    desk.send("decide", item=1, verdict="approve").send("decide", item=2, verdict="approve")
    assert len(desk.log()) == 1
    desk.send("look", decision=None)
    assert desk.item == 2 and desk.data["past"] is None


def test_page_says_that_someone_else_took_the_picture(page: Callable[..., Desk]) -> None:
    desk = page()
    review.release(desk.catalog, 1, queue.item(desk.catalog, 1).lease_token or "")
    assert review.claim(desk.catalog, "ben", item_id=1) is not None
    desk.decide("reject", reasons=["blurred"], note="do not lose me")
    assert "someone else took it" in desk.line
    assert desk.item == 2 and desk.log() == []
    # Not left by the reviewer: the browser keeps the note it holds for it.
    assert desk.data["left"] is None


def test_page_takes_a_picture_again_that_nobody_took(page: Callable[..., Desk]) -> None:
    desk = page().look()
    with desk.catalog.write() as session:
        session.execute(update(ReviewItemRow).values(lease_until=review.utc_now() - timedelta(seconds=1)))
    desk.decide("approve")
    assert "yours again" in desk.line
    assert desk.item == 1 and desk.log() == [] and desk.data["seen_ms"] is None
    desk.look().decide("approve")
    assert desk.log() == [(1, "approve", ())]


def test_page_renews_the_lease(page: Callable[..., Desk]) -> None:
    desk = page()
    with desk.catalog.write() as session:
        session.execute(update(ReviewItemRow).values(lease_until=review.utc_now() + timedelta(seconds=30)))
    desk.send("renew", item=1)
    assert desk.data["lease_ms"] > 250_000


def test_page_flags_a_picture_and_keeps_a_possible_copy_flagged(page: Callable[..., Desk]) -> None:
    desk = page()
    assert desk.send("flag", item=1, on=True).data["item"]["flagged"]
    assert not desk.send("flag", item=1, on=False).data["item"]["flagged"]
    assert not queue.item(desk.catalog, 1).flagged


def test_page_shows_a_flag_to_the_second_reviewer_who_may_not_take_it_off(page: Callable[..., Desk]) -> None:
    desk = page(1, reviewer=None)
    people.sign_in(desk.catalog, "lea", role="lead")
    people.sign_in(desk.catalog, "ben")
    with desk.catalog.write() as session:
        session.execute(update(ReviewItemRow).values(flagged=True))
    desk.app.text_input[0].input("ben")
    desk.app.button[0].click().run()
    shown = desk.data["item"]
    assert (shown["flag"], shown["risk"]) == ("This picture is flagged: a second person must agree.", None)
    desk.send("flag", item=1, on=False)
    assert "only lead or admin may take a flag off, and ben is reviewer" in desk.line
    assert desk.data["item"]["flagged"] and queue.item(desk.catalog, 1).flagged


def test_page_begins_with_a_photo_of_the_product_and_names_another(page: Callable[..., Desk]) -> None:
    desk = page(1)
    photograph(desk.catalog)
    desk.send("refresh")
    assert [(photo["label"], photo["side"]) for photo in desk.data["item"]["photos"]] == [
        ("Real photo", ""),
        ("Nearest real photo", "Similarity 0.62 · Other product: Black mug"),
    ]


def test_page_begins_with_what_a_possible_copy_is_near_to(page: Callable[..., Desk]) -> None:
    desk = page(1, similarity=0.99)
    photograph(desk.catalog)
    desk.send("refresh")
    assert [photo["label"] for photo in desk.data["item"]["photos"]] == ["Nearest real photo", "Real photo"]


def test_page_says_what_a_picture_was_drawn_again_for(page: Callable[..., Desk], picture: Path) -> None:
    desk = page(1)
    desk.look().decide("changes", reasons=["wrong_colour"], note="a {blue} <handle>")
    (asked,) = regeneration.pending(desk.catalog)
    drawn = Candidate(
        image=picture,
        product_id=asked.product_id,
        caption_id=asked.caption_id,
        prompt=asked.prompt,
        seed=asked.seed,
        scores={},
    )
    enqueue(desk.catalog, "again", [drawn])
    desk.send("refresh")
    assert desk.data["item"]["again"] == "Drawn again for: Colour — note “a {blue} <handle>”"
    desk.send("look", decision=desk.data["history"][0]["id"])
    assert desk.data["item"]["id"] == 1 and desk.data["item"]["again"] is None


def test_page_keeps_a_possible_copy_flagged(page: Callable[..., Desk]) -> None:
    desk = page(1, similarity=0.99)
    assert "Almost the same as a real photo" in desk.data["item"]["risk"]
    assert desk.send("flag", item=1, on=False).data["item"]["flagged"]
    assert desk.data["item"]["flag"] is None, "one warning says it"


def test_page_remaps_a_key_for_one_person(page: Callable[..., Desk]) -> None:
    desk = page()
    desk.send("remap", action="approve", key="J")
    assert desk.data["keys"]["approve"] == "j" and desk.line == "Keys saved."
    assert people.person(desk.catalog, "aki").settings == {"keys": {"approve": "j"}}
    assert "already means “Approve”" in desk.send("remap", action="skip", key="j").line
    assert "refused" in desk.send("remap", action="skip", key="r").line
    assert desk.send("remap", reset=True).data["keys"]["approve"] == "a"
    assert people.person(desk.catalog, "aki").settings == {"keys": {}}


def test_page_asks_the_catalogue_nothing_for_a_message_that_changes_nothing(page: Callable[..., Desk]) -> None:
    desk = page()
    statements: list[str] = []
    event.listen(workspace.catalog().engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    desk.send("shown", item=1)
    after_shown = len([text for text in statements if text.startswith(("SELECT", "UPDATE", "INSERT"))])
    desk.look()
    statements.clear()
    desk.decide("approve")
    after_decide = len([text for text in statements if text.startswith(("SELECT", "UPDATE", "INSERT"))])
    # Who it is (twice), the row, when it was shown, the claim.
    assert after_shown <= 6
    assert after_decide <= 40


def test_page_does_not_offer_to_approve_a_missing_picture(
    queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = queued(1)
    with Catalog.open(workspace) as catalog:
        catalog.blobs.path(queue.item(catalog, 1).image_sha256).write_bytes(b"damaged")
    monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
    app = AppTest.from_file(SCRIPT, default_timeout=30)
    app.query_params["reviewer"] = "aki"
    desk = Desk(app.switch_page("app_pages/review.py").run(), Catalog.open(workspace))
    assert desk.data["item"]["address"] is None


def test_page_passes_hostile_text_on_as_text_only(page: Callable[..., Desk]) -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    desk = page(1, name=hostile)
    assert desk.data["item"]["name"] == hostile
    assert hostile not in html_of(desk.app)
    code = "\n".join(path.read_text(encoding="utf-8") for path in (SCRIPT.parent).rglob("*.js"))
    for writes_markup in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert writes_markup not in code


def test_page_draws_few_elements(page: Callable[..., Desk]) -> None:
    # Links to the other screens apart: there are as many as there are screens.
    assert len([element for element in page().app.main if element.type != "page_link"]) <= 12


def test_page_asks_for_a_name_first(page: Callable[..., Desk]) -> None:
    desk = page(reviewer=None)
    assert "Who is reviewing?" in html_of(desk.app)
    assert queue.progress(desk.catalog).held == 0
    desk.app.text_input[0].input("aki")
    desk.app.button[0].click().run()
    assert desk.item == 1
    assert queue.item(desk.catalog, 1).lease_owner == "aki"


def test_page_speaks_japanese(page: Callable[..., Desk]) -> None:
    desk = page(lang="ja")
    assert desk.data["texts"]["action.approve"] == "承認"
    assert desk.data["reasons"][0]["label"] == "色違い"
    assert "documentElement.lang = 'ja'" in html_of(desk.app)


def test_page_without_a_workspace_says_how_to_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADAPT_WORKSPACE", str(tmp_path / "none"))
    app = AppTest.from_file(SCRIPT, default_timeout=30).run()
    assert not app.exception
    assert "The catalogue cannot be opened. no catalogue in" in html_of(app)
