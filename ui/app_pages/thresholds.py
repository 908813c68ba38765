"""The threshold desk: what a threshold would do, seen on past decisions before it is set. It only ever rejects."""

from dataclasses import replace
from functools import partial

import streamlit as st

from catalog import freshness, policies, review, thresholds
from catalog.errors import CatalogError
from catalog.freshness import Mark
from catalog.policy import MIN_AUDIT_SHARE, Policy
from catalog.store import Catalog
from catalog.thresholds import ScoreHistory
from ui import address, components, identity, image_route, labels, notices, state, tables, workspace
from ui import thresholds as pieces
from ui.i18n import Translator
from ui.identity import Person

SCORE = "score"
NOTE = "policy_note"
COUNTED = "thresholds_counted"
PLACE = "thresholds_place"
SAVE, APPLY = "save", "apply"
"""Where the line about the last press of a button stands."""
HISTORIES_KEPT = 4
"""Scores whose past is kept in memory for everybody who looks at them."""


def page() -> None:
    """Draw the screen."""
    t, person, catalog = state.translator(), identity.require(), workspace.catalog()
    st.html(tables.STYLE)
    st.html(tables.heading(t("app.page_thresholds"), t("thresholds.never"), t("thresholds.what")))
    policy = policies.current(catalog)
    names = thresholds.names(catalog)
    if names:
        address.seed(SCORE, names, next(iter(names)))
        score = st.selectbox(
            t("thresholds.score"),
            list(names),
            key=SCORE,
            format_func=partial(labels.score, t),
            width=360,
            on_change=address.keep,
            args=(SCORE,),
        )
        past = _history(catalog, str(catalog.workspace), score, freshness.mark(catalog))
        _desk(t, past, names[score])
        _save_form(t, person, past)
    else:
        st.html(tables.aside(t("thresholds.no_scores")))
    st.html(tables.part(t("thresholds.rules")))
    st.html(pieces.in_force(t, policy))
    if policy.auto_reject:
        _apply(t, person, policy.version)
    _notice(t, APPLY)
    st.html(pieces.versions(t, policies.versions(catalog)))


@st.fragment
def _desk(t: Translator, past: ScoreHistory, ends: tuple[float, float]) -> None:
    """Draw what changes with the sliders; the page around them stays, and the past is read no second time."""
    catalog, score = workspace.catalog(), past.score
    set_now = past.policy.auto_reject.get(score)
    scale = pieces.scale(*ends, *(() if set_now is None else (set_now,)))
    left, right = st.columns(2, gap="large")
    with left:
        threshold = st.slider(
            t("thresholds.slider"),
            scale.low,
            scale.high,
            round(scale.low if set_now is None else set_now, scale.decimals),
            scale.step,
            format=f"%.{scale.decimals}f",
            key=_threshold_key(score),
            help=t("thresholds.slider_help"),
        )
    with right:
        percent = st.slider(
            t("thresholds.share_slider"),
            round(100 * MIN_AUDIT_SHARE),
            100,
            round(100 * past.policy.audit_share),
            key=_share_key(score),
            format="%d%%",
            help=t("thresholds.share_help"),
        )
    found = past.preview(threshold, audit_share=percent / 100)
    st.html(pieces.figures(t, found, percent / 100))
    st.html(tables.part(t("thresholds.borderline"), t("thresholds.borderline_what", value=scale.text(threshold))))
    visitor = st.context.cookies.get(image_route.COOKIE)

    def address(sha256: str) -> str | None:
        there = image_route.intact(catalog, sha256)
        return image_route.address(sha256, visitor, "preview") if there else None

    st.html(pieces.borderline(t, thresholds.borderline_items(catalog, found), score, address))


def _save_form(t: Translator, person: Person, past: ScoreHistory) -> None:
    st.html(tables.part(t("thresholds.save_title")))
    if not identity.may(person, "policy"):
        st.html(tables.aside(t("thresholds.read_only")))
        return
    version, score = past.policy.version, past.score
    st.text_input(
        t("thresholds.note_label"), key=NOTE, max_chars=policies.NOTE_MAX_CHARS, placeholder=t("thresholds.note_hint")
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            t("thresholds.save", version=version + 1),
            key="save-threshold",
            type="primary",
            on_click=_save,
            args=(person.name, score, version, True),
        )
        if score in past.policy.auto_reject:
            st.button(
                t("thresholds.remove"),
                key="remove-threshold",
                on_click=_save,
                args=(person.name, score, version, False),
            )
    _notice(t, SAVE)


