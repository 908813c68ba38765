"""HTML fragments to text. Nothing is rendered or loaded; every step takes time in proportion to the length."""

from __future__ import annotations

import html
import re

# Attribute values are matched possessively and never across `<`: no input makes the search start over.
_MARKUP = re.compile(
    r"""<!--.*?(?:-->|\Z) | (<!\[CDATA\[|\]\]>|</\s*>) | <(?:!doctype|\?xml|\?php)[^<>]*> |
    <(?P<hidden>script|style|template)(?:\s[^<>]*)?>.*?(?:</(?P=hidden)\s*>|\Z) |
    <(?P<close>/?)(?P<name>[a-z][a-z0-9:-]*+)
        (?:>|[\s/](?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[\s/][^<>]*>)""",
    re.S | re.X | re.I,
)
_BLOCKS = frozenset(
    "p br li div tr h1 h2 h3 h4 h5 h6 ul ol dl dt table thead tbody tfoot caption section article header footer "
    "blockquote pre hr figure figcaption address aside main nav option fieldset form".split()
)
_INLINE = frozenset(
    "a abbr acronym area audio b base basefont bdi bdo big body button canvas center cite code col colgroup "
    "data dd del details dfn dialog dir em embed font frame frameset g head html i iframe img input ins kbd "
    "label legend link map mark marquee meta meter nobr noframes noscript object optgroup output param path "
    "picture progress q rp rt ruby s samp script select small source span strike strong style sub summary sup "
    "svg td template textarea th time title track tt u var video wbr".split()
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.I)
_ESCAPED_TWICE = re.compile(r"&(?:amp;)+", re.I)
_LABEL, _CELL = "\x1e", "\x1f"
_BLANKS = re.compile(r"[ \t]+")


def html_to_text(value: str) -> str:
    """Return the text of an HTML fragment, never longer than it.

    Block elements become line breaks, cells of a table row ` | `, a heading cell or defined term and its value
    `heading: value`. Scripts, styles and comments vanish. `<Name>` stays where no HTML element has that name.
    """
    return decode_entities(strip_tags(value))


def decode_entities(text: str) -> str:
    """Replace `&eacute;`, `&#233;` and `&amp;eacute;`; a form without semicolon is no entity but part of an address."""
    if "&" not in text or ";" not in text:
        return text
    return _ENTITY.sub(lambda found: html.unescape(found[0]), _ESCAPED_TWICE.sub(_once, text))


def strip_tags(value: str) -> str:
    """Return an HTML fragment without its tags, entities as they are; a text without tags comes back unchanged."""
    if "<" not in value or ">" not in value:
        return value
    text, replaced = _MARKUP.subn(_Layout(), value.replace(_LABEL, "").replace(_CELL, ""))
    if not replaced or text == value:
        return value
    # Blanks and line breaks between the tags of a table mean nothing.
    text = ": ".join(part.strip().removesuffix(":") for part in text.split(_LABEL)) if _LABEL in text else text
    text = " | ".join(part.strip() for part in text.split(_CELL)) if _CELL in text else text
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _once(found: re.Match[str]) -> str:
    return "&" if len(found[0]) > 5 else found[0]


class _Layout:
    """Replaces each tag; remembers the cells of the current table row."""

    def __init__(self) -> None:
        self._before = ""

    def __call__(self, found: re.Match[str]) -> str:
        name = (found["name"] or "").lower()
        if not name:
            return ""
        if found["close"]:
            return "\n" if name in _BLOCKS and name != "dt" else self._kept(found, name)
        if name in ("td", "th", "dd"):
            before, self._before = self._before, name
            labelled = (before, name) in (("th", "td"), ("dt", "dd"))
            return (_LABEL if labelled else _CELL) if before else ""
        if name in _BLOCKS:
            self._before = {"tr": "", "table": "", "dl": "", "dt": "dt"}.get(name, self._before)
            return "\n"
        return self._kept(found, name)

    @staticmethod
    def _kept(found: re.Match[str], name: str) -> str:
        known = name in _INLINE or name in _BLOCKS or ":" in name or "-" in name
        return "" if known else found[0]
