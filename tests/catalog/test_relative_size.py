"""Size words: only where the products of a catalogue show that one of them is tall."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog import glossary
from catalog.caption import preview, rebuild_captions
from catalog.relative_size import relative_sizes
from catalog.schema import AttributeRow, ProductRow, SourceRow, VariantRow
from catalog.store import Catalog

Sizes = dict[str, tuple[float, str]]


@pytest.fixture
def shop(workspace: Path) -> Iterator[Catalog]:
    with Catalog.open(workspace) as catalog:
        yield catalog


def _fill(catalog: Catalog, vases: list[Sizes], *, name: str = "Vase", category: str = "Decor") -> list[int]:
    with catalog.write() as session:
        source = SourceRow(name="shop", root="/nowhere")
        session.add(source)
        session.flush()
        rows = [ProductRow(source_id=source.id, sku=f"V{n}", name=name, category=category) for n in range(len(vases))]
        session.add_all(rows)
        session.flush()
        for row, sizes in zip(rows, vases, strict=True):
            session.add_all(
                AttributeRow(product_id=row.id, name=measure, value=str(number), number=number, unit=unit)
                for measure, (number, unit) in sizes.items()
            )
        return [row.id for row in rows]


def _words(catalog: Catalog) -> dict[int, str]:
    with catalog.read() as session:
        return relative_sizes(session, glossary.load())


def test_tallest_of_a_kind_is_tall_whatever_the_unit(shop: Catalog) -> None:
    heights = [(20.0, "cm"), (21.0, "cm"), (220.0, "mm"), (0.2, "m"), (20.0, "cm"), (21.0, "cm"), (22.0, "cm")]
    ids = _fill(shop, [{"height": height} for height in (*heights, (20.0, "in"), (10.0, "cm"), (21.0, "cm"))])
    assert _words(shop) == {ids[7]: "tall", ids[8]: "low"}


@pytest.mark.parametrize(
    "sizes",
    [
        [20.0, 21.0, 22.0, 60.0],
        [20.0, 21.0, 22.0, 23.0, 20.0, 21.0, 22.0, 23.0, 24.0, 24.0],
        [20.0] * 10,
    ],
)
def test_too_few_products_or_too_little_difference_give_no_word(shop: Catalog, sizes: list[float]) -> None:
    _fill(shop, [{"height": (size, "cm")} for size in sizes])
    assert _words(shop) == {}


def test_several_measures_make_large_and_small_or_nothing(shop: Catalog) -> None:
    usual: list[Sizes] = [{"height": (20.0 + n / 10, "cm"), "width": (10.0, "cm")} for n in range(10)]
    odd: list[Sizes] = [
        {"height": (60.0, "cm"), "width": (40.0, "cm")},
        {"height": (5.0, "cm"), "width": (4.0, "cm")},
        {"height": (60.0, "cm"), "width": (4.0, "cm")},
    ]
    ids = _fill(shop, usual + odd)
    assert _words(shop) == {ids[10]: "large", ids[11]: "small"}


def test_captions_say_the_word_and_never_the_number(shop: Catalog) -> None:
    _fill(shop, [{"height": (size, "cm")} for size in [20.0] * 8 + [60.0, 21.0]])
    rebuild_captions(shop)
    tall, usual = (preview(shop, f"shop/{sku}")[0] for sku in ("V8", "V1"))
    assert tall.sheet.facts == {"noun": "vase", "size": "tall"} and usual.sheet.facts == {"noun": "vase"}
    assert "a tall vase" in [wording.text for wording in tall.wordings]
    assert not any("60" in wording.text for wording in tall.wordings)


def test_size_that_the_record_or_its_variants_state_comes_first(shop: Catalog) -> None:
    ids = _fill(shop, [{"height": (size, "cm")} for size in [20.0] * 8 + [60.0, 61.0]])
    with shop.write() as session:
        session.add(AttributeRow(product_id=ids[8], name="size", value="small"))
        variant = VariantRow(product_id=ids[9], key="S", sku="S")
        session.add(variant)
        session.flush()
        session.add(AttributeRow(product_id=ids[9], variant_id=variant.id, name="size", value="S"))
    assert preview(shop, "shop/V8")[0].sheet.facts["size"] == "small"
    assert "size" not in preview(shop, "shop/V9")[0].sheet.facts
