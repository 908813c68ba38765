"""Cards of the home screen as HTML. Everything that comes from the catalogue is escaped here, once."""

from datetime import datetime
from html import escape

from catalog.batches import Batch
from ui.i18n import Translator

STYLE = """
<style>
.st-key-starts button {padding: .55rem 1.2rem; margin-block: .3rem .5rem}
.st-key-starts [data-testid="stBaseButton-primary"] p {font-size: 1.02rem; font-weight: 650}
.batch {display: grid; gap: .7rem}
.batch h2 {font-size: 1.02rem; font-weight: 650; margin: 0; padding: 0; overflow-wrap: anywhere; line-height: 1.35}
.batch dl {display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .6rem .8rem; margin: 0 !important;
  padding: 0 !important; font-variant-numeric: tabular-nums}
.batch dl div {display: flex; flex-direction: column-reverse}
.batch dt {font-size: .82rem; opacity: .85; font-weight: 400; margin: 0; line-height: 1.35}
.batch dd {font-size: 1.15rem; font-weight: 650; margin: 0 !important; padding: 0 !important; line-height: 1.3}
.batch .waits dd {font-size: 1.02rem}
.batch-track {height: 7px; border-radius: 4px; overflow: hidden; display: flex;
  background: color-mix(in srgb, currentColor 16%, transparent)}
.batch-track i {display: block; height: 100%}
.batch-track .approved {background: #2c8a63}
.batch-track .rejected {background: repeating-linear-gradient(135deg, #c0573d 0 5px, #a8452d 5px 8px)}
.batch-track .conflict {background: repeating-linear-gradient(90deg, #96660a 0 3px, #d3a44a 3px 6px)}
.batch-track .changes {background: repeating-linear-gradient(45deg, #3f6ea8 0 4px, #7fa3cf 4px 7px)}
.batch-track .not-chosen {background: color-mix(in srgb, currentColor 45%, transparent)}
</style>
"""
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def card(t: Translator, batch: Batch, pace_s: float | None, moment: datetime) -> str:
    """Return one batch: counts, the bar of what is settled, the oldest wait, and the time to go at one's own pace.

    Args:
        t: Strings of the tab's language.
        batch: What is shown.
        pace_s: Seconds one's own decisions take, None while nobody knows.
        moment: Now.
    """
    # Told where there are any, so that the states add up to all.
    rare = (("grid.state_changes", batch.changes), ("grid.state_not_chosen", batch.not_chosen))
    counts = [
        ("home.waiting", batch.pending),
        ("home.approved", batch.approved),
        ("home.rejected", batch.rejected),
        ("home.conflicts", batch.conflict),
        *((key, number) for key, number in rare if number),
        ("home.mine", batch.mine),
        ("home.all", batch.total),
    ]
    numbers = "".join(f"<div><dt>{escape(t(key))}</dt><dd>{number:,}</dd></div>" for key, number in counts)
    return (
        f'<section class="batch"><h2><bdi>{escape(batch.run)}</bdi></h2>'
        f"{_track(t, batch)}<dl>{numbers}</dl>{_waits(t, batch, pace_s, moment)}</section>"
    )


def duration(t: Translator, seconds: float) -> str:
    """Return a length of time in one unit, as people say it."""
    if seconds < _MINUTE_S:
        return t("home.under_a_minute")
    if seconds < 2 * _HOUR_S:
        return t("home.minutes", count=round(seconds / _MINUTE_S))
    if seconds < 2 * _DAY_S:
        return t("home.hours", count=round(seconds / _HOUR_S))
    return t("home.days", count=round(seconds / _DAY_S))


def _track(t: Translator, batch: Batch) -> str:
    whole, done = max(batch.total, 1), batch.total - batch.pending
    label = escape(t("home.progress", done=f"{done:,}", total=f"{batch.total:,}"))
    parts = (
        ("approved", batch.approved),
        ("rejected", batch.rejected),
        ("conflict", batch.conflict),
        ("changes", batch.changes),
        ("not-chosen", batch.not_chosen),
    )
    bars = "".join(f'<i class="{name}" style="width:{100 * number / whole:.2f}%"></i>' for name, number in parts)
    return f'<div class="batch-track" role="img" aria-label="{label}" title="{label}">{bars}</div>'


def _waits(t: Translator, batch: Batch, pace_s: float | None, moment: datetime) -> str:
    if batch.oldest_pending is None:
        return ""
    waits = duration(t, max(0.0, (moment - batch.oldest_pending).total_seconds()))
    to_go = t("home.no_pace") if pace_s is None else duration(t, batch.pending * pace_s)
    rows = (("home.oldest", waits), ("home.to_go", to_go))
    found = "".join(f"<div><dt>{escape(t(key))}</dt><dd>{escape(text)}</dd></div>" for key, text in rows)
    return f'<dl class="waits" style="grid-template-columns:1fr 1fr">{found}</dl>'
