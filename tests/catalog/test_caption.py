"""Captions in the catalogue: rebuilt, kept, removed, and frozen into a dataset."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import delete, select, update

from catalog import manifest
from catalog.caption import list_captions, preview, rebuild_captions, stale_captions
from catalog.dataset import choose_groups, freeze, select_entries
from catalog.errors import CatalogError
from catalog.schema import AttributeRow, CaptionRow, ImageRow, ProductImageRow, ProductRow, SourceRow, VariantRow
from catalog.store import Catalog


def _picture(catalog: Catalog, colour: tuple[int, int, int]) -> int:
    """Store a 4 px picture of one colour and return its image row's id."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(buffer, "PNG")
    sha256 = catalog.blobs.put(buffer.getvalue(), "png")
    with catalog.write() as session:
        known = session.scalar(select(ImageRow.id).where(ImageRow.sha256 == sha256))
        if known is not None:
            return int(known)
        row = ImageRow(sha256=sha256, ext="png", format="PNG", width=4, height=4, size_bytes=len(buffer.getvalue()))
        session.add(row)
        session.flush()
        return row.id


def _product(catalog: Catalog, sku: str, name: str, facts: dict[str, str], pictures: list[int]) -> int:
    with catalog.write() as session:
        source = session.scalar(select(SourceRow).where(SourceRow.name == "shop"))
        if source is None:
            source = SourceRow(name="shop", root="/nowhere")
            session.add(source)
            session.flush()
        row = ProductRow(source_id=source.id, sku=sku, name=name, category="Kitchen")
        session.add(row)
        session.flush()
        session.add_all(AttributeRow(product_id=row.id, name=key, value=value) for key, value in facts.items())
        session.add_all(ProductImageRow(product_id=row.id, image_id=image) for image in pictures)
        return row.id


def _variant(catalog: Catalog, product: int, key: str, colour: str, image: int) -> int:
    with catalog.write() as session:
        row = VariantRow(product_id=product, key=key, sku=key)
        session.add(row)
        session.flush()
        session.add(AttributeRow(product_id=product, variant_id=row.id, name="color", value=colour))
        session.add(ProductImageRow(product_id=product, variant_id=row.id, image_id=image))
        return row.id


@pytest.fixture
def shop(workspace: Path) -> Iterator[Catalog]:
    """A mug, a plate and a chair with a gray and a black variant."""
    with Catalog.open(workspace) as catalog:
        red, blue, white, gray, black = (
            _picture(catalog, colour)
            for colour in ((255, 0, 0), (0, 0, 255), (255, 255, 255), (128, 128, 128), (0, 0, 0))
        )
        _product(catalog, "MUG", "Red Mug", {"material": "ceramic"}, [red])
        _product(catalog, "PLATE", "Plate", {"colour": "blue", "shape": "round", "stock": "3"}, [blue])
        chair = _product(catalog, "CHAIR", "Cafe Chair", {"material": "oak"}, [white])
        _variant(catalog, chair, "GRAY", "gray", gray)
        _variant(catalog, chair, "BLACK", "black", black)
        yield catalog


def _texts(catalog: Catalog, product: str) -> list[str]:
    return [caption.text for _, caption in list_captions(catalog, product=product, limit=1000)]


def test_rebuild_writes_ten_wordings_a_view(shop: Catalog) -> None:
    report = rebuild_captions(shop)
    assert (report.products, report.captions, report.added, report.without) == (3, 50, 50, ())
    assert len(set(_texts(shop, "shop/MUG"))) == 10
    assert all("mug" in text for text in _texts(shop, "MUG"))
    for _, caption in list_captions(shop, product="shop/PLATE"):
        assert caption.facts.items() <= {"noun": "plate", "colour": "blue", "shape": "round"}.items()


def test_rebuild_twice_changes_nothing(shop: Catalog) -> None:
    rebuild_captions(shop)
    before = list_captions(shop, limit=1000)
    report = rebuild_captions(shop)
    assert (report.added, report.updated, report.removed, report.unchanged) == (0, 0, 0, 50)
    assert list_captions(shop, limit=1000) == before


def test_rebuild_touches_only_what_changed(shop: Catalog) -> None:
    rebuild_captions(shop)
    mugs = _texts(shop, "shop/MUG")
    with shop.write() as session:
        session.execute(update(AttributeRow).where(AttributeRow.value == "blue").values(value="green"))
    dry = rebuild_captions(shop, dry_run=True)
    assert dry.added > 0
    assert any("blue" in text for text in _texts(shop, "shop/PLATE"))
    report = rebuild_captions(shop)
    assert (report.added, report.removed) == (dry.added, dry.removed)
    assert not any("blue" in text for text in _texts(shop, "shop/PLATE"))
    assert _texts(shop, "shop/MUG") == mugs


