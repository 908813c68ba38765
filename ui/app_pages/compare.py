"""The compare screen: two to four candidates of one product, of which the best is chosen. Rules: `review.choose`."""

import streamlit as st

from catalog import policies
from catalog.errors import CatalogError
from catalog.phrases import told
from catalog.records import ReviewItem
from ui import candidates, components, identity, lines, state, workspace
from ui.candidates import contents, held, moves
from ui.i18n import Translator


def page() -> None:
    """Draw the screen."""
    st.html(components.unseen_title(state.translator()("app.page_compare")))
    asked = st.query_params.get("product", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        held.want(int(asked))
        if held.current() and held.current()[0].product_id != int(asked):
            held.give_back()
        # Once: a reload of the address compares it again, the next product does not.
        del st.query_params["product"]
    _board(state.translator(), identity.require().name)


@st.fragment
def _board(t: Translator, name: str) -> None:
    items: tuple[ReviewItem, ...] = ()
    try:
        items = held.ensure(name)
    except CatalogError as error:
        lines.say(held.SCREEN, "message.refused", "warning", detail=told(error))
    rules = policies.current(workspace.catalog())
    candidates.mount(contents.contents(t, items, rules), moves.MOVES, moves.receive)


page()
