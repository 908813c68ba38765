"""Columns that say nothing about how a product looks: what a shop does with it, identifiers, addresses and dates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalog.phrases import say
from catalog.readers import headers

BY_NAME, BY_CONTENT, GUESS = 0.9, 0.7, 0.5
"""How sure a conclusion is that no file proves."""
IMAGE_WORDS = frozenset({"image", "images", "photo", "photos", "picture", "pictures", "asset", "assets", "画像"})
NOT_A_LINK = frozenset(
    {
        *("alt", "label", "labels", "position", "width", "height", "type", "credit"),
        *("caption", "count", "id", "sort", "order", "is"),
    }
)
"""Words of columns about a picture that do not name it."""
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d\S*)?|\d{1,4}/\d{1,2}/\d{1,4}(?: \d\d?:\d\d\S*)?")
_DROP_WORDS = frozenset(
    {
        *("price", "stock", "tax", "inventory", "shipping", "cost", "qty", "seo"),
        *("meta", "rating", "ratings", "review", "reviews", "created", "modified", "updated"),
        *("creator", "scraped", "url", "states"),
    }
)
_SWITCH_WORDS = frozenset(
    {
        *("active", "featured", "enabled", "visible", "published", "default", "deleted", "discontinued"),
        *("taxable", "available", "availability", "sellable", "allow", "allowed", "track", "show"),
        *("new", "live", "public"),
    }
)
"""Words of columns that, with truth values in them, say what the shop does and not what the product is."""
_TRUTH = frozenset({"true", "false", "yes", "no", "0", "1", "t", "f", "y", "n", "on", "off"})
_SYSTEM_TYPES = frozenset(
    {
        *("simple", "variable", "configurable", "grouped", "virtual", "downloadable", "bundle", "combo", "goods"),
        *("stockable product", "storable product", "consumable", "service", "product", "consu", "standard", "physical"),
    }
)
"""What shop systems call the types of a product, which is no category."""
_CODES = frozenset({"code", "number", "guid", "uuid"})
_ADDRESS = re.compile(r"(?:https?:)?//\S+|www\.\S+", re.I)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_NEARLY_UNIQUE, _FEWEST_CODES = 0.8, 3


def why_left_out(header: str, role: str, values: Sequence[str], rows: int) -> tuple[str, float] | None:
    """Return why a column states no fact and how sure that is; None for one that may state facts.

    Args:
        header: Its name.
        role: What its name stands for, or "".
        values: Its filled cells.
        rows: How many rows they were taken from.
    """
    words = headers.words(header)
    if role == "drop" or set(words) & _DROP_WORDS or _is_switch(words, values):
        return say("left out: nothing a picture shows"), BY_NAME
    if words[-1:] == ("id",) or role in ("parent", "sku") or _is_code(words, values, rows):
        return say("left out: an identifier"), BY_CONTENT
    if set(words) & IMAGE_WORDS and set(words) & NOT_A_LINK:
        return say("left out: about a picture"), BY_NAME
    if _are_all(values, _ADDRESS) or _are_all(values, DATE):
        return say("left out: addresses or dates"), BY_CONTENT
    if role == "category" and is_system_type(values):
        return say("left out: what the shop system calls its type"), BY_NAME
    if role == "image":
        return say("left out: no value is a picture of this dump"), BY_CONTENT
    return None


def is_system_type(values: Sequence[str]) -> bool:
    """Whether all values are what shop systems call the types of a product."""
    return all(value.casefold() in _SYSTEM_TYPES for value in values)


def _is_switch(words: Sequence[str], values: Sequence[str]) -> bool:
    return bool(set(words) & _SWITCH_WORDS) and all(value.casefold() in _TRUTH for value in values)


def _is_code(words: Sequence[str], values: Sequence[str], rows: int) -> bool:
    """Whether a column tells products apart by codes: nearly every value is another one."""
    distinct = len(values) >= _FEWEST_CODES and len(set(values)) >= _NEARLY_UNIQUE * rows
    return (distinct and bool(_CODES & set(words[-1:]))) or _are_all(values, _UUID)


def _are_all(values: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return all(pattern.fullmatch(value) for value in values)
