"""Captions of the real catalogues, read as a stranger would: right colours, no banned word, names in one of ten."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from catalog import glossary
from catalog.attribute_slots import slot_of
from catalog.caption import rebuild_captions
from catalog.facts import facts_of
from catalog.glossary import Glossary
from catalog.ingest import ingest
from catalog.products import load_products, product_ids
from catalog.records import Attribute, Product
from catalog.sayable import NAME, sayable
from catalog.schema import CaptionRow
from catalog.store import Catalog

SHOPS = ("magento_luma", "vendure_demo", "grocery_store")


@pytest.fixture(scope="module")
def terms() -> Glossary:
    return glossary.load()


@pytest.fixture(scope="module")
def shops(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Catalog.open(tmp_path_factory.mktemp("real")) as catalog:
        for shop in SHOPS:
            ingest(catalog, shared_data / "catalogs" / shop)
        yield catalog


@pytest.fixture(scope="module")
def products(shops: Catalog) -> list[Product]:
    with shops.read() as session:
        return load_products(session, product_ids(session))


@pytest.fixture(scope="module")
def captions(shops: Catalog) -> list[CaptionRow]:
    with shops.read() as session:
        rows = list(session.scalars(select(CaptionRow)))
        session.expunge_all()
    return rows


def _colours(attributes: tuple[Attribute, ...], terms: Glossary) -> set[str]:
    values = [attribute.value for attribute in attributes if slot_of(attribute.name) == "colour"]
    return {match.concept("colour") or "" for value in values for match in terms.parse(value).matches} - {""}


def _named(text: str, terms: Glossary) -> set[str]:
    """Return the colours a caption names; a fruit ("orange juice") is none."""
    matches = [match for match in terms.parse(text).matches if not match.is_a("category")]
    return {match.concept("colour") or "" for match in matches} - {"", "natural"}


def test_facts_of_every_variant_state_its_own_colour_alone(products: list[Product], terms: Glossary) -> None:
    checked = 0
    for product in products:
        for variant in product.variants:
            wanted = _colours(variant.attributes, terms)
            if not wanted:
                continue
            facts = sayable(facts_of(product, terms, variant=variant), product, terms, variant=variant).facts
            own = {attribute.value.casefold() for attribute in variant.attributes}
            assert wanted <= set(facts["colour"].split(", ")) <= wanted | own, (product.key, variant.key)
            assert not [name for name in facts if name.endswith(" colour")], (product.key, variant.key)
            checked += 1
    assert checked >= 1847


def test_captions_name_no_other_colour_than_their_variants(
    products: list[Product], captions: list[CaptionRow], terms: Glossary
) -> None:
    colours: dict[tuple[int, int | None], set[str]] = {}
    for product in products:
        if any(_colours(variant.attributes, terms) for variant in product.variants):
            colours[product.id, None] = set()
            colours.update({(product.id, v.id): _colours(v.attributes, terms) for v in product.variants})
    checked = [row for row in captions if (row.product_id, row.variant_id) in colours]
    wrong = [row.text for row in checked if _named(row.text, terms) - colours[row.product_id, row.variant_id]]
    assert len(checked) > 4000 and wrong == []


def test_captions_hold_no_banned_word_and_no_mark(captions: list[CaptionRow], terms: Glossary) -> None:
    assert [row.text for row in captions if re.search(r"[™®<>_=]|\d{3}|  ", row.text)] == []
    banned = [
        row.text for row in captions if any(match.is_a("ban", "brand") for match in terms.parse(row.text).matches)
    ]
    assert banned == []


def test_a_makers_name_stands_in_one_caption_of_ten(products: list[Product], captions: list[CaptionRow]) -> None:
    groups: dict[tuple[int, int | None], list[CaptionRow]] = {}
    for row in captions:
        groups.setdefault((row.product_id, row.variant_id), []).append(row)
    naming = [[row for row in rows if NAME in row.facts] for rows in groups.values()]
    assert {len(rows) for rows in naming} == {0, 1} and sum(map(len, naming)) > 500
    makers = re.compile(r"\b(arla|tropicana|oatly|alpro|god morgon|teton|chaz|nikkormat|ultraboost)\b")
    named = [row for row in captions if NAME not in row.facts and makers.search(row.text)]
    # A product of which nothing else is known goes by its name in all of them.
    assert {frozenset(row.facts) for row in named} <= {frozenset({"noun", "kind"})} and len(named) < 150


def test_unknown_terms_of_real_dumps_are_few_and_real(shops: Catalog) -> None:
    for shop in SHOPS:
        unknown = rebuild_captions(shops, source=shop, dry_run=True).unknown
        assert len(unknown) <= 60
        assert all(re.search(r"[a-z]", term.term, re.IGNORECASE) for term in unknown)
        assert {"climate", "activity", "eco collection", "gender", "new", "sale"}.isdisjoint(t.term for t in unknown)
