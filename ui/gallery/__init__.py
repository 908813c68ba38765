"""The gallery: the component of the grid screen, from its parts to its mounted self.

One component instead of sixty widgets: it is fed through `data` alone and writes text as text, so that nothing in the
catalogue can become markup or code.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ui import messages

KEY = "gallery"
_FOLDER = Path(__file__).parent
_SHARED = _FOLDER.parent / "compare_view"
_SCRIPTS = (
    _SHARED / "elements.js",
    _SHARED / "outbox.js",
    *(_FOLDER / name for name in ("tiles.js", "viewer.js", "gallery.js")),
)

_component = st.components.v2.component(
    "adapt_gallery",
    html=(_FOLDER / "gallery.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "gallery.css").read_text(encoding="utf-8"),
    js="\n".join(path.read_text(encoding="utf-8") for path in _SCRIPTS),
    isolate_styles=False,
)


def mount(data: Mapping[str, Any], moves: Sequence[str], receive: Callable[[str, object], None]) -> None:
    """Draw the gallery; `receive` gets each message of the browser with its name, one of `moves`."""
    messages.mount(_component, KEY, data, moves, receive)
