"""The conflicts page wired to the services: verdicts without names, the ruling, and its undo."""

from collections.abc import Callable
from pathlib import Path

import pytest
from own_photos import photograph
from screen_text import leftover_english
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from catalog import decision_log, people, queue, review
from catalog.schema import GenerationRow, ProductRow, ReviewItemRow
from catalog.store import Catalog

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"
HOSTILE = "<script>alert(1)</script> \u202egnp =1+1"


class Conflicts:
    """The page in a test."""

    def __init__(self, app: AppTest, catalog: Catalog) -> None:
        self.app, self.catalog = app, catalog

    @property
    def text(self) -> str:
        return "\n".join(str(element.proto.body) for element in self.app.get("html"))

    def rule(self, item: int, verdict: str | None, *, note: str = "", reasons: tuple[str, ...] = ()) -> "Conflicts":
        if verdict is not None:
            self.app.button_group(key=f"ruling-{item}").set_value(verdict).run()
        if reasons:
            self.app.button_group(key=f"ruling-reasons-{item}").set_value(list(reasons))
        self.app.text_area(key=f"ruling-note-{item}").input(note)
        self.app.button(key=f"ruling-settle-{item}").click().run()
        assert not self.app.exception
        return self

    def state(self, item: int) -> str:
        return queue.item(self.catalog, item).state


@pytest.fixture
def page(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Conflicts]:
    """Return a function that opens the page on `count` items on which ben and chen disagree."""

    def start(
        count: int = 1,
        *,
        role: str = "lead",
        lang: str = "en",
        note: str = "looks green",
        asked: str = "",
        settled: bool = False,
        **options: object,
    ) -> Conflicts:
        workspace = queued(3, **options)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        catalog = Catalog.open(workspace)
        people.sign_in(catalog, "lea", role=role)
        for item in range(1, count + 1):
            with catalog.write() as session:
                session.execute(update(ReviewItemRow).where(ReviewItemRow.id == item).values(quorum=2))
            review.decide_item(catalog, "ben", item, "approve", checks={"colour": "match"})
            review.decide_item(catalog, "chen", item, "reject", reasons=("wrong_colour",), note=note)
        if settled:
            review.decide_item(catalog, "ben", 3, "reject", reasons=("blurred",), note="soft")
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        app.query_params.update({"lang": lang, "reviewer": "lea"} | ({"item": asked} if asked else {}))
        app.switch_page("app_pages/conflicts.py").run()
        assert not app.exception
        return Conflicts(app, catalog)

    return start


def test_conflicts_shows_both_verdicts_without_names(page: Callable[..., Conflicts]) -> None:
    text = page().text
    for shown in ("✓ Approved", "✕ Rejected", "<p>Colour</p>", "looks green", "colour</bdi>: matches", "/picture/"):
        assert shown in text, shown
    assert "ben" not in text and "chen" not in text


def test_conflicts_tells_a_flag_from_a_possible_copy(page: Callable[..., Conflicts]) -> None:
    conflicts = page()
    assert "is flagged" not in conflicts.text
    with conflicts.catalog.write() as session:
        session.execute(update(ReviewItemRow).values(flagged=True))
    conflicts.app.run()
    assert "⚑ This picture is flagged" in conflicts.text and "Almost the same" not in conflicts.text


@pytest.mark.parametrize(
    ("similarity", "shown", "not_shown"),
    [(0.62, ">Real photo<", "Other product"), (0.99, "Similarity 0.99 · Other product: Black mug", ">Real photo<")],
)
def test_conflicts_shows_the_products_own_photo_or_what_a_possible_copy_is_near_to(
    page: Callable[..., Conflicts], similarity: float, shown: str, not_shown: str
) -> None:
    conflicts = page(similarity=similarity)
    photograph(conflicts.catalog)
    conflicts.app.run()
    assert shown in conflicts.text and not_shown not in conflicts.text


def test_conflicts_settles_one_and_shows_names_then(page: Callable[..., Conflicts]) -> None:
    conflicts = page(2).rule(1, "reject", note="the record says blue", reasons=("wrong_colour",))
    assert conflicts.state(1) == "rejected" and conflicts.state(2) == "conflict"
    assert "Settled: rejected." in conflicts.text
    assert "<bdi>ben</bdi>: ✓ Approved" in conflicts.text and "<bdi>chen</bdi>: ✕ Rejected (Colour)" in conflicts.text
    last = queue.decisions(conflicts.catalog, limit=1)[0]
    assert (last.origin, last.reviewer, last.note) == ("adjudication", "lea", "the record says blue")
    conflicts.app.button(key="undo-ruling-1").click().run()
    assert conflicts.state(1) == "conflict" and "<bdi>ben</bdi>" not in conflicts.text
    assert decision_log.first_broken_decision(conflicts.catalog) is None


