"""Both languages have every string, and the screen asks for no string that is missing."""

import re
import string
from pathlib import Path

import pytest

from catalog.policy import REJECT_REASONS
from ui.i18n import LANGUAGES, Translator, preferred_language, strings

UI = Path(__file__).resolve().parents[2] / "ui"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_languages_have_the_same_strings_with_the_same_places() -> None:
    english = strings("en")
    for language in LANGUAGES:
        other = strings(language)
        assert set(other) == set(english)
        assert {key: places(text) for key, text in other.items()} == {key: places(t) for key, t in english.items()}


def test_japanese_strings_are_japanese() -> None:
    same = {key for key, text in strings("ja").items() if not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text)}
    assert same == {"app.english"}


def test_every_string_in_the_code_exists_and_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in UI.rglob("*.py"))
    sections = {key.partition(".")[0] for key in strings("en")}
    named = {key for key in re.findall(r"""["']([a-z]+\.[a-z_]+)["']""", code) if key.partition(".")[0] in sections}
    built = {f"reason.{code}" for code in REJECT_REASONS} | {
        f"verdict.{v}" for v in ("approve", "reject", "skip", "void")
    }
    assert named | built == set(strings("en"))


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("ja-JP,ja;q=0.9,en;q=0.8", "ja"), ("en-GB", "en"), ("fr,ja;q=0.5", "ja"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_preferred_language_takes_the_first_it_knows(accepted: str | None, expected: str) -> None:
    assert preferred_language(accepted) == expected


def test_translator_falls_back_to_english() -> None:
    assert Translator("xx")("action.approve") == "Approve"
