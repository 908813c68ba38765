"""Values that come in several languages: English first, else the first one; the others stay beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Said(NamedTuple):
    """A value and the language it is in."""

    language: str
    """As written, such as `en_US` or `ja`; "" where none is stated."""
    text: str

    @property
    def spoken(self) -> str:
        """The language without its region, in lower case."""
        return self.language.replace("_", "-").partition("-")[0].lower()


def preferred(values: Sequence[Said]) -> tuple[list[str], list[Said]]:
    """Return what counts, and what is a translation of it.

    Args:
        values: Everything stated; those without a language belong to any.
    """
    languages = [value.spoken for value in values if value.spoken]
    chosen = "en" if "en" in languages else next(iter(languages), "")
    mine = [value.text for value in values if value.spoken in ("", chosen)]
    return list(dict.fromkeys(mine)), [value for value in values if value.spoken not in ("", chosen)]


def by_language(values: Sequence[Said]) -> dict[str, str]:
    """Return language → its texts, one a line."""
    found: dict[str, list[str]] = {}
    for said in values:
        found.setdefault(said.spoken, []).append(said.text)
    return {spoken: "\n".join(dict.fromkeys(texts)) for spoken, texts in found.items()}
