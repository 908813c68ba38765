"""Facts of a record → the facts its captions may say: general words that hold for every picture they go with.

Three things are taken out again. Names: "teton" of a "Teton pullover hoodie" is what the maker calls it, so it moves to
a fact of its own that one caption states. Facts of one variant: a text shared by a red and a green shirt may describe
either. And words that are true but show nothing: trade marks, "solid", "fabric" beside the fabric's name.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from catalog import grammar
from catalog.attribute_slots import SLOTS, slot_of
from catalog.facts import SEPARATOR, FactSheet, Unknown
from catalog.glossary import Glossary, Match
from catalog.product_names import JAPANESE, leaf_category
from catalog.records import Attribute, Product, Variant

NAME = "name"
"""Fact that holds the maker's own words for a product; only a caption that is its name states it."""
_GENERAL_KINDS = (*SLOTS, "part", "category", "group")
_PART_FACT = re.compile(r"(.+) (colour|material|finish)")
_MARK = re.compile(r"([A-Za-z][\w-]*)[™®]")
_MARKED = re.compile(r"[A-Za-z][\w-]*[™®]")
_KIND_OF_PART = re.compile(r"colou?r|material|finish")
_FLAG = re.compile(r"yes|no|true|false|\d+(?:\.\d+)?|はい|いいえ|有|無|有り|無し", re.IGNORECASE)
_SHOWS_NOTHING = {
    "pattern": frozenset({"plain", "solid", "solid colour", "solid color", "none"}),
    "material": frozenset({"synthetic", "synthetics", "mixed", "various", "other"}),
}
_UMBRELLAS = frozenset({"fabric", "textile", "cloth"})
"""Materials that say no more once another one is named."""
_WOODS = frozenset({"oak", "teak", "ebony", "rubberwood"})
"""Kinds of wood, beside which "wood" says no more, whose names do not end in it."""
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


def sayable(sheet: FactSheet, product: Product, glossary: Glossary, *, variant: Variant | None = None) -> FactSheet:
    """Return the facts that captions of a product, or of one of its variants, may say.

    Args:
        sheet: What `facts_of` read from the same record.
        product: The record.
        glossary: Knows which words are general.
        variant: The variant whose pictures the captions go with; None for pictures that belong to no variant.
    """
    own = variant.attributes if variant is not None else ()
    attributes = [attribute for attribute in (*own, *product.attributes) if attribute.kind == "fact"]
    varying = varying_slots(product, glossary)
    marks = {word.casefold() for attribute in attributes for word in _MARK.findall(attribute.value)}
    slots = {slot_of(attribute.name) for attribute in attributes}
    facts: dict[str, str] = {}
    for name, value in sheet.facts.items():
        if name == "shape" and name not in slots and glossary.concept(value, "category") is not None:
            continue  # "tote" among the styles of a bag says what kind of bag it is
        if name in ("noun", "kind") or _holds(name, attributes, varying, glossary, product_level=variant is None):
            listed = value.split(SEPARATOR)
            if name in ("noun", "kind") or (listed := list(_shown(name, listed, marks, glossary))):
                facts[name] = SEPARATOR.join(listed)
    if not JAPANESE.search(sheet.facts.get("noun", "")) and not sheet.own_noun:
        _name_apart(facts, product, varying, glossary)
        if facts.keys() == {"noun", NAME} and not _MARKED.search(product.name):
            # Nothing else tells a "Pink Lady" from any other apple: without its name all would be drawn alike.
            facts["kind"] = facts.pop(NAME)
    unknown = list(_unknown(sheet, attributes, marks))
    noun = facts.get("noun", "")
    if noun and not sheet.own_noun and not _is_term(noun, product, glossary):
        # The whole name stands in every caption until a term says which of its words is the noun.
        unknown.append(Unknown(term=noun.split()[-1], attribute="name", used=True))
    return FactSheet(facts=facts, unknown=unknown, own_noun=sheet.own_noun)


