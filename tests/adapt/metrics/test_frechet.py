"""Fréchet distance: closed form for Gaussians, the textbook formula, singular covariances, its interval."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from adapt.metrics.frechet import frechet_distance, frechet_interval, rank_warning


def _normal(rows: int, dim: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _textbook(x: torch.Tensor, y: torch.Tensor) -> float:
    a, b = np.cov(x.numpy(), rowvar=False), np.cov(y.numpy(), rowvar=False)
    root = sqrtm(a @ b)
    difference = (x.mean(0) - y.mean(0)).square().sum()
    return float(difference + np.trace(a + b) - 2 * np.trace(root).real)


def _with_moments(rows: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """The rows shifted and turned so that their sample mean and covariance are exactly `mean` and diag(scale²)."""
    centred = rows - rows.mean(0)
    white = centred @ torch.linalg.inv(torch.linalg.cholesky(centred.T.cov())).T
    return white * scale + mean


def test_frechet_distance_has_its_closed_form_for_gaussians() -> None:
    scale_x, scale_y = torch.tensor([1.0, 2.0, 0.5]).double(), torch.tensor([3.0, 1.0, 0.5]).double()
    mean_x, mean_y = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([1.0, 1.0, 0.0]).double()
    x, y = _with_moments(_normal(50, 3, 0), mean_x, scale_x), _with_moments(_normal(70, 3, 1), mean_y, scale_y)
    expected = float((mean_x - mean_y).square().sum() + (scale_x - scale_y).square().sum())
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_equals_the_textbook_formula() -> None:
    x, y = _normal(60, 5, 0), _normal(80, 5, 1) @ _normal(5, 5, 2) + 0.3
    assert frechet_distance(x, y) == pytest.approx(_textbook(x, y), rel=1e-9)


def test_frechet_distance_stays_exact_with_fewer_rows_than_features() -> None:
    x, y = _normal(8, 20, 0), _normal(11, 20, 1) + 0.5
    a, b = torch.from_numpy(np.cov(x.numpy(), rowvar=False)), torch.from_numpy(np.cov(y.numpy(), rowvar=False))
    # eigenvalues of the product of two singular covariances, where a matrix root drifts off into complex numbers
    root = torch.linalg.eigvals(a @ b).real.clamp_min(0).sqrt().sum()
    expected = float((x.mean(0) - y.mean(0)).square().sum() + a.trace() + b.trace() - 2 * root)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_of_a_set_to_itself_is_zero() -> None:
    x = _normal(10, 30, 0)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_grows_as_pictures_get_fewer() -> None:
    """Two samples of one distribution: the bias that makes values of different n incomparable."""
    few, many = (frechet_distance(_normal(n, 40, 0), _normal(n, 40, 1)) for n in (30, 1000))
    assert few > 5 * many > 0


@pytest.mark.parametrize(("rows", "dim"), [(30, 60), (60, 6)])
def test_frechet_interval_holds_the_estimate_and_narrows_with_n(rows: int, dim: int) -> None:
    widths = []
    for n in (rows, 4 * rows):
        value, low, high = frechet_interval(_normal(n, dim, 0), _normal(n, dim, 1) + 0.5, seed=0)
        assert value == pytest.approx(frechet_distance(_normal(n, dim, 0), _normal(n, dim, 1) + 0.5))
        assert 0 <= low < value < high
        widths.append(high - low)
    assert widths[1] < widths[0]


def test_frechet_interval_is_the_same_by_products_of_rows() -> None:
    """The short cut for few rows resamples the same rows as the plain way."""
    from adapt.metrics.frechet import _few, _many

    x, y = _normal(12, 20, 0), _normal(9, 20, 1)
    ways = [way(x, y, 5, torch.Generator().manual_seed(3)) for way in (_few, _many)]
    assert ways[0] == pytest.approx(ways[1], rel=1e-9)


def test_rank_warning_flags_fewer_pictures_than_features() -> None:
    assert "256 pictures for 1280 features" in rank_warning(256, 1280)
    assert "singular" in rank_warning(1280, 1280)
    assert rank_warning(1281, 1280) == ""


@pytest.mark.parametrize("shapes", [((1, 3), (5, 3)), ((5, 3), (5, 4))])
def test_frechet_distance_refuses_what_has_no_covariance(shapes) -> None:
    with pytest.raises(ValueError, match="two matrices of one width"):
        frechet_distance(torch.zeros(shapes[0]), torch.zeros(shapes[1]))
