"""Pairs of captions by what they state: what contrastive training asks of a dataset.

A caption's fact set decides. Without it two captions of one picture pass as paraphrases although one of them drops the
colour, and training on such pairs teaches a model to ignore colours.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from catalog.facts import SEPARATOR
from catalog.records import Caption, ManifestEntry
from catalog.sayable import NAME

KINDS = ("paraphrase", "entails", "hard_negative")


@dataclass(frozen=True, kw_only=True)
class CaptionPair:
    """Two captions and the pictures they belong to, by index into the entries."""

    kind: str
    first: Caption
    second: Caption
    first_entry: int
    second_entry: int


def relation(first: Caption, second: Caption) -> str | None:
    """Return how `first` relates to `second`.

    Returns:
        `paraphrase` for equal fact sets, `entails` when `first` states all that `second` does and more, `hard_negative`
        when both state the same kinds of facts and exactly one value contradicts, else None. None too without facts.
    """
    if not first.facts or not second.facts:
        return None
    if dict(first.facts) == dict(second.facts):
        return "paraphrase"
    if second.facts.items() < first.facts.items():
        return "entails"
    if first.facts.keys() == second.facts.keys():
        differing = [name for name in first.facts if first.facts[name] != second.facts[name]]
        if len(differing) == 1 and contradicts(differing[0], first.facts[differing[0]], second.facts[differing[0]]):
            return "hard_negative"
    return None


@lru_cache(maxsize=65536)
def contradicts(name: str, first: str, second: str) -> bool:
    """Whether a picture that shows one value of a fact surely does not show the other.

    Makers' names show in no picture, and what is worn to run may be worn to yoga; cotton is part of "cotton,
    polyester"; a running shoe is a shoe and dark red is red.
    """
    if name in (NAME, "kind"):
        return False
    ones, others = first.split(SEPARATOR), second.split(SEPARATOR)
    return not any(
        one == other or _is_kind_of(one, other) or _is_kind_of(other, one) for one in ones for other in others
    )


def _is_kind_of(special: str, general: str) -> bool:
    return special.endswith((f" {general}", f"-{general}"))


def masked(first: ManifestEntry, second: ManifestEntry) -> bool:
    """Whether two pictures must never serve as each other's random negatives: one product, or one group.

    A pair of kind `hard_negative` may cross this where the pictures are known to be of one shape in two colours, since
    it states the fact that tells them apart.
    """
    return first.product == second.product or first.group == second.group


def pairs(entries: Sequence[ManifestEntry], kind: str) -> Iterator[CaptionPair]:
    """Yield caption pairs of a kind; pictures that share their captions count once.

    Args:
        entries: Pictures of a dataset.
        kind: `paraphrase` or `entails` (both captions of one picture; unordered and ordered), or `hard_negative`
            (one fact contradicted; unordered): captions of two products that `masked` does not forbid, or of two
            pictures that are variants of one shape, then with the indices of these.

    Raises:
        ValueError: Unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"pair kind {kind!r}: use one of {', '.join(KINDS)}")
    views: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for index, entry in enumerate(entries):
        views[entry.product, tuple(caption.text for caption in entry.captions)].append(index)
    if kind == "hard_negative":
        yield from _hard_negatives(entries, list(views.values()))
        return
    for index, *_ in views.values():
        captions = entries[index].captions
        for place, first in enumerate(captions):
            others = captions[place + 1 :] if kind == "paraphrase" else captions
            for second in others:
                if second.text != first.text and relation(first, second) == kind:
                    yield CaptionPair(kind=kind, first=first, second=second, first_entry=index, second_entry=index)


def _hard_negatives(entries: Sequence[ManifestEntry], views: Sequence[Sequence[int]]) -> Iterator[CaptionPair]:
    # Captions that agree in all facts but one meet in the bucket of the facts they share.
    buckets: dict[tuple[str, frozenset[tuple[str, str]]], list[tuple[Sequence[int], Caption]]] = defaultdict(list)
    for view in views:
        for caption in entries[view[0]].captions:
            for name in caption.facts:
                rest = frozenset(item for item in caption.facts.items() if item[0] != name)
                if rest:
                    buckets[name, rest].append((view, caption))
    for (name, _), members in buckets.items():
        for place, (first_view, first) in enumerate(members):
            for second_view, second in members[place + 1 :]:
                if not contradicts(name, first.facts[name], second.facts[name]):
                    continue
                contrasted = _contrasted(entries, first_view, second_view)
                if contrasted is not None:
                    yield CaptionPair(
                        kind="hard_negative",
                        first=first,
                        second=second,
                        first_entry=contrasted[0],
                        second_entry=contrasted[1],
                    )


def _contrasted(
    entries: Sequence[ManifestEntry], first: Sequence[int], second: Sequence[int]
) -> tuple[int, int] | None:
    """Return the pictures that tell two views apart, variants of one shape if there are any; None if there are none."""
    for one in first:
        if entries[one].variants:
            for other in second:
                if entries[other].sha256 in entries[one].variants:
                    return one, other
    return None if masked(entries[first[0]], entries[second[0]]) else (first[0], second[0])
