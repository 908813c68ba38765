"""One line on a screen about what was done last, or why it was not; each screen has its own."""

import streamlit as st

from ui import components
from ui.i18n import Translator


def say(screen: str, key: str, kind: str = "info", **values: object) -> None:
    """Keep a line for the next run of a screen.

    Args:
        screen: Name of the screen.
        key: Its string.
        kind: `info` or `warning`.
        values: What the string has places for.
    """
    st.session_state[f"line_{screen}"] = (key, kind, values)


def read(t: Translator, screen: str) -> tuple[str, str] | None:
    """Return the text and kind of the line of a screen, which stays; None when there is none."""
    kept = st.session_state.get(f"line_{screen}")
    if kept is None:
        return None
    key, kind, values = kept
    return t(key, **values), kind


def clear(screen: str) -> None:
    """Show no line any more."""
    st.session_state.pop(f"line_{screen}", None)


def show(t: Translator, screen: str) -> None:
    """Draw the line of a screen once, if there is one; a warning has a sign, too."""
    line = read(t, screen)
    clear(screen)
    if line is not None:
        text, kind = line
        st.html(components.note(f"⚠ {text}" if kind == "warning" else f"✓ {text}", kind))
