"""Copy rate: slow reference of the threshold, exact copies, chunking."""

import pytest
import torch

from adapt.metrics.copy import copies, copy_threshold, nearest


def test_nearest_finds_scaled_copies() -> None:
    pool = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))
    found = nearest(pool[[4, 0, 8]] * 5, pool)
    assert found.index.tolist() == [4, 0, 8]
    assert found.similarity.tolist() == pytest.approx([1, 1, 1])
    assert copies(found, 0.99) == 3


def test_nearest_and_threshold_do_not_depend_on_the_chunk() -> None:
    pool, queries = torch.randn(30, 6), torch.randn(11, 6)
    ids = torch.arange(30) // 3
    assert torch.allclose(nearest(queries, pool, chunk=2).similarity, nearest(queries, pool).similarity)
    assert copy_threshold(pool, ids, chunk=4) == pytest.approx(copy_threshold(pool, ids))


def test_copy_threshold_matches_a_slow_reference() -> None:
    features, ids = torch.randn(25, 5, generator=torch.Generator().manual_seed(2)), torch.arange(25) % 7
    best = []
    for i in range(25):
        best.append(
            max(float(torch.cosine_similarity(features[i], features[j], dim=0)) for j in range(25) if ids[i] != ids[j])
        )
    assert copy_threshold(features, ids) == pytest.approx(float(torch.tensor(best).quantile(0.99)), abs=1e-6)


def test_copy_threshold_ignores_views_of_the_same_product() -> None:
    features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert copy_threshold(features, torch.tensor([1, 1, 2, 2])) == pytest.approx(0.0)
    assert copy_threshold(features, torch.tensor([1, 1, 1, 1])) is None


def test_nearest_refuses_an_empty_pool() -> None:
    with pytest.raises(ValueError, match="no training pictures"):
        nearest(torch.ones(1, 2), torch.ones(0, 2))
