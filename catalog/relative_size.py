"""Measures of products → a word such as "tall", where the catalogue itself shows that it is earned.

A product is tall among the products of its own category and noun, never by a number of ours: enough of them must state
the same measure, and it must be in the outer fifth and well away from the middle one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.glossary import Glossary
from catalog.schema import AttributeRow, ProductRow

_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "dm": 100.0, "m": 1000.0, "in": 25.4, "ft": 304.8, "yd": 914.4}
_WORDS = {
    "height": ("tall", "low"),
    "width": ("wide", "narrow"),
    "length": ("long", "short"),
    "depth": ("deep", "shallow"),
    "diameter": ("large", "small"),
}
"""Measure → concepts of the glossary for much and little of it."""
_SAID_ALONE = frozenset({"height", "width", "length", "diameter"})
"""A deep sofa reads as a deep colour or a deep bowl: depth only counts together with others."""
_FEWEST = 8
"""Products that must state a measure before any of them is called anything by it."""
_OUTER = 0.2
_AWAY = 1.25
"""How many times the middle value the much must be, and how many times smaller the little."""
_Measures = Mapping[str, float]


def relative_sizes(session: Session, glossary: Glossary) -> dict[int, str]:
    """Return product id → size word of the active products whose measures stand out among their like.

    Only measures of whole products count, in units of length; a product whose measures disagree (tall and narrow) gets
    no word. Words are concepts of the glossary of kind `size`.
    """
    measured: dict[int, dict[str, float]] = defaultdict(dict)
    alike: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    query = (
        select(
            ProductRow.id, ProductRow.source_id, ProductRow.category, ProductRow.name,
            AttributeRow.name.label("measure"), AttributeRow.number, AttributeRow.unit,
        )
        .join(ProductRow, ProductRow.id == AttributeRow.product_id)
        .where(
            AttributeRow.number.is_not(None), AttributeRow.variant_id.is_(None), AttributeRow.name.in_(_WORDS),
            ProductRow.status == "active",
        )
        .order_by(ProductRow.id, AttributeRow.position)
    )  # fmt: skip
    for row in session.execute(query):
        factor = _MILLIMETRES.get(row.unit or "")
        if factor is None or row.number is None or row.number <= 0:
            continue
        if row.id not in measured:
            alike[row.source_id, row.category, _noun(row.name, glossary)].append(row.id)
        measured[row.id].setdefault(row.measure, row.number * factor)
    sizes: dict[int, str] = {}
    for ids in alike.values():
        sizes.update(_stand_out({id_: measured[id_] for id_ in ids}))
    return sizes


def _noun(name: str, glossary: Glossary) -> str:
    named = [match.concept("category") for match in glossary.parse(name).matches if match.is_a("category")]
    return (named[-1] if named else None) or ""


def _stand_out(products: Mapping[int, _Measures]) -> Iterable[tuple[int, str]]:
    limits = {
        measure: limit
        for measure in _WORDS
        if (limit := _limits([sizes[measure] for sizes in products.values() if measure in sizes])) is not None
    }
    for id_, sizes in products.items():
        word = _word({m: _side(sizes[m], limits[m]) for m in limits if m in sizes})
        if word:
            yield id_, word


def _limits(values: Sequence[float]) -> tuple[float, float] | None:
    """Return what is little and what is much of a measure, or None when too few state it."""
    if len(values) < _FEWEST:
        return None
    ordered = sorted(values)
    outer = int(len(ordered) * _OUTER)
    middle = median(ordered)
    return min(ordered[outer - 1], middle / _AWAY), max(ordered[-outer], middle * _AWAY)


def _side(value: float, limits: tuple[float, float]) -> int:
    return 1 if value >= limits[1] else -1 if value <= limits[0] else 0


def _word(sides: Mapping[str, int]) -> str:
    outside = {measure: side for measure, side in sides.items() if side}
    if len(set(outside.values())) != 1:
        return ""
    side = next(iter(outside.values()))
    if len(outside) > 1:
        return "large" if side > 0 else "small"
    measure = next(iter(outside))
    return _WORDS[measure][0 if side > 0 else 1] if measure in _SAID_ALONE else ""
