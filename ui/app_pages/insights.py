"""Insights: what the log says about the work. Reviewers see their own pace; leads, auditors and admins everybody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from catalog import freshness, insights
from catalog.freshness import Mark
from catalog.insights import Agreement, Dwell, Pace, ReasonCount, Window
from catalog.statistics import Kappa
from catalog.store import Catalog
from ui import address, identity, state, tables, workspace
from ui import insights as pieces
from ui.i18n import Translator

DAYS = ("7", "30", "90", "all")
"""Lengths of time to choose from, in days."""
_LENGTH = "days"
READINGS_KEPT = 8
"""Readings of the log kept in memory, for everybody who looks at them."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the log says about some days."""

    pace: Sequence[Pace]
    dwell: Sequence[Dwell]
    by_product: Sequence[ReasonCount]
    by_prompt: Sequence[ReasonCount]
    by_run: Sequence[ReasonCount]
    agreement: Kappa
    pairs: Sequence[Agreement]


def page() -> None:
    """Draw the screen."""
    t, person, catalog = state.translator(), identity.require(), workspace.catalog()
    everybody = identity.may(person, "adjudicate", "audit")
    st.html(tables.STYLE)
    st.html(tables.heading(t("app.page_insights"), t("insights.what" if everybody else "insights.what_own")))
    address.seed(_LENGTH, DAYS, "30")
    length = st.segmented_control(
        t("insights.length"),
        DAYS,
        required=True,
        format_func=lambda days: t("insights.all" if days == "all" else "insights.days", days=days),
        key=_LENGTH,
        on_change=address.keep,
        args=(_LENGTH,),
    )
    today = datetime.now(UTC).date()
    found = _read(catalog, str(catalog.workspace), str(length), today, freshness.mark(catalog))
    left, right = st.columns(2, gap="large")
    shown = [row for row in found.pace if everybody or row.reviewer == person.name]
    with left:
        title = t("insights.pace_team" if everybody else "insights.pace")
        st.html(tables.part(title) + pieces.pace(t, shown, person.name, today, team=everybody))
    times = [row for row in found.dwell if everybody or row.reviewer == person.name]
    with right:
        st.html(tables.part(t("insights.dwell"), t("insights.dwell_what")) + pieces.dwell(t, times, person.name))
        what = tables.part(t("insights.agreement"), t("insights.agreement_what"))
        st.html(what + pieces.agreement(t, found.agreement))
        if everybody:
            st.html(pieces.pairs(t, found.pairs))
    _reasons(t, found)


def _reasons(t: Translator, found: Reading) -> None:
    st.html(tables.part(t("insights.reasons"), t("insights.reasons_what")))
    parts = (
        ("insights.by_product", "insights.product", found.by_product),
        ("insights.by_prompt", "insights.prompt", found.by_prompt),
        ("insights.by_run", "insights.run", found.by_run),
    )
    found_tables = "".join(pieces.reasons(t, t(caption), t(of), rows) for caption, of, rows in parts)
    st.html(f'<div class="beside">{found_tables}</div>')


@st.cache_resource(max_entries=READINGS_KEPT, show_spinner=False)
def _read(_catalog: Catalog, place: str, length: str, today: date, mark: Mark) -> Reading:
    """Read the log once for all who look at these days, until something is decided."""
    window = _window(length, today)
    limit = pieces.REASONS_SHOWN
    return Reading(
        pace=insights.throughput(_catalog, window),
        dwell=insights.dwell(_catalog, window),
        by_product=insights.reasons_by_product(_catalog, window, limit=limit),
        by_prompt=insights.reasons_by_prompt(_catalog, window, limit=limit),
        by_run=insights.reasons_by_run(_catalog, window, limit=limit),
        agreement=insights.agreement(_catalog, window),
        pairs=insights.agreement_by_pair(_catalog, window),
    )


def _window(length: str, today: date) -> Window:
    if length == "all":
        return Window()
    first = today - timedelta(days=int(length) - 1)
    return Window(since=datetime.combine(first, time.min, UTC))


page()
