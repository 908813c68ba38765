"""The review screen: one picture, the real photos, the record, a decision.

Everything a reviewer touches is one component in the browser, drawn at once for one item and answered item by item: a
key pressed for a picture that has gone carries that picture's number and reaches nothing. Whether a decision counts is
up to `catalog.review`, never to this page.
"""

from datetime import UTC, datetime

import streamlit as st

from catalog import queue, review
from catalog.errors import CatalogError
from catalog.phrases import told
from catalog.records import ReviewItem
from ui import state, workspace
from ui.review import contents, desk, moves


def page() -> None:
    """Draw the screen."""
    _desk()


@st.fragment
def _desk() -> None:
    """Draw what changes with each key; the frame around it stays."""
    t, name = state.translator(), state.reviewer() or ""
    item = _claimed(name)
    desk.mount(contents.contents(t, name, item), moves.MOVES, moves.receive)


def _claimed(name: str) -> ReviewItem | None:
    """Return the item this tab holds, claiming the next one when it holds none or lost it."""
    catalog, item = workspace.catalog(), state.current_claim()
    try:
        if item is not None and item.lease_owner != name:
            # Another person sat down at this tab; what the one before held is theirs no longer.
            review.release(catalog, item.id, item.lease_token or "")
            state.set_claim(None)
        elif item is not None:
            now = queue.item(catalog, item.id)
            live = now.lease_until is not None and now.lease_until > datetime.now(UTC)
            if now.lease_token == item.lease_token and live:
                return item
            moves.lose(item)
        if state.current_claim() is None:
            with_skipped = bool(st.session_state.get(state.WITH_SKIPPED))
            state.set_claim(review.claim(catalog, name, include_skipped=with_skipped))
    except CatalogError as error:
        state.set_claim(None)
        state.notify("message.refused", "warning", detail=told(error))
    return state.current_claim()