def varying_slots(product: Product, glossary: Glossary) -> frozenset[str]:
    """Return the slots that variants state: what holds for one of them may not hold for the others."""
    stated = {(attribute.name, attribute.value) for variant in product.variants for attribute in variant.attributes}
    slots: set[str] = set()
    for name, value in stated:
        slot = slot_of(name)
        if slot == "option":
            slots.update(kind for kind in SLOTS for match in glossary.parse(value).matches if match.is_a(kind))
        elif slot:
            slots.add(slot)
    return frozenset(slots)


def _holds(
    name: str, attributes: Collection[Attribute], varying: Collection[str], glossary: Glossary, *, product_level: bool
) -> bool:
    """Whether a fact is sure to hold for every picture, although variants differ in `varying`."""
    part = _PART_FACT.fullmatch(name)
    if part is not None:
        if part[1] == "inside":
            return False
        return part[2] not in varying or any(_about_part(attribute.name, part[1], glossary) for attribute in attributes)
    if name not in varying:
        return True
    # Text that all variants share tells the colour of one of them at most.
    return not product_level and any(slot_of(attribute.name) in (name, "option") for attribute in attributes)


def _about_part(attribute: str, part: str, glossary: Glossary) -> bool:
    return any(match.concept("part") == part for match in glossary.parse(attribute).matches)


def _shown(name: str, values: list[str], marks: Collection[str], glossary: Glossary) -> Iterator[str]:
    part = _PART_FACT.fullmatch(name)
    kind = part[2] if part is not None else name
    for value in values:
        known = bool(glossary.words(kind, value, "en")) or glossary.concept(value, kind) is not None
        marked = not known and any(word.removesuffix("tm") in marks for word in value.split())
        empty = value in _SHOWS_NOTHING.get(kind, ()) or (
            kind == "material" and value in _UMBRELLAS and any(other not in _UMBRELLAS for other in values)
        )
        empty = empty or (kind == "material" and value == "wood" and any(_is_wood(other) for other in values))
        # "adjustable" of a strap is read as its material only because nothing says what it is.
        guessed = part is not None and kind != "colour" and not known
        if not (marked or empty or guessed):
            yield value


def _is_wood(material: str) -> bool:
    return material.endswith(" wood") or material in _WOODS


def _name_apart(facts: dict[str, str], product: Product, varying: Collection[str], glossary: Glossary) -> None:
    """Split the words before the noun into general ones ("pullover") and a name ("teton")."""
    noun, kind = facts.get("noun", ""), facts.pop("kind", "")
    if not noun:
        return
    values = _value_words(product)
    if not kind and not _is_term(noun, product, glossary):
        # No term is the whole name; its last word may be one.
        head = noun.split()[-1]
        if glossary.concept(head, "category") is not None or head in values | _shelf_words(product.category):
            noun, kind = glossary.concept(head, "category") or head, noun[: -len(head)].strip()
    kind = _without(kind, varying, facts, glossary)
    facts["noun"] = noun
    words = kind.split()
    first = len(words)
    known = _known_words(kind, glossary)
    while first and (first - 1 in known or words[first - 1] in values or _used(words[first - 1], noun, product)):
        first -= 1
    if words[first:]:
        facts["kind"] = " ".join(words[first:])
    if words[:first]:
        facts[NAME] = " ".join(words[:first])


def _is_term(noun: str, product: Product, glossary: Glossary) -> bool:
    """Whether a noun is one as it stands: known, one word, its shelf, or written small in the record's text."""
    known = glossary.concept(noun, "category") is not None or bool(glossary.words("category", noun, "en"))
    if " " not in noun or known:
        return True
    if noun == leaf_category(product.category).casefold().replace("-", " "):
        return True
    first, rest = noun[0], noun[1:]
    return re.search(rf"\b[{first.upper()}{first}]{re.escape(rest)}\b", product.description) is not None


