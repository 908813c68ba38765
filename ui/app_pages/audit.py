"""Audit: the whole decision log to search, to check and to take away. Filters stand in the address."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from catalog import audit, people
from catalog.audit import Search
from catalog.schema import VERDICTS
from ui import (
    address,
    components,
    decision_table,
    download_route,
    identity,
    image_route,
    notices,
    state,
    tables,
    workspace,
)
from ui.i18n import Translator
from ui.identity import Person

BEFORE = "before"
"""Parameter of the address: rows older than this one."""
PAGES_BEFORE = "audit_pages_before"
CHECKED = "audit_checked"
CHECKING = "audit_checking"
PAGE = 50
"""Rows in the table."""
DIGITS = 17
"""Numbers of rows and items have fewer digits."""


def page() -> None:
    """Draw the screen."""
    t, person = state.translator(), identity.require()
    st.html(tables.STYLE)
    lines = [t("audit.what"), *([t("audit.open_ones")] if person.role == "lead" else [])]
    st.html(tables.heading(t("app.page_audit"), *lines))
    notices.show(t)
    _check(t, person)
    st.html(tables.part(t("audit.log")))
    search = _filters(t)
    _log(t, person, search)
    _downloads(t, person, search)


def _choice(field: str, label: str, options: Sequence[str], words: Callable[[str], str], any_one: str) -> str | None:
    """Draw a field of the search that has options; None, shown as `any_one`, means that any fits."""
    return st.selectbox(
        label,
        options,
        index=None,
        key=field,
        format_func=words,
        placeholder=any_one,
        on_change=_chosen,
        args=(field,),
    )


def _check(t: Translator, person: Person) -> None:
    st.html(tables.part(t("audit.check"), t("audit.check_what")))
    st.button(t("audit.check_now"), key="check-log", on_click=_ask_check)
    if st.session_state.pop(CHECKING, False):
        with st.spinner(t("audit.checking")):
            found = audit.check(workspace.catalog(), person.name)
        st.session_state[CHECKED] = (found, tables.moment(datetime.now(UTC)))
    if CHECKED in st.session_state:
        st.html(decision_table.checked(t, *st.session_state[CHECKED]))


def _filters(t: Translator) -> Search:
    """Draw the fields of the search and return what they say."""
    names = [*(person.name for person in people.everyone(workspace.catalog())), people.RULES]
    address.seed("person", names)
    address.seed("verdict", VERDICTS)
    address.seed("origin", decision_table.ORIGINS)
    upper, lower = (st.columns(4, gap="small", vertical_alignment="bottom") for _ in range(2))
    with upper[0]:
        name = _choice("person", t("audit.person"), names, str, t("audit.anybody"))
    with upper[1]:
        verdict = _choice("verdict", t("audit.verdict"), VERDICTS, lambda code: t(f"verdict.{code}"), t("audit.any"))
    with upper[2]:
        origins = decision_table.ORIGINS
        origin = _choice("origin", t("audit.origin"), origins, lambda code: t(f"audit.origin_{code}"), t("audit.any"))
    with upper[3]:
        product = st.text_input(
            t("audit.product"), key="product", max_chars=200, help=t("audit.product_help"), **_field(t("audit.any"))
        )
    with lower[0]:
        typed = st.text_input(t("audit.item"), key="item", max_chars=16, **_field(t("audit.any"))) or ""
    with lower[1]:
        since = st.date_input(t("audit.since"), value=None, format="YYYY-MM-DD", key="since", **_field())
    with lower[2]:
        until = st.date_input(t("audit.until"), value=None, format="YYYY-MM-DD", key="until", **_field())
    with lower[3]:
        st.button(t("audit.clear"), key="clear-search", on_click=_clear)
    item = _number(typed)
    if typed.strip() and item is None:
        st.html(components.note(t("audit.no_item", typed=typed.strip()), "warning"))
    return Search(
        reviewer=name,
        verdict=verdict,
        origin=origin,
        item_id=item,
        product=(product or "").strip(),
        since=_midnight(since),
        until=_midnight(until, days=1),
    )


def _log(t: Translator, person: Person, search: Search) -> None:
    before = _before()
    found = audit.entries(workspace.catalog(), person.name, search, before_id=before, limit=PAGE + 1)
    more, shown = len(found) > PAGE, found[:PAGE]
    st.html(decision_table.rows(t, shown, may_rule=identity.may(person, "adjudicate")))
    with st.container(horizontal=True, gap="small"):
        if before is not None:
            st.button(t("audit.newest"), key="newest-rows", on_click=_newest)
        if st.session_state.get(PAGES_BEFORE):
            st.button(t("audit.newer"), key="newer-rows", on_click=_newer)
        if more:
            st.button(t("audit.older"), key="older-rows", on_click=_older, args=(shown[-1].id,))


def _downloads(t: Translator, person: Person, search: Search) -> None:
    st.html(tables.part(t("audit.download"), t("audit.download_what")))
    visitor = st.context.cookies.get(image_route.COOKIE)
    st.html(
        decision_table.downloads(
            t, {kind: download_route.address(kind, search, visitor, person.name) for kind in download_route.MEDIA_TYPES}
        )
    )


# --- what a field or a button does --------------------------------------------------------------------


def _field(placeholder: str | None = None) -> dict[str, Any]:
    """Return what the other fields share: they stand in the address, and a change shows the newest rows."""
    shared: dict[str, Any] = {"bind": "query-params", "on_change": _newest}
    return shared if placeholder is None else shared | {"placeholder": placeholder}


def _chosen(key: str) -> None:
    address.keep(key)
    _newest()


def _ask_check() -> None:
    st.session_state[CHECKING] = True


def _clear() -> None:
    for key in ("person", "verdict", "origin", "since", "until"):
        st.session_state[key] = None
    for key in ("product", "item"):
        st.session_state[key] = ""
    for key in ("person", "verdict", "origin"):
        address.keep(key)
    _newest()


def _newest() -> None:
    st.session_state[PAGES_BEFORE] = []
    st.query_params.pop(BEFORE, None)


def _older(last_id: int) -> None:
    """Go on after the last row shown, and keep the way back."""
    st.session_state[PAGES_BEFORE] = [*st.session_state.get(PAGES_BEFORE, []), _before()]
    st.query_params[BEFORE] = str(last_id)


def _newer() -> None:
    *rest, before = st.session_state[PAGES_BEFORE]
    st.session_state[PAGES_BEFORE] = rest
    if before is None:
        st.query_params.pop(BEFORE, None)
    else:
        st.query_params[BEFORE] = str(before)


def _before() -> int | None:
    """Return the row that the address starts after; what is no number starts at the newest one."""
    return _number(st.query_params.get(BEFORE, ""))


def _number(text: str) -> int | None:
    """Return a whole number as it stands in an address or a field; None for any other text."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < DIGITS else None


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """Return when a day begins (UTC), or so many days later; None for no day, or none after the last one."""
    if day is None or day > date.max - timedelta(days=days):
        return None
    return datetime.combine(day + timedelta(days=days), time.min, UTC)


page()
