"""Both languages have every string, screens ask for no string that is missing, Japanese ones show no English."""

import ast
import re
import string
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest
from screen_text import SHOWN, leftover_english, visible_text
from streamlit.testing.v1 import AppTest

from catalog import export, gallery, people, policies, regeneration, review
from catalog.exporters import FORMATS
from catalog.policy import REJECT_REASONS, Policy
from catalog.schema import ITEM_STATES, ROLES, VERDICTS
from catalog.store import Catalog
from ui import decision_table, deliveries, frame, keys
from ui.candidates import contents as candidate_contents
from ui.gallery import contents as gallery_contents
from ui.gallery import filters
from ui.i18n import LANGUAGES, Translator, preferred_language, strings
from ui.review import texts as desk_texts

UI = Path(__file__).resolve().parents[2] / "ui"
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
KEY = re.compile(r"[a-z]+\.[a-z0-9_]+")
NOT_JAPANESE = {"app.english"}
"""Strings that Japanese writes as English does."""
FAMILIES: dict[str, Collection[str]] = {
    "action.": {*keys.DEFAULT_KEYS, *review.RULINGS},
    "app.page_": frame.PAGES,
    "audit.origin_": decision_table.ORIGINS,
    "conflicts.check_": review.CHECK_VERDICTS,
    "conflicts.done_": review.RULINGS,
    "export.format_": FORMATS,
    "export.job_": ("export", "check"),
    "export.left_": deliveries.REASONS,
    "grid.": ("state", "run", "risk", "score", "size", "least", "most"),
    "grid.done_": review.RULINGS,
    "grid.refused_": gallery.REFUSALS,
    "grid.risk_": filters.RISKS,
    "grid.state_": filters.STATES,
    "reason.": REJECT_REASONS,
    "roles.": ROLES,
    "settings.source_": people.SOURCES,
    "thresholds.state_": ITEM_STATES,
    "verdict.": VERDICTS,
}
"""Beginning of keys that the code puts together → every ending it may ask for."""
SAID = [
    *SHOWN,
    "shop/MUG-1",
    "exports/folder-001",
    *("ada", "aki", "ben", "(policy)"),
    *("the rim bends", "two people from now on", "good enough"),
]
"""What that catalogue shows, with names and notes of this module."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def code_strings() -> Iterator[tuple[str, bool]]:
    """Yield texts in the code of the screens; True where it is only the beginning of one that is put together."""
    for path in UI.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        begun = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(id(node.values[0]))
                if len(node.values) > 1:
                    yield str(node.values[0].value), True
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in begun:
                yield node.value, False


def test_languages_have_the_same_strings_with_the_same_places() -> None:
    english = strings("en")
    for language in LANGUAGES:
        other = strings(language)
        assert set(other) == set(english)
        assert {key: places(text) for key, text in other.items()} == {key: places(t) for key, t in english.items()}


def test_japanese_strings_are_japanese() -> None:
    assert {key for key, text in strings("ja").items() if not JAPANESE.search(text)} == NOT_JAPANESE


def test_english_strings_are_english() -> None:
    assert {key for key, text in strings("en").items() if JAPANESE.search(text)} == {"app.japanese"}


def test_every_string_in_the_code_exists() -> None:
    sections = {key.partition(".")[0] for key in strings("en")}
    for text, begun in code_strings():
        # Names of files look like keys.
        if not begun and KEY.fullmatch(text) and text.partition(".")[0] in sections and not text.endswith(".py"):
            assert text in strings("en"), f"{text} is asked for and missing in ui/locales"


def test_every_string_is_asked_for() -> None:
    whole = {text for text, begun in code_strings() if not begun}
    put_together = {beginning + ending for beginning, endings in FAMILIES.items() for ending in endings}
    assert set(strings("en")) - whole - put_together == set()


def test_every_beginning_of_a_string_is_a_family() -> None:
    sections = {key.partition(".")[0] for key in strings("en")}
    begun = {text for text, begun in code_strings() if begun and re.fullmatch(r"[a-z]+\.[a-z0-9_]*", text)}
    assert {text for text in begun if text.partition(".")[0] in sections} == set(FAMILIES)


@pytest.mark.parametrize("folder", ["review/desk", "gallery", "candidates"])
def test_every_string_given_to_a_component_is_used_there(folder: str) -> None:
    given = {"review/desk": desk_texts.DESK, "gallery": gallery_contents.TEXTS, "candidates": candidate_contents.TEXTS}
    folders = (UI / folder, UI / "compare_view")
    code = "\n".join(path.read_text("utf-8") for place in folders for path in place.glob("*.[jh]*"))
    put_together = tuple(re.findall(r"`([a-z]+\.[a-z_]*)\$\{", code))
    assert [key for key in given[folder] if key not in code and not key.startswith(put_together)] == []


@pytest.mark.parametrize("beginning", FAMILIES)
def test_every_string_that_is_put_together_exists(beginning: str) -> None:
    assert {beginning + ending for ending in FAMILIES[beginning]} <= set(strings("en"))


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("ja-JP,ja;q=0.9,en;q=0.8", "ja"), ("en-GB", "en"), ("fr,ja;q=0.5", "ja"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_preferred_language_takes_the_first_it_knows(accepted: str | None, expected: str) -> None:
    assert preferred_language(accepted) == expected


def test_translator_falls_back_to_english() -> None:
    assert Translator("xx")("action.approve") == "Approve"


@pytest.fixture(scope="module")
def lived_in(fill_queue: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which each screen has something of each kind to show."""
    workspace = fill_queue(tmp_path_factory.mktemp("lived_in") / "workspace", 12)
    with Catalog.open(workspace) as catalog:
        for name, role in {"ada": "admin", "aki": "lead", "ben": "reviewer"}.items():
            people.sign_in(catalog, name, role=role)
        people.set_active(catalog, "ada", "ben", False)
        people.set_active(catalog, "ada", "ben", True)
        review.decide_item(catalog, "ben", 3, "approve", checks={"colour": "match", "height": "not_visible"})
        made = review.decide_item(catalog, "ben", 4, "changes", note="the rim bends")
        regeneration.request(catalog, made.id)
        review.decide_item(catalog, "aki", 5, "reject", reasons=REJECT_REASONS[:2])
        review.undo_item(catalog, "aki", 5)
        review.decide_item(catalog, "ada", 6, "reject", reasons=("blurred",), note="the rim bends")
        review.choose(catalog, "ada", 7, [8], scripted=True)
        policies.save(catalog, "ada", Policy(quorum=2, auto_reject={"text_match": 0.312}), "two people from now on")
        review.decide_item(catalog, "ben", 2, "approve")
        review.decide_item(catalog, "aki", 2, "reject", reasons=("copy",), checks={"colour": "mismatch"})
        review.decide_item(catalog, "ben", 9, "approve")
        review.decide_item(catalog, "aki", 9, "reject", reasons=("other",))
        review.adjudicate(catalog, "ada", 9, "approve", note="good enough")
        review.screen(catalog, "ada")
        export.export(catalog, format="folder", actor="ada")
    return workspace


