"""What one tab has picked on the grid and which pictures it has opened; what the gallery's messages do to that."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from catalog import review

MOST = 10_000
"""Pictures that one verdict may settle: the log takes all of them in one transaction, for which others wait seconds."""
MOVES = ("picked", "seen")
"""Names of the gallery's messages."""
_PICKED = "grid_picked"
_SEEN = "grid_seen"
_REVISION = "grid_revision"
_DRAW = "grid_draw"
_OFFERED = "grid_offered"


def picked() -> tuple[int, ...]:
    """Return the picked items, in the order of picking."""
    found: tuple[int, ...] = st.session_state.get(_PICKED, ())
    return found


def seen() -> frozenset[int]:
    """Return the items whose picture this tab has opened for long enough."""
    found: frozenset[int] = st.session_state.get(_SEEN, frozenset())
    return found


def revision() -> int:
    """Return a number that grows when the server, not the browser, changed what is picked."""
    number: int = st.session_state.get(_REVISION, 0)
    return number


def take(items: Iterable[int]) -> None:
    """Pick items beside those picked already, as many as one verdict may settle."""
    st.session_state[_PICKED] = tuple(dict.fromkeys((*picked(), *items)))[:MOST]
    st.session_state[_REVISION] = revision() + 1


def drop(items: Iterable[int]) -> None:
    """Put items back."""
    gone = set(items)
    st.session_state[_PICKED] = tuple(item for item in picked() if item not in gone)
    st.session_state[_REVISION] = revision() + 1


def sample(fit: Sequence[int]) -> list[int]:
    """Return the items that have to be opened before all of `fit` are settled.

    Drawn at random once a tab, so that nobody chooses what is looked at; picking some more changes few of them.
    """
    draw = st.session_state.setdefault(_DRAW, secrets.token_hex(8))
    ordered = sorted(fit, key=lambda item: hashlib.sha256(f"{draw}:{item}".encode()).digest())
    return ordered[: review.SAMPLE]


def offer(items: Iterable[int]) -> None:
    """Note which pictures the browser can open now: no others can have been seen there."""
    st.session_state[_OFFERED] = frozenset(items)


def receive(event: str, message: object) -> None:
    """Handle one message of the browser, whatever is in it."""
    if not isinstance(message, Mapping):
        return
    if event == "picked":
        among, chosen = _numbers(message.get("among")), _numbers(message.get("picked"))
        kept = (item for item in picked() if item not in set(among) or item in set(chosen))
        st.session_state[_PICKED] = tuple(dict.fromkeys((*kept, *chosen)))[:MOST]
    elif event == "seen":
        offered: frozenset[int] = st.session_state.get(_OFFERED, frozenset())
        st.session_state[_SEEN] = seen() | (offered & set(_numbers(message.get("items"))))


def _numbers(given: object) -> list[int]:
    return [number for number in given if isinstance(number, int)] if isinstance(given, list) else []
