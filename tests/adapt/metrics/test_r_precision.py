"""R-precision: distractors of other products, ranking, ties."""

import pytest
import torch

from adapt.metrics.r_precision import distractors, rank_first


def test_distractors_are_of_other_products_and_other_words() -> None:
    products = [number % 20 for number in range(200)]
    texts = [f"text {number % 150}" for number in range(200)]
    others = distractors(products, texts, seed=0)
    assert others is not None and others.shape == (200, 99)
    for row, chosen in enumerate(others.tolist()):
        assert len(set(chosen)) == 99
        assert all(products[other] != products[row] and texts[other] != texts[row] for other in chosen)


def test_distractors_depend_on_the_seed_only() -> None:
    one, again, other = (distractors(range(120), [str(i) for i in range(120)], seed=seed) for seed in (0, 0, 1))
    assert one is not None and again is not None and other is not None
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_distractors_make_one_smaller_gallery_for_all_or_none() -> None:
    few = distractors([0, 0, 1, 2], list("abcd"), seed=0)
    assert few is not None and few.shape == (4, 2)
    assert distractors([0, 0, 0], list("abc"), seed=0) is None
    assert distractors([], [], seed=0) is None


def test_rank_first_counts_who_fits_best() -> None:
    codes = torch.eye(4)
    others = torch.tensor([[1, 2], [0, 2], [0, 1], [0, 1]])
    assert rank_first(codes, codes, others).top1 == 1
    swapped = codes[[1, 0, 2, 3]]
    result = rank_first(swapped, codes, others)
    assert (result.top1, result.n, result.gallery) == (0.5, 4, 3)


def test_rank_first_scores_chance_for_one_picture_or_one_text() -> None:
    """All pictures equal would win where they happen to fit; all texts equal tie everywhere."""
    pictures = torch.nn.functional.normalize(torch.randn(200, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    others = distractors(range(200), [str(i) for i in range(200)], seed=0)
    assert others is not None
    same = pictures[:1].expand(200, -1)
    assert rank_first(pictures, same, others).top1 == pytest.approx(0.01)
    assert rank_first(same, pictures, others).top1 == pytest.approx(0.01, abs=0.01)


def test_rank_first_refuses_rows_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="one of each a row"):
        rank_first(torch.eye(3), torch.eye(3), torch.zeros(2, 1, dtype=torch.long))
