"""Bytes to text: BOM, strict UTF-8, then the Japanese and Western encodings, decided by what they yield."""

from __future__ import annotations

import codecs

from catalog.errors import IngestRefused
from catalog.readers.headers import is_known_header

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ("cp932", "euc_jp", "gb18030", "cp1252")


def decode_text(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Return (text, encoding used).

    Args:
        data: File content.
        encoding: Use this one instead of guessing; undecodable bytes become U+FFFD.

    Raises:
        IngestRefused: `encoding` is no encoding Python knows.
    """
    if encoding is not None:
        try:
            return data.decode(encoding, errors="replace").removeprefix("\ufeff"), encoding
        except LookupError as error:
            raise IngestRefused(
                f"unknown encoding {encoding!r}; use for example utf-8, cp932, euc_jp or cp1252"
            ) from error
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data.decode(name, errors="replace").removeprefix("\ufeff"), name
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _best_guess(data)


def _best_guess(data: bytes) -> tuple[str, str]:
    guesses = []
    for name in _CANDIDATES:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        guesses.append((_plausibility(text), text, name))
    if not guesses:
        return data.decode("cp1252", errors="replace"), "cp1252"
    # max() keeps the first of equals, so the order of the candidates decides a tie.
    _, text, name = max(guesses, key=lambda guess: guess[0])
    return text, name


def _plausibility(text: str) -> float:
    """Score a decoding: known header names count most, then kana, against half-width and private letters."""
    cells = text[:4000].replace("\t", ",").replace(";", ",").splitlines()[:1]
    known = sum(is_known_header(cell.strip('" ')) for line in cells for cell in line.split(","))
    sample = text[:20_000]
    kana = sum("\u3041" <= char <= "\u30fe" for char in sample)
    odd = sum(
        "\uff61" <= char <= "\uff9f" or "\ue000" <= char <= "\uf8ff" or "\x80" <= char < "\xa0" for char in sample
    )
    high = sum(char > "\x7f" for char in sample) or 1
    return known * 10 + (kana - 2 * odd) / high
