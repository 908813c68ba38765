"""Attributes, name and text of a product → the facts that show in a picture, in general words.

Facts are concepts of the glossary, the same whatever language the record is in: `{"noun": "mug", "colour": "red"}`. A
variant's own attributes replace the product's. What varies between variants is left out of the product's own facts, and
facts no term covers are reported instead of guessed.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catalog import grammar
from catalog.attribute_slots import SLOTS, slot_of
from catalog.foreign_words import is_foreign_name, is_foreign_value
from catalog.glossary import Glossary, Match, Parse, normalise
from catalog.product_names import JAPANESE, clean_name, leaf_category, said_first
from catalog.records import Attribute, Product, Variant
from catalog.spec_text import ADJECTIVE_KINDS, colour_phrase, visual_facts

SEPARATOR = ", "
"""Between several values of one fact: `blue, pink`."""
_INSIDE = re.compile(
    r"^(?:裏面|裏地|裏|中材|中身|中綿|内側|内部|詰め?物|芯材?|底面|背面|back|inner|inside|lining|filling)$"
)
"""Labels in a value of what no picture shows: `表面：ポリエステル／裏面：不織布`."""
_SAYS_NOTHING = re.compile(
    r"^(?:[-‐―ー–—*]+|n/?a|none|other|others|assorted|なし|無し|その他|不明|指定なし|各色|アソート|お任せ|おまかせ|ランダム|"
    r"フリー(?:サイズ)?|free(?: size)?)$"
)
_CAMERA_NAME = re.compile(r"(?:img|dsc[nf]?|p|pxl|photo|image|picture|screenshot|item|product)?[\s_\-.\d()]*", re.I)
_WORDS_ONLY = re.compile(r"[a-z]+(?:[ -][a-z]+){0,2}")
_SEPARATORS = re.compile(r"[,;|、・&×+]|(?<!\d)/|/(?!\d)|\b(?:and|und)\b|\s-\s")
"""Between values of one cell; `18/10` of a steel stays."""
_LOOKS = ("colour", "material", "pattern", "shape", "finish")
_ABBREVIATION = 3
"""Letters up to which a word is more likely an abbreviation than a word to say."""
_ADDS_NOTHING = frozenset("massiv massive massif macizo maciza teilmassiv echt farbe".split())
"""Words of other languages beside a material or colour that change nothing in a picture."""
_MOST_VALUES = 3
_UNREMARKABLE = frozenset({"plain"})
"""Concepts that say only that there is nothing to see."""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A term the glossary lacks."""

    term: str
    attribute: str
    """Attribute it stood in, or `name`."""
    used: bool = False
    """True when the plain English word went into the captions as it stands."""


@dataclass(kw_only=True)
class FactSheet:
    """What one product, or one variant of it, shows."""

    facts: dict[str, str] = field(default_factory=dict)
    unknown: list[Unknown] = field(default_factory=list)
    own_noun: str = ""
    """The name itself, for captions in the record's own language, when no general noun was found."""

    def add(self, name: str, values: Iterable[str]) -> None:
        """State a fact unless it is stated already."""
        listed = list(dict.fromkeys(value for value in values if value and value not in _UNREMARKABLE))[:_MOST_VALUES]
        if listed:
            self.facts.setdefault(name, SEPARATOR.join(listed))


def facts_of(product: Product, glossary: Glossary, *, variant: Variant | None = None) -> FactSheet:
    """Return the visual facts of a product, or of one of its variants."""
    sheet = FactSheet()
    brand = ""
    varying = set() if variant is not None else _varying(product, glossary)
    attributes: Sequence[Attribute] = [*(variant.attributes if variant is not None else ()), *product.attributes]
    gathered: dict[tuple[str, bool], list[Attribute]] = {}
    parts: list[Attribute] = []
    for attribute in attributes:
        slot = slot_of(attribute.name)
        if attribute.kind != "fact" or not attribute.value.strip() or slot in varying:
            continue
        if slot == "brand":
            brand = attribute.value.strip()
        elif slot is None:
            parts.append(attribute)
        else:
            # Facets repeat a name, one value each; a variant's values must not mix with the product's.
            gathered.setdefault((slot, attribute.variant_id is not None), []).append(attribute)
    type_text = ""
    reader = _Reader(product=product, glossary=glossary, material="material" in {slot for slot, _ in gathered})
    for attribute in parts:
        reader.add_part(sheet, attribute)
    for own in (True, False):  # what a variant says of itself comes first
        beside: list[dict[str, list[str]]] = []
        # Last comes what only its value tells the kind of.
        for (slot, _), group in sorted(
            ((key, group) for key, group in gathered.items() if key[1] == own), key=lambda item: item[0][0] == "option"
        ):
            if slot == "type":
                type_text = type_text or group[0].value
            elif slot == "feature":
                _add_features(sheet, group, glossary)
            else:
                beside.append(reader.add_slot(sheet, slot, group))
        # A column's own values come before what merely stood in a cell of another: "black leather" in the materials.
        for kind, concepts in (item for values in beside for item in values.items()):
            sheet.add(kind, concepts)
    _add_name(sheet, product, type_text, brand, glossary, varying)
    return sheet