def _shelf_words(category: str) -> frozenset[str]:
    """Return what stands on a shelf: "Bras & Tanks" → bra, bras, tank, tanks."""
    names = re.split(r"\s*[&,]\s*|\sand\s", leaf_category(category).casefold())
    return frozenset(form for name in names if name for form in (name, grammar.singular(name), grammar.plural(name)))


def _value_words(product: Product) -> frozenset[str]:
    """Return the words of the values of visual attributes: a company's own vocabulary for what can be seen."""
    facts = (attribute for attribute in product.attributes if attribute.kind == "fact")
    visual = [_MARKED.sub(" ", fact.value) for fact in facts if slot_of(fact.name) in (*SLOTS, "type", "feature")]
    found = {word.lower() for value in visual for word in _WORD.findall(value)}
    return frozenset(found | {"-".join(value.lower().split()) for text in visual for value in text.split(",")})


def _used(word: str, noun: str, product: Product) -> bool:
    """Whether the record's own text uses a word as an adjective of the noun, in small letters.

    "a soft pullover hoodie" proves that pullover is a word; "the Teton hoodie" proves nothing about "teton".
    """
    if len(word) < 3:
        return False
    head = noun.split()[-1]
    heads = "|".join(re.escape(form) for form in {head, grammar.plural(head), grammar.singular(head)})
    phrase = re.compile(rf"(?<![\w-]){re.escape(word.lower())}(?:[ -][a-z]+){{0,3}}? (?:{heads})(?![\w-])")
    texts = (product.description, *(attribute.value for attribute in product.attributes if attribute.kind == "text"))
    return any(phrase.search(text) is not None for text in dict.fromkeys(texts))


def _known_words(text: str, glossary: Glossary) -> set[int]:
    """Return the places of the words that terms of the glossary cover whole."""
    parse = glossary.parse(text)
    spans = [(m.start, m.end) for m in parse.matches if m.is_a(*_GENERAL_KINDS) and not m.is_a("ban", "brand")]
    return {
        place
        for place, word in enumerate(re.finditer(r"\S+", parse.text))
        if len(word.group()) > 1 and any(start <= word.start() and word.end() <= end for start, end in spans)
    }


def _without(kind: str, varying: Collection[str], facts: dict[str, str], glossary: Glossary) -> str:
    """Take out of a name what it says of one variant: the "black" of a kettle that also comes in white."""
    if not varying:
        return kind
    parse = glossary.parse(kind)
    if len(parse.text) != len(kind):
        return kind
    for match in reversed(parse.matches):
        if any(slot in varying and _differs(match, slot, facts) for slot in SLOTS):
            kind = kind[: match.start] + kind[match.end :]
    return " ".join(kind.strip(" -").split())


def _differs(match: Match, slot: str, facts: dict[str, str]) -> bool:
    concept = match.concept(slot)
    return concept is not None and concept not in facts.get(slot, "").split(SEPARATOR)


def _unknown(sheet: FactSheet, attributes: Collection[Attribute], marks: Collection[str]) -> Iterator[Unknown]:
    values: dict[str, list[str]] = {}
    for attribute in attributes:
        values.setdefault(attribute.name, []).append(attribute.value.strip())
    for term in sheet.unknown:
        if term.term == term.attribute and all(_FLAG.fullmatch(value) for value in values.get(term.term, ())):
            continue  # yes, no and numbers show in no picture, whatever the attribute is called
        slot = slot_of(term.attribute)
        if slot and term.term.casefold() in _SHOWS_NOTHING.get(slot, ()):
            continue
        bare = re.sub(r"[™®]|(?<=[a-z])TM$", "", unicodedata.normalize("NFC", term.term))
        if bare.casefold() in marks:
            yield Unknown(term=bare, attribute=term.attribute, used=False)
        elif slot is None and term.term.isascii() and not _KIND_OF_PART.search(term.attribute.casefold()):
            # "strap: adjustable, double": one attribute to think about, not each of its values.
            yield Unknown(term=term.attribute, attribute=term.attribute, used=False)
        else:
            yield term
