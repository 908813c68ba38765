"""Pieces of the threshold desk: the scale of its slider, what a preview says, borderline pictures, saved versions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from catalog.policies import PolicyVersion
from catalog.policy import Policy
from catalog.records import ReviewItem
from catalog.statistics import Share
from catalog.thresholds import Preview
from ui import tables
from ui.i18n import Translator
from ui.labels import score as score_label
from ui.tables import Column

STATE_SIGNS = {"pending": "…", "conflict": "≠", "approved": "✓", "rejected": "✕", "changes": "✎", "not_chosen": "○"}
"""A sign beside the word for an item's state."""
VERSIONS_SHOWN = 50
_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Ends and step of a slider over one score."""

    low: float
    high: float
    step: float
    decimals: int
    """Digits behind the point that a value of the slider has."""

    def text(self, value: float) -> str:
        """Return a value of the slider as it is shown."""
        return f"{value:.{self.decimals}f}"


def scale(low: float, high: float, *also: float) -> Scale:
    """Return a slider over a score's values, one step beyond the greatest, so that all can be under a threshold.

    Args:
        low: Least value.
        high: Greatest value.
        also: Thresholds that must be on the slider, too.
    """
    values = [value for value in (low, high, *also) if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(values), max(values)
    raw = (high - low) / _STEPS or max(abs(high), 1.0) / _STEPS
    tens = 10.0 ** math.floor(math.log10(raw))
    step = next(tens * times for times in (1, 2, 5, 10) if tens * times >= raw * 0.999)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return Scale(
        low=round(math.floor(low / step) * step, decimals),
        high=round((math.floor(high / step) + 1) * step, decimals),
        step=round(step, decimals) if decimals else float(round(step)),
        decimals=decimals,
    )


def figures(t: Translator, found: Preview, share: float) -> str:
    """Return what a threshold would do, as figures."""
    return tables.facts(
        [
            (t("thresholds.pending"), f"{found.pending:,}", ""),
            (t("thresholds.rejected"), f"{found.rejected:,}", t("thresholds.rejected_how")),
            (t("thresholds.audited"), f"{found.audited:,}", t("thresholds.audited_how", share=f"{100 * share:.0f}")),
            (t("thresholds.queue"), f"{found.queue:,}", ""),
            (t("thresholds.error"), _percent(found.error.value), _error_how(t, found.error)),
        ]
    )


def borderline(t: Translator, items: Sequence[ReviewItem], score: str, address: Callable[[str], str | None]) -> str:
    """Return the pictures nearest to a threshold.

    Args:
        t: The strings.
        items: Nearest first.
        score: The score they are compared by.
        address: Returns where a picture is; None when its file is missing.
    """
    if not items:
        return tables.aside(t("thresholds.no_borderline"))
    drawn = "".join(_thumbnail(t, item, score, address(item.image_sha256)) for item in items)
    return f'<ul class="thumbs" aria-label="{escape(t("thresholds.borderline"))}">{drawn}</ul>'


def in_force(t: Translator, policy: Policy) -> str:
    """Return the thresholds that count now."""
    rows = [(score_label(t, name), f"{threshold:g}") for name, threshold in sorted(policy.auto_reject.items())]
    return tables.table(
        t("thresholds.in_force", version=policy.version, share=f"{100 * policy.audit_share:.0f}"),
        [Column(t("thresholds.score")), Column(t("thresholds.threshold"), "number")],
        rows,
        t("thresholds.none_in_force", version=policy.version),
    )


def versions(t: Translator, saved: Sequence[PolicyVersion]) -> str:
    """Return the newest saved versions of the rules."""
    return tables.table(
        t("thresholds.versions", shown=min(len(saved), VERSIONS_SHOWN), total=len(saved)),
        [
            Column(t("thresholds.version"), "number"),
            Column(t("thresholds.when"), "short"),
            Column(t("thresholds.who")),
            Column(t("thresholds.note")),
            Column(t("thresholds.thresholds")),
            Column(t("thresholds.share"), "number"),
            Column(t("thresholds.quorum"), "number"),
        ],
        [
            (
                str(made.policy.version),
                tables.moment(made.created_at),
                made.author,
                made.note,
                ", ".join(
                    f"{score_label(t, name)} < {value:g}" for name, value in sorted(made.policy.auto_reject.items())
                )
                or "–",
                f"{100 * made.policy.audit_share:.0f} %",
                str(made.policy.quorum),
            )
            for made in saved[:VERSIONS_SHOWN]
        ],
        t("thresholds.no_versions"),
    )


def _thumbnail(t: Translator, item: ReviewItem, score: str, address: str | None) -> str:
    name, value = item.product_name, item.scores.get(score)
    shown = (
        f'<div class="none">{escape(t("thresholds.missing"))}</div>'
        if address is None
        else f'<img src="{escape(address)}" alt="{escape(t("picture.generated_alt", name=name))}" loading="lazy">'
    )
    number = "" if value is None else f"<b>{value:.4g}</b> · "
    state = f"{STATE_SIGNS[item.state]} {escape(t(f'thresholds.state_{item.state}'))}"
    return (
        f'<li data-item="{item.id}"><div class="surround">{shown}</div>{number}<span>{state}</span><br>'
        f"<bdi>{escape(name)}</bdi></li>"
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _error_how(t: Translator, error: Share) -> str:
    if error.value is None or error.low is None or error.high is None:
        return t("thresholds.error_unknown")
    return t(
        "thresholds.error_how",
        approved=f"{error.hits:,}",
        n=f"{error.n:,}",
        low=f"{100 * error.low:.1f}",
        high=f"{100 * error.high:.1f}",
    )
