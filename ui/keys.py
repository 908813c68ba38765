"""Which key does what on the review screen: the defaults, one person's own keys, and what cannot be a key."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

SETTING = "keys"
"""Name of the setting that keeps a person's own keys."""
DEFAULT_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "approve": "a",
        "reject": "x",
        "changes": "g",
        "skip": "s",
        "undo": "u",
        "flag": "f",
        "note": "n",
        "flicker": "b",
        "mode": "v",
    }
)
"""Action → key that a person may change."""
FIXED_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "reasons": "1–9",
        "zoom": "+ −",
        "fit": "0",
        "previous": "←",
        "next": "→",
        "help": "?",
        "leave": "Esc",
    }
)
"""Action → keys that stay as they are, as they are written in the help."""
BROWSER_KEYS = frozenset("cr")
"""Copy and reload: with these keys on a decision, a slip with Ctrl would cost one or the other."""
_TAKEN_KEYS = frozenset("0123456789+-=?")


class KeyRefused(ValueError):  # noqa: N818 - like the errors of `catalog.errors`
    """A key cannot do what was asked; `message` and `values` say why in the strings of the screen."""

    def __init__(self, message: str, **values: str) -> None:
        super().__init__(f"{message} {values}")
        self.message = message
        self.values = values


def keys_of(stored: Any) -> dict[str, str]:
    """Return every action's key for a person.

    Args:
        stored: What was kept: action → key, or None. A store that somebody edited by hand is not trusted: with
            anything in it that `changed` would refuse, the defaults hold.
    """
    keys = dict(DEFAULT_KEYS)
    if not isinstance(stored, Mapping):
        return keys
    for action, key in stored.items():
        if action not in DEFAULT_KEYS or not isinstance(key, str) or _refusal(key) is not None:
            return dict(DEFAULT_KEYS)
        keys[action] = key
    return keys if len(set(keys.values())) == len(keys) else dict(DEFAULT_KEYS)


def changed(keys: Mapping[str, str], action: str, key: str) -> dict[str, str]:
    """Return the keys with another one for `action`.

    Raises:
        KeyRefused: No such action, no single letter, a key of the browser or of the screen, or another action has it.
    """
    key = key.lower()
    refusal = _refusal(key)
    if action not in DEFAULT_KEYS:
        raise KeyRefused("keys.no_action", action=action)
    if refusal is not None:
        raise KeyRefused(refusal, letter=key.upper())
    holder = next((other for other, held in keys.items() if held == key and other != action), None)
    if holder is not None:
        raise KeyRefused("keys.collision", letter=key.upper(), action=holder)
    return {**keys, action: key}


def own_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """Return only what differs from the defaults, to be stored."""
    return {action: key for action, key in keys.items() if DEFAULT_KEYS[action] != key}


def _refusal(key: str) -> str | None:
    """Return the string that says why a key cannot be used, None when it can."""
    if key in BROWSER_KEYS:
        return "keys.browser"
    if key in _TAKEN_KEYS:
        return "keys.taken"
    if len(key) != 1 or not key.isascii() or not key.isalpha():
        return "keys.no_letter"
    return None
