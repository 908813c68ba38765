"""Strings of the screen by language, from `locales/<language>.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from catalog import messages
from catalog.phrases import Phrase, printable

LANGUAGES = ("en", "ja")
DEFAULT_LANGUAGE = "en"


@cache
def strings(language: str) -> Mapping[str, str]:
    """Return every string of a language by dotted key, `section.name`."""
    path = Path(__file__).with_name("locales") / f"{language}.toml"
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType({f"{name}.{key}": text for name, part in sections.items() for key, text in part.items()})


class Translator:
    """Look up strings in one language: `t("progress.label", done=1, total=2)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        self._strings = strings(self.language)

    def __call__(self, key: str, **values: object) -> str:
        """Return the string with its values filled in; what a service says among them is said in this language.

        Raises:
            KeyError: No such string; a test compares keys so that this cannot happen in one language only.
        """
        text = self._strings[key]
        if not values:
            return text
        return text.format(
            **{n: self.said(value) if isinstance(value, Phrase) else value for n, value in values.items()}
        )

    def said(self, text: str) -> str:
        """Return what a service says, such as a refusal, in this language; English where there is no translation."""
        return printable(messages.load(self.language).said(text))

    def can_say(self, text: str) -> bool:
        """Tell whether `said` gives this language and not English."""
        phrases = messages.load(self.language).phrases
        return self.language == "en" or (isinstance(text, Phrase) and text.template in phrases)


def preferred_language(accepted: str | None) -> str:
    """Choose a language from an `Accept-Language` header or a locale such as `ja-JP`; English when none fits."""
    for part in (accepted or "").split(","):
        language = part.split(";")[0].strip().split("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LANGUAGE
