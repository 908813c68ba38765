"""A mismatched caption is false for its picture, whatever the dataset repeats."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from letter_batches import batches, entry, same

from catalog.records import ManifestEntry


def photo(number: int, product: int, *texts: str) -> ManifestEntry:
    """A photo of a product that has several."""
    made = entry(product, *texts)
    return replace(made, sha256=str(number))


@pytest.mark.parametrize(("photos", "products", "size"), [(10, 3, 8), (12, 12, 8), (7, 2, 4)])
def test_mismatched_caption_is_of_another_product(photos: int, products: int, size: int) -> None:
    # Shots of few products, and batches that go over the end of a pass, where a picture can follow itself.
    letters = [chr(97 + i) for i in range(products)]
    entries = [photo(i, i % products, letters[i % products], 2 * letters[i % products]) for i in range(photos)]
    source = batches(entries, batch_size=size)
    for step in range(20):
        batch = source.batch(step)
        assert batch.mismatched is not None
        assert torch.equal(batch.mismatched.count_nonzero(dim=1), torch.ones(size, dtype=torch.long))
        told = batch.mismatched.argmax(dim=1)
        assert not bool((told == batch.ids).any())


def test_neighbours_caption_is_the_mismatch_where_it_is_false() -> None:
    batch = batches([entry(i, chr(97 + i)) for i in range(4)]).batch(3)
    assert batch.mismatched is not None and same(batch.mismatched, batch.first.sentence.roll(1, 0))


def test_wording_that_products_share_is_no_mismatch() -> None:
    # Two products with the same words: only the third's differ.
    source = batches([entry(0, "a"), entry(1, "a"), entry(2, "b")], batch_size=2)
    for step in range(9):
        batch = source.batch(step)
        assert batch.mismatched is not None and not bool((batch.mismatched == batch.first.sentence).all(dim=1).any())


def test_one_product_has_no_mismatch_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        source = batches([photo(i, 0, "a", "aa") for i in range(4)])
    assert source.batch(0).mismatched is None and "two products" in caplog.text
    assert source.batch(1).part(torch.arange(2)).mismatched is None


def test_one_product_with_a_colour_has_its_changed_caption() -> None:
    source = batches([photo(i, 0, "a red q") for i in range(4)], counterfactual_share=0.01)
    for step in range(5):
        batch = source.batch(step)
        assert batch.mismatched is not None and not bool((batch.mismatched == batch.first.sentence).all(dim=1).any())


def test_changed_colour_that_another_own_caption_names_is_left_out() -> None:
    colours = ("black", "white", "grey", "brown", "red", "orange", "yellow", "green", "blue", "purple", "pink")
    true = [f"a {colour} q" for colour in colours]
    source = batches([photo(0, 0, *true), *(photo(i, i, "zz") for i in range(1, 4))], counterfactual_share=1.0)
    for step in range(4):
        batch = source.batch(step)
        assert batch.mismatched is not None
        (row,) = np.flatnonzero(batch.ids.numpy() == 0)
        assert batch.mismatched[row].argmax() == ord("z") - 97