def _apply(t: Translator, person: Person, version: int) -> None:
    """Offer to apply the thresholds; the first click counts what that would do, the second does it."""
    st.html(tables.aside(t("thresholds.apply_what")))
    if not identity.may(person, "policy"):
        return
    low, counted_for = st.session_state.get(COUNTED, (None, None))
    if low is None or counted_for != version:
        st.button(t("thresholds.apply"), key="apply-thresholds", on_click=_count, args=(version,))
    else:
        counts = {"free": f"{low.free:,}", "held": f"{low.held:,}"}
        st.html(components.note(t("thresholds.confirm_what", **counts), "warning"))
        with st.container(horizontal=True, gap="small"):
            st.button(
                t("thresholds.confirm", count=counts["free"]),
                key="confirm-thresholds",
                type="primary",
                on_click=_screen,
                args=(person.name, version),
            )
            st.button(t("thresholds.leave"), key="leave-thresholds", on_click=_leave)


def _notice(t: Translator, place: str) -> None:
    """Draw what became of the last press of a button beside that button."""
    if st.session_state.get(PLACE) == place:
        notices.show(t)


def _save(name: str, score: str, seen_version: int, keep: bool) -> None:
    """Save the threshold on the slider, or take it back; refused when the rules changed since they were shown."""
    st.session_state[PLACE] = SAVE
    note = str(st.session_state.get(NOTE, "")).strip()
    if not note:
        notices.say("thresholds.note_missing", "warning")
        return
    catalog = workspace.catalog()
    rules = policies.current(catalog)
    if rules.version != seen_version:
        notices.say("thresholds.changed_since", "warning", version=rules.version)
        return

    def send() -> None:
        saved = policies.save(catalog, name, _changed(rules, score, keep), note)
        notices.say("thresholds.saved", version=saved.version)
        st.session_state[NOTE] = ""

    notices.guarded("thresholds.not_saved", send)


def _changed(rules: Policy, score: str, keep: bool) -> Policy:
    others = {name: value for name, value in rules.auto_reject.items() if name != score}
    chosen = {score: float(st.session_state[_threshold_key(score)])} if keep else {}
    percent: int = st.session_state[_share_key(score)]
    # The slider knows whole percents; a share between two of them stays unless the slider was moved.
    share = rules.audit_share if percent == round(100 * rules.audit_share) else percent / 100
    return replace(rules, auto_reject=others | chosen, audit_share=share)


def _count(version: int) -> None:
    """Count what the thresholds would reject; nothing is asked where that is nothing."""
    st.session_state[PLACE] = APPLY
    low = review.under_thresholds(workspace.catalog())
    if low.free:
        st.session_state[COUNTED] = (low, version)
    else:
        notices.say("thresholds.nothing_low", held=f"{low.held:,}")


def _leave() -> None:
    st.session_state.pop(COUNTED, None)


def _screen(name: str, seen_version: int) -> None:
    """Apply the thresholds that were counted for; refused when the rules changed since."""
    st.session_state[PLACE] = APPLY
    _leave()
    catalog = workspace.catalog()
    version = policies.current(catalog).version
    if version != seen_version:
        notices.say("thresholds.changed_meanwhile", "warning", version=version)
        return
    try:
        rejected = review.screen(catalog, name)
    except CatalogError as error:
        notices.refuse("thresholds.not_applied", error)
    else:
        held = review.under_thresholds(catalog).held
        notices.say("thresholds.applied", count=f"{rejected:,}", held=f"{held:,}")


def _threshold_key(score: str) -> str:
    return f"threshold-{score}"


def _share_key(score: str) -> str:
    return f"audit-share-{score}"


@st.cache_resource(max_entries=HISTORIES_KEPT, show_spinner=False)
def _history(_catalog: Catalog, place: str, score: str, mark: Mark) -> ScoreHistory:
    """Read a score's past once for all who look at it, until something is decided or queued."""
    return thresholds.history(_catalog, score)


page()
