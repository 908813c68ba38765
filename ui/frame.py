"""What stands around every screen: where one can go, who one is, the language; and the page that asks who is there."""

import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from catalog import people
from ui import components, identity, lines, oidc, review_config, state, tables, workspace
from ui.i18n import LANGUAGES, Translator
from ui.identity import Person, Unidentified

FOLDER = Path(__file__).parent / "app_pages"
PAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "home": (),
        "review": ("decide",),
        "grid": ("bulk", "audit"),
        "compare": ("decide",),
        "conflicts": ("adjudicate", "audit"),
        "thresholds": ("policy", "audit"),
        "insights": (),
        "export": ("export",),
        "audit": ("audit",),
        "settings": (),
    }
)
"""Screen → permissions of which one opens it; none means everybody. The first screen is where people arrive."""
ENTRANCE = "entrance"
KNOWN_NAMES = 12
"""Names offered to choose from; others are typed."""
LONGEST_WAIT_S = 3600.0
"""Browsers count no further than some weeks, and a computer may sleep in between."""


def pages(t: Translator, person: Person | None) -> dict[str, StreamlitPage]:
    """Return the screens that exist: those the person may open, and hidden ones that say why not.

    An address that somebody typed or was sent must answer, and not with Streamlit's own "not found".
    """
    there = [name for name in PAGES if (FOLDER / f"{name}.py").is_file()]
    open_ones = [name for name in there if identity.may(person, *PAGES[name])]
    first = (open_ones or there)[0]
    return {
        name: st.Page(
            FOLDER / f"{name}.py" if name in open_ones else _refused(t, name, person),
            title=t(f"app.page_{name}"),
            url_path=name,
            default=name == first,
            visibility="visible" if name in open_ones else "hidden",
        )
        for name in there
    }


def top(t: Translator, person: Person, screens: Mapping[str, StreamlitPage]) -> None:
    """Draw the row above every screen; its links come first when one walks with Tab."""
    links = [page for page in screens.values() if page.visibility == "visible"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="frame"):
        for page in links if len(links) > 1 else ():
            st.page_link(page)
        st.html(_whoami(t, person), width="stretch")
        if person.source == "local":
            st.button(t("identity.change"), key="change-person", type="tertiary", on_click=identity.drop_name)
        elif person.source == "oidc":
            st.button(t("identity.sign_out"), key="sign-out", type="tertiary", on_click=st.logout)
        _language_switch(t, person)
    left_s = identity.seconds_left()
    if left_s is not None:
        st.fragment(_end_with_sign_in, run_every=min(max(left_s, 0.0) + 1.0, LONGEST_WAIT_S))()


def _end_with_sign_in() -> None:
    """Draw the whole page again once the sign-in counts no longer; it says so and offers to sign in."""
    if identity.name_on_screen() is None:
        st.rerun()


def entrance(t: Translator, why: Unidentified) -> None:
    """Draw the page for somebody nobody knows yet: a name to choose or type, a sign-in, or one line that says why."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        _language_switch(t, None)
        source = review_config.current().identity
        refused = why.key != "identity.no_name"
        if source != "local":
            st.html(f'<div class="entrance"><h1>{escape(t("identity.title"))}</h1></div>')
        else:
            _ask_name(t)
        if refused:
            st.html(components.note(t(why.key, **why.values), "warning"))
        if source == "oidc":
            for provider in oidc.providers():
                label = t("identity.sign_in") if provider is None else t("identity.sign_in_at", provider=provider)
                st.button(label, key=f"sign-in-{provider}", type="primary", on_click=st.login, args=(provider,))


def _whoami(t: Translator, person: Person) -> str:
    badge = ""
    if not person.authenticated:
        badge = (
            f'<span class="badge" title="{escape(t("reviewer.not_authenticated_help"))}">'
            f"{escape(t('reviewer.not_authenticated'))}</span>"
        )
    role = escape(t(f"roles.{person.role}"))
    name = escape(person.name)
    return f'<div class="whoami" title="{name}"><bdi>{name}</bdi><span class="role">{role}</span>{badge}</div>'


def _ask_name(t: Translator) -> None:
    asked, why = escape(t("reviewer.ask")), escape(t("reviewer.ask_detail"))
    st.html(f'<div class="entrance"><h1>{asked}</h1><p>{why}</p></div>')
    known = [person.name for person in people.everyone(workspace.catalog()) if person.active][:KNOWN_NAMES]
    if known:
        st.html(f'<div class="head">{escape(t("reviewer.known"))}</div>')
        with st.container(horizontal=True, gap="xsmall", key="known"):
            for number, name in enumerate(known):
                st.button(_plain(name), key=f"known-{number}", on_click=_take_name, args=(name,))
    with st.form("name", border=False):
        st.text_input(
            t("reviewer.name"),
            key="typed_name",
            placeholder=t("reviewer.placeholder"),
        )
        st.form_submit_button(t("reviewer.start"), type="primary", on_click=_take_typed_name)
    lines.show(t, ENTRANCE)
    st.html(components.note(t("reviewer.not_authenticated_help"), "warning"))


def _take_typed_name() -> None:
    name = str(st.session_state.get("typed_name", "")).strip()
    if not name:
        lines.say(ENTRANCE, "identity.type_name", "warning")
    elif len(name) > people.NAME_MAX_CHARS:
        # Said here and not by the field, which would drop a pasted name without a word.
        lines.say(ENTRANCE, "identity.long_name", "warning", count=len(name), limit=people.NAME_MAX_CHARS)
    else:
        _take_name(name)


def _take_name(name: str) -> None:
    identity.take_name(name)
    # From here on the person's own language counts, or the one that was switched to, which is in the address.
    st.session_state.pop(state.LANGUAGE, None)


def _plain(text: str) -> str:
    """Return a label in which nothing is markup to Streamlit, which reads Markdown, icons and colours in labels."""
    return re.sub(r"([^\w\s])", r"\\\1", text)


def _refused(t: Translator, name: str, person: Person | None) -> Callable[[], None]:
    def refuse() -> None:
        role = "" if person is None else t(f"roles.{person.role}")
        st.html(tables.heading(t(f"app.page_{name}")))
        st.html(components.note(t("identity.no_page", page=t(f"app.page_{name}"), role=role), "warning"))

    return refuse


def _language_switch(t: Translator, person: Person | None) -> None:
    # Buttons: a focused radio or checkbox would swallow the keys that decide.
    st.segmented_control(
        t("app.language"),
        LANGUAGES,
        key=state.LANGUAGE,
        required=True,
        format_func=lambda code: t("app.english" if code == "en" else "app.japanese"),
        on_change=_language_chosen,
        args=(person,),
        label_visibility="collapsed",
    )


def _language_chosen(person: Person | None) -> None:
    state.remember_language()
    if person is not None:
        people.save_settings(workspace.catalog(), person.name, locale=st.session_state[state.LANGUAGE])
