"""The review screen: one picture, the real photos, the record, a decision.

Everything a reviewer touches is one component in the browser, drawn at once for one item and answered item by item: a
key pressed for a picture that has gone carries that picture's number and reaches nothing. Whether a decision counts is
up to `catalog.review`, never to this page.
"""

from datetime import UTC, datetime
from html import escape

import streamlit as st

from catalog import queue, review
from catalog.errors import CatalogError, ReviewRefused
from catalog.phrases import told
from catalog.records import ReviewItem
from ui import state, workspace
from ui.i18n import Translator
from ui.review import contents, desk, moves


def page() -> None:
    """Draw the screen."""
    _desk()


@st.fragment
def _desk() -> None:
    """Draw what changes with each key; the frame around it stays."""
    t, name = state.translator(), state.reviewer() or ""
    item = _claimed(name)
    run = state.run_reviewed()
    if run is not None:
        _limit(t, run, empty=item is None)
    desk.mount(contents.contents(t, name, item), moves.MOVES, moves.receive)


def _limit(t: Translator, run: str, *, empty: bool) -> None:
    """Say which run alone is reviewed, whether nothing of it waits any more, and offer all runs."""
    said = t("run.empty" if empty else "run.only", run="\0").split("\0")
    line = f"<bdi>{escape(run)}</bdi>".join(escape(part) for part in said)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run-limit"):
        st.html(f'<p style="margin:0;overflow-wrap:anywhere" role="status">{line}</p>', width="content")
        st.button(t("run.all"), key="all-runs", type="primary" if empty else "secondary", on_click=state.leave_run)


def _claimed(name: str) -> ReviewItem | None:
    """Return the item this tab holds, claiming the next one when it holds none or lost it."""
    try:
        state.enter_run()
        catalog, item = workspace.catalog(), state.current_claim()
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
            state.set_claim(_left_behind(name) or _next(name))
    except CatalogError as error:
        state.set_claim(None)
        state.notify("message.refused", "warning", detail=told(error))
    return state.current_claim()


def _left_behind(name: str) -> ReviewItem | None:
    """Take the item again that was given back on leaving the screen; None when there is none or it cannot be had."""
    item_id = state.back_to()
    if item_id is None:
        return None
    try:
        return review.claim(workspace.catalog(), name, item_id=item_id, run=state.run_reviewed())
    except ReviewRefused:
        return None


def _next(name: str) -> ReviewItem | None:
    with_skipped = bool(st.session_state.get(state.WITH_SKIPPED))
    return review.claim(workspace.catalog(), name, run=state.run_reviewed(), include_skipped=with_skipped)
