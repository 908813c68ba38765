"""Both languages have every string, screens ask for no string that is missing, Japanese ones show no English."""

import ast
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from screen_text import leftover_english, visible_text
from streamlit.testing.v1 import AppTest

from catalog.policy import REJECT_REASONS
from catalog.schema import ROLES, VERDICTS
from catalog.store import Catalog
from ui import frame
from ui.i18n import LANGUAGES, Translator, preferred_language, strings

UI = Path(__file__).resolve().parents[2] / "ui"
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
KEY = re.compile(r"[a-z]+\.[a-z0-9_]+")
NOT_JAPANESE = {"app.english"}
"""Strings that Japanese writes as English does."""
FAMILIES = {
    "app.page_": frame.PAGES,
    "reason.": REJECT_REASONS,
    "roles.": ROLES,
}
"""Beginning of keys that the code puts together → every ending it may ask for."""
SHOWN = [
    "a blue enamel mug on a white background",
    "Blue enamel mug",
    "Holds <8 fl oz & keeps it warm.",
    "Kitchen / Mugs",
    "MUG-1",
    "text_match",
    "mugs",
    "aki",
    "colour",
    "material",
    "height",
]
"""Texts of the test catalogue."""


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
    found = list(code_strings())
    whole = {text for text, begun in found if not begun}
    beginnings = tuple(text for text, begun in found if begun and re.match(r"[a-z]+\.[a-z0-9_]*$", text))
    unused = {key for key in strings("en") if key not in whole and not key.startswith(beginnings)}
    assert unused == set()


@pytest.mark.parametrize("beginning", FAMILIES)
def test_every_string_that_is_put_together_exists(beginning: str) -> None:
    assert {beginning + ending for ending in FAMILIES[beginning]} <= set(strings("en"))


def test_every_verdict_that_is_shown_has_a_word() -> None:
    assert {"verdict." + verdict for verdict in ("approve", "reject", "skip", "void")} <= set(strings("en"))
    assert {key.partition(".")[2] for key in strings("en") if key.startswith("verdict.")} <= set(VERDICTS)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("ja-JP,ja;q=0.9,en;q=0.8", "ja"), ("en-GB", "en"), ("fr,ja;q=0.5", "ja"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_preferred_language_takes_the_first_it_knows(accepted: str | None, expected: str) -> None:
    assert preferred_language(accepted) == expected


def test_translator_falls_back_to_english() -> None:
    assert Translator("xx")("action.approve") == "Approve"


@pytest.fixture
def opened(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens the screens on a workspace of two candidates."""

    def start(**query: str) -> AppTest:
        workspace = queued(2)
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        Catalog.open(workspace).close()
        app = AppTest.from_file(UI / "main.py", default_timeout=30)
        app.query_params.update(query)
        app.switch_page("app_pages/review.py").run()
        assert not app.exception
        return app

    return start


@pytest.mark.parametrize("reviewer", [{}, {"reviewer": "aki"}], ids=["entrance", "review"])
def test_japanese_pages_have_no_english_left(opened: Callable[..., AppTest], reviewer: dict[str, str]) -> None:
    app = opened(lang="ja", **reviewer)
    assert leftover_english(app, SHOWN) == []
    assert sum(bool(JAPANESE.search(text)) for text in visible_text(app)) > 5


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
