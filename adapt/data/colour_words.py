"""Captions with one colour changed: hard negatives for the discriminator and prompts for the colour test."""

import re

import numpy as np

COLOURS = ("black", "white", "grey", "brown", "red", "orange", "yellow", "green", "blue", "purple", "pink")
_SPELLINGS = {"gray": "grey", "greyish": "grey", "grayish": "grey", "golden": "yellow", "violet": "purple"}
_WORD = re.compile(r"\b(" + "|".join((*COLOURS, *_SPELLINGS)) + r")\b", re.IGNORECASE)


def colours_in(text: str) -> list[str]:
    """The distinct colours a text names, in order of first mention."""
    names = (match.lower() for match in _WORD.findall(text))
    return list(dict.fromkeys(_SPELLINGS.get(name, name) for name in names))


def replace_colour(text: str, old: str, new: str) -> str:
    """`text` with every mention of the colour `old` changed to `new`."""

    def swap(match: re.Match[str]) -> str:
        name = match.group(0).lower()
        return new if _SPELLINGS.get(name, name) == old else match.group(0)

    return _WORD.sub(swap, text)


def with_other_colour(text: str, *, rng: np.random.Generator) -> str | None:
    """`text` with one of its colours changed to one it does not name; None when it names no colour."""
    named = colours_in(text)
    free = [colour for colour in COLOURS if colour not in named]
    if not named or not free:
        return None
    return replace_colour(text, named[rng.integers(len(named))], free[rng.integers(len(free))])
