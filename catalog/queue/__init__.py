"""Look at the review queue and the decision log; nothing here changes anything."""

from catalog.queue.counts import progress
from catalog.queue.history import decision_query, decisions, read_decisions, visible_to
from catalog.queue.items import (
    item,
    items,
    picture_size,
    read_item,
    read_items,
    require_run,
    specification,
    unknown_item,
)

__all__ = [
    "decision_query",
    "decisions",
    "item",
    "items",
    "picture_size",
    "progress",
    "read_decisions",
    "read_item",
    "read_items",
    "require_run",
    "specification",
    "unknown_item",
    "visible_to",
]
