"""Choices that stand in the address by their code, so that a link says the same in every language.

Streamlit's own binding writes the words that a person reads.
"""

from collections.abc import Collection

import streamlit as st

from ui import state


def seed(key: str, codes: Collection[str], first: str | None = None) -> None:
    """Make a choice that is not among `codes`, or not made yet, what the address says; `first` when it says none."""
    if st.session_state.get(key) not in codes:
        asked = st.query_params.get(key)
        st.session_state[key] = asked if asked in codes else first
    say_again(key)


def keep(key: str) -> None:
    """Put a choice into the address, or take it out when nothing is chosen."""
    chosen = st.session_state.get(key)
    if chosen is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = str(chosen)


def say_again(key: str) -> None:
    """Send a choice that is shown in words to the browser anew once the language has changed.

    A browser keeps the words of the other language, and sends them back as the choice.
    """
    mark, language = f"{key}_said_in", st.session_state.get(state.LANGUAGE)
    if key in st.session_state and st.session_state.get(mark, language) != language:
        st.session_state[key] = st.session_state[key]
    st.session_state[mark] = language
