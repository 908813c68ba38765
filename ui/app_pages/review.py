"""The review screen: one picture, the nearest real photo, the record, a decision.

Order matters: the picture is drawn before the buttons, and each button's key holds the item's number, so a key pressed
for a picture that has gone reaches nothing. Whether a decision counts is up to `catalog.review`, never to this page.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from catalog import queue, review
from catalog.errors import CatalogError
from catalog.policy import DEFAULT_POLICY, REJECT_REASONS
from catalog.records import ReviewItem
from ui import components, image_route, state, workspace
from ui.i18n import Translator

UI_VERSION = "1"
STRIP = 5
"""Decisions in the list of the last ones."""
RENEW_EVERY_S = 60


def page() -> None:
    """Draw the screen."""
    t, name = state.translator(), state.reviewer() or ""
    item = _claimed(name)
    _top(t, name)
    left, right = st.columns([10, 4], gap="medium")
    if item is None:
        with left:
            _nothing_left(t, name)
    else:
        with left:
            shown = _pictures(t, item)
        with right:
            _record(t, item)
        with left:
            _notice(t)
            _actions(t, item, can_approve=shown)
            _keep_lease(item.id)
    with right:
        _strip(t, name)


def _claimed(name: str) -> ReviewItem | None:
    """Return the item this tab holds, claiming the next one when it holds none or lost it."""
    catalog, item = workspace.catalog(), state.current_claim()
    if item is not None:
        now = queue.item(catalog, item.id)
        live = now.lease_until is not None and now.lease_until > datetime.now(UTC)
        if now.lease_token == item.lease_token and live:
            return item
        state.set_claim(None)
        state.notify("message.lease_lost", "warning")
    taken = review.claim(catalog, name, include_skipped=bool(st.session_state.get(state.WITH_SKIPPED)))
    state.set_claim(taken)
    return taken


def _top(t: Translator, name: str) -> None:
    counts = queue.progress(workspace.catalog(), name)
    left, right = st.columns([8, 1.25], vertical_alignment="center")
    with left:
        st.html(components.top_bar(t, counts, name))
    with right:
        components.language_switch(t)
    st.html(components.progress_track(t, counts))


def _pictures(t: Translator, item: ReviewItem) -> bool:
    """Draw the candidate and the nearest photo; return whether the candidate could be shown."""
    catalog, visitor = workspace.catalog(), st.context.cookies.get(image_route.COOKIE)
    there = image_route.intact(catalog, item.image_sha256)
    left, right = st.columns(2, gap="medium")
    with left:
        address = image_route.address(item.image_sha256, visitor) if there else None
        size = queue.picture_size(catalog, item.image_sha256)
        st.html(components.generated_picture(t, item, address, size))
    with right:
        nearest = item.nearest_sha256
        known = nearest is not None and image_route.intact(catalog, nearest)
        st.html(components.nearest_picture(t, item, image_route.address(nearest or "", visitor) if known else None))
    if item.lease_token is not None:
        _guarded(lambda: review.mark_shown(catalog, item.id, item.lease_token or ""))
    return there


def _record(t: Translator, item: ReviewItem) -> None:
    spec = queue.specification(workspace.catalog(), item.id)
    limit = DEFAULT_POLICY.copy_similarity if DEFAULT_POLICY.copy_risk(item.nearest_similarity) else None
    st.html(components.record(t, item, spec, limit))


def _actions(t: Translator, item: ReviewItem, *, can_approve: bool) -> None:
    with st.container(horizontal=True, gap="small", key="actions"):
        st.button(
            t("action.approve"),
            key=f"approve-{item.id}",
            icon=":material/check:",
            type="primary",
            shortcut="a",
            disabled=not can_approve,
            on_click=_decide,
            args=(item, "approve"),
            width=190,
        )
        st.button(
            t("action.reject"),
            key=f"reject-{item.id}",
            icon=":material/close:",
            shortcut="x",
            on_click=_reject,
            args=(item,),
            width=170,
        )
        st.button(
            t("action.skip"),
            key=f"skip-{item.id}",
            icon=":material/arrow_forward:",
            shortcut="s",
            on_click=_decide,
            args=(item, "skip"),
            width=170,
        )
        _undo_button(t, f"undo-{item.id}")
    rejecting = bool(st.session_state.get(state.REJECTING))
    ask = t("action.choose_reason") if rejecting else t("action.reasons")
    st.html(f'<div class="ask {"" if rejecting else "plain"}" role="status">{ask}</div>')
    with st.container(horizontal=True, gap="xsmall", key="reasons"):
        for number, code in enumerate(REJECT_REASONS, start=1):
            picked = code in state.reasons()
            st.button(
                f"✓ {t(f'reason.{code}')}" if picked else t(f"reason.{code}"),
                key=f"reason-{code}-{item.id}",
                shortcut=str(number),
                type="primary" if picked else "secondary",
                on_click=_pick,
                args=(item, code),
            )


def _undo_button(t: Translator, key: str) -> None:
    st.button(
        t("action.undo"), key=key, icon=":material/undo:", shortcut="u", type="tertiary", on_click=_undo, args=(None,)
    )


def _nothing_left(t: Translator, name: str) -> None:
    counts = queue.progress(workspace.catalog(), name)
    _notice(t)
    with st.container(border=True, key="empty"):
        st.html(f'<h2 style="font-size:1.2rem;margin:0">{t("message.empty")}</h2>')
        st.write(t("message.empty_detail" if counts.total else "message.empty_new"))
        if counts.skipped_by_me:
            st.write(t("message.skipped", count=counts.skipped_by_me))
            st.button(t("action.again"), key="again", type="primary", on_click=_show_skipped)
        with st.container(horizontal=True):
            st.button(t("action.check"), key="check", icon=":material/refresh:")
            _undo_button(t, "undo-empty")


def _strip(t: Translator, name: str) -> None:
    # Twice as many rows: those that only say that something was undone are not shown.
    rows = queue.decisions(workspace.catalog(), reviewer=name, limit=2 * STRIP)
    made = [decision for decision in rows if decision.verdict != "void"][:STRIP]
    st.html(f'<div class="head">{t("history.title") if made else t("history.none")}</div>')
    visitor = st.context.cookies.get(image_route.COOKIE)
    for decision in made:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"last-{decision.id}"):
            address = image_route.address(decision.image_sha256, visitor, "thumbnail")
            st.html(components.last_decision(t, decision, address))
            if not decision.superseded:
                st.button(
                    t("action.undo"),
                    key=f"undo-decision-{decision.id}",
                    help=t("history.undo", name=decision.product_name),
                    type="tertiary",
                    on_click=_undo,
                    args=(decision.id,),
                )


def _notice(t: Translator) -> None:
    notice = state.take_notice()
    if notice is not None:
        st.html(components.note(t(notice.key, **notice.values), notice.kind))


@st.fragment(run_every=RENEW_EVERY_S)
def _keep_lease(item_id: int) -> None:
    """Renew the claim while the picture stays open in a live tab."""
    item = state.current_claim()
    if item is not None and item.id == item_id and item.lease_token is not None:
        _guarded(lambda: review.renew(workspace.catalog(), item.id, item.lease_token or ""))


# --- what a key does --------------------------------------------------------------------------------


def _decide(item: ReviewItem, verdict: str, reasons: tuple[str, ...] = ()) -> None:
    def send() -> None:
        made = review.decide(
            workspace.catalog(), item.id, item.lease_token or "", verdict, reasons=reasons, ui_version=UI_VERSION
        )
        if made.repeated:
            state.notify("message.already")
        state.set_claim(None)

    _guarded(send)


def _reject(item: ReviewItem) -> None:
    if state.reasons():
        _decide(item, "reject", state.reasons())
    else:
        st.session_state[state.REJECTING] = True


def _pick(item: ReviewItem, code: str) -> None:
    """Take a reason: after X it rejects at once, before X it is kept, a second time it is dropped."""
    if st.session_state.get(state.REJECTING):
        _decide(item, "reject", (code,))
    elif code in state.reasons():
        st.session_state[state.REASONS] = tuple(other for other in state.reasons() if other != code)
    else:
        st.session_state[state.REASONS] = (*state.reasons(), code)


def _undo(decision_id: int | None) -> None:
    def send() -> None:
        held = state.current_claim()
        undone = review.undo(workspace.catalog(), state.reviewer() or "", decision_id=decision_id)
        state.notify("message.undone")
        if undone.claimed is not None:
            if held is not None and held.id != undone.claimed.id:
                review.release(workspace.catalog(), held.id, held.lease_token or "")
            state.set_claim(undone.claimed)

    _guarded(send)


def _show_skipped() -> None:
    st.session_state[state.WITH_SKIPPED] = True


def _guarded(move: Callable[[], object]) -> None:
    """Run a move; what the rules refuse becomes a line on the screen and nothing else."""
    try:
        move()
    except review.TooFast:
        state.notify("message.too_fast", "warning")
    except review.LeaseLost:
        state.set_claim(None)
        state.notify("message.lease_lost", "warning")
    except review.AlreadyChanged:
        state.notify("message.superseded", "warning")
    except review.NothingToUndo:
        state.notify("message.nothing_to_undo")
    except review.PictureMissing:
        state.notify("picture.missing", "warning")
    except CatalogError as error:
        state.notify("message.refused", "warning", detail=str(error))


page()
