"""Four catalogues of real shops, from the dump to captions: what must come out, and that the books balance."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from catalog.ingest import ingest
from catalog.records import IngestReport
from catalog.schema import AttributeRow, CaptionRow, ProductImageRow, VariantRow
from catalog.store import Catalog

MAPPINGS = Path(__file__).resolve().parents[1] / "golden" / "mappings"
_GREY = {"gray", "grey"}


@pytest.fixture
def catalog(workspace: Path) -> "Catalog":
    with Catalog.open(workspace) as opened:
        yield opened


def assert_balanced(report: IngestReport, dump: Path) -> None:
    rows = report.rows
    assert rows.read == rows.accepted + rows.duplicate + rows.quarantined
    for books in (report.pictures, report.documents):
        assert books.present == books.linked + books.duplicate + books.quarantined + len(books.unreferenced)
    there = sum(path.is_file() for path in dump.rglob("*"))
    assert report.pictures.present + report.documents.present == there


def test_magento_variants_are_told_apart_by_colour_and_size(catalog: Catalog, shared_data: Path) -> None:
    dump = shared_data / "catalogs" / "magento_luma"
    report = ingest(catalog, dump)
    assert_balanced(report, dump)
    assert (report.products_added, report.variants, report.rows.read) == (199, 1847, 2104)
    assert report.pictures.linked + report.pictures.duplicate == 723
    assert report.pictures.unreferenced == (
        "media/g/i/gift-card-physical-custom.jpg", "media/g/i/gift-card-virtual-custom.jpg"
    )  # fmt: skip
    with catalog.read() as session:
        markup = select(func.count()).select_from(AttributeRow).where(AttributeRow.value.like("%</%"))
        assert session.scalar(markup) == 0
        assert "color" in set(session.scalars(select(AttributeRow.name).where(AttributeRow.variant_id.is_not(None))))
        colours = {
            row.variant_id: row.value.casefold()
            for row in session.scalars(
                select(AttributeRow).where(AttributeRow.name == "color", AttributeRow.variant_id.is_not(None))
            )
        }
        pictured = set(
            session.scalars(select(ProductImageRow.variant_id).where(ProductImageRow.variant_id.is_not(None)))
        )
        stated = [
            (colours[caption.variant_id], caption.facts["colour"])
            for caption in session.scalars(select(CaptionRow).where(CaptionRow.variant_id.in_(pictured)))
            if "colour" in caption.facts and caption.variant_id in colours
        ]
    assert len(pictured) > 300 and len(stated) > 3000
    wrong = {(own, said) for own, said in stated if own != said and not {own, said} <= _GREY}
    assert wrong <= {("gray", "grey"), ("lavender", "light purple"), ("multi", "multicoloured")}


def test_saleor_fixture_is_joined_by_a_mapping(catalog: Catalog, shared_data: Path) -> None:
    dump = shared_data / "catalogs" / "saleor_demo"
    report = ingest(catalog, dump, mapping=MAPPINGS / "saleor_demo.toml")
    assert_balanced(report, dump)
    assert (report.products_added, report.variants, report.images_linked) == (32, 73, 47)
    assert [issue.reason for issue in report.issues] == ["FILE_MISSING"] * 48
    with catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(AttributeRow)) > 100


def test_vendure_keeps_the_variants_that_share_a_number(catalog: Catalog, shared_data: Path) -> None:
    dump = shared_data / "catalogs" / "vendure_demo"
    report = ingest(catalog, dump)
    assert_balanced(report, dump)
    assert (report.products_added, report.rows.read, report.pictures.linked) == (54, 88, 54)
    assert [(issue.reason, issue.severity) for issue in report.issues] == [("ROW_DUP_KEY", "warning")] * 2
    with catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(VariantRow)) == 88
        assert session.scalar(select(func.count()).where(VariantRow.sku == "404.038.96")) == 3


def test_grocery_pictures_and_texts_meet_their_products(catalog: Catalog, shared_data: Path) -> None:
    dump = shared_data / "catalogs" / "grocery_store"
    report = ingest(catalog, dump)
    assert_balanced(report, dump)
    assert (report.products_added, report.images_linked, report.quarantined) == (81, 870, 0)
    assert report.pictures.linked + report.pictures.duplicate == 870
    with catalog.read() as session:
        texts = select(AttributeRow.name, func.count()).where(AttributeRow.kind == "text").group_by(AttributeRow.name)
        named = {name: number for name, number in session.execute(texts)}
    assert named["description"] == 81 and named["information"] == 80
    again = ingest(catalog, dump)
    assert (again.products_unchanged, again.products_missing, again.images_decoded) == (81, 0, 0)