@pytest.mark.parametrize(
    ("verdict", "note", "message"),
    [
        (None, "why", "Choose a ruling first"),
        ("approve", "", "A ruling needs a note"),
        ("reject", "why", "A rejection needs a reason"),
    ],
)
def test_conflicts_asks_for_what_a_ruling_needs(
    page: Callable[..., Conflicts], verdict: str | None, note: str, message: str
) -> None:
    conflicts = page().rule(1, verdict, note=note)
    assert message in conflicts.text and conflicts.state(1) == "conflict"


def test_conflicts_shows_what_the_rules_refuse(page: Callable[..., Conflicts]) -> None:
    conflicts = page()
    sha256 = queue.item(conflicts.catalog, 1).image_sha256
    next(path for path in conflicts.catalog.workspace.rglob(f"*{sha256}*") if path.is_file()).unlink()
    conflicts.rule(1, "approve", note="fine")
    assert "Nothing was decided." in conflicts.text and conflicts.state(1) == "conflict"


def test_conflicts_turns_from_one_to_the_next(page: Callable[..., Conflicts]) -> None:
    conflicts = page(3)
    assert "Disagreement 1 of 3" in conflicts.text
    assert any(button.key == "ruling-settle-1" for button in conflicts.app.button)
    conflicts.app.session_state["conflicts_number"] = 3
    conflicts.app.run()
    assert any(button.key == "ruling-settle-3" for button in conflicts.app.button)
    conflicts.rule(3, "approve", note="fine")
    assert any(button.key == "ruling-settle-2" for button in conflicts.app.button)


def test_conflicts_overturns_a_settled_verdict_and_takes_that_back(page: Callable[..., Conflicts]) -> None:
    conflicts = page(asked="3", settled=True)
    assert "Ruling on item 3" in conflicts.text and "soft" in conflicts.text and "ben" not in conflicts.text
    conflicts.rule(3, "approve")
    assert "A ruling needs a note" in conflicts.text and conflicts.state(3) == "rejected"
    conflicts.rule(3, "approve", note="sharp enough")
    assert "Settled: approved." in conflicts.text and conflicts.state(3) == "approved"
    assert "Disagreement 1 of 1" in conflicts.text, "back to the conflicts"
    conflicts.app.button(key="undo-ruling-3").click().run()
    assert conflicts.state(3) == "rejected"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("2", "item 2 has no verdict to rule on; claim it and decide it"),
        ("99", "no item 99 in the review queue"),
        ("x", "“x” is no number of an item."),
    ],
)
def test_conflicts_says_why_an_item_cannot_be_ruled_on(page: Callable[..., Conflicts], item: str, said: str) -> None:
    conflicts = page(asked=item)
    assert said in conflicts.text
    conflicts.app.button(key="all-conflicts").click().run()
    assert "Disagreement 1 of 1" in conflicts.text


def test_conflicts_is_closed_to_reviewers_with_an_item_too(page: Callable[..., Conflicts]) -> None:
    conflicts = page(role="reviewer", asked="3", settled=True)
    assert "is not open to your role (Reviewer)" in conflicts.text and "soft" not in conflicts.text


def test_conflicts_lets_auditors_read_only(page: Callable[..., Conflicts]) -> None:
    conflicts = page(role="auditor")
    assert "looks green" in conflicts.text
    assert not [button for button in conflicts.app.button if str(button.key).startswith("ruling")]


def test_conflicts_is_closed_to_reviewers(page: Callable[..., Conflicts]) -> None:
    conflicts = page(role="reviewer")
    assert "“Conflicts” is not open to your role (Reviewer)" in conflicts.text and "looks green" not in conflicts.text


def test_conflicts_without_any_says_so(page: Callable[..., Conflicts]) -> None:
    assert "No conflicts are waiting." in page(0).text


def test_conflicts_shows_hostile_text_as_text(page: Callable[..., Conflicts]) -> None:
    conflicts = page(name=HOSTILE, note=HOSTILE)
    with conflicts.catalog.write() as session:
        session.execute(update(GenerationRow).values(prompt=HOSTILE, run=HOSTILE))
        session.execute(update(ProductRow).values(sku=HOSTILE))
    conflicts.app.run()
    assert conflicts.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert "<script>alert" not in conflicts.text


def test_conflicts_in_japanese_has_no_english_left(page: Callable[..., Conflicts]) -> None:
    conflicts = page(2, lang="ja")
    data = [
        "lea",
        "ben",
        "chen",
        "mugs",
        "MUG-1",
        "Blue enamel mug",
        "looks green",
        "UTC",
        "colour",
        "material",
        "height",
    ]
    data += ["a blue enamel mug on a white background"]
    assert leftover_english(conflicts.app, data) == []
    conflicts.rule(1, "approve", note="fine")
    assert leftover_english(conflicts.app, [*data, "fine"]) == []
