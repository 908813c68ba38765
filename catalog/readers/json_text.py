"""JSON text to plain values that everything behind it can walk and a database can keep."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 100
"""Levels of lists and objects; no catalogue has a dozen, and what walks a value calls itself once or twice a level."""
MAX_VALUES = 50_000_000
"""A mebibyte of empty lists becomes 40 in memory."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE = re.compile(r"[\ud800-\udfff]")


def parse_json(text: str, *, strict: bool = True) -> Any:
    """Parse JSON with numbers as they are written and without lone surrogates, which no database takes.

    Args:
        text: The document.
        strict: Whether line breaks inside texts are errors, as the format has it.

    Raises:
        ValueError: It is none, nested deeper than `MAX_DEPTH`, or of more than `MAX_VALUES` values.
    """
    if len(text) > MAX_VALUES and sum(map(text.count, "{[,")) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES:,} values; split it")
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, strict=strict)
    except RecursionError as error:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from error
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for node in level for item in _children(node) if isinstance(item, (dict, list))]
        if not level:
            break
    else:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return _encodable(value) if _SURROGATE.search(text) else value


def _children(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value