def _varying(product: Product, glossary: Glossary) -> set[str]:
    """Slots that differ between variants: a picture that belongs to none of them may show any value."""
    slots: set[str] = set()
    for variant in product.variants:
        for attribute in variant.attributes:
            slot = slot_of(attribute.name)
            if slot == "option":
                slots |= (
                    _Reader(product=product, glossary=glossary, material=False)
                    .add_slot(FactSheet(), slot, [attribute])
                    .keys()
                )
            elif slot:
                slots.add(slot)
    return slots


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Reads the values of one record's attributes."""

    product: Product
    glossary: Glossary
    material: bool
    """Whether a column of its own states the material."""

    def add_slot(self, sheet: FactSheet, slot: str, attributes: Sequence[Attribute]) -> dict[str, list[str]]:
        """State what a slot says; return what stood in its cells of other kinds, such as "wood" in a colour column."""
        values: dict[str, list[str]] = {}
        for attribute in attributes if slot else ():
            value = unicodedata.normalize("NFKC", attribute.value).strip()
            for piece in () if _SAYS_NOTHING.match(value.casefold()) else _SEPARATORS.split(value):
                label, colon, rest = piece.partition(":")
                if colon and _INSIDE.match(label.strip().casefold()):
                    continue
                for kind, concept in self._read_value(sheet, slot, (rest or label).strip(), attribute.name):
                    values.setdefault(kind, []).append(concept)
        sheet.add(slot, values.pop(slot, ()))
        return values

    def add_part(self, sheet: FactSheet, attribute: Attribute) -> None:
        """Read an attribute of a part: "handle colour: red", "脚: スチール", "legs: 4"."""
        parse = self.glossary.parse(attribute.name)
        part = next((match for match in parse.matches if match.stated and match.is_a("part")), None)
        value = unicodedata.normalize("NFKC", attribute.value).strip()
        if part is None:
            sheet.unknown.append(Unknown(term=attribute.name, attribute=attribute.name))
            return
        name = part.concept("part") or ""
        rest = slot_of(
            re.sub(r"^(の|of|the)|(の|of|the)$", "", (parse.text[: part.start] + parse.text[part.end :]).strip())
        )
        if re.fullmatch(r"\d{1,2}\s*本?", value) and not rest:
            sheet.add(name, [re.sub(r"\D", "", value)])
            return
        scratch = FactSheet(unknown=sheet.unknown)
        wanted = rest if rest in ("colour", "material", "finish") else "material"
        for kind, concepts in self.add_slot(scratch, wanted, [Attribute(name=attribute.name, value=value)]).items():
            scratch.add(kind, concepts)
        for kind in ("colour", "material", "finish"):
            if kind in scratch.facts:
                sheet.add(f"{name} {kind}", scratch.facts[kind].split(SEPARATOR))

    def _read_value(self, sheet: FactSheet, slot: str, piece: str, attribute: str) -> list[tuple[str, str]]:
        if not piece or _SAYS_NOTHING.match(piece.casefold()):
            return []
        foreign = slot in _LOOKS or slot == "option"
        english = self.glossary.in_english(piece) if foreign else piece
        if slot == "colour":
            colour = self._colour(piece) or self._colour(english)
            if colour is not None:
                return [("colour", colour)]
        kinds = (slot, *(kind for kind in SLOTS if kind != slot))
        parse = self.glossary.parse(english)
        found = [
            (kind, concept)
            for match in parse.matches
            if match.stated
            for kind, concept in [_sense(match, kinds)]
            if kind
        ]
        if slot == "colour":
            found = self._as_colours(found, parse)
        named = any(match.is_a("category", "group", "part") for match in parse.matches)
        # An amount ("60%", "12 cm") is no word, and of an option a letter or two is a size.
        amount = re.fullmatch(r"[\d.,%\s]+[a-z]{0,3}|[\W_]*", parse.text) is not None
        letters = slot == "option" and len(parse.text) <= _ABBREVIATION
        if found and english != normalise(piece):
            left = (word for word in parse.unknown if len(word) > _ABBREVIATION and word not in _ADDS_NOTHING)
            sheet.unknown.extend(Unknown(term=word, attribute=attribute) for word in left)
        if found or named or amount or letters or slot == "size":
            return found
        plain = (
            slot in _LOOKS
            and len(parse.text) > _ABBREVIATION
            and _WORDS_ONLY.fullmatch(parse.text) is not None
            and not any(match.is_a("material") for match in parse.matches)  # "wood" as the colour of a steel pot
            and not is_foreign_value(piece, attribute, self.product, self.glossary)
        )
        sheet.unknown.append(Unknown(term=piece, attribute=attribute, used=plain))
        return [(slot, parse.text)] if plain else []

    def _colour(self, text: str) -> str | None:
        exact = self.glossary.concept(text, "colour") or self.glossary.tone(text)
        return exact or (colour_phrase(text, self.glossary) if text.isascii() else None)

    def _as_colours(self, found: list[tuple[str, str]], parse: Parse) -> list[tuple[str, str]]:
        """Read what stands in a column of colours as colours: walnut is a brown, and no pot of aluminium is of wood."""
        if any(kind == "colour" for kind, _ in found):
            return [(kind, concept) for kind, concept in found if kind != "material"]
        tones = [tone for match in parse.matches if match.stated and (tone := self.glossary.tone(match.text))]
        if tones:
            return [("colour", tone) for tone in tones] + [one for one in found if one[0] != "material"]
        return [one for one in found if one[0] != "material" or not self.material]


