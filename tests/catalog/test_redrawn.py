"""Whoever judges a redrawn picture reads what the one before was refused for, and not by whom."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog import queue, regeneration, review
from catalog.generation import enqueue
from catalog.records import Candidate
from catalog.redrawn import Wish, wish_behind
from catalog.store import Catalog


@pytest.mark.parametrize(
    ("verdict", "reasons", "note"),
    [("reject", ("wrong_colour", "blurred"), ""), ("changes", (), "a blue handle"), ("changes", ("other",), "smaller")],
)
def test_redrawn_picture_has_the_words_of_the_decision_that_asked(
    queued: Callable[..., Path], picture: Path, verdict: str, reasons: tuple[str, ...], note: str
) -> None:
    with Catalog.open(queued(2)) as catalog:
        refused = review.decide_item(catalog, "aki", 1, verdict, reasons=reasons, note=note)
        asked = regeneration.request(catalog, refused.id)
        drawn = Candidate(
            image=picture,
            product_id=asked.product_id,
            caption_id=asked.caption_id,
            prompt=asked.prompt,
            seed=asked.seed,
            scores={},
        )
        enqueue(catalog, "again", [drawn], priority=regeneration.PRIORITY)
        assert wish_behind(catalog, queue.items(catalog, state="pending")[0]) == Wish(reasons=reasons, note=note)
        assert wish_behind(catalog, queue.item(catalog, 1)) is None
        assert wish_behind(catalog, queue.item(catalog, 2)) is None
