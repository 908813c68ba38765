"""Intervals: published values, bounds, coverage."""

import pytest
import torch

from adapt.metrics.interval import bootstrap_mean, wilson


def test_wilson_gives_published_values() -> None:
    assert wilson(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 4), (5, 4)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= successes <= n"):
        wilson(successes, n)


def test_bootstrap_mean_covers_as_the_normal_interval_does() -> None:
    values = torch.randn(400, generator=torch.Generator().manual_seed(0)) + 2
    low, high = bootstrap_mean(values, seed=1)
    half = 1.96 * values.std().item() / 20
    assert (low, high) == pytest.approx((values.mean().item() - half, values.mean().item() + half), abs=0.02)


def test_bootstrap_mean_of_equal_values_is_a_point() -> None:
    assert bootstrap_mean(torch.full((5,), 0.25), seed=0) == (0.25, 0.25)
