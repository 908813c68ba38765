"""Text that stands for a picture where it is not seen, in English and Japanese, made from the product record.

It is one wording of the caption templates that states every fact the record allows to say; where the glossary knows no
word for the product, its name. It says what is seen and not that it is a photo: these pictures are generated.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

from catalog import wording
from catalog.caption import Writer
from catalog.facts import facts_of
from catalog.readers.markup import html_to_text
from catalog.records import Product, Variant
from catalog.sayable import sayable
from catalog.slots import slots_of
from catalog.wording import Templates

LANGUAGES = ("en", "ja")
MAX_CHARS = 125
"""Screen readers cut longer texts in pieces."""
_CALLS_IT_A_PICTURE = re.compile(
    r"photo|picture|image|\bshot\b|snapshot|catalog|shown|写|画像|撮|フォト|イメージ|カタログ", re.IGNORECASE
)
"""What a template says that talks of the picture itself; a product's own words are none of the template."""


class AltTexts:
    """Writes alternative texts with the glossary and templates of a workspace."""

    def __init__(self, workspace: Path | None = None) -> None:
        """Read glossary and templates, a workspace's own first; raises CatalogError when they cannot be read."""
        # One wording asked for is one of medium length: a sentence, not a list of everything.
        self._writers = {
            lang: replace(Writer.open(workspace, lang=lang, wordings=1), templates=_without_pictures(lang, workspace))
            for lang in LANGUAGES
        }

    def of(self, product: Product, variant: Variant | None = None) -> dict[str, str]:
        """Return language → text for pictures of a product, or of one variant of it."""
        plain = replace(product, name=one_line(html_to_text(product.name)))
        return {lang: self._text(writer, plain, variant) for lang, writer in self._writers.items()}

    @staticmethod
    def _text(writer: Writer, product: Product, variant: Variant | None) -> str:
        read = facts_of(product, writer.glossary, variant=variant)
        sheet = sayable(read, product, writer.glossary, variant=variant)
        slots = slots_of(sheet, writer.glossary, writer.templates.lang)
        key = f"alt:{product.key}:{variant.key if variant is not None else ''}"
        written = wording.word(slots, writer.templates, count=1, seed=key)
        return shortened(one_line(written[0].text if written else product.name or product.sku))


def _without_pictures(lang: str, workspace: Path | None) -> Templates:
    """Return the templates that say only what the product is; the shipped ones where a workspace has none of them."""
    for place in (workspace, None):
        templates = wording.load(lang, place)
        plain = tuple(item for item in templates.items if not _CALLS_IT_A_PICTURE.search(item.text))
        if any(item.length != "short" for item in plain):
            break
    return replace(templates, items=plain)


def one_line(text: str) -> str:
    """Return a text in one line, without control characters and without signs that turn the writing direction."""
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return " ".join("".join(char for char in spaced if unicodedata.category(char) not in ("Cf", "Cs")).split())


def shortened(text: str, limit: int = MAX_CHARS) -> str:
    """Return a text of at most `limit` characters, cut between words where there are any."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,.;、。") + "…"
