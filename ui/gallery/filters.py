"""The filters of the grid: widgets whose values are in the address, so that a link shows what its sender saw."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from catalog import batches, gallery
from catalog.gallery import Filters
from catalog.schema import ITEM_STATES
from ui import address, workspace
from ui.i18n import Translator
from ui.labels import score

ALL = "all"
STATES = (ALL, *ITEM_STATES)
RISKS = (ALL, "copy", "clear")
SIZES = (24, 36, 48, 60)
"""Pictures on a page."""
_DEFAULTS: dict[str, Any] = {
    "state": "pending",
    "run": ALL,
    "product": "",
    "risk": ALL,
    "score": ALL,
    "least": None,
    "most": None,
    "size": 36,
    "page": 1,
}
"""Name in the address → what holds without it."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What the grid shows."""

    filters: Filters
    size: int


def key(name: str) -> str:
    """Return the key under which the tab keeps a filter."""
    return f"grid_{name}"


def draw(t: Translator) -> View:
    """Draw the filters and return what they say."""
    catalog = workspace.catalog()
    _take_from_address()
    runs = _with_current(batches.runs(catalog), "run")
    scores = _with_current(gallery.score_names(catalog), "score")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="grid-filters"):
        _choice(t, "state", STATES, lambda state: t(f"grid.state_{state}"), width=170)
        _choice(t, "run", (ALL, *runs), lambda run: t("grid.any_run") if run == ALL else run, width=200)
        st.text_input(t("grid.product"), key=key("product"), on_change=_to_address, max_chars=100, width=220)
        _choice(t, "risk", RISKS, lambda risk: t(f"grid.risk_{risk}"), width=170)
        _choice(
            t, "score", (ALL, *scores), lambda name: t("grid.any_score") if name == ALL else score(t, name), width=170
        )
        if st.session_state[key("score")] != ALL:
            for bound in ("least", "most"):
                st.number_input(
                    t(f"grid.{bound}"), key=key(bound), value=None, format="%.3f", on_change=_to_address, width=130
                )
        _choice(t, "size", SIZES, str, width=110)
    return View(filters=_filters(), size=st.session_state[key("size")])


def page_number(pages: int) -> int:
    """Return the page to show, at most the last one."""
    if st.session_state.get(key("page"), 1) > pages:
        st.session_state[key("page")] = pages
    return int(st.session_state.get(key("page"), 1))


def page_chosen() -> None:
    """Put the page that was turned to into the address."""
    _write()


def _filters() -> Filters:
    now = {
        name: st.session_state[key(name)] if key(name) in st.session_state else _DEFAULTS[name] for name in _DEFAULTS
    }
    risk = {ALL: None, "copy": True, "clear": False}[now["risk"]]
    by_score = now["score"] != ALL
    return Filters(
        state=None if now["state"] == ALL else now["state"],
        run=None if now["run"] == ALL else now["run"],
        product=str(now["product"] or "").strip(),
        copy_risk=risk,
        score=now["score"] if by_score else None,
        least=now["least"] if by_score else None,
        most=now["most"] if by_score else None,
    )


def _choice(t: Translator, name: str, options: Any, say: Any, *, width: int) -> None:
    address.say_again(key(name))
    st.selectbox(
        t(f"grid.{name}"), options, key=key(name), format_func=say, on_change=_to_address, filter_mode=None, width=width
    )


def _with_current(options: list[str], name: str) -> list[str]:
    """Return the options with what the address asks for, which may be older than what is listed."""
    now = st.session_state[key(name)]
    return options if now == ALL or now in options else [now, *options]


def _take_from_address() -> None:
    """Begin with what the address says; what is none of the choices is left out."""
    asked = st.query_params
    for name, default in _DEFAULTS.items():
        if key(name) not in st.session_state:
            st.session_state[key(name)] = _parsed(name, asked.get(name), default)


def _parsed(name: str, text: str | None, default: Any) -> Any:
    if not text:
        return default
    choices: dict[str, tuple[Any, ...]] = {"state": STATES, "risk": RISKS}
    if name in choices:
        return text if text in choices[name] else default
    if name in ("size", "page"):
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default
        return number if (number in SIZES if name == "size" else number > 0) else default
    if name in ("least", "most"):
        try:
            bound = float(text)
        except ValueError:
            return default
        return bound if abs(bound) < 1e12 else default
    return text[:200]


def _to_address() -> None:
    """Write what was changed into the address and begin at the first page."""
    st.session_state[key("page")] = 1
    _write()


def _write() -> None:
    for name, default in _DEFAULTS.items():
        value = st.session_state.get(key(name), default)
        if value == default or value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = f"{value:g}" if isinstance(value, float) else str(value)