def test_rebuild_keeps_what_people_wrote(shop: Catalog) -> None:
    with shop.write() as session:
        product = session.scalar(select(ProductRow.id).where(ProductRow.sku == "MUG"))
        session.add(CaptionRow(product_id=product, text="my favourite mug", origin="human"))
    rebuild_captions(shop)
    rebuild_captions(shop, seed=5)
    assert "my favourite mug" in _texts(shop, "shop/MUG")


def test_captions_go_stale_with_the_glossary(shop: Catalog) -> None:
    rebuild_captions(shop)
    assert stale_captions(shop) == 0
    (shop.workspace / "glossary.csv").write_text(
        "term,lang,concept,en,ja,kind,status\nplate,en,plate,dinner plate,皿,category,ok\n", encoding="utf-8"
    )
    assert stale_captions(shop) == 50
    rebuild_captions(shop)
    assert stale_captions(shop) == 0
    assert all("dinner plate" in text for text in _texts(shop, "shop/PLATE"))


def test_new_term_touches_only_captions_it_changes(shop: Catalog) -> None:
    rebuild_captions(shop)
    mugs = list_captions(shop, product="shop/MUG")
    (shop.workspace / "glossary.csv").write_text(
        "term,lang,concept,en,ja,kind,status\nplate,en,plate,dinner plate,皿,category,ok\n", encoding="utf-8"
    )
    dry = rebuild_captions(shop, dry_run=True)
    report = rebuild_captions(shop)
    assert (report.added, report.updated, report.removed, report.unchanged) == (10, 0, 10, 40)
    assert (dry.added, dry.updated, dry.removed, dry.unchanged) == (10, 0, 10, 40)
    assert list_captions(shop, product="shop/MUG") == mugs and stale_captions(shop) == 0


def test_variant_captions_name_only_their_own_colour(shop: Catalog) -> None:
    rebuild_captions(shop)
    by_variant: dict[int | None, list[str]] = {}
    with shop.read() as session:
        keys: dict[int | None, str] = dict(session.execute(select(VariantRow.id, VariantRow.key)).all())
        chair = session.scalar(select(ProductRow.id).where(ProductRow.sku == "CHAIR"))
        for row in session.scalars(select(CaptionRow).where(CaptionRow.product_id == chair)):
            by_variant.setdefault(row.variant_id, []).append(row.text)
    for variant, texts in by_variant.items():
        told = {colour for colour in ("grey", "gray", "black") if any(colour in text for text in texts)}
        assert told <= {"GRAY": {"grey", "gray"}, "BLACK": {"black"}, "": set()}[keys.get(variant, "")]
        assert len(texts) == 10
    for entry in select_entries(shop):
        pixel = Image.open(entry.image).getpixel((0, 0))
        if entry.product == "shop/CHAIR" and pixel == (128, 128, 128):
            assert not any("black" in caption.text for caption in entry.captions)


def test_japanese_captions_stand_beside_the_english_ones(shop: Catalog) -> None:
    rebuild_captions(shop)
    report = rebuild_captions(shop, lang="ja")
    assert report.removed == 0
    assert report.captions == 50
    assert all("皿" in caption.text or "プレート" in caption.text
               for _, caption in list_captions(shop, product="shop/PLATE", lang="ja"))  # fmt: skip


def test_unknown_terms_come_with_example_products(shop: Catalog) -> None:
    for number in range(4):
        _product(shop, f"JA-{number}", "マグカップ", {"色": "みそ色"}, [])
    report = rebuild_captions(shop)
    term = report.unknown[0]
    assert (term.term, term.attribute, term.products, term.used) == ("みそ色", "色", 4, False)
    assert term.examples == ("shop/JA-0", "shop/JA-1", "shop/JA-2")


