"""Small English grammar for captions: articles, number of nouns, lists. Templates leave all of this to code."""

import re
from collections.abc import Iterable, Sequence

MASS_NOUNS = frozenset(
    "aloe apparel asparagus bedding bread cabbage cheese clothing cream cutlery denim equipment fabric flatware "
    "footwear furniture garlic ginger gear jewellery juice kitchenware leek lighting luggage milk oatghurt paper ram "
    "rice soap soyghurt stationery tableware tea underwear vera yoghurt yogurt".split()
)
"""Last words of nouns that take no article, e.g. "a photo of oat milk"."""
_COUNTABLE_TOO = frozenset({"cabbage", "leek"})
_SINGULAR_IN_S = frozenset("asparagus canvas cactus citrus chess gas lens bus hibiscus compass atlas iris".split())
_IRREGULAR_PLURALS = {
    "knife": "knives",
    "shelf": "shelves",
    "scarf": "scarves",
    "loaf": "loaves",
    "leaf": "leaves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "mango": "mangoes",
    "mouse": "mice",
    "foot": "feet",
    "cactus": "cacti",
    "box": "boxes",
}
_SILENT_H = ("hour", "honest", "heir", "honour")
_CONSONANT_VOWEL = ("uni", "use", "usa", "usu", "ute", "euro", "eura", "one", "once", "ubi")
_LETTERS_WITH_AN = frozenset("AEFHILMNORSX")
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def indefinite(phrase: str) -> str:
    """Put "a" or "an" before a noun phrase; plural and mass nouns stay bare ("boots", "oat milk")."""
    words = phrase.split()
    if not words or is_plural(words[-1]) or words[-1].lower() in MASS_NOUNS - _COUNTABLE_TOO:
        return phrase
    return f"{_article(words[0])} {phrase}"


def _article(word: str) -> str:
    first = re.split(r"[-/]", word)[0]
    lower = first.lower()
    if lower[:1].isdigit():
        return "an" if lower.startswith("8") or lower in ("11", "18") else "a"
    spelled_out = first.isupper() and (len(first) == 1 or not re.search("[AEIOU]", first[1:]) or first == "LED")
    if spelled_out:
        return "an" if first[0] in _LETTERS_WITH_AN else "a"
    if lower.startswith(_SILENT_H):
        return "an"
    if lower.startswith(_CONSONANT_VOWEL) or first == "USB":
        return "a"
    return "an" if lower[:1] in "aeiou" else "a"


def is_plural(word: str) -> bool:
    """Whether a noun looks plural: "boots" yes, "glass", "lens" and "asparagus" no."""
    word = word.lower()
    if word in _IRREGULAR_PLURALS.values():
        return True
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _SINGULAR_IN_S


def plural(noun: str) -> str:
    """Return the plural of a noun phrase by its last word."""
    head, _, last = noun.rpartition(" ")
    if is_plural(last):
        return noun
    key = last.lower()
    if key in _IRREGULAR_PLURALS:
        formed = _IRREGULAR_PLURALS[key]
    elif re.search(r"(s|x|z|ch|sh)$", key):
        formed = f"{last}es"
    elif re.search(r"[^aeiou]y$", key):
        formed = f"{last[:-1]}ies"
    else:
        formed = f"{last}s"
    return f"{head} {formed}".strip()


def singular(noun: str) -> str:
    """Return the singular of a noun phrase by its last word; a singular one comes back unchanged."""
    head, _, last = noun.rpartition(" ")
    key = last.lower()
    if not is_plural(last):
        return noun
    irregular = {many: one for one, many in _IRREGULAR_PLURALS.items()}
    if key in irregular:
        formed = irregular[key]
    elif key.endswith("ies"):
        formed = f"{last[:-3]}y"
    elif re.search(r"(ss|x|z|ch|sh)es$", key):
        formed = last[:-2]
    else:
        formed = last[:-1]
    return f"{head} {formed}".strip()


def listing(items: Sequence[str]) -> str:
    """Join with commas and "and": "a lid, a spout and two handles"."""
    items = [item for item in items if item]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def words(parts: Iterable[str]) -> str:
    """Join the parts that are there with single spaces."""
    return " ".join(part for part in parts if part)


def number(count: int) -> str:
    """Write 0 to 12 as a word, more as digits."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else str(count)
