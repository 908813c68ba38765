"""The home screen: every batch with what waits in it, and one button that starts the review."""

import streamlit as st

from catalog import batches, queue, review
from catalog.batches import Batch
from catalog.records import ReviewProgress
from ui import batch_cards, identity, state, tables, workspace
from ui.frame import FOLDER
from ui.i18n import Translator
from ui.identity import Person
from ui.labels import plain

PAGE = 24
"""Batches on a page."""
COLUMNS = 3
_NUMBER = "home_page"


def page() -> None:
    """Draw the screen."""
    t, person = state.translator(), identity.require()
    catalog = workspace.catalog()
    counts = queue.progress(catalog, person.name)
    pace = batches.pace_s(catalog, person.name)
    st.html(batch_cards.STYLE)
    st.html(tables.heading(t("home.title"), *_to_do(t, counts, pace)))
    _starts(t, person, counts)
    number = batches.count(catalog)
    pages = max(1, -(-number // PAGE))
    first = (min(int(st.session_state.get(_NUMBER, 1)), pages) - 1) * PAGE
    _cards(t, person, batches.batches(catalog, person.name, limit=PAGE, offset=first), pace)
    if pages > 1:
        st.pagination(pages, key=_NUMBER)


def _to_do(t: Translator, counts: ReviewProgress, pace_s: float | None) -> list[str]:
    if not counts.total:
        return [t("home.empty")]
    if not counts.pending:
        return [t("home.all_done", total=f"{counts.total:,}")]
    said = t("home.to_do", pending=f"{counts.pending:,}", mine=f"{counts.decided_by_me:,}")
    if pace_s is None:
        return [said, t("home.pace_unknown")]
    return [
        said,
        t("home.pace", seconds=f"{pace_s:.0f}", time=batch_cards.duration(t, pace_s * counts.pending)),
    ]


def _starts(t: Translator, person: Person, counts: ReviewProgress) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="starts"):
        if counts.pending and identity.may(person, "decide"):
            _link("review", t("home.start"), "start-review", primary=True)
        if counts.conflict and identity.may(person, "adjudicate", "audit"):
            _link("conflicts", t("home.settle", count=counts.conflict), "see-conflicts")


def _cards(t: Translator, person: Person, found: list[Batch], pace_s: float | None) -> None:
    moment, may_look = review.utc_now(), identity.may(person, "bulk", "audit")
    for start in range(0, len(found), COLUMNS):
        for column, batch in zip(st.columns(COLUMNS), found[start : start + COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                st.html(batch_cards.card(t, batch, pace_s, moment))
                if batch.pending and identity.may(person, "decide"):
                    label = plain(t("home.review", run=batch.run))
                    only = {"run": batch.run, "lang": t.language}
                    st.page_link(FOLDER / "review.py", label=label, query_params=only)
                if may_look:
                    look = {"run": batch.run, "state": "pending" if batch.pending else "all", "lang": t.language}
                    label = plain(t("home.look", run=batch.run))
                    st.page_link(FOLDER / "grid.py", label=label, query_params=look)


def _link(name: str, label: str, key: str, *, primary: bool = False) -> None:
    """Draw a button that opens a screen: what starts the work looks like one and answers to Enter and Space."""
    if st.button(label, key=key, type="primary" if primary else "secondary"):
        st.switch_page(FOLDER / f"{name}.py")


page()
