"""What a dataset takes: the largest copy once, no placeholder, and no shape on both sides of the split."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from stored_pictures import add_product, recompressed, resized, scene, store, swapped_chroma

from catalog import manifest
from catalog.dataset import captions_without_picture, freeze, select_entries
from catalog.duplicates import find_duplicates
from catalog.schema import CaptionRow, ImageRow, ProductImageRow, VariantRow
from catalog.store import Catalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "workspace") as opened:
        yield opened


def digest(catalog: Catalog, image_id: int) -> str:
    with catalog.read() as session:
        return str(session.scalar(select(ImageRow.sha256).where(ImageRow.id == image_id)))


def add_variant(catalog: Catalog, product_id: int, key: str, image_id: int, colour: str) -> None:
    """Let a linked picture show a variant that has a caption of its own."""
    with catalog.write() as session:
        variant = VariantRow(product_id=product_id, key=key, sku=key)
        session.add(variant)
        session.flush()
        session.execute(
            update(ProductImageRow)
            .where(ProductImageRow.product_id == product_id, ProductImageRow.image_id == image_id)
            .values(variant_id=variant.id)
        )
        facts = {"noun": "mug", "colour": colour}
        values = {"product_id": product_id, "variant_id": variant.id, "text": f"a {colour} mug", "facts": facts}
        session.execute(insert(CaptionRow), [values])


def test_a_dataset_without_duplicates_is_as_before(catalog: Catalog) -> None:
    ids = store(catalog, {str(seed): scene(seed) for seed in range(6)})
    for seed in range(0, 6, 2):
        add_product(catalog, f"Product {seed}", [ids[str(seed)], ids[str(seed + 1)]])
    before = manifest.content_hash(select_entries(catalog))
    find_duplicates(catalog)
    assert manifest.content_hash(select_entries(catalog)) == before
    assert len(select_entries(catalog)) == 6


def test_a_thumbnail_and_its_picture_are_one_entry_of_the_large_one(catalog: Catalog) -> None:
    large = scene(1)
    ids = store(catalog, {"thumb": resized(large, 0.4), "large": large, "twin": large, "other": scene(2)})
    add_product(catalog, "Mug", [ids["thumb"], ids["large"], ids["other"], ids["twin"]])
    assert len(select_entries(catalog)) == 3  # equal pixels are known without a search
    find_duplicates(catalog)
    entries = select_entries(catalog)
    assert entries[0].sha256 in (digest(catalog, ids["large"]), digest(catalog, ids["twin"]))
    assert [entry.sha256 for entry in entries[1:]] == [digest(catalog, ids["other"])]


def test_a_product_with_the_small_copy_alone_keeps_it_and_shares_the_side(catalog: Catalog) -> None:
    ids = store(catalog, {"large": scene(1), "small": recompressed(resized(scene(1), 0.5), 80), "other": scene(2)})
    add_product(catalog, "A", [ids["large"]])
    add_product(catalog, "B", [ids["small"]])
    add_product(catalog, "C", [ids["other"]])
    find_duplicates(catalog)
    entries = select_entries(catalog, test_share=0.5)
    assert [entry.sha256 for entry in entries] == [digest(catalog, ids[name]) for name in ("large", "small", "other")]
    assert [entry.group for entry in entries] == ["shop/A", "shop/A", "shop/C"]
    assert entries[0].split == entries[1].split != entries[2].split
    # Copies are no contrast to one another.
    assert all(entry.variants == () for entry in entries)


def test_colour_variants_stand_on_one_side_and_are_hard_negatives(catalog: Catalog) -> None:
    ids = store(catalog, {"red": scene(1), "blue": swapped_chroma(scene(1)), "far": scene(2)})
    add_product(catalog, "A", [ids["red"]])
    add_product(catalog, "B", [ids["blue"]], colour="blue")
    add_product(catalog, "C", [ids["far"]], colour="green")
    find_duplicates(catalog)
    entries = select_entries(catalog)
    assert [entry.group for entry in entries] == ["shop/A", "shop/A", "shop/C"]
    assert entries[0].variants == (entries[1].sha256,) and entries[1].variants == (entries[0].sha256,)
    frozen = freeze(catalog)
    assert manifest.read(frozen.folder).entries[0].variants == entries[0].variants
    same_side = [replace(entry, split="train") for entry in entries]
    found = manifest.Manifest(folder=Path(), name="x", content_hash="", entries=tuple(same_side)).pairs("hard_negative")
    assert {(pair.first_entry, pair.second_entry) for pair in found} == {(0, 1), (0, 2), (1, 2)}


def test_colour_variants_inside_a_product_are_hard_negatives(catalog: Catalog) -> None:
    ids = store(catalog, {"red": scene(1), "red/thumb": resized(scene(1), 0.5), "blue": swapped_chroma(scene(1))})
    product_id = add_product(catalog, "A", [ids["red/thumb"], ids["blue"], ids["red"]])
    add_variant(catalog, product_id, "r", ids["red/thumb"], "red")
    add_variant(catalog, product_id, "b", ids["blue"], "blue")
    find_duplicates(catalog)
    entries = select_entries(catalog)
    # The large copy names no variant; it is shown with the captions of the variant its thumbnail names.
    assert [entry.sha256 for entry in entries] == [digest(catalog, ids["red"]), digest(catalog, ids["blue"])]
    assert [entry.captions[0].text for entry in entries] == ["a red mug", "a blue mug"]
    found = manifest.Manifest(folder=Path(), name="x", content_hash="", entries=tuple(entries)).pairs("hard_negative")
    assert [(pair.first.text, pair.second.text) for pair in found] == [("a red mug", "a blue mug")]


def test_what_looks_like_a_copy_under_another_variant_stays(catalog: Catalog) -> None:
    ids = store(catalog, {"plain": scene(1), "trim": recompressed(scene(1), 60)})
    product_id = add_product(catalog, "A", [ids["plain"], ids["trim"]])
    add_variant(catalog, product_id, "p", ids["plain"], "red")
    add_variant(catalog, product_id, "t", ids["trim"], "blue")
    find_duplicates(catalog)
    entries = select_entries(catalog)
    assert [entry.sha256 for entry in entries] == [digest(catalog, ids["plain"]), digest(catalog, ids["trim"])]


def test_placeholders_are_left_out_and_join_no_products(catalog: Catalog) -> None:
    ids = store(catalog, {"none": scene(1), "a": scene(2), "b": scene(3)})
    add_product(catalog, "A", [ids["none"], ids["a"]])
    add_product(catalog, "B", [ids["none"], ids["b"]])
    bare = add_product(catalog, "C", [ids["none"]])
    with catalog.write() as session:
        session.execute(update(ImageRow).where(ImageRow.id == ids["none"]).values(placeholder=True))
    entries = select_entries(catalog)
    assert [(entry.sha256, entry.group) for entry in entries] == [
        (digest(catalog, ids["a"]), "shop/A"),
        (digest(catalog, ids["b"]), "shop/B"),
    ]
    # Its product has no picture yet, so it can be drawn.
    assert list(captions_without_picture(catalog)) == [bare]
