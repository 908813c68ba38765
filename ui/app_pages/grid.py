"""The grid screen: many small pictures, and one verdict on those that were picked. Rules are in `review.bulk`."""

import streamlit as st

from catalog import gallery as queued
from catalog import policies
from catalog.gallery import Filters
from ui import components, gallery, identity, lines, state, workspace
from ui.gallery import bulk_form, contents, filters, picks
from ui.i18n import Translator
from ui.identity import Person


def page() -> None:
    """Draw the screen."""
    t, person = state.translator(), identity.require()
    st.html(components.unseen_title(t("app.page_grid")))
    view = filters.draw(t)
    _board(t, person, view)


@st.fragment
def _board(t: Translator, person: Person, view: filters.View) -> None:
    """Draw what changes with each pick; the frame and the filters stay."""
    catalog, may_decide = workspace.catalog(), identity.may(person, "bulk")
    total = queued.count(catalog, view.filters)
    pages = max(1, -(-total // view.size))
    number = filters.page_number(pages)
    items = queued.items(catalog, view.filters, limit=view.size, offset=(number - 1) * view.size)
    picked = picks.picked()
    # What the loosest verdict takes, until one is chosen.
    verdict = st.session_state.get(bulk_form.VERDICT) or "reject"
    found = queued.sort(catalog, person.name, picked, verdict)
    sample = queued.records(catalog, picks.sample(found.fit))
    left, right = st.columns([10, 3.4], gap="medium") if may_decide else (st.container(), None)
    with left:
        lines.show(t, bulk_form.SCREEN)
        _tools(t, view, total, [item.id for item in items], may_decide=may_decide)
        may_rule = identity.may(person, "adjudicate")
        rules = policies.current(catalog)
        shown = contents.contents(t, items, sample, rules, pickable=may_decide, may_rule=may_rule)
        gallery.mount(shown, picks.MOVES, picks.receive)
        if pages > 1:
            st.pagination(pages, key=filters.key("page"), on_change=filters.page_chosen)
    if right is not None:
        with right, st.container(border=True, key="grid-bulk"):
            refused = queued.records(catalog, list(found.refused)[: bulk_form.LISTED])
            bulk_form.draw(t, person.name, found, refused)


def _tools(t: Translator, view: filters.View, total: int, here: list[int], *, may_decide: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="grid-tools"):
        st.markdown(t("grid.matching", count=f"{total:,}") if total else t("grid.none"))
        if not may_decide or not total:
            return
        st.button(t("grid.pick_page"), key="pick-page", on_click=picks.take, args=(here,))
        label = t("grid.pick_all", count=f"{total:,}")
        if total > picks.MOST:
            label = t("grid.pick_first", count=f"{picks.MOST:,}", total=f"{total:,}")
        st.button(label, key="pick-all", on_click=_take_all, args=(view.filters,))
        st.button(t("grid.clear"), key="pick-none", disabled=not picks.picked(), on_click=_clear)


def _take_all(wanted: Filters) -> None:
    picks.take(queued.ids(workspace.catalog(), wanted, limit=picks.MOST))


def _clear() -> None:
    picks.drop(picks.picked())


page()
