"""What the browser's messages do: each one becomes one call of a service, or a line that says why not.

A message names the item it is about. One about another item than the tab holds is late: its picture has gone, and it
does nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from catalog import flags, people, queue, review
from catalog.errors import CatalogError, ReviewRefused
from catalog.phrases import told
from catalog.records import ReviewItem
from ui import identity, keys, state, workspace

UI_VERSION = "2"
Message = Mapping[str, Any]


def _shown(message: Message) -> None:
    """The picture is loaded and on screen: from now on a decision may count."""
    _mark(message, loaded=True)


def _failed(message: Message) -> None:
    """The picture cannot be loaded: it may be skipped or rejected, never approved."""
    _mark(message, loaded=False)


def _mark(message: Message, *, loaded: bool) -> None:
    item = _item_of(message)
    if item is not None:
        shown_at = review.mark_shown(workspace.catalog(), item.id, item.lease_token or "")
        state.note_shown(item, shown_at, loaded=loaded)


def _decide(message: Message) -> None:
    item = _item_of(message)
    if item is None:
        return
    verdict = str(message.get("verdict"))
    if verdict == "approve" and not state.picture_loaded(item):
        state.notify("message.not_loaded", "warning")
        return
    made = review.decide(
        workspace.catalog(),
        item.id,
        item.lease_token or "",
        verdict,
        reasons=_codes(message),
        note=str(message.get("note", "")),
        checks=_checks(message),
        ui_version=UI_VERSION,
    )
    if made.repeated:
        state.notify("message.already")
    elif verdict == "changes":
        leads = identity.may(identity.current(), "adjudicate")
        state.notify("message.asked_again" if leads else "message.asked_again_of_lead")
    state.leave(item)
    state.set_claim(None)


def _undo(message: Message) -> None:
    """Take back a decision of the list, or the last one, and put its picture on screen again."""
    held, decision_id = state.current_claim(), message.get("decision")
    undone = review.undo(
        workspace.catalog(),
        state.reviewer() or "",
        decision_id=decision_id if isinstance(decision_id, int) else None,
    )
    state.notify("message.undone")
    state.forget_drawn()
    state.look_at(None)
    if undone.claimed is None:
        state.notify("message.undone_held")
        return
    if held is not None and held.id != undone.claimed.id:
        review.release(workspace.catalog(), held.id, held.lease_token or "")
        state.leave(held)
    state.set_claim(undone.claimed)


def _renew(message: Message) -> None:
    """Hold the item longer; the browser asks for it only while somebody works in the tab."""
    item = _item_of(message)
    if item is not None:
        state.change_claim(lease_until=review.renew(workspace.catalog(), item.id, item.lease_token or ""))


def _flag(message: Message) -> None:
    item = _item_of(message)
    if item is not None:
        wanted = bool(message.get("on"))
        flagged = flags.set_flag(workspace.catalog(), state.reviewer() or "", item.id, item.lease_token or "", wanted)
        state.change_claim(flagged=flagged)
        state.forget_drawn()
        state.notify("message.flagged" if flagged else "message.unflagged")


def _look(message: Message) -> None:
    """Show an own earlier decision instead of the held item, or the held item again."""
    decision_id = message.get("decision")
    state.look_at(decision_id if isinstance(decision_id, int) else None)


def _again(message: Message) -> None:
    """Offer what was skipped, too, from now on."""
    st.session_state[state.WITH_SKIPPED] = True


def _refresh(message: Message) -> None:
    """Look for new pictures: the run that follows does."""
    state.forget_drawn()


def _remap(message: Message) -> None:
    """Give an action another key, or all of them their first ones."""
    catalog, name = workspace.catalog(), state.reviewer() or ""
    person = people.person(catalog, name)
    kept = {} if person is None else dict(person.settings)
    now = keys.keys_of(kept.get(keys.SETTING))
    if message.get("reset"):
        now = dict(keys.DEFAULT_KEYS)
    else:
        now = keys.changed(now, str(message.get("action")), str(message.get("key")))
    people.save_settings(catalog, name, settings={**kept, keys.SETTING: keys.own_keys(now)})
    state.forget_drawn()
    state.notify("keys.saved")


def lose(item: ReviewItem) -> None:
    """Deal with a claim that ended: take the same item again if nobody has it, else let it go.

    What the reviewer typed stays in the browser, which shows it when another item comes.
    """
    state.set_claim(None)
    try:
        state.set_claim(review.claim(workspace.catalog(), state.reviewer() or "", item_id=item.id))
        state.notify("message.lease_back", "warning")
    except ReviewRefused:
        state.notify("message.lease_taken" if _is_held(item.id) else "message.lease_lost", "warning")


def _is_held(item_id: int) -> bool:
    """Say whether somebody holds an item; nobody holds one that was pruned."""
    try:
        return queue.item(workspace.catalog(), item_id).lease_owner is not None
    except ReviewRefused:
        return False


def _item_of(message: Message) -> ReviewItem | None:
    """Return the held item when the message is about it and not about one that has gone."""
    item = state.current_claim()
    return item if item is not None and item.id == message.get("item") and state.past() is None else None


def _codes(message: Message) -> tuple[str, ...]:
    reasons = message.get("reasons")
    return tuple(str(code) for code in reasons) if isinstance(reasons, list) else ()


def _checks(message: Message) -> dict[str, str]:
    checks = message.get("checks")
    return {str(name): str(verdict) for name, verdict in checks.items()} if isinstance(checks, dict) else {}


def _guarded(move: Callable[[Message], None], message: Message) -> None:
    """Run a move; what the rules refuse becomes a line on the screen and nothing else."""
    item = state.current_claim()
    try:
        move(message)
    except review.TooFast:
        state.notify("message.too_fast", "warning")
    except review.LeaseLost:
        if item is not None:
            lose(item)
    except review.AlreadyChanged:
        state.notify("message.superseded", "warning")
    except review.NothingToUndo:
        state.notify("message.nothing_to_undo")
    except review.PictureMissing:
        state.notify("picture.missing", "warning")
    except keys.KeyRefused as refused:
        values = dict(refused.values)
        if refused.message == "keys.collision":
            values["action"] = state.translator()(f"action.{values['action']}")
        state.notify(refused.message, "warning", **values)
    except CatalogError as error:
        state.notify("message.refused", "warning", detail=told(error))


# What tells the reviewer nothing leaves the line of the message before where it is.
_SILENT = ("shown", "renew")
_HANDLERS: Mapping[str, Callable[[Message], None]] = {
    "shown": _shown,
    "failed": _failed,
    "decide": _decide,
    "undo": _undo,
    "renew": _renew,
    "flag": _flag,
    "look": _look,
    "again": _again,
    "refresh": _refresh,
    "remap": _remap,
}


def receive(event: str, message: object) -> None:
    """Handle one message of the browser, whatever is in it."""
    if event not in _SILENT:
        state.clear_notice()
    if isinstance(message, Mapping):
        _guarded(_HANDLERS[event], message)


MOVES = tuple(_HANDLERS)
"""Names of the messages."""
