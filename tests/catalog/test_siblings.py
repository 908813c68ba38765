"""What a candidate is looked at beside: other wordings, real photos, the scores of its run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from catalog import flags, people, queue, review, roles
from catalog.percentiles import percentiles
from catalog.schema import GenerationRow, ImageRow, ProductImageRow
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


def test_real_photos_begin_with_the_nearest(catalog: Catalog) -> None:
    nearest = queue.item(catalog, 1).nearest_sha256
    with catalog.write() as session:
        product = session.scalar(select(GenerationRow.product_id).limit(1))
        for place, sha256 in enumerate(("a" * 64, nearest, "b" * 64)):
            image = session.scalar(select(ImageRow.id).where(ImageRow.sha256 == sha256))
            if image is None:
                row = ImageRow(sha256=sha256, ext="png", format="PNG", width=1, height=1, size_bytes=1)
                session.add(row)
                session.flush()
                image = row.id
            session.execute(insert(ProductImageRow).values(product_id=product, image_id=image, position=place))
    assert real_photos(catalog, queue.item(catalog, 1)) == [nearest, "a" * 64, "b" * 64]
    assert real_photos(catalog, queue.item(catalog, 1), limit=2) == [nearest, "a" * 64]


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
    with pytest.raises(roles.NotAllowed, match="aki is reviewer and may not settle conflicts"):
        flags.set_flag(catalog, "aki", claimed.id, claimed.lease_token, False)
    with pytest.raises(review.LeaseLost, match="claim it again"):
        flags.set_flag(catalog, "aki", claimed.id, "other", True)
    assert not flags.set_flag(catalog, "lea", claimed.id, claimed.lease_token, False)
    assert queue.item(catalog, claimed.id).state == "pending"
