"""What the members of a group of products have in common: facts, name, text, and pictures they share."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Sequence

from catalog.attribute_slots import slot_of
from catalog.readers.draft import DraftAttribute, DraftVariant

Fact = tuple[str, str]
"""Name and value, as compared."""
_SIZES = frozenset({"größe", "grösse", "taille", "talla", "taglia", "maat", "tamanho"})
_EDGE = " \t-–—,|/:;·・("
_MARKS = re.compile(r"\s*[-–—,|/:;]+\s*(?=[-–—,|/:;)]|$)|\(\s*\)|（\s*）|\[\s*\]")


def one_shown(variants: Sequence[DraftVariant]) -> DraftVariant | None:
    """Return the variant a picture shows when all of these name it; None where they differ in more than size."""
    looks = [look(variant) for variant in variants]
    # One without a colour may have any; one without a detail only does not mention it.
    known = {frozenset(fact for fact in facts if _slot(fact[0]) is not None) for facts in looks}
    stated: dict[str, set[str]] = {}
    for name, value in (fact for facts in looks for fact in facts):
        stated.setdefault(name, set()).add(value)
    return variants[0] if len(known) == 1 and all(len(values) == 1 for values in stated.values()) else None


def adds_to(shown: Sequence[DraftVariant], variant: DraftVariant) -> bool:
    """Whether a further variant can change which one a picture shows; hundreds of sizes look the same."""
    open_yet = len(shown) < 2 or one_shown(shown) is not None
    return open_yet and look(variant) not in map(look, shown)


def look(variant: DraftVariant) -> frozenset[Fact]:
    """Return the facts of a variant that may show, without its size."""
    return frozenset(
        same(fact) for fact in variant.attributes if fact.kind == "fact" and _slot(fact.name) not in ("", "size")
    )


@functools.lru_cache(maxsize=4096)
def _slot(name: str) -> str | None:
    return "size" if name.casefold() in _SIZES else slot_of(name)


def same(fact: DraftAttribute) -> Fact:
    """Return a fact in the form two of them are compared in."""
    return fact.name.casefold(), fact.value.casefold()


def shared_facts(members: Sequence[Sequence[DraftAttribute]]) -> set[Fact]:
    """Return the facts that every member states, of the names for which no member states anything else."""
    stated = [{same(fact) for fact in facts} for facts in members]
    common = set.intersection(*stated) if stated else set()
    varying = {name for facts in stated for name, _ in facts - common}
    return {fact for fact in common if fact[0] not in varying}


def common_name(names: Sequence[str], values: Sequence[Iterable[str]]) -> str:
    """Return what the names of a group have in common: "Linen shirt" of "Linen shirt, red" and "Linen shirt, blue".

    Args:
        names: Name of each member.
        values: What tells each member apart, such as its colour; left out of its name.
    """
    if len(set(names)) <= 1:
        return names[0] if names else ""
    bare = [_without(name, own) for name, own in zip(names, values, strict=True)]
    if len({name.casefold() for name in bare}) == 1 and bare[0]:
        return bare[0]
    words = [name.split() for name in bare]
    start = _common(words)
    end = _common([name[start:][::-1] for name in words])
    shared = words[0][:start] + (words[0][-end:] if end else [])
    return _tidy(" ".join(shared)) or bare[0] or names[0]


def _common(words: Sequence[Sequence[str]]) -> int:
    """Return how many first words are the same."""
    at_place = zip(*([word.casefold() for word in name] for name in words), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda found: len(set(found)) == 1, at_place))


def _without(name: str, values: Iterable[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        # Japanese writes no blanks, so only Latin letters have word ends.
        name = re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", " ", name, flags=re.I)
    return _tidy(name)


def _tidy(name: str) -> str:
    before = None
    while name != before:
        before, name = name, _MARKS.sub(" ", name)
    return re.sub(r"\s+([,;:)])", r"\1", " ".join(name.split())).strip(_EDGE)


def common_text(texts: Sequence[str], cleaned: Callable[[str], str]) -> str:
    """Return the lines that stand in every text: what one member alone says is not true of all."""
    lines = [cleaned(text).split("\n") for text in texts]
    return "\n".join(line for line in (lines[0] if lines else []) if all(line in other for other in lines[1:]))
