"""What one browser tab remembers between reruns: every session key, its default and its type."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import streamlit as st

from catalog import review
from catalog.records import ReviewItem
from catalog.store import Catalog
from ui import identity, workspace
from ui.i18n import LANGUAGES, Translator, preferred_language

LANGUAGE = "language"
CLAIM = "claim"
LOADED = "loaded"
LEFT = "left"
PAST = "past"
NOTICE = "notice"
WITH_SKIPPED = "with_skipped"
DRAWN = "drawn"
BACK_TO = "back_to"
RUN = "run_reviewed"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A line for the reviewer about the last key press; gone after the next one."""

    key: str
    """String key."""
    kind: str
    """`info` or `warning`."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the string has places for."""


def translator() -> Translator:
    """Return the strings of the tab's language: chosen before, else `?lang=`, else what the browser prefers."""
    if LANGUAGE not in st.session_state:
        asked = st.query_params.get("lang", "")
        st.session_state[LANGUAGE] = asked if asked in LANGUAGES else preferred_language(st.context.locale)
    return Translator(st.session_state[LANGUAGE])


def remember_language() -> None:
    """Put the chosen language into the address, so that a reload and a shared link keep it."""
    st.query_params["lang"] = st.session_state[LANGUAGE]


def reviewer() -> str | None:
    """Return who reviews in this tab, None before somebody is known."""
    return identity.name_on_screen()


# --- the claim --------------------------------------------------------------------------------------


def current_claim() -> ReviewItem | None:
    """Return the item this tab holds, as it was when claimed."""
    claim: ReviewItem | None = st.session_state.get(CLAIM)
    return claim


def set_claim(item: ReviewItem | None) -> None:
    """Hold another item, or none; whatever was drawn is out of date."""
    st.session_state[CLAIM] = item
    st.session_state[PAST] = None
    forget_drawn()
    held = _held_by_session()
    held.clear()
    if item is not None and item.lease_token is not None:
        held[item.id] = item.lease_token


def step_away() -> None:
    """Give the held item back, because its person looks at another screen."""
    item = current_claim()
    if item is not None:
        review.release(workspace.catalog(), item.id, item.lease_token or "")
        set_claim(None)
        st.session_state[BACK_TO] = item.id


def back_to() -> int | None:
    """Return the item that was given back on leaving the screen, once."""
    item_id: int | None = st.session_state.pop(BACK_TO, None)
    return item_id


def change_claim(**changes: Any) -> None:
    """Change fields of the held item: a renewed lease, a mark."""
    item = current_claim()
    if item is not None:
        st.session_state[CLAIM] = replace(item, **changes)


def leave(item: ReviewItem) -> None:
    """Note that the reviewer left this item themselves: what the browser keeps for it is no lost note."""
    st.session_state[LEFT] = item.id


def left() -> int | None:
    """Return the item that was left last by the reviewer's own doing."""
    item_id: int | None = st.session_state.get(LEFT)
    return item_id


def note_shown(item: ReviewItem, shown_at: datetime, *, loaded: bool) -> None:
    """Note that the browser reported the picture of this claim: on screen, or not to be had."""
    st.session_state[LOADED] = (item.lease_token, loaded)
    change_claim(first_shown_at=shown_at)


def picture_loaded(item: ReviewItem) -> bool | None:
    """Say whether the browser showed the picture under this claim; None before it reported anything."""
    token, loaded = st.session_state.get(LOADED, (None, False))
    return bool(loaded) if token is not None and token == item.lease_token else None


def run_reviewed() -> str | None:
    """Return the run that the address limits the review to; None for all runs."""
    return st.query_params.get("run") or None


def enter_run() -> None:
    """Give back a held item of another run when the address names a new one; what was undone later may be of any."""
    run, item = run_reviewed(), current_claim()
    if run != st.session_state.get(RUN) and run is not None and item is not None and item.run != run:
        review.release(workspace.catalog(), item.id, item.lease_token or "")
        leave(item)
        set_claim(None)
    st.session_state[RUN] = run


def leave_run() -> None:
    """Review all runs again."""
    st.query_params.pop("run", None)


# --- the screen -------------------------------------------------------------------------------------


def past() -> int | None:
    """Return the own earlier decision that is looked at instead of the held item."""
    decision_id: int | None = st.session_state.get(PAST)
    return decision_id


def look_at(decision_id: int | None) -> None:
    """Look at an own earlier decision, or at the held item again."""
    st.session_state[PAST] = decision_id


def notify(key: str, kind: str = "info", **values: str) -> None:
    """Show a line until the next message of the browser."""
    st.session_state[NOTICE] = Notice(key=key, kind=kind, values=values)


def notice() -> Notice | None:
    """Return the line to show now."""
    line: Notice | None = st.session_state.get(NOTICE)
    return line


def clear_notice() -> None:
    """Show no line any more."""
    st.session_state[NOTICE] = None


def drawn(key: tuple[object, ...]) -> dict[str, Any] | None:
    """Return what was drawn under this key before, if nothing changed since."""
    kept, data = st.session_state.get(DRAWN) or (None, None)
    return data if kept == key else None


def keep_drawn(key: tuple[object, ...], data: dict[str, Any]) -> None:
    """Keep what was drawn, so that messages that change nothing ask the catalogue nothing."""
    st.session_state[DRAWN] = (key, data)


def forget_drawn() -> None:
    """Read everything again on the next run."""
    st.session_state[DRAWN] = None


def _release(held: dict[int, str]) -> None:
    catalog: Catalog = workspace.catalog()
    for item_id, token in held.items():
        review.release(catalog, item_id, token)


@st.cache_resource(scope="session", on_release=_release, show_spinner=False)
def _held_by_session() -> dict[int, str]:
    """Claims to give back when the tab is closed. Only a fast path: a lease that nobody renews ends by itself."""
    return {}
