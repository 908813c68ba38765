"""Notes that people type beside a decision or a version of the rules: any text, made fit for every database."""

from __future__ import annotations

from catalog.errors import ReviewRefused
from catalog.phrases import say

NOTE_MAX_CHARS = 2000
_KEPT_CONTROLS = "\n\t"
_REPLACEMENT = "\ufffd"


def checked_note(note: str) -> str:
    """Return a note as it is stored; raises ReviewRefused for one that is too long, since cutting it would lose words.

    Control characters are left out and half characters are replaced: no database takes them. Marks of writing
    direction stay, since Arabic and Hebrew need them.
    """
    if len(note) > NOTE_MAX_CHARS:
        raise ReviewRefused(
            say(
                "the note has {count:,} characters; allowed are {limit:,}: shorten it, nothing was written",
                count=len(note),
                limit=NOTE_MAX_CHARS,
            )
        )
    return "".join(map(_fit, note.replace("\r\n", "\n")))


def storable(text: str) -> bool:
    """Say whether a database can have a text at all: no NUL in it and no half of a character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _fit(letter: str) -> str:
    if "\ud800" <= letter <= "\udfff":
        return _REPLACEMENT
    control = letter < " " or "\x7f" <= letter <= "\x9f"
    return "" if control and letter not in _KEPT_CONTROLS else letter
