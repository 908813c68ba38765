"""Records that are forms of one product: what they share is the product's, what differs is each variant's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from catalog.phrases import say
from catalog.readers.cells import clean, clean_line, fact_value
from catalog.readers.draft import DraftAttribute, DraftProduct
from catalog.readers.drafting import Drafting, Place
from catalog.readers.likeness import common_name, common_text, same, shared_facts


@dataclass(kw_only=True)
class Item:
    """One record of a feed, before it is known to be a product of its own or a form of one."""

    place: Place
    key: str
    name: str
    category: str = ""
    facts: list[DraftAttribute] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    """Running texts by name, as written."""
    pictures: list[str] = field(default_factory=list)
    """Links and paths, as written."""
    translations: list[tuple[str, str, str]] = field(default_factory=list)
    """What it says in further languages: (name, language, text)."""

    def fact(self, name: str, value: str, source: str, unit: str = "") -> None:
        """State a fact, unless its value is empty."""
        label, line = clean_line(name).lower(), fact_value(value)
        if label and line:
            self.facts.append(DraftAttribute(name=label, value=line, source=source, unit=clean_line(unit) or None))


def add_single(drafting: Drafting, item: Item) -> DraftProduct | None:
    """Add a record as a product without variants; None where it cannot be one, which is reported."""
    product = drafting.product(item.place, item.key, item.name, item.category)
    if product is not None:
        _describe(drafting, product, item, item.facts)
        drafting.pictures(product, item.place, item.pictures)
    return product


def add_group(
    drafting: Drafting, key: str, items: Sequence[Item], *, base: Item | None = None, name: str = ""
) -> DraftProduct | None:
    """Add a product whose variants are these records; None where it has no name, which is reported for each of them.

    Args:
        drafting: The drafts so far.
        key: Key of the product.
        items: Its variants, at least one.
        base: The product's own record, where the feed has one.
        name: Name of the product where a variant says it; default is what their names have in common.
    """
    shared = shared_facts([item.facts for item in items])
    if base is None or not base.name:
        named = [item for item in items if item.name]
        own = [[fact.value for fact in item.facts if same(fact) not in shared] for item in named]
        name = name or common_name([clean_line(item.name) for item in named], own)
    else:
        name = base.name
    first = base or items[0]
    category = first.category or next((item.category for item in items if item.category), "")
    product = drafting.product(first.place, key, name, category)
    if product is None:
        for item in items:
            if item is not first:
                drafting.reject(item.place, "ROW_UNKNOWN_KEY", say("its product {key!r} was not taken", key=key))
        return None
    _add_common(drafting, product, items, base, shared)
    for item in items:
        own_facts = [fact for fact in item.facts if same(fact) not in shared]
        variant = drafting.variant(product, item.place, item.key, item.name, own_facts)
        own_texts = [*item.texts.items()] + [(f"{label} [{code}]", text) for label, code, text in item.translations]
        for label, written in own_texts:
            if (text := clean(written)) and not any(text == fact.value for fact in product.attributes):
                variant.attributes.append(DraftAttribute(name=label, value=text, source=label, kind="text"))
        drafting.pictures(product, item.place, item.pictures, variant)
    return product


def _add_common(
    drafting: Drafting, product: DraftProduct, items: Sequence[Item], base: Item | None, shared: set[tuple[str, str]]
) -> None:
    common = [fact for fact in items[0].facts if same(fact) in shared]
    if base is not None:
        varying = {same(fact)[0] for item in items for fact in item.facts} - {fact_name for fact_name, _ in shared}
        # A group that lists all its colours does not have one.
        common = [fact for fact in base.facts if same(fact)[0] not in varying] + common
        _describe(drafting, product, base, common)
        drafting.pictures(product, base.place, base.pictures)
        return
    names = [label for label in items[0].texts if all(label in item.texts for item in items)]
    texts = {label: common_text([item.texts[label] for item in items], clean) for label in names}
    _describe(drafting, product, Item(place=items[0].place, key="", name="", texts=texts), common)


def _describe(drafting: Drafting, product: DraftProduct, item: Item, facts: Sequence[DraftAttribute]) -> None:
    for fact in facts:
        drafting.fact(product, fact.name, fact.value, fact.source, fact.unit or "")
    for label, text in item.texts.items():
        drafting.text(product, label, text, label)
    for label, code, text in item.translations:
        drafting.translation(product, label, code, text, label)
