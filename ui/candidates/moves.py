"""What the browser's messages do on the compare screen: each one becomes one call of a service, or a line.

A message names the candidates it is about. One about others than the tab holds is late: its pictures have gone, and it
does nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from catalog import queue, review
from catalog.errors import CatalogError
from catalog.phrases import told
from ui import lines, state, workspace
from ui.candidates import held
from ui.candidates.held import SCREEN

UI_VERSION = "compare 1"
Message = Mapping[str, Any]
# What tells the reviewer nothing leaves the line of the message before where it is.
_SILENT = ("shown", "renew")


def receive(event: str, message: object) -> None:
    """Handle one message of the browser, whatever is in it."""
    if event not in _SILENT:
        lines.clear(SCREEN)
    if isinstance(message, Mapping):
        try:
            _HANDLERS[event](message)
        except review.TooFast:
            lines.say(SCREEN, "message.too_fast", "warning")
        except review.LeaseLost:
            held.give_back()
            lines.say(SCREEN, "message.lease_lost", "warning")
        except review.NothingToUndo:
            lines.say(SCREEN, "message.nothing_to_undo")
        except review.AlreadyChanged:
            lines.say(SCREEN, "message.superseded", "warning")
        except review.PictureMissing:
            lines.say(SCREEN, "compare.missing", "warning")
        except CatalogError as error:
            lines.say(SCREEN, "message.refused", "warning", detail=told(error))


def _shown(message: Message) -> None:
    """All candidates are loaded and on screen."""
    if _about_held(message.get("items")):
        held.note_shown(item.id for item in held.current())


def _failed(message: Message) -> None:
    """One picture cannot be loaded: it cannot be compared, and nobody may choose it."""
    item_id = message.get("item")
    if any(item.id == item_id for item in held.current()):
        held.leave_out(int(item_id or 0))
        lines.say(SCREEN, "compare.missing", "warning")


def _choose(message: Message) -> None:
    items, chosen = held.current(), message.get("item")
    if not _about_held(message.get("of")) or chosen not in [item.id for item in items]:
        return
    if held.shown_items() != {item.id for item in items}:
        lines.say(SCREEN, "compare.not_loaded", "warning")
        return
    others = [item.id for item in items if item.id != chosen]
    catalog = workspace.catalog()
    made = review.choose(catalog, state.reviewer() or "", int(chosen or 0), others, ui_version=UI_VERSION)
    held.remember(made[0].id, items[0].product_id)
    held.forget()
    settled = queue.item(catalog, made[0].item_id).state != "pending"
    lines.say(SCREEN, "compare.chosen" if settled else "compare.chosen_more", name=made[0].product_name)


def _pass(message: Message) -> None:
    """Go on to another product; nothing is decided."""
    if held.current() and _about_held(message.get("of")):
        product = held.current()[0].product_id
        held.give_back()
        held.pass_over(product)


def _undo(message: Message) -> None:
    """Take back the last choice of this tab and compare its candidates again."""
    last = held.take_last()
    if last is None:
        lines.say(SCREEN, "message.nothing_to_undo")
        return
    decision_id, product_id = last
    undone = review.undo(workspace.catalog(), state.reviewer() or "", decision_id=decision_id)
    if undone.claimed is not None:
        review.release(workspace.catalog(), undone.claimed.id, undone.claimed.lease_token or "")
    held.give_back()
    held.want(product_id)
    lines.say(SCREEN, "compare.undone")


def _renew(message: Message) -> None:
    if _about_held(message.get("of")):
        held.renew()


def _again(message: Message) -> None:
    held.offer_passed_again()


def _about_held(numbers: object) -> bool:
    """Say whether a message is about exactly what this tab holds."""
    return isinstance(numbers, list) and sorted(map(str, numbers)) == sorted(str(item.id) for item in held.current())


_HANDLERS: Mapping[str, Callable[[Message], None]] = {
    "shown": _shown,
    "failed": _failed,
    "choose": _choose,
    "pass": _pass,
    "undo": _undo,
    "renew": _renew,
    "again": _again,
}
MOVES = tuple(_HANDLERS)
"""Names of the messages."""
