"""Components of the browser that are drawn from data and answer with messages: what all of them do alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from ui import identity

Receive = Callable[[str, object], None]


def mount(
    component: Callable[..., object], key: str, data: Mapping[str, Any], moves: Sequence[str], receive: Receive
) -> None:
    """Draw a component; `receive` gets each message of the browser with its name, one of `moves`.

    Args:
        component: What `st.components.v2.component` returned.
        key: Its place in the session, where messages arrive.
        data: All that it shows; text is written as text. The count of answered messages goes with it, by which the
            browser knows when to send the next one.
        moves: Names of its messages.
        receive: Called with a name and what came with it.
    """
    if identity.name_on_screen() is None:
        # Only part of the page is drawn again after a message; the whole page says why and lets people sign in.
        st.rerun()
    callbacks: dict[str, Any] = {f"on_{move}_change": partial(_pass_on, key, move, receive) for move in moves}
    given = {**data, "answers": st.session_state.get(_answers(key), 0)}
    # In a list: values of a dictionary are looked at for data frames, and for that pandas is imported, which takes the
    # first visitor a second and the server 60 MB.
    component(key=key, data=[given], **callbacks)


def _pass_on(key: str, move: str, receive: Receive) -> None:
    try:
        # A tab may stay open for longer than its sign-in counts.
        if identity.name_on_screen() is not None:
            receive(move, st.session_state[key].get(move))
    finally:
        st.session_state[_answers(key)] = st.session_state.get(_answers(key), 0) + 1


def _answers(key: str) -> str:
    return f"{key}_answers"
