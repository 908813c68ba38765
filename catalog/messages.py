"""What an ingest says to people, in English and Japanese: a title and advice for every code, and the summary's lines.

Codes are stable and for scripts; texts are for people and may change. `catalog/locales/<lang>.toml` holds them all.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from catalog.errors import CatalogError
from catalog.phrases import translated

FOLDER = Path(__file__).parent / "locales"
LANGUAGES = ("en", "ja")


@dataclass(frozen=True, kw_only=True)
class Messages:
    """The texts of one language."""

    lang: str
    texts: Mapping[str, str]
    """Key → text with `{name}` placeholders."""
    codes: Mapping[str, Mapping[str, str]]
    """Code → `title` and `advice`."""
    phrases: Mapping[str, str]
    """English template of a `Phrase` → the same in this language; empty for English itself."""

    def text(self, key: str, **values: object) -> str:
        """Return a line of the summary, its placeholders filled."""
        return self.texts[key].format(**values)

    def title(self, code: str) -> str:
        """Return what a code means, in a few words; an unknown one is shown as it is."""
        return self.codes.get(code, {}).get("title", code)

    def advice(self, code: str) -> str:
        """Return what a person can do about a code."""
        return self.codes.get(code, {}).get("advice", "")

    def said(self, text: str) -> str:
        """Return a detail, a line of evidence or a refusal in this language."""
        return translated(text, self.phrases)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Let what is refused inside be refused in this language."""
        try:
            yield
        except CatalogError as error:
            error.args = tuple(self.said(part) if isinstance(part, str) else part for part in error.args)
            raise


def choose_language(given: str | None = None) -> str:
    """Return the language to speak: as given, else that of the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English.

    Raises:
        CatalogError: `given` is no language there are texts for.
    """
    if given is not None:
        if given not in LANGUAGES:
            raise CatalogError(f"no messages in language {given!r}; use one of {', '.join(LANGUAGES)}: --lang ja")
        return given
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "ja" if value.casefold().startswith("ja") else "en"
    return "en"


@lru_cache(maxsize=len(LANGUAGES))
def load(lang: str) -> Messages:
    """Read the texts of a language, `en` or `ja`."""
    value = tomllib.loads((FOLDER / f"{lang}.toml").read_text(encoding="utf-8"))
    return Messages(lang=lang, texts=value["summary"], codes=value["code"], phrases=value.get("phrases", {}))