def _sense(match: Match, kinds: Sequence[str]) -> tuple[str, str]:
    for kind in kinds:
        concept = match.concept(kind)
        if concept is not None:
            return kind, concept
    return "", ""


def _add_features(sheet: FactSheet, attributes: Sequence[Attribute], glossary: Glossary) -> None:
    for attribute in attributes:
        parse = glossary.parse(attribute.value)
        _state_adjectives(sheet, parse, set())
        for match in parse.matches:
            part = match.concept("part") if match.stated else None
            if part is not None:
                sheet.add(part, ["yes"])
        sheet.unknown.extend(
            Unknown(term=word, attribute=attribute.name) for word in parse.unknown if JAPANESE.search(word)
        )


def _add_name(
    sheet: FactSheet, product: Product, type_text: str, brand: str, glossary: Glossary, varying: set[str]
) -> None:
    name = clean_name(product.name, brand, glossary)
    if not name or _CAMERA_NAME.fullmatch(product.name):
        name = clean_name(said_first(product.description), brand, glossary)
    if JAPANESE.search(name):
        _read_japanese_name(sheet, name, type_text or product.category, glossary, varying)
        return
    shelf = type_text or leaf_category(product.category)
    if is_foreign_name(product, glossary):
        _read_foreign_name(sheet, name, shelf, glossary, varying)
        return
    category = clean_name(glossary.in_english(shelf), "", glossary)
    noun, kind = _split_name(name, category, product.description, glossary)
    if not noun:
        return
    if kind:
        kind = _move_adjectives(sheet, kind, glossary, varying)
    sheet.facts["noun"] = glossary.concept(noun, "category") or noun
    if kind:
        sheet.facts["kind"] = kind
    texts = [product.description, *(attribute.value for attribute in product.attributes if attribute.kind == "text")]
    nouns = {noun, category} if glossary.concept(category, "category") is not None else {noun}
    for text in dict.fromkeys(texts):
        if text and not JAPANESE.search(text):
            for fact, value in visual_facts(text, nouns, glossary, name=name if kind else "").items():
                if fact not in varying and not _said(value, kind, noun):
                    sheet.facts.setdefault(fact, value)


def _read_foreign_name(sheet: FactSheet, name: str, shelf: str, glossary: Glossary, varying: set[str]) -> None:
    """Read what the glossary knows of a name in German, French or Spanish; the rest is in no English caption."""
    parse = glossary.parse(glossary.in_english(re.split(r"\s(?:mit|aus|für|avec|en|con|de)\s", name)[0]))
    nouns = [match for match in parse.matches if match.is_a("category")]
    general = glossary.parse(glossary.in_english(shelf)).matches
    found = nouns or [match for match in general if match.is_a("category", "group")]
    if not found:
        sheet.unknown.append(Unknown(term=name, attribute="name"))
        return
    sheet.facts["noun"] = found[0].concept("category", "group") or ""
    _state_adjectives(sheet, parse, varying, last_noun=found[0])


def _said(value: str, kind: str, noun: str) -> bool:
    """Whether the name already says it ("red" of "red delicious apple")."""
    return value in f"{kind} {noun}"


