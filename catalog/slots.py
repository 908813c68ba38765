"""A product's facts as the words a caption template fills in, in English or Japanese."""

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog import grammar
from catalog.attribute_slots import SLOTS
from catalog.facts import SEPARATOR, FactSheet
from catalog.glossary import Glossary
from catalog.sayable import NAME

_ADJECTIVES = {
    "wood": "wooden",
    "unglazed clay": "unglazed clay",
    "enamel": "enamelled",
    "lacquerware": "lacquered wooden",
}
"""Materials whose adjective is not the noun itself."""
_WORN_IN_PAIRS = {
    "pant": "pants", "short": "shorts", "tight": "tights", "trouser": "trousers", "jean": "jeans",
    "legging": "leggings", "capri": "capri pants", "jogger": "joggers",
}  # fmt: skip
"""Clothes that shops write in the singular; as a noun the word means nothing else."""
_HUES = {
    "natural": "a natural colour",
    "multicoloured": "several colours",
    "two-tone": "two tones",
    "copper": "a copper colour",
    "bronze": "a bronze colour",
}
"""Colours that do not follow "in" as they stand."""
_FORMS = {
    "shape": "{} shape", "pattern": "{} pattern", "finish": "{} finish", "style": "{} style",
}  # fmt: skip
_BARE_PATTERNS = frozenset({"wave pattern", "leopard print"})
_NA_ADJECTIVES = frozenset("モダン シンプル クラシック 素朴 スポーティー 透明 半透明 カラフル".split())
_JA_NAMES = {
    "size": "サイズ", "style": "スタイル", "shape": "形", "pattern": "柄", "finish": "仕上げ",
    "colour": "色", "material": "素材",
}  # fmt: skip
_Parts = Mapping[str, Mapping[str, Sequence[str]]]
"""Part word → kind of fact → words."""
_STATED_BY = {
    "looks": SLOTS, "named": ("noun", "kind"), "titled": ("noun", "kind", NAME),
    "hue": ("colour",), "stuff": ("material",), "here": (),
    "forms": ("shape", "pattern", "finish"), "style_form": ("style",), "finish_form": ("finish",),
    "shape_form": ("shape",), "pattern_form": ("pattern",),
    "spec": (*SLOTS, "details"), "details": ("details",),
}  # fmt: skip
"""Template variable → facts it can state; a variable that is a slot's name states that slot."""
PART_KINDS = ("colour", "material", "finish")
"""What can be said of a part: the fact "handle colour" is the colour of the part "handle"."""


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Facts that can be said in one language."""

    lang: str
    facts: Mapping[str, str]
    """Facts that have words in `lang`; the others cannot be stated."""
    words: Mapping[str, Sequence[Sequence[str]]]
    """Fact → for each of its values the words to choose from."""
    parts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Fact about a part → (word for the part, one of PART_KINDS or "")."""
    missing: tuple[str, ...] = field(default=())
    """Facts without a word in `lang`."""
    _built: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)
    """Choice of words → variables: a product has dozens of drafts and few choices."""

    @property
    def general(self) -> Mapping[str, str]:
        """The facts without the maker's own name: what captions of the paraphrase group state."""
        return {name: value for name, value in self.facts.items() if name != NAME}

    @property
    def noun(self) -> str:
        """The noun as first choice, or empty."""
        return self.words["noun"][0][0] if "noun" in self.words else ""

    def variables(self, rng: random.Random) -> dict[str, Any]:
        """Choose words and build what templates may use."""
        chosen = {name: [self._choose(name, options, rng) for options in values] for name, values in self.words.items()}
        key = tuple(word for words in chosen.values() for word in words)
        if key not in self._built:
            self._built[key] = self._build(chosen)
        return self._built[key]

    def _build(self, chosen: dict[str, list[str]]) -> dict[str, Any]:
        parts: dict[str, dict[str, list[str]]] = {}
        for name, (part, kind) in self.parts.items():
            parts.setdefault(part, {})[kind] = chosen.pop(name)
        return _english(chosen, parts) if self.lang == "en" else _japanese(chosen, parts)

    def stated(self, text: str, uses: Collection[str]) -> dict[str, str]:
        """Return the facts a rendered text states: read by its template and found in the text."""
        readable = {name for variable in uses for name in _STATED_BY.get(variable, (variable,))}
        if self.lang == "ja" and "looks" in uses:
            readable.add("details")
        return {
            name: self.facts[name]
            for name in self.words
            if ("details" if name in self.parts else name) in readable and self._said(name, text)
        }

    def _said(self, name: str, text: str) -> bool:
        if name in self.parts:
            part, kind = self.parts[name]
            if not any(form in text for form in (part, grammar.plural(part), grammar.singular(part))):
                return False
            if not kind:
                return True
        return all(
            any(form in text for option in options for form in _forms_of(option)) for options in self.words[name]
        )

    def _choose(self, name: str, options: Sequence[str], rng: random.Random) -> str:
        # Beside a kind ("camera lens") only the plain word is sure to mean the same.
        return options[0] if name == "noun" and "kind" in self.words else rng.choice(options)


def slots_of(sheet: FactSheet, glossary: Glossary, lang: str) -> Slots:
    """Put facts into words of `lang`; facts without words are listed in `missing`."""
    words: dict[str, list[Sequence[str]]] = {}
    parts: dict[str, tuple[str, str]] = {}
    missing = []
    for name, value in sheet.facts.items():
        part, kind = _part_of(name)
        part_words = glossary.words("part", part, lang) if part else ()
        options = [_options(kind if part else name, one, glossary, lang) for one in value.split(SEPARATOR)]
        if not all(options) or (part and not part_words):
            missing.append(name)
            continue
        words[name] = list(options)
        if part:
            parts[name] = (part_words[0], kind)
    if lang == "ja" and "noun" not in words and sheet.own_noun:
        words["noun"] = [(sheet.own_noun,)]
    facts = {name: sheet.facts.get(name, sheet.own_noun) for name in words}
    return Slots(lang=lang, facts=facts, words=words, parts=parts, missing=tuple(missing))


