"""Choices that stand in the address by their code, so that a link says the same in every language.

Streamlit's own binding writes the words that a person reads.
"""

from collections.abc import Collection

import streamlit as st


def seed(key: str, codes: Collection[str], first: str | None = None) -> None:
    """Make a choice that is not among `codes`, or not made yet, what the address says; `first` when it says none."""
    if st.session_state.get(key) not in codes:
        asked = st.query_params.get(key)
        st.session_state[key] = asked if asked in codes else first


def keep(key: str) -> None:
    """Put a choice into the address, or take it out when nothing is chosen."""
    chosen = st.session_state.get(key)
    if chosen is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = str(chosen)
