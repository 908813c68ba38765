"""Evidence, cheap and offline, that a record or one of its values is not in English.

A word no term covers goes into English captions as it stands only where nothing says that it is German, French or
Spanish: the name of its attribute, its own letters and endings, the words beside it, the text of the record.
"""

import re
import unicodedata

from catalog.attribute_slots import FOREIGN_NAMES, SLOTS
from catalog.glossary import Glossary, normalise
from catalog.product_names import JAPANESE
from catalog.records import Product

_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset("the and with of for is a an in this that from by to are our your made".split())
_FOREIGN = frozenset(
    "und mit aus für ist eine einen der das von zum zur ohne auch im aus nicht sehr le la les et avec des pour une du "
    "est sans en el los las con del una para sin y il gli della".split()
)
"""Words that make sentences; "die" and "de" stand in English names too."""
_ENDINGS = re.compile(
    r"\w{2,}(?:iert(?:e[nrs]?)?|schichtet|holz|stahl|eisen|furnier|farben|farbig|gelb|blau|grau|grün|weiss|schwarz|braun|"
    r"gebürstet|geölt|lackiert|oxyd|optik)"
)
"""How German says what something is made of and looks like."""
_LOOKS = frozenset(SLOTS)
_ENGLISH_TOO = frozenset("bank regal dose messer mesa banc chaise rock".split())
"""Foreign terms that English names have too, in another sense."""
_GERMAN_LETTER = re.compile("[äöü]")


def is_foreign_value(value: str, attribute: str, product: Product, glossary: Glossary) -> bool:
    """Whether a value of an attribute is surely or probably not English."""
    text = normalise(value)
    words = _WORD.findall(text)
    return (
        any(not word.isascii() for word in words)
        or _is_foreign_name(attribute)
        or any(_ENDINGS.fullmatch(word) or word in _FOREIGN or glossary.foreign_kinds(word) & _LOOKS for word in words)
        or is_foreign(product, glossary)
    )


def is_foreign(product: Product, glossary: Glossary) -> bool:
    """Whether a record's attributes, shelf or text are in another language."""
    return (
        any(_is_foreign_name(attribute.name) for attribute in product.attributes if attribute.kind == "fact")
        or bool(glossary.foreign_kinds(normalise(re.split(r"[>|/]", product.category)[-1])) - {"ban"})
        or _balance(f"{product.name} {product.description}") > 0
    )


def is_foreign_name(product: Product, glossary: Glossary) -> bool:
    """Whether the name of a record is in another language: it has a term of one, or so has its text."""
    name, text = normalise(product.name), f"{product.name} {product.description}"
    words = _WORD.findall(name)
    if any(match.is_a("category") for match in glossary.parse(name).matches) or JAPANESE.search(name):
        return False
    if any("category" in glossary.foreign_kinds(word) and word not in _ENGLISH_TOO for word in words):
        return True
    others = any(_is_foreign_name(attribute.name) for attribute in product.attributes if attribute.kind == "fact")
    balance = _balance(text)
    return balance > 0 or (balance == 0 and (others or _GERMAN_LETTER.search(name) is not None))


def _is_foreign_name(attribute: str) -> bool:
    return FOREIGN_NAMES.search(unicodedata.normalize("NFKC", attribute).casefold().strip()) is not None


def _balance(text: str) -> int:
    """Return how many more function words of other languages a text has than English ones."""
    words = _WORD.findall(normalise(text))
    return sum(word in _FOREIGN for word in words) - sum(word in _ENGLISH for word in words)
