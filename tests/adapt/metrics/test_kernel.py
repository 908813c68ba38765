"""Kernel distance: slow reference, closed form, unbiasedness, interval."""

import math

import pytest
import torch

from adapt.metrics.kernel import kid, kid_interval


def _reference(real: list[list[float]], fake: list[list[float]]) -> float:
    def k(x: list[float], y: list[float]) -> float:
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    within_real = mean([k(x, y) for i, x in enumerate(real) for j, y in enumerate(real) if i != j])
    within_fake = mean([k(x, y) for i, x in enumerate(fake) for j, y in enumerate(fake) if i != j])
    return within_real + within_fake - 2 * mean([k(x, y) for x in real for y in fake])


def test_kid_matches_a_slow_reference() -> None:
    real, fake = torch.randn(7, 5).double(), torch.randn(4, 5).double() + 0.3
    assert kid(real, fake) == pytest.approx(_reference(real.tolist(), fake.tolist()), rel=1e-12)


def test_kid_agrees_with_torchmetrics() -> None:
    from torchmetrics.image.kid import poly_mmd

    real, fake = torch.rand(9, 6, dtype=torch.float64), torch.rand(9, 6, dtype=torch.float64)
    assert kid(real, fake) == pytest.approx(poly_mmd(real, fake).item(), abs=1e-12)


def test_kid_of_two_constant_sets_has_its_closed_form() -> None:
    # x = 1, y = 2 in every one of D entries: k = (1+1)^3, (4+1)^3, (2+1)^3
    assert kid(torch.ones(3, 4), torch.full((5, 4), 2.0)) == pytest.approx(8 + 125 - 2 * 27)


def test_kid_is_symmetric() -> None:
    a, b = torch.randn(9, 3), torch.randn(6, 3)
    assert kid(a, b) == pytest.approx(kid(b, a))


def test_kid_of_one_distribution_averages_to_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    values = [kid(*torch.randn(2, 30, 8, generator=generator).unbind()) for _ in range(200)]
    error = torch.tensor(values).std().item() / math.sqrt(len(values))
    assert abs(sum(values) / len(values)) < 3 * error
    assert min(values) < 0 < max(values)


def test_kid_interval_has_the_spread_of_repeated_samples() -> None:
    generator = torch.Generator().manual_seed(1)
    draws = [
        (torch.randn(80, 8, generator=generator), torch.randn(80, 8, generator=generator) + 0.5) for _ in range(150)
    ]
    true_spread = torch.tensor([kid(*draw) for draw in draws]).std().item()
    widths = [(high - low) / (2 * 1.96) for _, low, high in (kid_interval(*draw, seed=0) for draw in draws[:20])]
    # Twenty intervals and 150 draws know a spread to about a tenth each.
    assert sum(widths) / len(widths) == pytest.approx(true_spread, rel=0.3)


def test_kid_interval_is_the_same_for_the_same_seed() -> None:
    real, fake = torch.randn(12, 4), torch.randn(10, 4)
    assert kid_interval(real, fake, seed=3) == kid_interval(real, fake, seed=3)
    assert kid_interval(real, fake, seed=3)[0] == kid(real, fake)


def test_kid_interval_admits_that_three_rows_say_nothing() -> None:
    assert kid_interval(torch.randn(3, 4), torch.randn(9, 4), seed=0)[1:] == (float("-inf"), float("inf"))


@pytest.mark.parametrize("shapes", [((1, 4), (5, 4)), ((5, 4), (5, 3)), ((4,), (4,))])
def test_kid_refuses_shapes_it_cannot_compare(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="two matrices of one width"):
        kid(torch.zeros(shapes[0]), torch.zeros(shapes[1]))
