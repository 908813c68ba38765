"""The threshold desk wired to previews, rules and their versions, without a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from overview_pages import (
    HOSTILE,
    drew_hostile_as_text,
    facts_of,
    html_of,
    keys_of,
    named,
    open_page,
    rows_of,
    words_of,
)
from screen_text import leftover_english

from catalog import people, policies, queue, review, thresholds
from catalog.generation import enqueue
from catalog.policy import Policy
from catalog.records import Candidate
from catalog.store import Catalog
from ui.thresholds import scale


@pytest.fixture
def scored(queued: Callable[..., Path], picture: Path) -> Path:
    """A workspace of 40 pictures with a score `sharp` from 0 to 1; eight were judged, two of them approved."""
    workspace = queued(1)
    with Catalog.open(workspace) as catalog:
        people.sign_in(catalog, "ada", role="admin")
        candidates = [
            Candidate(image=picture, product_id=1, caption_id=None, prompt="p", seed=n, scores={"sharp": n / 40})
            for n in range(40)
        ]
        enqueue(catalog, "scored", candidates)
        for number in range(8):
            verdict, reasons = ("approve", ()) if number in (3, 6) else ("reject", ("other",))
            review.decide_item(catalog, "ada", number + 2, verdict, reasons=reasons)
    return workspace


def test_thresholds_page_says_that_nothing_is_approved_automatically(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(scored, monkeypatch, "thresholds")
    assert "Nothing is ever approved automatically." in html_of(app)


def test_thresholds_page_previews_what_the_service_says(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(scored, monkeypatch, "thresholds", score="sharp")
    app.slider(key="threshold-sharp").set_value(0.5).run()
    app.slider(key="audit-share-sharp").set_value(20).run()
    with Catalog.open(scored) as catalog:
        said = thresholds.preview(catalog, "sharp", 0.5, audit_share=0.2)
        nearest = [item.id for item in thresholds.borderline_items(catalog, said)]
    shown = facts_of(app)
    assert shown["Would be rejected unseen"].startswith(str(said.rejected)) and said.rejected > 0
    assert shown["Under it, judged by people"].startswith(str(said.audited))
    assert shown["Would still wait"] == str(said.queue)
    assert "2 of 8 past pictures under it were approved; 95 % interval 7.1–59.1 %" in shown["Good pictures lost"]
    body = html_of(app)
    assert len(nearest) == 12
    places = [body.index(f'data-item="{number}"') for number in nearest]
    assert places == sorted(places)
    assert body.count('src="/picture/') == 12 and "size=preview" in body


def test_thresholds_page_saves_a_version_with_its_note_and_applies_it(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(scored, monkeypatch, "thresholds", "lea", score="sharp")
    app.slider(key="threshold-sharp").set_value(0.5).run()
    app.button(key="save-threshold").click().run()
    assert "write a note" in html_of(app)
    with Catalog.open(scored) as catalog:
        assert policies.versions(catalog) == []
        app.text_input(key="policy_note").input(HOSTILE)
        app.button(key="save-threshold").click().run()
        (saved,) = policies.versions(catalog)
        assert (saved.author, saved.note, dict(saved.policy.auto_reject)) == ("lea", HOSTILE, {"sharp": 0.5})
        waiting = queue.progress(catalog)
    assert "Saved as version 1." in html_of(app)
    assert rows_of(app, "Version 1 is in force") == [["sharp", "0.5"]]
    assert rows_of(app, "Saved versions")[0][4:] == ["sharp &lt; 0.5", "10 %", "1"]
    assert drew_hostile_as_text(app)
    app.button(key="apply-thresholds").click().run()
    app.button(key="confirm-thresholds").click().run()
    with Catalog.open(scored) as catalog:
        after = queue.progress(catalog)
    assert f"{after.rejected - waiting.rejected} rejected, 0 held by somebody, untouched." in html_of(app)
    assert after.rejected > waiting.rejected and after.approved == waiting.approved
    app.text_input(key="policy_note").input("back")
    app.button(key="remove-threshold").click().run()
    with Catalog.open(scored) as catalog:
        assert dict(policies.current(catalog).auto_reject) == {}


def test_thresholds_page_refuses_to_save_over_rules_that_changed_meanwhile(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(scored, monkeypatch, "thresholds", "lea", score="sharp")
    app.text_input(key="policy_note").input("late")
    with Catalog.open(scored) as catalog:
        policies.save(catalog, "ada", Policy(quorum=2), "early")
        app.button(key="save-threshold").click().run()
        assert "the rules have changed meanwhile (now version 1)" in html_of(app)
        assert [made.note for made in policies.versions(catalog)] == ["early"]


def test_thresholds_page_counts_and_asks_before_it_rejects(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog.open(scored) as catalog:
        policies.save(catalog, "ada", Policy(auto_reject={"sharp": 0.5}, audit_share=0.05), "half")
        held = next(
            item
            for item in queue.items(catalog, state="pending", limit=50)
            if item.scores.get("sharp", 1) < 0.5 and not policies.current(catalog).audited(item.generation_id)
        )
        assert review.claim(catalog, "aki", item_id=held.id) is not None
        low = review.under_thresholds(catalog)
        assert low.held == 1 and low.free > 0
        app = open_page(scored, monkeypatch, "thresholds", "lea", score="sharp")
        app.button(key="apply-thresholds").click().run()
        assert f"This rejects {low.free} pictures. 1 more are held by somebody" in html_of(app)
        app.button(key="leave-thresholds").click().run()
        assert "confirm-thresholds" not in keys_of(app) and review.under_thresholds(catalog) == low
        app.button(key="apply-thresholds").click().run()
        policies.save(catalog, "ada", Policy(auto_reject={"sharp": 0.4}, audit_share=0.05), "less")
        app.button(key="confirm-thresholds").click().run()
        assert "Nothing was rejected: the rules have changed meanwhile (now version 2)" in html_of(app)
        low = review.under_thresholds(catalog)
        app.button(key="apply-thresholds").click().run()
        app.button(key="confirm-thresholds").click().run()
        assert f"{low.free} rejected, {low.held} held by somebody, untouched." in html_of(app)
        assert queue.item(catalog, held.id).state == "pending"
        app.button(key="apply-thresholds").click().run()
        assert "no free picture that waits is under a threshold" in html_of(app)
        assert "confirm-thresholds" not in keys_of(app)


def test_thresholds_page_says_beside_the_button_what_became_of_it(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(scored, monkeypatch, "thresholds", "lea", score="sharp")
    app.text_input(key="policy_note").input("why")
    app.button(key="save-threshold").click().run()
    drawn = [str(getattr(one, "key", None) or getattr(getattr(one, "proto", None), "body", "")) for one in app.main]
    said = next(place for place, one in enumerate(drawn) if "Saved as version 1." in one)
    assert drawn.index("remove-threshold") < said
    assert said < next(place for place, one in enumerate(drawn) if "Rules in force and before" in one)


def test_thresholds_page_lets_an_auditor_look_and_not_save(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(scored, monkeypatch, "thresholds", "olga", score="sharp")
    assert "Your role may look but not change the rules." in html_of(app)
    assert not {"save-threshold", "apply-thresholds", "remove-threshold"} & keys_of(app)


def test_thresholds_page_is_not_open_to_reviewers(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(scored, monkeypatch, "thresholds", "aki")
    assert "is not open to your role (Reviewer)" in html_of(app) and not app.slider


def test_thresholds_page_works_without_a_picture(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(queued(0), monkeypatch, "thresholds")
    assert "No picture has a score yet." in html_of(app) and "no threshold, people judge every picture" in html_of(app)


def test_thresholds_page_shows_hostile_names_as_text(
    queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drew_hostile_as_text(open_page(queued(2, name=HOSTILE), monkeypatch, "thresholds"))


def test_thresholds_page_speaks_japanese_and_names_everything(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog.open(scored) as catalog:
        policies.save(catalog, "ada", Policy(auto_reject={"sharp": 0.2}), "虫干し")
    app = open_page(scored, monkeypatch, "thresholds", score="sharp", lang="ja")
    assert leftover_english(app, ["Blue enamel mug", "sharp", "text_match", "ada"]) == []
    assert "自動で承認されることは決してありません" in words_of(app)
    for widget in (*app.slider, *app.selectbox, *app.text_input, *app.button):
        assert named(widget)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.0, 1.0), (0.0, 1.01, 0.01, 2)),
        ((0.31, 0.33), (0.31, 0.3302, 0.0002, 4)),
        ((-3.0, 250.0), (-5.0, 255.0, 5.0, 0)),
        ((0.5, 0.5), (0.5, 0.51, 0.01, 2)),
        ((float("nan"), float("inf")), (0.0, 1.01, 0.01, 2)),
    ],
)
def test_scale_covers_all_values_and_one_step_more(
    ends: tuple[float, float], expected: tuple[float, float, float, int]
) -> None:
    made = scale(*ends)
    assert (made.low, made.high, made.step, made.decimals) == pytest.approx(expected)


def test_scale_holds_the_threshold_that_counts() -> None:
    assert scale(0.2, 0.4, 0.9).high > 0.9
