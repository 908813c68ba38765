"""The page that Streamlit runs on every key press: language, who is there, the frame, then the chosen screen."""

from pathlib import Path

import streamlit as st

from catalog.errors import CatalogError
from ui import components, frame, identity, state, workspace
from ui.i18n import LANGUAGES, Translator
from ui.identity import Person, Unidentified

# A file of ours: Streamlit fetches named icons for the tab from a font server.
ICON = Path(__file__).with_name("favicon.svg")


def main() -> None:
    """Draw the frame and run the chosen screen."""
    person, why = None, None
    try:
        workspace.catalog()
    except CatalogError as error:
        _stop(f"{state.translator()('message.no_catalog')} {error}")
        return
    try:
        person = identity.require()
    except Unidentified as unknown:
        why = unknown
    except CatalogError as error:
        _stop(state.translator()("identity.config", error=error))
        return
    _speak_their_language(person)
    t = state.translator()
    _begin(t, person)
    screens = frame.pages(t, person)
    chosen = st.navigation(list(screens.values()), position="hidden")
    if person is None or why is not None:
        frame.entrance(t, why or Unidentified("identity.no_name"))
        return
    frame.top(t, person, screens)
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
