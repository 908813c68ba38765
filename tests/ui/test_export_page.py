"""The export screen wired to exports and their checks, without a browser."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from approved_pictures import Thing, approve, draw
from overview_pages import HOSTILE, drew_hostile_as_text, facts_of, html_of, keys_of, named, open_page, rows_of
from screen_text import leftover_english
from signing_pair import signing_pair
from streamlit.testing.v1 import AppTest

from catalog import deliveries, export, people
from catalog.exporters import FORMATS
from catalog.roles import NotAllowed
from catalog.store import Catalog
from ui import delivery_job
from ui.deliveries import REASONS, STEPS
from ui.i18n import strings

WAIT_S = 120
SETTINGS = ("C2PA", "adapt.toml", "export", "c2pa_certificate", "c2pa_key")
"""What stands in a file of settings, in any language."""


@pytest.fixture
def approved(workspace: Path) -> Path:
    """A workspace of six pictures of one mug, four of them approved and one rejected."""
    draw(workspace, [Thing(sku="MUG-1")], 6)
    with Catalog.open(workspace) as catalog:
        approve(catalog, (1, 2, 3, 4))
        approve(catalog, (5,), verdict="reject")
    return workspace


def ended(workspace: Path) -> delivery_job.Job:
    """Wait for the job of a workspace."""
    job = delivery_job.current(workspace.resolve())
    assert job is not None and job.ended.wait(WAIT_S)
    return job


def exported(app: AppTest, workspace: Path) -> None:
    app.button(key="start-export").click().run()
    ended(workspace)
    app.run()
    assert not app.exception


def test_export_page_counts_without_writing(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(approved, monkeypatch, "export", "lea")
    app.button(key="count-export").click().run()
    assert facts_of(app)["Would leave"] == "4"
    assert [row[:2] for row in rows_of(app, "Why pictures stay")] == [["Rejected", "1"], ["Not decided yet", "1"]]
    assert not (approved / "exports").exists()
    app.selectbox(key="format").select("coco").run()
    assert "Would leave" not in html_of(app), "what was counted for other options is gone"


def test_export_page_delivers_lists_and_checks(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(approved, monkeypatch, "export", "lea")
    assert "Nothing has been delivered yet." in html_of(app)
    exported(app, approved)
    assert "✓ 4 pictures delivered to exports/folder-001" in html_of(app)
    assert "4 of 4 files were read back" in html_of(app)
    assert f"The folder is on the server: {approved.resolve() / 'exports' / 'folder-001'}" in html_of(app)
    assert f"The folders are on the server, below {approved.resolve()}." in html_of(app)
    assert (approved / "exports" / "folder-001" / "manifest.jsonl").is_file()
    (row,) = rows_of(app, "Deliveries, newest first")
    assert row[1:] == ["Folder with manifest", "exports/folder-001", "4", "2", "none", "0", "–"]
    app.button(key="check-delivery").click().run()
    ended(approved)
    app.run()
    assert "✓ exports/folder-001: 4 of 4 pictures agree with the manifest" in html_of(app)
    picture = next((approved / "exports" / "folder-001").rglob("*.jpg"))
    picture.write_bytes(picture.read_bytes() + b"x")
    app.button(key="check-delivery").click().run()
    ended(approved)
    app.run()
    assert "✕ exports/folder-001 does not verify: 3 of 4 pictures agree." in html_of(app)
    assert "<li>" in html_of(app) and "changed since the export" in html_of(app)


def test_export_page_asks_for_an_address_where_a_format_needs_one(
    approved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(approved, monkeypatch, "export", "lea", format="shopify")
    exported(app, approved)
    assert "Nothing was delivered or checked." in html_of(app) and "lists addresses" in html_of(app)
    assert "fill in the address above" in html_of(app) and "--base-url" not in html_of(app)
    app.text_input(key="base_url").input("http://cdn.example.com/p")
    app.button(key="count-export").click().run()
    assert "The address above, http://cdn.example.com/p, cannot be used" in html_of(app)
    exported(app, approved)
    assert "cannot be used" in html_of(app) and "--base-url" not in html_of(app)
    app.text_input(key="base_url").input("https://cdn.example.com/p")
    exported(app, approved)
    assert rows_of(app, "Deliveries, newest first")[0][7] == "https://cdn.example.com/p"
    app.selectbox(key="format").select("folder").run()
    assert "base_url" not in {field.key for field in app.text_input}


def test_export_page_signs_with_the_pair_in_the_settings(
    approved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("c2pa")
    _, key = signing_pair(approved / "pair")
    settings = approved / "adapt.toml"
    settings.write_text('[export]\nc2pa_certificate = "pair/certificate.pem"\nc2pa_key = "pair/key.pem"\n')
    app = open_page(approved, monkeypatch, "export", "lea")
    app.checkbox(key="sign").check()
    exported(app, approved)
    assert rows_of(app, "Deliveries, newest first")[0][5] == "C2PA"
    key.rename(tmp_path / "key.pem")
    exported(app, approved)
    assert "cannot read the key" in html_of(app)
    settings.write_text("")
    app.button(key="start-export").click().run()
    assert "names no certificate any more" in ended(approved).refused
    assert len(rows_of(app, "Deliveries, newest first")) == 1


def test_export_page_takes_no_path_of_a_file(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(approved, monkeypatch, "export", "lea")
    assert not app.checkbox and not app.text_input and "c2pa_certificate and c2pa_key" in html_of(app)
    (approved / "adapt.toml").write_text('[export]\nc2pa_key = "key.pem"\n')
    app.run()
    assert not app.checkbox and "c2pa_certificate is missing" in html_of(app)


def test_export_page_says_why_nothing_leaves(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = queued(0)
    app = open_page(workspace, monkeypatch, "export")
    app.button(key="count-export").click().run()
    assert facts_of(app)["Would leave"] == "0" and "No picture stays." in html_of(app)
    exported(app, workspace)
    assert "<span>no approved picture to export" in html_of(app)


def test_export_page_runs_one_job_at_a_time_and_stops_it(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()

    def work(progress: delivery_job.Progress) -> export.ExportReport:
        progress("exporting", 1, 4)
        began.set()
        assert go_on.wait(WAIT_S)
        progress("exporting", 2, 4)
        raise AssertionError("went on although it was stopped")

    app = open_page(approved, monkeypatch, "export", "lea")
    job = delivery_job.start(approved.resolve(), "export", "folder", "ada", work)
    assert job is not None and began.wait(WAIT_S)
    assert delivery_job.start(approved.resolve(), "export", "folder", "lea", work) is None
    app.run()
    assert "ada exports as Folder with manifest." in html_of(app) and app.button(key="start-export").disabled
    assert [(bar.proto.value, bar.proto.text) for bar in app.get("progress")] == [(25, "Writing pictures 1 / 4")]
    app.button(key="stop-export").click().run()
    go_on.set()
    assert job.ended.wait(WAIT_S)
    app.run()
    assert "✕ Stopped: nothing was delivered." in html_of(app)


def test_export_page_is_not_open_to_others(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, role in (("aki", "Reviewer"), ("olga", "Auditor")):
        app = open_page(approved, monkeypatch, "export", name)
        assert f"is not open to your role ({role})" in html_of(app) and "start-export" not in keys_of(app)
    with Catalog.open(approved) as catalog, pytest.raises(NotAllowed, match="olga is auditor and may not export"):
        deliveries.deliveries(catalog, "olga")


def test_export_page_refuses_who_lost_the_role_meanwhile(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(approved, monkeypatch, "export", "lea")
    with Catalog.open(approved) as catalog:
        people.set_role(catalog, "ada", "lea", "reviewer")
    app.button(key="start-export").click().run()
    assert delivery_job.current(approved.resolve()) is None and not (approved / "exports").exists()


def test_export_page_turns_pages_of_deliveries(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalog.schema import ExportRunRow

    with Catalog.open(approved) as catalog, catalog.write() as session:
        for number in range(25):
            session.add(ExportRunRow(format="folder", path=f"/{number}{HOSTILE}", state="done", counts={"images": 1}))
    app = open_page(approved, monkeypatch, "export")
    assert len(rows_of(app, "Deliveries, newest first")) == 20 and drew_hostile_as_text(app)
    app.button(key="older-deliveries").click().run()
    assert len(rows_of(app, "Deliveries, newest first")) == 5
    app.button(key="newest-deliveries").click().run()
    assert len(rows_of(app, "Deliveries, newest first")) == 20


def test_export_page_speaks_japanese_and_names_everything(approved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(approved, monkeypatch, "export", "lea", lang="ja", format="merchant")
    app.text_input(key="base_url").input("https://cdn.example.com/p").run()
    app.button(key="count-export").click().run()
    assert "このうち 4 件は、ショップが求める 500 × 500 ピクセルより小さい画像です" in html_of(app)
    app.selectbox(key="format").select("folder").run()
    app.button(key="count-export").click().run()
    exported(app, approved)
    shown = [
        "Google Merchant",
        "Shopify",
        "Hugging Face imagefolder",
        "exports/folder-001",
        "folder",
        str(approved.resolve()),
        str(approved.resolve() / "exports" / "folder-001"),
        "https",
        *SETTINGS,
    ]
    assert leftover_english(app, [*shown, "lea"]) == []
    for widget in (*app.selectbox, *app.text_input, *app.button):
        assert named(widget)


def test_export_page_says_its_choice_in_the_language_switched_to(
    approved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(approved, monkeypatch, "export", "lea", format="merchant")
    app.run()
    assert not app.selectbox(key="format").proto.set_value, "the browser knows it"
    app.button_group(key="language").set_value("ja").run()
    sent = app.selectbox(key="format").proto
    assert sent.set_value and sent.raw_value == strings("ja")["export.format_merchant"], "else it keeps the old words"
    app.run()
    assert app.selectbox(key="format").value == "merchant"


def test_export_page_has_words_for_all_it_may_say() -> None:
    asked = {f"export.left_{reason}" for reason in REASONS} | {f"export.format_{name}" for name in FORMATS}
    assert asked <= set(strings("ja"))
    assert {f"export.job_{what}" for what in ("export", "check")} | set(STEPS.values()) <= set(strings("ja"))
