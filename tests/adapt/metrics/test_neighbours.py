"""Precision, recall, density and coverage: a slow reference, collapse, and two sets of one distribution."""

import pytest
import torch

from adapt.metrics.neighbours import cover


def _normal(rows: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_cover_matches_a_slow_reference() -> None:
    real, fake, k = _normal(12, 0), _normal(9, 1) + 0.5, 2
    radius = lambda points, i: sorted(float((points[i] - other).norm()) for other in points)[k]  # noqa: E731
    found = cover(real, fake, k=k)
    for j in range(9):
        inside = [float((real[i] - fake[j]).norm()) <= radius(real, i) for i in range(12)]
        assert found.density[j] == sum(inside) / k
        assert found.precision[j] == any(inside)
    for i in range(12):
        gaps = [float((real[i] - fake[j]).norm()) for j in range(9)]
        assert found.coverage[i] == any(gap <= radius(real, i) for gap in gaps)
        assert found.recall[i] == any(gap <= radius(fake, j) for j, gap in enumerate(gaps))


def test_cover_of_one_distribution_is_near_one_in_all() -> None:
    found = cover(_normal(200, 0), _normal(200, 1))
    assert all(values.mean() > 0.85 for values in vars(found).values())


def test_cover_tells_one_good_picture_drawn_again_and_again() -> None:
    real = _normal(100, 0)
    collapsed = real[:1] + 1e-6 * _normal(100, 1)
    found = cover(real, collapsed)
    assert found.precision.mean() == 1
    assert found.coverage.mean() < 0.2 and found.recall.mean() < 0.05


def test_cover_needs_more_pictures_than_neighbours() -> None:
    with pytest.raises(ValueError, match="more than 5 rows"):
        cover(torch.zeros(5, 3), torch.zeros(9, 3))
