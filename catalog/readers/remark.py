"""Rows below a table that are no products: remarks such as `※サイズは実測です` or `* prices incl. tax`, and totals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalog.paths import IMAGE_SUFFIXES

_MARKED = re.compile(r"[※*＊†‡]|(?:注|備考|注意|note|hinweis|anmerkung)\s*[:：]", re.I)
_TOTAL = re.compile(r"(?:(?:grand |sub)?total|summe|gesamt(?:summe)?|zwischensumme|合計|小計|総計|計)\s*[:：]?", re.I)
_NUMBER = re.compile(r"[\d.,\s%¥$€£-]*\d[\d.,\s%¥$€£円-]*")
_SENTENCE_END = ("。", ".", "!", "！")
_FEWEST_WORDS, _FEWEST_SIGNS = 4, 12
_KANA = re.compile(r"[\u3041-\u3096]")
"""Hiragana, which names of products rarely need and sentences always do."""


def is_remark(cells: Sequence[str]) -> bool:
    """Whether a row of a table of several columns holds nothing but a sentence, or a total with its numbers."""
    if len(cells) < 2:
        return False
    found = (index for index, cell in enumerate(cells) if cell.strip())
    if (place := next(found, None)) is None:
        return False
    text = cells[place].strip()
    if (second := next(found, None)) is not None:
        rest = [cells[index] for index in (second, *found)] if _TOTAL.fullmatch(text) else []
        return bool(rest) and all(_NUMBER.fullmatch(cell.strip()) for cell in rest)
    if _MARKED.match(text) or _TOTAL.fullmatch(text):
        return True
    return place == 0 and _is_sentence(text)


def _is_sentence(text: str) -> bool:
    if text.lower().endswith(tuple(IMAGE_SUFFIXES)) or "://" in text:
        return False
    words = len(text.split())
    if text.endswith(_SENTENCE_END) and (words >= _FEWEST_WORDS or _KANA.search(text)):
        return True
    return words > _FEWEST_WORDS or (len(text) >= _FEWEST_SIGNS and _KANA.search(text) is not None)
