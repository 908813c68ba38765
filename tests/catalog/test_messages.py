"""Texts of the ingest in both languages."""

import re
import string
from pathlib import Path

import pytest

from catalog import messages
from catalog.errors import CatalogError

CODE = re.compile(r'"((?:ATTR|FILE|GTIN|IMG|KEY|PDF|ROW|TABLE|TERM|TXT|URL|ZIP)_[A-Z_]+)"')


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_messages_have_the_same_keys_and_placeholders_in_every_language() -> None:
    english, japanese = messages.load("en"), messages.load("ja")
    assert {key: fields(text) for key, text in english.texts.items()} == {
        key: fields(text) for key, text in japanese.texts.items()
    }
    assert english.codes.keys() == japanese.codes.keys()
    for code, texts in english.codes.items():
        assert texts["title"] and texts["advice"] and japanese.codes[code]["title"] and japanese.codes[code]["advice"]


def test_japanese_messages_are_japanese() -> None:
    for code, texts in messages.load("ja").codes.items():
        for text in texts.values():
            assert re.search(r"[\u3041-\u30ff\u4e00-\u9fff]", text), f"{code}: {text}"


def test_unknown_code_is_shown_as_it_is() -> None:
    assert messages.load("ja").title("FILE_MISSING") == "ファイルがダンプにありません"
    assert messages.load("ja").title("NEW_CODE") == "NEW_CODE" and messages.load("ja").advice("NEW_CODE") == ""


def test_every_code_in_the_source_has_its_texts(repository: Path) -> None:
    used = {code for path in (repository / "catalog").rglob("*.py") for code in CODE.findall(path.read_text("utf-8"))}
    assert len(used) > 30
    assert not used - messages.load("en").codes.keys()


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "ja_JP.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_language_follows_the_locale(environment: dict[str, str], lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert messages.choose_language() == lang
    assert messages.choose_language("ja") == "ja"


def test_language_that_has_no_texts_is_refused() -> None:
    with pytest.raises(CatalogError, match="no messages in language 'fr'; use one of en, ja: --lang ja"):
        messages.choose_language("fr")
