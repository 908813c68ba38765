"""Pieces of the insights: pace by day and person, time on a picture, reasons, agreement. One's own comes first."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from catalog.insights import Agreement, Dwell, Pace, ReasonCount
from catalog.policy import REJECT_REASONS
from catalog.statistics import Kappa
from ui import charts, tables
from ui.i18n import Translator
from ui.tables import Column

DAYS_DRAWN = 60
"""Columns of the chart; older days are in the table."""
ROWS_SHOWN = 200
"""Days and people in the table, newest first."""
REASONS_SHOWN = 20


def own_first(rows: Sequence[Pace], name: str) -> list[Pace]:
    """Return rows newest day first, on each day one's own before the others."""
    return sorted(rows, key=lambda row: (-row.day.toordinal(), row.reviewer != name, row.reviewer))


def pace(t: Translator, rows: Sequence[Pace], name: str, until: date, *, team: bool) -> str:
    """Return decisions a day as columns, and by person as a table.

    Args:
        t: The strings.
        rows: What may be shown.
        name: The person who looks.
        until: Today.
        team: Whether these are everybody's, or the person's alone.
    """
    by_day: Counter[date] = Counter()
    for row in rows:
        by_day[row.day] += row.decisions
    chart = ""
    if by_day:
        first = max(min(by_day), until - timedelta(days=DAYS_DRAWN - 1))
        days = [first + timedelta(days=number) for number in range((max(until, max(by_day)) - first).days + 1)]
        drawn = [(f"{day:%Y-%m-%d}", by_day[day]) for day in days]
        label = t(
            "insights.pace_label_team" if team else "insights.pace_label",
            total=f"{sum(number for _, number in drawn):,}",
            first=drawn[0][0],
            last=drawn[-1][0],
            most=f"{max(number for _, number in drawn):,}",
        )
        chart = charts.columns(label, drawn)
    ordered = own_first(rows, name)[:ROWS_SHOWN]
    most = max((row.decisions for row in ordered), default=0) or 1
    return chart + tables.table(
        t("insights.pace_table", shown=len(ordered), total=len(rows)),
        [
            Column(t("insights.day"), "short"),
            Column(t("insights.person")),
            Column(t("insights.decisions"), "number"),
            Column(t("insights.bar")),
            Column(t("insights.skips"), "number"),
        ],
        [
            (
                f"{row.day:%Y-%m-%d}",
                _person(t, row.reviewer, name),
                f"{row.decisions:,}",
                charts.meter(row.decisions / most),
                f"{row.skips:,}",
            )
            for row in ordered
        ],
        t("insights.nothing"),
    )


def dwell(t: Translator, rows: Sequence[Dwell], name: str) -> str:
    """Return how long people look at a picture, one's own first."""
    ordered = sorted(rows, key=lambda row: (row.reviewer != name, row.reviewer))
    longest = max((row.p90_ms for row in ordered), default=0) or 1
    return tables.table(
        t("insights.dwell"),
        [
            Column(t("insights.person")),
            Column(t("insights.pictures"), "number"),
            Column(t("insights.median"), "number"),
            Column(t("insights.bar")),
            Column(t("insights.p90"), "number"),
        ],
        [
            (
                _person(t, row.reviewer, name),
                f"{row.n:,}",
                f"{row.median_ms / 1000:.1f}",
                charts.meter(row.median_ms / longest),
                f"{row.p90_ms / 1000:.1f}",
            )
            for row in ordered
        ],
        t("insights.nothing"),
    )


def reasons(t: Translator, caption: str, of: str, rows: Sequence[ReasonCount]) -> str:
    """Return which reasons were given for what; `of` names the column of products, prompts or runs."""
    shown = rows[:REASONS_SHOWN]
    most = max((row.count for row in shown), default=1)
    return tables.table(
        caption,
        [
            Column(t("insights.reason"), "short"),
            Column(of),
            Column(t("insights.count"), "number"),
            Column(t("insights.bar")),
        ],
        [(reason(t, row.reason), row.of, f"{row.count:,}", charts.meter(row.count / most)) for row in shown],
        t("insights.no_reasons"),
    )


def reason(t: Translator, code: str) -> str:
    """Return the word for a reason; a code that has none stands for itself."""
    if code in REJECT_REASONS:
        return t(f"reason.{code}")
    return t("insights.low_score") if code == "low_score" else code


def agreement(t: Translator, overall: Kappa) -> str:
    """Return how far blind opinions on the same picture agree, as figures."""
    share = overall.agreement
    below = ""
    if share.low is not None and share.high is not None:
        below = t("insights.interval", low=f"{100 * share.low:.1f} %", high=f"{100 * share.high:.1f} %")
    return tables.facts(
        [
            (t("insights.both"), f"{overall.n:,}", ""),
            (t("insights.same"), "–" if share.value is None else f"{100 * share.value:.1f} %", below),
            (t("insights.kappa"), _kappa(overall), _kappa_how(t, overall)),
        ]
    )


def pairs(t: Translator, rows: Sequence[Agreement]) -> str:
    """Return how far each two people agree."""
    shown = rows[:REASONS_SHOWN]
    return tables.table(
        t("insights.pairs", shown=len(shown), total=len(rows)),
        [
            Column(t("insights.first")),
            Column(t("insights.second")),
            Column(t("insights.both"), "number"),
            Column(t("insights.same"), "number"),
            Column(t("insights.kappa"), "number"),
            Column(t("insights.interval_title"), "number"),
        ],
        [
            (
                row.first,
                row.second,
                f"{row.kappa.n:,}",
                "–" if row.kappa.agreement.value is None else f"{100 * row.kappa.agreement.value:.1f} %",
                _kappa(row.kappa),
                _interval(row.kappa),
            )
            for row in shown
        ],
        t("insights.no_pairs"),
    )


def _person(t: Translator, reviewer: str, name: str) -> str:
    return t("insights.you", name=reviewer) if reviewer == name else reviewer


def _kappa(found: Kappa) -> str:
    return "–" if found.value is None else f"{found.value:z.2f}"


def _interval(found: Kappa) -> str:
    return "–" if found.low is None or found.high is None else f"{found.low:z.2f} – {found.high:z.2f}"


def _kappa_how(t: Translator, found: Kappa) -> str:
    if found.value is None or found.low is None or found.high is None:
        return t("insights.kappa_unknown")
    return t("insights.interval", low=f"{found.low:z.2f}", high=f"{found.high:z.2f}")
