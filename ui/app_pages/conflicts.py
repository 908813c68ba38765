"""The conflicts screen: verdicts that disagree, side by side without names, and the ruling that settles them."""

import streamlit as st

from catalog import policies, queue, review
from catalog.errors import CatalogError
from catalog.phrases import told
from catalog.policy import REJECT_REASONS
from catalog.review import Conflict
from ui import components, identity, image_route, lines, opinions, real_photos, state, tables, workspace
from ui.i18n import Translator
from ui.identity import Person
from ui.labels import plain

SCREEN = "conflicts"
ITEM = "item"
"""Parameter of the address: an item to rule on."""
DIGITS = 17
"""Numbers of items have fewer digits."""
SHARP_BELOW_PX = 257
"""Pictures up to this size are enlarged with hard pixel edges."""
_NUMBER = "conflicts_number"
_SETTLED = "conflicts_settled"


def page() -> None:
    """Draw the screen."""
    t, person = state.translator(), identity.require()
    catalog = workspace.catalog()
    st.html(opinions.STYLE)
    lines.show(t, SCREEN)
    _last(t, person)
    asked = st.query_params.get(ITEM)
    if asked:
        _one(t, person, asked)
        return
    total = queue.progress(catalog).conflict
    number = min(int(st.session_state.get(_NUMBER, 1)), max(1, total))
    if number != st.session_state.get(_NUMBER, number):
        st.session_state[_NUMBER] = number
    found = review.conflicts(catalog, limit=1, offset=number - 1)
    if not found:
        st.html(tables.heading(t("app.page_conflicts")) + components.note(t("conflicts.none")))
        return
    st.html(tables.heading(t("conflicts.count", number=number, total=total)))
    _conflict(t, person, found[0])
    if total > 1:
        st.pagination(total, key=_NUMBER)


def _one(t: Translator, person: Person, asked: str) -> None:
    """Draw the item that the address names, whether its verdicts disagree or not: a lead may overrule any."""
    item_id = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < DIGITS else None
    st.html(tables.heading(t("app.page_conflicts" if item_id is None else "conflicts.one", item=item_id)))
    st.button(t("conflicts.all_of_them"), key="all-conflicts", on_click=_leave_item)
    if item_id is None:
        st.html(components.note(t("conflicts.no_item", typed=asked), "warning"))
        return
    try:
        found = review.opinions_on(workspace.catalog(), person.name, item_id)
    except CatalogError as error:
        st.html(components.note(t.said(told(error)), "warning"))
        return
    _conflict(t, person, found)


def _leave_item() -> None:
    st.query_params.pop(ITEM, None)


def _conflict(t: Translator, person: Person, conflict: Conflict) -> None:
    left, right = st.columns([10, 8], gap="large")
    catalog, item, rules = workspace.catalog(), conflict.item, policies.current(workspace.catalog())
    with left:
        there = image_route.intact(catalog, item.image_sha256)
        size = queue.picture_size(catalog, item.image_sha256)
        small = size is not None and max(size) < SHARP_BELOW_PX
        real = next(real_photos.shown(t, item, rules), None)
        photo = None if real is None else (_address(real.image_sha256), real)
        st.html(
            opinions.pictures(t, item, _address(item.image_sha256) if there else None, photo, sharp=small),
            width="stretch",
        )
        limit = rules.copy_similarity if rules.copy_risk(item.nearest_similarity) else None
        st.html(opinions.record(t, item, queue.specification(catalog, item.id), limit))
    with right:
        st.html(opinions.opinions(t, conflict))
        if identity.may(person, "adjudicate"):
            _ruling(t, person, item.id)


def _ruling(t: Translator, person: Person, item_id: int) -> None:
    """Draw the form; each key holds the item's number, so that nothing is sent about a picture that has gone."""
    with st.container(border=True, key="ruling"):
        st.segmented_control(
            t("conflicts.verdict"),
            review.RULINGS,
            key=f"ruling-{item_id}",
            format_func=lambda verdict: t(f"action.{verdict}"),
        )
        if st.session_state.get(f"ruling-{item_id}") in ("reject", "changes"):
            st.pills(
                t("conflicts.reasons"),
                REJECT_REASONS,
                selection_mode="multi",
                key=f"ruling-reasons-{item_id}",
                format_func=lambda code: plain(t(f"reason.{code}")),
            )
        st.text_area(t("conflicts.note"), key=f"ruling-note-{item_id}", max_chars=review.NOTE_MAX_CHARS, height=90)
        st.button(
            t("conflicts.settle"),
            key=f"ruling-settle-{item_id}",
            type="primary",
            on_click=_settle,
            args=(person.name, item_id),
        )


def _settle(name: str, item_id: int) -> None:
    verdict = st.session_state.get(f"ruling-{item_id}")
    note = str(st.session_state.get(f"ruling-note-{item_id}") or "").strip()
    reasons = tuple(st.session_state.get(f"ruling-reasons-{item_id}") or ()) if verdict != "approve" else ()
    problem = None
    if verdict is None:
        problem = "conflicts.no_verdict"
    elif verdict == "reject" and not reasons:
        problem = "conflicts.no_reason"
    elif not note:
        problem = "conflicts.no_note"
    if problem is not None:
        lines.say(SCREEN, problem, "warning")
        return
    try:
        review.adjudicate(workspace.catalog(), name, item_id, str(verdict), note=note, reasons=reasons)
    except CatalogError as error:
        lines.say(SCREEN, "conflicts.refused", "warning", detail=told(error))
        return
    st.session_state[_SETTLED] = item_id
    _leave_item()
    lines.say(SCREEN, f"conflicts.done_{verdict}")


def _last(t: Translator, person: Person) -> None:
    """Show who had said what on the item this tab settled last; from now on names may be known."""
    item_id: int | None = st.session_state.get(_SETTLED)
    if item_id is None:
        return
    log = queue.decisions(workspace.catalog(), item_id=item_id, limit=50, as_seen_by=person.name)
    st.html(opinions.settled(t, [made for made in reversed(log) if not made.superseded]))
    st.button(t("conflicts.undo"), key=f"undo-ruling-{item_id}", on_click=_undo, args=(person.name, item_id))


def _undo(name: str, item_id: int) -> None:
    st.session_state[_SETTLED] = None
    try:
        review.undo_item(workspace.catalog(), name, item_id)
    except CatalogError as error:
        lines.say(SCREEN, "conflicts.refused", "warning", detail=told(error))
        return
    lines.say(SCREEN, "conflicts.undone")


def _address(sha256: str) -> str:
    return image_route.address(sha256, st.context.cookies.get(image_route.COOKIE))


page()
