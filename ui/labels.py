"""Texts of the catalogue in labels of Streamlit, which reads Markdown, icons and colours in them."""

import re


def plain(text: str) -> str:
    """Return a label in which nothing of `text` is markup."""
    return re.sub(r"([^\w\s])", r"\\\1", " ".join(text.split()))