def _part_of(name: str) -> tuple[str, str]:
    """Split "handle colour" into ("handle", "colour"); ("", "") for a fact of the whole product."""
    if name in SLOTS or name in ("noun", "kind", NAME):
        return "", ""
    part, _, kind = name.rpartition(" ")
    return (part, kind) if part and kind in PART_KINDS else (name, "")


def _options(kind: str, value: str, glossary: Glossary, lang: str) -> Sequence[str]:
    if kind == "":
        return (value,)  # how many of the part there are, or "yes"
    if kind in ("kind", NAME):
        return (value,) if lang == "en" else ()
    if kind == "noun":
        known = glossary.words("category", value, lang) or glossary.words("group", value, lang)
    else:
        known = glossary.words(kind, value, lang)
    return known or ((value,) if lang == "en" else ())


def _forms_of(word: str) -> tuple[str, ...]:
    """Forms in which a template may show a word."""
    return word, _ADJECTIVES.get(word, word), _HUES.get(word, word), _WORN_IN_PAIRS.get(word, word)


def _english(chosen: Mapping[str, Sequence[str]], parts: _Parts) -> dict[str, Any]:
    values = {slot: grammar.listing(chosen.get(slot, ())) for slot in SLOTS}
    nouns = dict(values)
    values["material"] = grammar.listing([_ADJECTIVES.get(word, word) for word in chosen.get("material", ())])
    noun = grammar.words(chosen["noun"])
    noun = _WORN_IN_PAIRS.get(noun, noun)
    kind = grammar.words(chosen.get("kind", ()))
    forms = {
        slot: grammar.indefinite(nouns[slot] if nouns[slot] in _BARE_PATTERNS else text.format(nouns[slot]))
        if nouns[slot]
        else ""
        for slot, text in _FORMS.items()
    }
    details = _english_details(parts)
    spec = [f"{slot}: {nouns[slot]}" for slot in SLOTS if nouns[slot]] + [f"with {detail}" for detail in details]
    return {
        **values,
        "noun": noun,
        "kind": kind,
        "named": grammar.words([kind, noun]),
        "titled": grammar.words([*chosen.get(NAME, ()), kind, noun]),
        "looks": grammar.words(values[slot] for slot in SLOTS),
        "hue": grammar.listing([_HUES.get(word, word) for word in chosen.get("colour", ())]),
        "stuff": nouns["material"],
        "forms": [forms[slot] for slot in ("shape", "pattern", "finish")],
        **{f"{slot}_form": form for slot, form in forms.items()},
        "details": details,
        "spec": spec,
        "here": "these are" if grammar.is_plural(noun.split()[-1]) else "this is",
    }


def _english_details(parts: _Parts) -> list[str]:
    details = []
    for part, facts in parts.items():
        count = next(iter(facts.get("", ())), "")
        looks = grammar.words(
            [
                grammar.listing(facts.get("finish", ())),
                grammar.listing(facts.get("colour", ())),
                grammar.listing([_ADJECTIVES.get(word, word) for word in facts.get("material", ())]),
            ]
        )
        if count.isdigit():
            named = grammar.plural(part) if int(count) != 1 else grammar.singular(part)
            details.append(grammar.words([grammar.number(int(count)), looks, named]))
        elif part in ("skin", "foliage"):
            details.append(grammar.words([looks, part]))
        else:
            details.append(grammar.indefinite(grammar.words([looks, part])))
    return details


def _japanese(chosen: Mapping[str, Sequence[str]], parts: _Parts) -> dict[str, Any]:
    values = {slot: "と".join(chosen.get(slot, ())) for slot in SLOTS}
    joined = {slot: _japanese_adjective(slot, value) for slot, value in values.items()}
    details = []
    for part, facts in parts.items():
        look = "".join(_japanese_adjective(kind, "と".join(facts[kind])) for kind in PART_KINDS if kind in facts)
        count = next(iter(facts.get("", ())), "")
        details.append(f"{look}{part}{f'{count}本' if count.isdigit() else ''}")
    having = "".join(f"{detail}付きの" for detail in details)
    spec = [f"{_JA_NAMES[slot]}は{values[slot]}" for slot in SLOTS if values[slot]] + [
        f"{detail}付き" for detail in details
    ]
    return {
        **joined,
        "noun": "".join(chosen["noun"]),
        "kind": "",
        "named": "".join(chosen["noun"]),
        "titled": "".join(chosen["noun"]),
        "looks": having + "".join(joined[slot] for slot in SLOTS),
        "hue": values["colour"],
        "stuff": values["material"],
        "forms": [values[slot] for slot in ("shape", "pattern", "finish") if values[slot]],
        **{f"{slot}_form": values[slot] for slot in _FORMS},
        "details": details,
        "spec": spec,
        "here": "これは",
    }


def _japanese_adjective(slot: str, value: str) -> str:
    """Add the particle: 赤色 → 赤色の, 陶器 → 陶器製の, モダン → モダンな."""
    if not value:
        return ""
    if value in _NA_ADJECTIVES:
        return f"{value}な"
    if slot == "material":
        return f"{value}の" if re.search(r"(材|板|製|素焼き)$", value) else f"{value}製の"
    return value if value.endswith(("い", "の")) else f"{value}の"