@pytest.fixture
def opened(lived_in: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens a screen of that workspace."""

    def start(screen: str, **query: str) -> AppTest:
        monkeypatch.setenv("ADAPT_WORKSPACE", str(lived_in))
        app = AppTest.from_file(UI / "main.py", default_timeout=60)
        app.query_params.update({"lang": "ja", **query})
        app.switch_page(f"app_pages/{screen}.py").run()
        assert not app.exception
        return app

    return start


def test_japanese_entrance_has_no_english_left(opened: Callable[..., AppTest]) -> None:
    assert leftover_english(opened("review"), SAID) == []


@pytest.mark.parametrize("screen", frame.PAGES)
def test_japanese_pages_have_no_english_left(opened: Callable[..., AppTest], lived_in: Path, screen: str) -> None:
    app = opened(screen, reviewer="ada")
    assert leftover_english(app, [*SAID, str(lived_in.resolve())]) == []
    assert sum(bool(JAPANESE.search(text)) for text in visible_text(app)) > 10


def test_japanese_refusal_of_a_page_has_no_english_left(opened: Callable[..., AppTest]) -> None:
    app = opened("thresholds", reviewer="ben")
    assert leftover_english(app, SAID) == []
    assert "審査担当" in " ".join(visible_text(app))


def test_english_left_on_a_page_is_found() -> None:
    def page() -> None:
        import streamlit as st

        st.html(
            '<style>.left {color: red}</style><p title="Left in a title">日本語 <b>Left</b></p><i lang="en">data</i>'
        )
        st.button("Left on a button", help="助け")
        st.segmented_control("選択", ["Left in a choice", "よい"])
        st.text_input("名前", placeholder="Left as a hint")
        st.markdown("商品 MUG-1")

    assert leftover_english(AppTest.from_function(page).run(), ["MUG-1"]) == [
        "Left in a title",
        "Left",
        "Left on a button",
        "Left in a choice",
        "Left as a hint",
    ]
