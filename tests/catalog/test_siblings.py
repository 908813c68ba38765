"""What a candidate is looked at beside: other wordings, real photos, the scores of its run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from catalog import flags, people, queue, review, roles
from catalog.percentiles import percentiles
from catalog.records import ReviewItem
from catalog.schema import GenerationRow, ImageRow, ProductImageRow, ProductRow
from catalog.siblings import outliers, real_photos, siblings
from catalog.store import Catalog


@pytest.fixture
def catalog(queued: Callable[..., Path]) -> Catalog:
    """Six candidates of one product; the first four share a seed."""
    found = Catalog.open(queued(6))
    with found.write() as session:
        session.execute(update(GenerationRow).where(GenerationRow.id <= 4).values(seed=0, prompt=GenerationRow.id))
    return found


def test_siblings_share_product_run_and_seed(catalog: Catalog) -> None:
    found = siblings(catalog, queue.item(catalog, 3))
    assert [(each.generation_id, each.current) for each in found] == [(1, False), (2, False), (3, True), (4, False)]
    assert [each.generation_id for each in siblings(catalog, queue.item(catalog, 6))] == [6]


def test_siblings_always_hold_the_candidate(catalog: Catalog) -> None:
    assert [each.generation_id for each in siblings(catalog, queue.item(catalog, 4), limit=2)] == [1, 4]


def test_siblings_mark_the_outlier(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.execute(update(GenerationRow).where(GenerationRow.id == 2).values(scores={"text_match": 0.9}))
    assert [each.outlier for each in siblings(catalog, queue.item(catalog, 1))] == [False, True, False, False]


@pytest.mark.parametrize(
    ("values", "far"),
    [
        ([0.30, 0.31, 0.32, 0.90], {3}),
        ([0.30, 0.31, 0.32, 0.33], set()),
        # Too few to say which one stands out, and no spread to measure it by.
        ([0.30, 0.31, 0.90], set()),
        ([0.30, 0.30, 0.30, 0.90], set()),
        ([], set()),
    ],
)
def test_outliers_are_far_from_the_median(values: list[float], far: set[int]) -> None:
    assert outliers([{"score": value} for value in values]) == far


NEAREST, FIRST, SECOND = "c" * 64, "a" * 64, "b" * 64


def photographed(catalog: Catalog, nearest_of: int | None = None) -> ReviewItem:
    """Give the product two photos, and product `nearest_of` the one nearest to candidate 1; return the candidate."""
    with catalog.write() as session:
        for sha256 in (FIRST, SECOND, NEAREST):
            session.add(ImageRow(sha256=sha256, ext="png", format="PNG", width=1, height=1, size_bytes=1))
        session.flush()
        ids = dict(session.execute(select(ImageRow.sha256, ImageRow.id)).all())
        links = [(1, FIRST, 0), (1, SECOND, 2), *([] if nearest_of is None else [(nearest_of, NEAREST, 1)])]
        session.add_all(ProductImageRow(product_id=on, image_id=ids[of], position=at) for on, of, at in links)
        session.execute(update(GenerationRow).values(nearest_sha256=NEAREST))
    return queue.item(catalog, 1)


def another_product(catalog: Catalog, name: str) -> int:
    with catalog.write() as session:
        row = ProductRow(source_id=1, sku="MUG-2", name=name)
        session.add(row)
        session.flush()
        return row.id


def test_real_photos_begin_with_the_nearest_of_the_product(catalog: Catalog) -> None:
    item = photographed(catalog, nearest_of=1)
    found = real_photos(catalog, item)
    assert [photo.image_sha256 for photo in found] == [NEAREST, FIRST, SECOND]
    assert [photo.nearest for photo in found] == [True, False, False]
    assert [photo.image_sha256 for photo in real_photos(catalog, item, limit=2)] == [NEAREST, FIRST]


@pytest.mark.parametrize(("name", "said"), [("Black mug", "Black mug"), ("", "MUG-2")])
def test_real_photos_end_with_the_nearest_of_another_product_and_name_it(
    catalog: Catalog, name: str, said: str
) -> None:
    item = photographed(catalog, nearest_of=another_product(catalog, name))
    found = real_photos(catalog, item)
    assert [(photo.image_sha256, photo.other_product) for photo in found] == [
        (FIRST, None),
        (SECOND, None),
        (NEAREST, said),
    ]
    assert [photo.image_sha256 for photo in real_photos(catalog, item, limit=2)] == [FIRST, NEAREST]
    assert real_photos(catalog, item, nearest_first=True)[0] == found[-1]


def test_real_photos_name_no_other_product_where_the_photo_is_shared_or_of_none(catalog: Catalog) -> None:
    item = photographed(catalog)
    assert [(photo.image_sha256, photo.other_product) for photo in real_photos(catalog, item)][-1] == (NEAREST, None)
    other = another_product(catalog, "Black mug")
    with catalog.write() as session:
        image = session.scalar(select(ImageRow.id).where(ImageRow.sha256 == NEAREST))
        session.add_all(ProductImageRow(product_id=product, image_id=image) for product in (other, 1))
    assert all(photo.other_product is None for photo in real_photos(catalog, item))


def test_real_photos_without_a_nearest_one_are_the_products_own(catalog: Catalog) -> None:
    photographed(catalog)
    with catalog.write() as session:
        session.execute(update(GenerationRow).values(nearest_sha256=None))
    assert [photo.image_sha256 for photo in real_photos(catalog, queue.item(catalog, 1))] == [FIRST, SECOND]


def test_percentiles_are_shares_of_the_run(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.execute(update(GenerationRow).where(GenerationRow.id == 6).values(scores={"text_match": float("inf")}))
    found = [percentiles(catalog, queue.item(catalog, number)).get("text_match") for number in range(1, 7)]
    assert found == [10.0, 30.0, 50.0, 70.0, 90.0, None]


def test_set_flag_needs_the_claim_and_unmarking_needs_a_lead(catalog: Catalog) -> None:
    people.sign_in(catalog, "lea", role="admin")
    people.sign_in(catalog, "aki")
    claimed = review.claim(catalog, "aki")
    assert claimed is not None and claimed.lease_token is not None
    assert flags.set_flag(catalog, "aki", claimed.id, claimed.lease_token, True)
    assert queue.item(catalog, claimed.id).flagged
    with pytest.raises(roles.NotAllowed, match="only lead or admin may take a flag off, and aki is reviewer"):
        flags.set_flag(catalog, "aki", claimed.id, claimed.lease_token, False)
    with pytest.raises(review.LeaseLost, match="claim it again"):
        flags.set_flag(catalog, "aki", claimed.id, "other", True)
    assert not flags.set_flag(catalog, "lea", claimed.id, claimed.lease_token, False)
    assert queue.item(catalog, claimed.id).state == "pending"
