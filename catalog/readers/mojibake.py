"""Text that was decoded wrongly once and saved so: `Ã©` for `é`, `繝槭げ` for `マグ`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalog.phrases import say

_SAMPLE_LINES = 200
_LINE_CHARS = 400
_PARTS = 16
_PART_CHARS = 1 << 16
# What the first bytes of UTF-8 sequences become in each encoding they are mistaken for.
_TRACES = re.compile(
    "[\u00c2\u00c3\u00e2-\u00e9][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
    "|[縺繝繧蜀蜿螟譁蝨謗逋髯]|[銇銈銉鍟鍝闄]|锟斤拷|\u00ef\u00bf\u00bd|[A-Za-z](?:[\uff82\uff83][\uff61-\uff9f]|[茅猫眉枚脽盲莽])"
)
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uff01-\uff9f]")
_GLUED = re.compile("[A-Za-z][\uff82\uff83茅猫眉枚脽盲莽]")
_WRONG = ("cp1252", "latin-1", "cp932", "gb18030")
_LOST = re.compile("[縺繝繧][\uff61-\uff9f\u30fb\u3000-\u9fff]|锟斤拷|\u00ef\u00bf\u00bd")
_MIN_LOST = 3
_SOUND_SHARE = 0.7
_HIGH_BYTES = bytes(range(0x80, 0x100))


def find_mojibake(text: str) -> str | None:
    """Return one line that says what shows a wrong decoding before saving, or None.

    A line counts when encoding it back gives well-formed UTF-8 that reads as other text. Where characters were lost on
    the way that is impossible, and the letters typical of the damage count.
    """
    lost: set[str] = set()
    for line in _suspicious_lines(text):
        restored = restore(line)
        if restored is not None:
            return say(
                "{line!r} was meant as {restored!r}; export it again as UTF-8",
                line=line[:30].strip(),
                restored=restored[:30].strip(),
            )
        lost.update(_LOST.findall(line))
    if len(lost) >= _MIN_LOST or lost & {"锟斤拷", "\u00ef\u00bf\u00bd"}:
        shown = min(lost)
        return say("{shown!r} and the like come from a wrong decoding; export it again as UTF-8", shown=shown)
    return None


def restore(line: str) -> str | None:
    """Return what a line said before UTF-8 was taken for another encoding, or None for a sound line."""
    # Bytes the wrong encoding could not read left U+FFFD; what stands between them still tells.
    damaged = "\ufffd" in line
    kept = line.replace("\ufffd", "")
    for wrong in _WRONG:
        try:
            data = _encode(kept, wrong)
            restored = data.decode("utf-8", errors="ignore" if damaged else "strict")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        if restored == kept or _high_bytes(restored.encode()) < _SOUND_SHARE * _high_bytes(data):
            continue
        # Two Chinese or Japanese characters may form UTF-8 by chance; they then read as Greek or Cyrillic.
        if wrong in ("cp1252", "latin-1") or len(_CJK.findall(restored)) >= 2 or _GLUED.search(kept):
            return restored
    return None


def _high_bytes(data: bytes) -> int:
    return len(data) - len(data.translate(None, _HIGH_BYTES))


def _encode(line: str, wrong: str) -> bytes:
    if wrong != "cp1252":
        return line.encode(wrong)
    # Programs pass the five bytes cp1252 leaves open through as control characters.
    return b"".join(bytes((ord(char),)) if char in "\x81\x8d\x8f\x90\x9d" else char.encode("cp1252") for char in line)


def _suspicious_lines(text: str) -> Iterator[str]:
    """Yield up to _SAMPLE_LINES lines, or parts of long ones, with traces in evenly spread parts of the text."""
    if text.isascii():
        return
    left = _SAMPLE_LINES
    for begin in range(0, len(text), max(_PART_CHARS, len(text) // _PARTS)):
        position, end = begin, min(len(text), begin + _PART_CHARS)
        while left and (found := _TRACES.search(text, position, end)):
            start = max(found.start() - _LINE_CHARS, text.rfind("\n", 0, found.start()) + 1)
            stop = text.find("\n", found.start(), found.start() + _LINE_CHARS)
            position = stop if stop >= 0 else found.start() + _LINE_CHARS
            left -= 1
            yield text[start:position]
