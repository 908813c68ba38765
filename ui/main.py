"""The page that Streamlit runs on every key press: language, who is there, the frame, then the chosen screen."""

from pathlib import Path

import streamlit as st

from catalog import queue
from catalog.errors import CatalogError
from catalog.phrases import told
from ui import claims, components, frame, identity, state, workspace
from ui.i18n import LANGUAGES, Translator
from ui.identity import Person, Unidentified

# A file of ours: Streamlit fetches named icons for the tab from a font server.
ICON = Path(__file__).with_name("favicon.svg")
FILLED_BY_CANDIDATES = ("grid", "compare", "conflicts", "insights", "export", "audit")
"""Screens that would be empty and not say what to type; the others say it in their own words."""


def main() -> None:
    """Draw the frame and run the chosen screen."""
    person, why = None, None
    try:
        workspace.catalog()
    except CatalogError as error:
        _stop(f"{state.translator()('message.no_catalog')} {state.translator().said(told(error))}")
        return
    try:
        person = identity.require()
    except Unidentified as unknown:
        why = unknown
    except CatalogError as error:
        _stop(state.translator()("identity.config", error=told(error)))
        return
    _speak_their_language(person)
    t = state.translator()
    _begin(t, person)
    screens = frame.pages(t, person)
    chosen = st.navigation(list(screens.values()), position="hidden")
    if person is None or why is not None:
        claims.keep_only(None)
        frame.entrance(t, why or Unidentified("identity.no_name"))
        return
    claims.keep_only(next((name for name, screen in screens.items() if screen is chosen), None))
    frame.top(t, person, screens)
    if chosen.url_path in FILLED_BY_CANDIDATES and not queue.items(workspace.catalog(), limit=1):
        st.html(components.note(t("home.empty")))
    chosen.run()


def _stop(line: str) -> None:
    _begin(state.translator(), None)
    st.html(components.note(line, "warning"))


def _begin(t: Translator, person: Person | None) -> None:
    st.set_page_config(page_title=t("app.title"), page_icon=ICON, layout="wide")
    st.html(components.STYLE)
    # The document said its language before this run; a switch since then must say so, too.
    script = f"document.documentElement.lang = '{t.language}'"
    if person is None or person.source == "local":
        script += f"; {identity.remembering_script('' if person is None else person.name)}"
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True, width="content")


def _speak_their_language(person: Person | None) -> None:
    """Begin in the language the person chose last, unless this tab or its address says another one."""
    if person is not None and state.LANGUAGE not in st.session_state and st.query_params.get("lang") not in LANGUAGES:
        st.session_state[state.LANGUAGE] = person.locale if person.locale in LANGUAGES else state.translator().language


main()
