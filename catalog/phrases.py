"""Texts that remember how they were made, so that they can be said again in another language.

A phrase is its English text. The English stands in the source where it is said; `catalog/locales/ja.toml` has the same
sentence in Japanese under it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_MARK = '{"phrase": '


class Phrase(str):
    """An English text with the template and the values it was made of."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return made, (self.template, self.values)

    def __deepcopy__(self, memo: object) -> Phrase:
        return self


def say(template: str, /, **values: object) -> Phrase:
    """Return a template with its `{name}` placeholders filled; one without values is taken as it stands."""
    return made(template, values)


def made(template: str, values: Mapping[str, Any]) -> Phrase:
    """Return the phrase of a template and the values by name."""
    phrase = Phrase(template.format(**values) if values else template)
    phrase.template, phrase.values = template, values
    return phrase


def printable(text: str) -> str:
    """Return a text without what a terminal would not show as a sign: control characters become `\ufffd`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs" else "\ufffd"
        for char in text
    )


def joined(separator: str, parts: Iterable[str]) -> Phrase:
    """Return texts and phrases as one phrase."""
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return made(separator.join(f"{{{name}}}" for name in values), values)


def both(first: str, second: str) -> Phrase:
    """Return two texts joined by "and"."""
    return say("{first} and {second}", first=first, second=second)


def told(error: BaseException) -> str:
    """Return what an error says: the phrase it was raised with, or the system's own words for a failure of it."""
    said = error.strerror if isinstance(error, OSError) else None
    if said:
        return said if isinstance(said, Phrase) else made(said, {})
    first = error.args[0] if len(error.args) == 1 else None
    return first if isinstance(first, Phrase) else str(error)


def mapped(text: str, change: Callable[[str], str]) -> str:
    """Return a text changed, or a phrase with its values changed."""
    if not isinstance(text, Phrase):
        return change(text)
    values = {name: mapped(value, change) if isinstance(value, str) else value for name, value in text.values.items()}
    return made(text.template, values)


def translated(text: str, phrases: Mapping[str, str]) -> str:
    """Return a phrase as another language has it; other texts, and templates it lacks, stay as they are.

    Args:
        text: What to say.
        phrases: English template → the same in the other language.
    """
    if not isinstance(text, Phrase):
        return text
    template = phrases.get(text.template, text.template)
    if not text.values:
        return template
    values = {
        name: translated(value, phrases) if isinstance(value, Phrase) else value for name, value in text.values.items()
    }
    return template.format(**values)


def stated(text: str) -> dict[str, str]:
    """Return the values of a phrase as texts by name; none for another text."""
    return {name: str(value) for name, value in text.values.items()} if isinstance(text, Phrase) else {}


def packed(text: str) -> str:
    """Return a text for a column of the database, from which `unpacked` makes the phrase again."""
    return json.dumps(_plain(text), ensure_ascii=False) if isinstance(text, Phrase) else text


def unpacked(text: str) -> str:
    """Return what `packed` was given; a text of an earlier release is one without template."""
    return _phrase(json.loads(text)) if text.startswith(_MARK) else text


def _plain(value: Any) -> Any:
    if isinstance(value, Phrase):
        return {"phrase": value.template, "values": {name: _plain(item) for name, item in value.values.items()}}
    return value if isinstance(value, (int, float, str)) else str(value)


def _phrase(value: Any) -> Any:
    if isinstance(value, dict):
        return made(value["phrase"], {name: _phrase(item) for name, item in value["values"].items()})
    return value
