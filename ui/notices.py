"""What became of the last press of a button on an overview screen: one line on the next run."""

from collections.abc import Callable

import streamlit as st

from catalog.errors import CatalogError
from catalog.phrases import told
from ui import components, tables
from ui.i18n import Translator

_NOTICE = "overview_notice"


def say(key: str, kind: str = "info", **values: object) -> None:
    """Show a line once, on the next run; `kind` is `info` or `warning`."""
    st.session_state[_NOTICE] = (key, kind, values, None)


def refuse(key: str, error: Exception) -> None:
    """Show that something was not done, and why in the service's own words."""
    st.session_state[_NOTICE] = (key, "warning", {}, told(error))


def guarded(key: str, move: Callable[[], object]) -> bool:
    """Do something; what the services refuse becomes the line of `key`. Returns whether it was done."""
    try:
        move()
    except CatalogError as error:
        refuse(key, error)
        return False
    return True


def show(t: Translator) -> None:
    """Draw the line there is, if any."""
    key, kind, values, detail = st.session_state.pop(_NOTICE, (None, "", {}, None))
    if key is None:
        return
    if detail is not None:
        st.html(tables.refusal(t, key, detail))
    else:
        st.html(components.note(t(key, **values), kind))
