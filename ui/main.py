"""The page that Streamlit runs on every key press: catalogue, language, who reviews, then the screen itself."""

from pathlib import Path

import streamlit as st

from catalog import review
from catalog.errors import CatalogError
from ui import components, state, workspace
from ui.i18n import Translator

# A file of ours: Streamlit fetches named icons for the tab from a font server.
ICON = Path(__file__).with_name("favicon.svg")


def main() -> None:
    """Draw the frame and run the chosen page."""
    t = state.translator()
    st.set_page_config(page_title=t("app.title"), page_icon=ICON, layout="wide")
    st.html(components.STYLE)
    # The document said its language before this run; a switch since then must say so, too.
    st.html(
        f"<script>document.documentElement.lang = '{t.language}'</script>",
        unsafe_allow_javascript=True,
        width="content",
    )
    try:
        workspace.catalog()
    except CatalogError as error:
        st.html(components.note(f"{t('message.no_catalog')} {error}", "warning"))
        return
    page = st.navigation(
        [st.Page(Path(__file__).parent / "app_pages" / "review.py", title=t("app.short_title"), default=True)],
        position="hidden",
    )
    if state.reviewer() is None:
        _ask_name(t)
        return
    page.run()


def _ask_name(t: Translator) -> None:
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        components.language_switch(t)
        st.html(f'<div style="height:12vh"></div><h1 style="font-size:1.5rem">{t("reviewer.ask")}</h1>')
        st.html(f'<p style="opacity:.85">{t("reviewer.ask_detail")}</p>')
        with st.form("name", border=False):
            st.text_input(
                t("reviewer.name"),
                key="typed_name",
                max_chars=review.NAME_MAX_CHARS,
                placeholder=t("reviewer.placeholder"),
            )
            st.form_submit_button(t("reviewer.start"), type="primary", on_click=_take_name)
        st.html(components.note(t("reviewer.not_authenticated_help"), "warning"))


def _take_name() -> None:
    name = str(st.session_state.get("typed_name", "")).strip()
    if name:
        st.session_state[state.REVIEWER] = name
        st.query_params["reviewer"] = name


main()
