"""The review page wired to the services, without a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from catalog import queue, review
from catalog.policy import REJECT_REASONS
from catalog.store import Catalog

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "main.py"


@pytest.fixture
def page(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[AppTest, Catalog]]:
    """Return a function that opens the page as a reviewer on a workspace of `count` candidates."""

    def start(count: int = 3, *, reviewer: str | None = "aiko", lang: str = "en", **options: object) -> tuple:
        workspace = queued(count, **options)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        app = AppTest.from_file(SCRIPT, default_timeout=30)
        app.query_params["lang"] = lang
        if reviewer:
            app.query_params["reviewer"] = reviewer
        app.run()
        assert not app.exception
        return app, Catalog.open(workspace)

    return start


def seen(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute on screen pass for what is claimed, instead of waiting."""
    from datetime import timedelta

    from sqlalchemy import update

    from catalog.schema import ReviewItemRow

    with catalog.write() as session:
        earlier = review.utc_now() - timedelta(minutes=1)
        session.execute(
            update(ReviewItemRow).where(ReviewItemRow.first_shown_at.is_not(None)).values(first_shown_at=earlier)
        )


def html_of(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def keys_of(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def test_page_asks_for_a_name_first(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, catalog = page(reviewer=None)
    assert "Who is reviewing?" in html_of(app)
    assert queue.progress(catalog).held == 0
    app.text_input[0].input("aiko")
    app.button[0].click().run()
    assert "approve-1" in keys_of(app)
    assert queue.item(catalog, 1).lease_owner == "aiko"


def test_page_draws_the_picture_before_the_buttons(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, catalog = page()
    body = html_of(app)
    assert 'data-item="1"' in body and f"/picture/{queue.item(catalog, 1).image_sha256}" in body
    kinds = [element.type if element.type != "html" else element.proto.body for element in app.main]
    picture = next(place for place, kind in enumerate(kinds) if "data-item" in kind)
    assert picture < kinds.index("button")
    assert "a blue enamel mug on a white background" in body and "8.5 cm" in body and "0.62" in body
    assert "Holds &lt;8 fl oz &amp; keeps it warm." in body


def test_page_approves_and_shows_the_next(
    page: Callable[..., tuple[AppTest, Catalog]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, catalog = page()
    seen(catalog, monkeypatch)
    app.button(key="approve-1").click().run()
    assert queue.item(catalog, 1).state == "approved"
    assert "approve-2" in keys_of(app) and "approve-1" not in keys_of(app)


def test_page_refuses_what_was_not_seen(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, catalog = page()
    with catalog.write() as session:
        from sqlalchemy import update

        from catalog.schema import ReviewItemRow

        session.execute(update(ReviewItemRow).values(first_shown_at=None))
    app.button(key="approve-1").click().run()
    assert "Too fast" in html_of(app)
    assert queue.decisions(catalog) == []
    assert "approve-1" in keys_of(app)


@pytest.mark.parametrize("reason_first", [True, False])
def test_page_rejects_with_a_reason(
    page: Callable[..., tuple[AppTest, Catalog]], monkeypatch: pytest.MonkeyPatch, reason_first: bool
) -> None:
    app, catalog = page()
    seen(catalog, monkeypatch)
    if reason_first:
        for code in ("distorted", "copy"):
            app.button(key=f"reason-{code}-1").click().run()
        app.button(key="reject-1").click().run()
        expected: tuple[str, ...] = ("distorted", "copy")
    else:
        app.button(key="reject-1").click().run()
        assert queue.decisions(catalog) == []
        assert "press 1–9" in html_of(app)
        app.button(key="reason-blurred-1").click().run()
        expected = ("blurred",)
    assert [(made.verdict, made.reasons) for made in queue.decisions(catalog)] == [("reject", expected)]


def test_page_skips_undoes_and_offers_skipped_again(
    page: Callable[..., tuple[AppTest, Catalog]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, catalog = page(2)
    for number in (1, 2):
        seen(catalog, monkeypatch)
        app.button(key=f"skip-{number}").click().run()
    assert "Nothing to review" in html_of(app)
    app.button(key="undo-empty").click().run()
    assert "approve-2" in keys_of(app)
    seen(catalog, monkeypatch)
    app.button(key="approve-2").click().run()
    app.button(key="again").click().run()
    assert "approve-1" in keys_of(app)


def test_page_says_when_the_claim_was_lost(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, catalog = page()
    review.release(catalog, 1, queue.item(catalog, 1).lease_token or "")
    assert review.claim(catalog, "ben", item_id=1) is not None
    app.run()
    assert "held too long" in html_of(app)
    assert "approve-2" in keys_of(app)


def test_page_does_not_offer_to_approve_a_missing_picture(
    queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = queued(1)
    with Catalog.open(workspace) as catalog:
        catalog.blobs.path(queue.item(catalog, 1).image_sha256).write_bytes(b"damaged")
    monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
    app = AppTest.from_file(SCRIPT, default_timeout=30)
    app.query_params["reviewer"] = "aiko"
    app.run()
    assert "missing or damaged" in html_of(app)
    assert app.button(key="approve-1").disabled


def test_page_escapes_what_the_catalogue_says(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, _ = page(1, name="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in html_of(app)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html_of(app)


def test_page_flags_a_possible_copy(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, _ = page(1, similarity=0.99)
    assert "Almost the same as a real photo" in html_of(app)


def test_page_gives_each_key_one_button(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, _ = page()
    shortcuts = [button.proto.shortcut for button in app.button if button.proto.shortcut]
    assert sorted(shortcuts) == sorted([*"axsu", *(str(number) for number in range(1, len(REJECT_REASONS) + 1))])


def test_page_speaks_japanese(page: Callable[..., tuple[AppTest, Catalog]]) -> None:
    app, _ = page(lang="ja")
    assert "生成画像" in html_of(app)
    assert app.button(key="approve-1").label == "承認"
    assert "documentElement.lang = 'ja'" in html_of(app)


def test_page_without_a_workspace_says_how_to_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADAPT_WORKSPACE", str(tmp_path / "none"))
    app = AppTest.from_file(SCRIPT, default_timeout=30).run()
    assert not app.exception
    assert "The catalogue cannot be opened. no catalogue in" in html_of(app)
