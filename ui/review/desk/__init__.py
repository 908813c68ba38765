"""The desk: the component of the review screen, from its page parts to its mounted self.

It is fed through `data` alone and writes text as text, so that nothing in the catalogue can become markup or code.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ui import compare_view, messages

KEY = "desk"
_FOLDER = Path(__file__).parent
# Later parts use earlier ones; the last one holds what the browser calls.
_SCRIPTS = (
    "draft.js",
    "note_keeper.js",
    "rail.js",
    "bar.js",
    "strips.js",
    "lease.js",
    "dialogs.js",
    "counts.js",
    "keyboard.js",
    "desk.js",
)
_STYLES = ("desk.css", "rail.css", "bar.css")


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "adapt_review_desk",
    html=_text("desk.html").replace("<!-- compare view -->", compare_view.markup(_text("siblings.html"))),
    css="\n".join((compare_view.STYLE, *map(_text, _STYLES))),
    js="\n".join((compare_view.SCRIPT, *map(_text, _SCRIPTS))),
    isolate_styles=False,
)


def mount(data: Mapping[str, Any], moves: Sequence[str], receive: Callable[[str, object], None]) -> None:
    """Draw the desk with what it shows; `receive` gets each message of the browser with its name, one of `moves`."""
    messages.mount(_component, KEY, data, moves, receive)
