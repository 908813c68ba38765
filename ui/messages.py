"""Components of the browser that are drawn from data and answer with messages: what all of them do alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

Receive = Callable[[str, object], None]


def mount(
    component: Callable[..., object], key: str, data: Mapping[str, Any], moves: Sequence[str], receive: Receive
) -> None:
    """Draw a component; `receive` gets each message of the browser with its name, one of `moves`.

    Args:
        component: What `st.components.v2.component` returned.
        key: Its place in the session, where messages arrive.
        data: All that it shows; text is written as text.
        moves: Names of its messages.
        receive: Called with a name and what came with it.
    """
    callbacks: dict[str, Any] = {f"on_{move}_change": partial(_pass_on, key, move, receive) for move in moves}
    # In a list: values of a dictionary are looked at for data frames, and for that pandas is imported, which takes the
    # first visitor a second and the server 60 MB.
    component(key=key, data=[dict(data)], **callbacks)


def _pass_on(key: str, move: str, receive: Receive) -> None:
    receive(move, st.session_state[key].get(move))
