"""Keys of the review screen: what may be one, who has it, what a person changed."""

import re
from pathlib import Path

import pytest

from ui import keys
from ui.i18n import strings
from ui.review import texts

UI = Path(__file__).resolve().parents[2] / "ui"


def test_default_keys_are_allowed_and_differ() -> None:
    assert keys.keys_of(None) == dict(keys.DEFAULT_KEYS)
    assert len(set(keys.DEFAULT_KEYS.values())) == len(keys.DEFAULT_KEYS)
    assert not set(keys.DEFAULT_KEYS.values()) & keys.BROWSER_KEYS


def test_changed_gives_an_action_another_key() -> None:
    now = keys.changed(keys.DEFAULT_KEYS, "approve", "J")
    assert keys.own_keys(now) == {"approve": "j"}
    assert keys.keys_of(keys.own_keys(now)) == now
    # The letter that became free may go elsewhere.
    assert keys.changed(now, "skip", "a")["skip"] == "a"
    assert keys.own_keys(keys.changed(now, "approve", "a")) == {}


@pytest.mark.parametrize(
    ("action", "key", "message"),
    [
        ("approve", "c", "keys.browser"),
        ("approve", "R", "keys.browser"),
        ("approve", "x", "keys.collision"),
        ("approve", "1", "keys.taken"),
        ("approve", "+", "keys.taken"),
        ("approve", "?", "keys.taken"),
        ("approve", "Enter", "keys.no_letter"),
        ("approve", "あ", "keys.no_letter"),
        ("approve", "é", "keys.no_letter"),
        ("approve", "", "keys.no_letter"),
        ("approve", " ", "keys.no_letter"),
        ("explode", "j", "keys.no_action"),
    ],
)
def test_changed_refuses_with_a_line_of_the_screen(action: str, key: str, message: str) -> None:
    with pytest.raises(keys.KeyRefused) as refused:
        keys.changed(keys.DEFAULT_KEYS, action, key)
    assert refused.value.message == message
    for language in ("en", "ja"):
        line = strings(language)[message].format(**refused.value.values)
        assert "{" not in line and "\n" not in line


@pytest.mark.parametrize(
    "stored",
    [
        {"approve": "x"},
        {"approve": "c"},
        {"approve": "AA"},
        {"approve": 3},
        {"approve": None},
        {"explode": "j"},
        ["a"],
        "approve",
    ],
)
def test_keys_of_trusts_no_store_that_was_edited_wrongly(stored: object) -> None:
    assert keys.keys_of(stored) == dict(keys.DEFAULT_KEYS)


def test_every_key_has_a_line_in_the_help() -> None:
    assert {f"action.{action}" for action in keys.DEFAULT_KEYS} <= set(texts.DESK)
    assert {f"keys.do_{action}" for action in keys.FIXED_KEYS} <= set(texts.DESK)


def test_the_browser_part_asks_for_no_string_it_is_not_given() -> None:
    parts = [path for kind in ("*.js", "*.html") for path in UI.rglob(kind)]
    code = "\n".join(path.read_text(encoding="utf-8") for path in parts)
    sections = {key.partition(".")[0] for key in texts.DESK}
    named = {key for key in re.findall(r"""["'`]([a-z]+\.[a-z_]+)["'`]""", code) if key.partition(".")[0] in sections}
    assert named <= set(texts.DESK)
    built = re.compile(r"(action|keys\.do|spec|progress|verdict|message)[._]")
    assert {key for key in texts.DESK if key not in named and not built.match(key)} == set()
