"""Bytes to text: BOM, strict UTF-8, then the Japanese, Chinese and Western encodings, decided by what they yield.

The decision looks at a sample only: the first line and the lines around bytes above 7F. The whole file is decoded once.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from catalog.errors import IngestRefused
from catalog.phrases import say
from catalog.readers.mojibake import find_mojibake
from catalog.readers.plausibility import CANDIDATES, plausibility, plausible_utf16
from catalog.records import Issue

SAMPLE_BYTES = 1 << 16
_WINDOW_BYTES = 2048
_HEADER_BYTES = 4096
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]")
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}",
)
_JIS_ESCAPE = re.compile(rb"\x1b\$[@B]|\x1b\(I")
_CERTAIN_SCORE = 0.6
_CERTAIN_MARGIN = 0.2
_TOLD_MARGIN = 0.05
_FOREIGN_SCORE = 0.75
_FAMILY = {
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
    "euc_jis_2004": "euc_jp",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "iso8859_1": "cp1252",
    "iso8859_15": "cp1252",
    "cp437": "cp850",
    "big5hkscs": "big5",
    "euc_kr": "cp949",
}
_OTHERS = frozenset({"cp949", "big5", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "mac_roman", "cp850"})
"""Encodings only chardet knows of; others it names for short texts are nearly always wrong."""
_UTF8_SHARE = 0.9
_WIDER = {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "iso2022_jp": "iso2022_jp_ext"}
"""What is meant by the name of a standard: the set that programs really write, ①㈱髙 included."""
_JIS = frozenset({"euc_jp", "iso2022_jp_ext"})
_VENDOR_ERRORS = "catalog.jis-vendor"


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Text of a file, and how sure its encoding is."""

    text: str
    encoding: str
    certain: bool = True
    """False when other encodings were nearly as likely."""
    broken: int = 0
    """Places whose bytes mean nothing in `encoding`; U+FFFD stands there."""
    mojibake: str | None = None
    """What shows that the text had been decoded wrongly before it was saved, for people."""

    def issues(self, source: str) -> list[Issue]:
        """Return a warning for each thing a person should check in the file `source`."""
        found = []
        if not self.certain:
            detail = say(
                "read as {encoding}, a guess; if letters look wrong, give --encoding (cp932, euc_jp, cp1252)",
                encoding=self.encoding,
            )
            found.append(Issue(source=source, reason="TXT_ENCODING_GUESSED", detail=detail, severity="warning"))
        if self.broken:
            place = self.text.find("\ufffd")
            line = self.text.count("\n", 0, place) + 1
            detail = say(
                "{broken} places hold bytes that are no {encoding}; � stands there",
                broken=self.broken,
                encoding=self.encoding,
            )
            found.append(
                Issue(source=source, line=line, reason="TXT_ENCODING_GUESSED", detail=detail, severity="warning")
            )
        if self.mojibake is not None:
            found.append(Issue(source=source, reason="TXT_MOJIBAKE", detail=self.mojibake, severity="warning"))
        return found


