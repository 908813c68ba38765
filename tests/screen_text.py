"""What a person reads on a screen under AppTest, and the English that was left on a Japanese one."""

import json
import re
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from typing import Any

from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

READ_FIELDS = (
    "alt",
    "body",
    "caption",
    "content",
    "help",
    "html_content",
    "label",
    "message",
    "options",
    "placeholder",
    "text",
)
"""Fields of Streamlit's messages that people read."""
READ_ATTRIBUTES = ("alt", "aria-label", "placeholder", "title")
SILENT_TAGS = ("script", "style", "template")
UNREAD_VALUES = (
    "address",
    "code",
    "fixed_keys",
    "keys",
    "kind",
    "lang",
    "language",
    "original",
    "reason",
    "thumbnail",
    "verdict",
    "when",
)
"""Values of what a component is given that are for its script alone."""
SAME_IN_JAPANESE = {
    "English",
    *("px", "SKU", "CSV", "JSON", "JSONL", "COCO", "URL", "X", "C2PA", "XMP", "PEM", "WebDataset"),
    *("Enter", "Esc", "Google", "Merchant", "Shopify", "Hugging", "Face", "imagefolder"),
}
"""Words that Japanese writes in Latin letters: keys, formats, names; and the language switch's own."""

SHOWN = (
    "a blue enamel mug on a white background",
    "Blue enamel mug",
    "Holds <8 fl oz & keeps it warm.",
    "Kitchen / Mugs",
    "MUG-1",
    "text_match",
    "mugs",
    "enamel",
    "colour",
    "material",
    "height",
    "blue",
    "8.5 cm",
)
"""Texts of the catalogue that `fill_queue` makes."""


class _Reader(HTMLParser):
    """Collects what is read or spoken; elements marked with another language than Japanese are data."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0
        self._foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._silent += tag in SILENT_TAGS
        if self._foreign or given.get("lang") not in (None, "ja"):
            if tag not in ("br", "img", "input"):
                self._foreign.append(tag)
            return
        self.texts += [given[name] or "" for name in READ_ATTRIBUTES if given.get(name)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT_TAGS
        if self._foreign and self._foreign[-1] == tag:
            self._foreign.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and not self._foreign and data.strip():
            self.texts.append(data.strip())


def visible_text(app: AppTest) -> list[str]:
    """Return every text of a page: HTML with its spoken attributes, labels, choices, hints, what components show."""
    return [text for block in (app.main, app.sidebar) for element in block for text in _texts(_proto(element))]


def without_places(text: str) -> str:
    """Return a text of a component without the places that its script fills."""
    return re.sub(r"\{[a-z_]+\}", " ", text)


def leftover_english(app: AppTest, data: Collection[str] = ()) -> list[str]:
    """Return texts of a Japanese page that hold words in Latin letters.

    Args:
        app: The page, after a run.
        data: Texts of the catalogue and names of people that the page may show as they are.
    """
    left = []
    for text in visible_text(app):
        rest = text
        for known in sorted(data, key=len, reverse=True):
            rest = re.sub(rf"(?<![A-Za-z0-9]){re.escape(known)}(?![A-Za-z0-9])", " ", rest)
        # What a person types to a shell stays as it is in any language.
        rest = re.sub(r"adapt [a-z]+|adapt\.toml|\[(?:review|export)\]|user_claim|c2pa_[a-z]+", " ", rest)
        words = [word for word in re.findall(r"[A-Za-z][A-Za-z0-9]+", rest) if word not in SAME_IN_JAPANESE]
        if words:
            left.append(text)
    return left


def _proto(element: Any) -> Message | None:
    found = getattr(element, "proto", None)
    return found if isinstance(found, Message) else None


def _texts(message: Message | None) -> Iterator[str]:
    if message is None:
        return
    for field, value in message.ListFields():
        if field.name == "json" and message.DESCRIPTOR.name == "BidiComponent":
            yield from _given(json.loads(value))
        if field.name not in READ_FIELDS:
            continue
        for part in [value] if isinstance(value, str | Message) else value:
            if isinstance(part, Message):
                yield from _texts(part)
            elif isinstance(part, str):
                reader = _Reader()
                reader.feed(part)
                yield from reader.texts


def _given(value: Any) -> Iterator[str]:
    """Yield the texts of what a component is given."""
    if isinstance(value, str):
        yield without_places(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in UNREAD_VALUES:
                yield from _given(part)
    elif isinstance(value, list):
        for part in value:
            yield from _given(part)