def _split_name(name: str, category: str, text: str, glossary: Glossary) -> tuple[str, str]:
    """Return (noun, kind) of an English name: "golden delicious" in "Apple" → ("apple", "golden delicious").

    A plural category ("Computers") is a shelf that also holds cables; it names the product only if the text says so.
    """
    leaf = grammar.singular(category)
    head = re.split(r"\s(?:with|in|for|from|made of)\s", name)[0]
    parse = glossary.parse(head)
    known = next((match for match in parse.matches if match.end == len(head) and match.is_a("category")), None)
    if leaf and (head == leaf or head.endswith(f" {leaf}")) and (known is None or len(leaf) >= len(known.text)):
        return leaf, head[: -len(leaf)].strip()
    certain = glossary.concept(leaf, "category") is not None and not _contains(head, leaf)
    if certain and _says_so(text, leaf):
        return leaf, head
    if known is not None:
        return head[known.start :], head[: known.start].strip()
    if glossary.concept(leaf, "category") is not None and leaf == category:
        rest = re.sub(rf"\b{re.escape(leaf)}\b", " ", head)
        return leaf, " ".join(rest.split())
    return (head or leaf), ""


def _says_so(text: str, noun: str) -> bool:
    """Whether the text says "… is a (few words) <noun>"."""
    between = r"(?:(?!for\b|of\b|with\b|in\b|by\b)[\w-]+\s){0,6}"
    return re.search(rf"\bis an? {between}{re.escape(noun)}\b", text, flags=re.IGNORECASE) is not None


def _contains(head: str, noun: str) -> bool:
    return bool(noun) and re.search(rf"\b{re.escape(noun)}\b", head) is not None


def _move_adjectives(sheet: FactSheet, kind: str, glossary: Glossary, varying: set[str]) -> str:
    """Take colour, material … out of the words before the noun, where it is sure that they describe the product.

    Sure means: every word is a known adjective ("grey fabric" sofa), or an attribute states the same ("black" of "black
    eaves chair"). Else they belong to a name ("golden delicious", "red bull").
    """
    parse = glossary.parse(kind)
    found = [match for match in parse.matches if match.is_a(*SLOTS)]
    every = not parse.unknown and len(found) == len(parse.matches) and not re.search(r"\d", kind)
    taken: list[Match] = []
    for match in found:
        slot, concept = _sense(match, SLOTS)
        agreed = concept in sheet.facts.get(slot, "").split(SEPARATOR)
        if match.stated and slot not in varying and (agreed or (every and slot not in sheet.facts)):
            sheet.facts.setdefault(slot, concept)
            taken.append(match)
    for match in reversed(taken):
        kind = kind[: match.start] + kind[match.end :]
    return " ".join(kind.strip(" -").split())


def _read_japanese_name(sheet: FactSheet, name: str, category: str, glossary: Glossary, varying: set[str]) -> None:
    parse = glossary.parse(name)
    named = [match for match in parse.matches if match.is_a("category") and not _goes_on(parse, match)]
    # A name may end in a colour that is also a thing: マグカップ オレンジ is a mug.
    nouns = [match for match in named if not match.is_a(*SLOTS)] or named
    sheet.own_noun = name
    if nouns:
        sheet.facts["noun"] = nouns[-1].concept("category") or ""
    else:
        general = glossary.parse(leaf_category(category))
        found = [match.concept("category", "group") for match in general.matches if match.is_a("category", "group")]
        if found and found[-1]:
            sheet.facts["noun"] = found[-1]
        elif not any(JAPANESE.search(word) for word in parse.unknown):
            sheet.unknown.append(Unknown(term=name, attribute="name"))
    _state_adjectives(sheet, parse, varying, last_noun=nouns[-1] if nouns else None)
    for match, after in zip(parse.matches, parse.matches[1:], strict=False):
        part = match.concept("part") if match.stated else None
        if part is not None and after.text in ("付き", "付", "つき") and after.start == match.end:
            sheet.add(part, ["yes"])
    sheet.unknown.extend(Unknown(term=word, attribute="name") for word in parse.unknown if JAPANESE.search(word))


def _goes_on(parse: Parse, match: Match) -> bool:
    """Whether the word goes on after a term with what no term covers: a pen stand (ペンたて) is no pen."""
    rest = parse.text[match.end :]
    known = any(other.start == match.end for other in parse.matches)
    return not known and bool(JAPANESE.match(rest)) and rest[0] not in "大中小"


def _state_adjectives(sheet: FactSheet, parse: Parse, varying: set[str], *, last_noun: Match | None = None) -> None:
    values: dict[str, list[str]] = {}
    starts = {match.start for match in parse.matches if not match.is_a("glue")}
    for match in parse.matches:
        compound = match.is_a("category") and match.end in starts  # オレンジジュース is made of oranges
        if not match.stated or match == last_noun or compound:
            continue
        slot, concept = _sense(match, ("colour", *ADJECTIVE_KINDS[1:], "style"))
        if slot and slot not in varying:
            values.setdefault(slot, []).append(concept)
    for slot, concepts in values.items():
        sheet.add(slot, concepts)


def is_subset(smaller: Mapping[str, str], larger: Mapping[str, str]) -> bool:
    """Whether every fact of `smaller` is one of `larger`."""
    return smaller.items() <= larger.items()
