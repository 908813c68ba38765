"""What one browser tab remembers between reruns: every session key, its default and its type."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from catalog import review
from catalog.records import ReviewItem
from catalog.store import Catalog
from ui import workspace
from ui.i18n import LANGUAGES, Translator, preferred_language

LANGUAGE = "language"
REVIEWER = "reviewer"
CLAIM = "claim"
REASONS = "reasons"
REJECTING = "rejecting"
NOTICE = "notice"
WITH_SKIPPED = "with_skipped"


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
    """Return who reviews in this tab, None before a name was given."""
    name = st.session_state.get(REVIEWER) or st.query_params.get("reviewer")
    return name or None


def current_claim() -> ReviewItem | None:
    """Return the item this tab holds, as it was when claimed."""
    claim: ReviewItem | None = st.session_state.get(CLAIM)
    return claim


def set_claim(item: ReviewItem | None) -> None:
    """Hold another item; what was picked for the one before is forgotten."""
    st.session_state[CLAIM] = item
    st.session_state[REASONS] = ()
    st.session_state[REJECTING] = False
    held = _held_by_session()
    held.clear()
    if item is not None and item.lease_token is not None:
        held[item.id] = item.lease_token


def reasons() -> tuple[str, ...]:
    """Return the reason codes picked for the current item."""
    picked: tuple[str, ...] = st.session_state.get(REASONS, ())
    return picked


def notify(key: str, kind: str = "info", **values: str) -> None:
    """Show a line on the next run."""
    st.session_state[NOTICE] = Notice(key=key, kind=kind, values=values)


def take_notice() -> Notice | None:
    """Return the line to show now, once."""
    notice: Notice | None = st.session_state.pop(NOTICE, None)
    return notice


def _release(held: dict[int, str]) -> None:
    catalog: Catalog = workspace.catalog()
    for item_id, token in held.items():
        review.release(catalog, item_id, token)


@st.cache_resource(scope="session", on_release=_release, show_spinner=False)
def _held_by_session() -> dict[int, str]:
    """Claims to give back when the tab is closed. Only a fast path: a lease that nobody renews ends by itself."""
    return {}