def test_preview_stores_nothing(shop: Catalog) -> None:
    views = preview(shop, "shop/CHAIR")
    assert [len(view.wordings) for view in views] == [10, 10, 10]
    assert list_captions(shop) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "shoe"}, "no source 'shoe' in the catalogue; it has shop"),
        ({"lang": "fr"}, "use one of en, ja"),
        ({"wordings": 0}, "0 wordings a product: choose 1 to 100"),
    ],
)
def test_rebuild_refuses_in_one_line(shop: Catalog, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        rebuild_captions(shop, **arguments)  # type: ignore[arg-type]


def test_preview_of_an_unknown_product_says_how_to_name_one(shop: Catalog) -> None:
    with pytest.raises(CatalogError, match=r"no product 'shop/X'; write it as <source>/<sku>, e\.g\. shop/"):
        preview(shop, "shop/X")


def test_freeze_is_idempotent_and_reads_back(shop: Catalog) -> None:
    rebuild_captions(shop)
    frozen = freeze(shop, test_share=0.3)
    assert freeze(shop, test_share=0.3) == frozen == manifest.read(frozen.folder)
    assert frozen.folder.name == f"catalogue-{frozen.content_hash[:8]}"
    assert (frozen.counts["images"], frozen.counts["products"]) == (5, 3)
    assert frozen.counts["train"] + frozen.counts["test"] == 5
    assert [path.name for path in (shop.workspace / "datasets").iterdir()] == [frozen.folder.name]
    other = freeze(shop, source="shop", seed=1, name="mine", include_products=["shop/MUG", "shop/CHAIR"])
    assert other.folder.name.startswith("mine-")
    assert {entry.product for entry in other.entries} == {"shop/MUG", "shop/CHAIR"}


def test_split_keeps_products_that_share_a_picture_together(shop: Catalog) -> None:
    shared = _picture(shop, (9, 9, 9))
    for number in range(10):
        _product(shop, f"BOWL-{number}", "Bowl", {"colour": "red"}, [shared, _picture(shop, (number, 0, 0))])
    rebuild_captions(shop)
    for seed in range(5):
        entries = select_entries(shop, seed=seed, test_share=0.4)
        splits: dict[str, set[str]] = {}
        for entry in entries:
            splits.setdefault(entry.group, set()).add(entry.split)
        assert all(len(found) == 1 for found in splits.values())
        assert {entry.group for entry in entries if "BOWL" in entry.product} == {"shop/BOWL-0"}
        assert {entry.split for entry in entries} == {"train", "test"}


def test_choose_groups_takes_the_share_and_never_all() -> None:
    groups = [f"g{number}" for number in range(50)]
    assert len(choose_groups(groups, share=0.2, seed=0)) == 10
    assert choose_groups(groups, share=0.2, seed=0) == choose_groups(reversed(groups), share=0.2, seed=0)
    assert choose_groups(groups, share=0.2, seed=0) != choose_groups(groups, share=0.2, seed=1)
    assert len(choose_groups(["a", "b"], share=0.01, seed=0)) == 1
    assert len(choose_groups(["a", "b"], share=0.99, seed=0)) == 1
    assert choose_groups(["a"], share=0.5, seed=0) == set()
    assert choose_groups(groups, share=0, seed=0) == set()


def test_freeze_refuses_in_one_line(shop: Catalog) -> None:
    with pytest.raises(CatalogError, match="no picture with en captions to freeze; run: adapt ingest DUMP"):
        freeze(shop)
    rebuild_captions(shop)
    with pytest.raises(CatalogError, match="no product 'shop/X' in the catalogue"):
        freeze(shop, include_products=["shop/X"])
    with pytest.raises(CatalogError, match=r"test share 1\.5"):
        freeze(shop, test_share=1.5)
    with shop.write() as session:
        session.execute(delete(ProductImageRow))
    with pytest.raises(CatalogError, match="no picture with en captions"):
        freeze(shop)


def test_missing_products_are_left_out(shop: Catalog) -> None:
    rebuild_captions(shop)
    with shop.write() as session:
        session.execute(update(ProductRow).where(ProductRow.sku == "MUG").values(status="missing"))
    assert {entry.product for entry in select_entries(shop)} == {"shop/PLATE", "shop/CHAIR"}
    assert len(_texts(shop, "shop/MUG")) == 10


@pytest.mark.slow
def test_real_catalogue_gets_ten_clean_captions_a_product(workspace: Path, shared_data: Path) -> None:
    from catalog.ingest import ingest

    with Catalog.open(workspace) as catalog:
        ingest(catalog, shared_data / "catalogs" / "vendure_demo")
        report = rebuild_captions(catalog)
        assert (report.products, report.captions) == (54, 540)
        stored = [caption for _, caption in list_captions(catalog, limit=10_000)]
        texts = [caption.text for caption in stored]
        assert not [text for text in texts if "mustard" in text or "mint" in text]
        assert {"noun": "sofa", "colour": "grey", "material": "fabric"} in [caption.facts for caption in stored]
        assert not [text for text in texts if "  " in text or " a a " in text or text != text.strip()]
        assert freeze(catalog).counts["images"] == 54
