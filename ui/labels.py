"""Texts of the catalogue in labels of Streamlit, which reads Markdown, icons and colours in them; words for scores."""

import re

from ui.i18n import Translator

SCORES = {"text_match": "score.text_match"}
"""Names of the scores that `adapt generate` computes → their words."""


def plain(text: str) -> str:
    """Return a label in which nothing of `text` is markup."""
    return re.sub(r"([^\w\s])", r"\\\1", " ".join(text.split()))


def score(t: Translator, name: str) -> str:
    """Return the words for a score with its name in brackets; one that others computed stands for itself."""
    return f"{t(SCORES[name])} ({name})" if name in SCORES else name
