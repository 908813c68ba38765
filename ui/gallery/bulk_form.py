"""One verdict on all that is picked: what it is, why, which of them it is refused for, and the count as a proof."""

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from catalog import review
from catalog.errors import CatalogError
from catalog.gallery import Sorted
from catalog.phrases import told
from catalog.policy import REJECT_REASONS
from catalog.records import ReviewItem
from ui import lines, workspace
from ui.gallery import picks
from ui.i18n import Translator
from ui.labels import plain

SCREEN = "grid"
VERDICT = "grid_verdict"
UI_VERSION = "grid 1"
LISTED = 20
"""Refused items that are named one by one."""
_REASONS = "grid_reasons"
_NOTE = "grid_note"
_COUNT = "grid_count"
STYLE = """
<style>
.bulk h2 {font-size: 1.05rem; font-weight: 650; margin: 0 0 .2rem; padding: 0}
.bulk p, .bulk ul {margin: 0 0 .3rem; font-size: .93rem; line-height: 1.5}
.bulk ul {padding-left: 1.1rem; max-height: 13rem; overflow-y: auto}
.bulk li {font-size: .9rem; overflow-wrap: anywhere}
</style>
"""


def draw(t: Translator, name: str, sorted_items: Sorted, refused: Sequence[ReviewItem]) -> None:
    """Draw the form.

    Args:
        t: Strings of the tab's language.
        name: Who decides.
        sorted_items: The picked items by whether they take the verdict.
        refused: Those that do not, as far as they are listed.
    """
    fit = sorted_items.fit
    st.html(STYLE + _picked(t, len(fit) + len(sorted_items.refused)))
    st.segmented_control(
        t("grid.verdict"), review.RULINGS, key=VERDICT, format_func=lambda verdict: t(f"action.{verdict}")
    )
    if not fit and not sorted_items.refused:
        return
    if sorted_items.refused:
        st.html(refusals(t, sorted_items, refused))
    if st.session_state.get(VERDICT) in ("reject", "changes"):
        st.pills(
            t("grid.reasons"),
            REJECT_REASONS,
            selection_mode="multi",
            key=_REASONS,
            format_func=lambda code: plain(t(f"reason.{code}")),
        )
    st.text_area(t("grid.note"), key=_NOTE, max_chars=2000, height=80)
    opened = len(picks.seen() & set(picks.sample(fit)))
    looked = escape(t("grid.sample_state", opened=opened, total=min(review.SAMPLE, len(fit))))
    st.html(f'<div class="bulk"><p role="status">{looked}</p></div>')
    st.text_input(t("grid.type_count", count=len(fit)), key=_COUNT, max_chars=9, autocomplete="off")
    st.button(
        t("grid.decide", count=len(fit)),
        key="grid-decide",
        type="primary",
        disabled=not fit,
        on_click=decide,
        args=(name, fit),
        width="stretch",
    )


def refusals(t: Translator, sorted_items: Sorted, refused: Sequence[ReviewItem]) -> str:
    """Return which picked items the verdict leaves out and why, as HTML."""
    why = sorted_items.refused
    counts = Counter(why.values())
    said = "".join(f"<li>{escape(t(f'grid.refused_{code}'))}: {number}</li>" for code, number in sorted(counts.items()))
    names = "".join(
        f"<li><bdi>{escape(item.product_name)}</bdi> ({item.id}): {escape(t(f'grid.refused_{why[item.id]}'))}</li>"
        for item in refused
    )
    more = len(why) - len(refused)
    rest = f"<li>{escape(t('grid.more', count=more))}</li>" if more > 0 else ""
    return (
        f'<div class="bulk"><p><b>⚠ {escape(t("grid.left_out", count=len(why)))}</b></p><ul>{said}</ul>'
        f'<ul tabindex="0" aria-label="{escape(t("grid.left_out_list"))}">{names}{rest}</ul></div>'
    )


def decide(name: str, fit: tuple[int, ...]) -> None:
    """Write the verdict on all of `fit`, or say in one line why not."""
    verdict, note = st.session_state.get(VERDICT), str(st.session_state.get(_NOTE) or "").strip()
    reasons = tuple(st.session_state.get(_REASONS) or ()) if verdict != "approve" else ()
    typed = str(st.session_state.get(_COUNT) or "").strip()
    problem = _problem(verdict, reasons, note, typed, fit)
    if problem is not None:
        problem()
        return
    try:
        made = review.bulk(
            workspace.catalog(),
            name,
            fit,
            str(verdict),
            seen=picks.seen(),
            typed_count=int(typed),
            reasons=reasons,
            note=note,
            ui_version=UI_VERSION,
        )
    except CatalogError as error:
        lines.say(SCREEN, "grid.refused", "warning", detail=told(error))
        return
    picks.drop(fit)
    for field in (_NOTE, _COUNT):
        st.session_state[field] = ""
    st.session_state[_REASONS] = []
    lines.say(SCREEN, f"grid.done_{verdict}", count=len(made))


def _problem(
    verdict: str | None, reasons: Sequence[str], note: str, typed: str, fit: Sequence[int]
) -> Callable[[], None] | None:
    """Return what says why nothing can be decided yet, in the person's language; the service checks all of it again."""

    def says(key: str, **values: object) -> Callable[[], None]:
        return lambda: lines.say(SCREEN, key, "warning", **values)

    wanted = picks.sample(fit)
    opened = len(picks.seen() & set(wanted))
    if verdict is None:
        return says("grid.no_verdict")
    if verdict == "reject" and not reasons:
        return says("grid.no_reason")
    if verdict == "changes" and not reasons and not note:
        return says("grid.no_wish")
    if opened < len(wanted):
        return says("grid.not_opened", opened=opened, total=len(wanted))
    if not (typed.isascii() and typed.isdigit()) or int(typed) != len(fit):
        return says("grid.wrong_count", count=len(fit), typed=typed or "–")
    return None


def _picked(t: Translator, count: int) -> str:
    hint = "" if count else f"<p>{escape(t('grid.pick_some'))}</p>"
    return f'<div class="bulk"><h2>{escape(t("grid.picked", count=f"{count:,}"))}</h2>{hint}</div>'
