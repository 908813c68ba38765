"""Candidates enter the catalogue once, with their picture and their place in the queue."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog import queue
from catalog.errors import CatalogError, ImageRejected
from catalog.generation import enqueue
from catalog.records import Candidate
from catalog.store import Catalog


def candidate(image: Path, *, product_id: int = 1, caption_id: int | None = None, seed: int = 100) -> Candidate:
    return Candidate(image=image, product_id=product_id, caption_id=caption_id, prompt="a mug", seed=seed, scores={})


def test_enqueue_is_idempotent_with_and_without_a_caption(queued: Callable[..., Path], picture: Path) -> None:
    with Catalog.open(queued(1)) as catalog:
        batch = [candidate(picture), candidate(picture, caption_id=1), candidate(picture, seed=101)]
        assert enqueue(catalog, "run-a", batch) == 3
        assert enqueue(catalog, "run-a", batch) == 0
        assert enqueue(catalog, "run-b", batch) == 3
        assert queue.progress(catalog).pending == 7
        assert len(queue.items(catalog, run="run-a", state="pending")) == 3
        first = queue.items(catalog, run="run-a")[0]
        assert queue.picture_size(catalog, first.image_sha256) == (48, 40)
        assert catalog.blobs.read(first.image_sha256) == picture.read_bytes()


def test_enqueue_forgets_a_caption_that_was_rebuilt(queued: Callable[..., Path], picture: Path) -> None:
    with Catalog.open(queued(1)) as catalog:
        assert enqueue(catalog, "run-a", [candidate(picture, caption_id=999)]) == 1
        assert queue.specification(catalog, 2).variant is None


def test_enqueue_refuses_what_is_no_picture_or_no_product(queued: Callable[..., Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with Catalog.open(queued(1)) as catalog:
        with pytest.raises(ImageRejected, match=r"broken\.png"):
            enqueue(catalog, "run-a", [candidate(broken)])
        with pytest.raises(ImageRejected, match=r"missing\.png"):
            enqueue(catalog, "run-a", [candidate(tmp_path / "missing.png")])
        good = tmp_path / "drawn" / "0.png"
        with pytest.raises(CatalogError, match="product 77, which the catalogue no longer has"):
            enqueue(catalog, "run-a", [candidate(good, product_id=77)])


def test_specification_states_the_record(queued: Callable[..., Path]) -> None:
    with Catalog.open(queued(1)) as catalog:
        spec = queue.specification(catalog, 1)
    assert (spec.product, spec.name, spec.category) == ("shop/MUG-1", "Blue enamel mug", "Kitchen / Mugs")
    assert [(fact.name, fact.value, fact.unit) for fact in spec.attributes] == [
        ("colour", "blue", None),
        ("material", "enamel", None),
        ("height", "8.5", "cm"),
    ]


def test_copy_risk_is_flagged(queued: Callable[..., Path]) -> None:
    from sqlalchemy import select

    from catalog.schema import ReviewItemRow

    with Catalog.open(queued(1, similarity=0.99)) as catalog, catalog.read() as session:
        assert session.scalars(select(ReviewItemRow.flagged)).all() == [True]