def decode_text(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Return (text, encoding used).

    Args:
        data: File content.
        encoding: Use this one instead of guessing; undecodable bytes become U+FFFD.

    Raises:
        IngestRefused: `encoding` is no encoding Python knows.
    """
    decoded = decode(data, encoding)
    return decoded.text, decoded.encoding


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """Return the text of a file with everything worth a warning; arguments and errors as in `decode_text`."""
    if encoding is not None:
        try:
            return _decoded(data, _WIDER.get(codecs.lookup(encoding).name, encoding))
        except (LookupError, ValueError) as error:
            raise IngestRefused(
                say(
                    "unknown encoding {encoding!r}; use for example utf-8, cp932, euc_jp or cp1252",
                    encoding=encoding[:40],
                )
            ) from error
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _decoded(data, name)
    if b"\x1b" in data and data.isascii() and _JIS_ESCAPE.search(data):
        return _decoded(data, "iso2022_jp_ext")
    if b"\x00" in data[:SAMPLE_BYTES] and (wide := plausible_utf16(data[:SAMPLE_BYTES])):
        return _decoded(data, wide)
    try:
        text = data.decode("utf-8")
        return Decoded(text=text, encoding="utf-8", mojibake=find_mojibake(text))
    except UnicodeDecodeError:
        name, certain = _guess(data)
        return _decoded(data, name, certain)


def _guess(data: bytes) -> tuple[str, bool]:
    """Return (encoding, whether it is beyond doubt) for bytes that are neither Unicode with BOM nor strict UTF-8."""
    header, sample = _sample(data)
    if _utf8_share(sample) >= _UTF8_SHARE:
        return "utf-8", True
    # max() keeps the first of equals, so the order of the candidates decides a tie.
    scores = {name: plausibility(header, sample, name) for name in CANDIDATES}
    best = max(CANDIDATES, key=lambda name: scores[name])
    margin = scores[best] - max(score for name, score in scores.items() if name != best)
    if scores[best] >= _CERTAIN_SCORE and margin >= _CERTAIN_MARGIN:
        return best, True
    second = _second_opinion(sample)
    if second is None or second == best:
        return best, second == best and margin > _TOLD_MARGIN
    if second in scores and scores[second] < scores[best] - _CERTAIN_MARGIN:
        return best, False
    return (second, False) if second in scores or scores[best] < _FOREIGN_SCORE else (best, False)


def _second_opinion(sample: bytes) -> str | None:
    """Return what chardet makes of the sample, when Python can decode it so."""
    import chardet  # only doubtful files pay for the import

    found = chardet.detect(sample)["encoding"]
    if found is None:
        return None
    try:
        name = codecs.lookup(found).name.replace("-", "_")
        sample.decode(name)
    except (LookupError, UnicodeDecodeError):
        return None
    name = _FAMILY.get(name, name)
    return name if name in CANDIDATES or name in _OTHERS else None


def _sample(data: bytes) -> tuple[bytes, bytes]:
    """Return the first line, and up to SAMPLE_BYTES of text around bytes above 7F, cut where no character is split."""
    end = data.find(b"\n", 0, _HEADER_BYTES)
    header = data[: end if end >= 0 else _HEADER_BYTES].strip()
    pieces: list[bytes] = []
    taken = position = 0
    while taken < SAMPLE_BYTES and (high := _HIGH.search(data, position)):
        # All between the last cut and this byte is ASCII, so a character starts here.
        start = max(position, high.start() - 40)
        stop = data.find(b"\n", high.start(), high.start() + _WINDOW_BYTES)
        if stop < 0:
            stop = _cut(data, high.start())
        pieces.append(data[start:stop])
        taken += stop - start
        position = stop
    return header, b"\n".join(pieces)


def _cut(data: bytes, start: int) -> int:
    """Return the last place in the window that ends no character: trail bytes are never below 30 in any candidate."""
    window = data[start : start + _WINDOW_BYTES]
    for mark in b',\t" ;':
        found = window.rfind(bytes((mark,)))
        if found > 0 and mark != ord(";"):
            return start + found
    return start + len(window)


def _utf8_share(sample: bytes) -> float:
    """Share of the bytes above 7F that stand in well-formed UTF-8 sequences of three or more bytes, or of two."""
    high = len(_HIGH.findall(sample))
    inside = sum(len(found) for found in _UTF8_SEQUENCE.findall(sample))
    # A few Western or Chinese letters form such sequences by chance.
    return inside / high if high >= 12 else 0.0


def _decoded(data: bytes, name: str, certain: bool = True) -> Decoded:
    try:
        text, broken = data.decode(name), 0
    except UnicodeDecodeError:
        text = data.decode(name, errors=_VENDOR_ERRORS if codecs.lookup(name).name in _JIS else "replace")
        broken = text.count("\ufffd")
    text = text.removeprefix("\ufeff")
    return Decoded(text=text, encoding=name, certain=certain, broken=broken, mojibake=find_mojibake(text))


def _vendor_character(error: UnicodeError) -> tuple[str, int]:
    """Read NEC and IBM characters (①㈱髙), which EUC-JP and JIS files hold and Python's codecs leave out."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    first, second = (byte & 0x7F for byte in pair) if len(pair) == 2 else (0, 0)
    if 0x21 <= first <= 0x7E and 0x21 <= second <= 0x7E and (pair[0] > 0x7F) == (pair[1] > 0x7F):
        row = first - 0x21
        lead = (row >> 1) + (0x81 if row < 0x3E else 0xC1)
        trail = second + (0x7E if row & 1 else 0x1F + (second >= 0x60))
        try:
            return bytes((lead, trail)).decode("cp932"), error.start + 2
        except UnicodeDecodeError:
            return "\ufffd", error.start + 2
    return "\ufffd", max(error.end, error.start + 1)


codecs.register_error(_VENDOR_ERRORS, _vendor_character)
