"""Shares and agreement against worked values and against their own definitions."""

import math
import random

import pytest

from catalog.statistics import Z95, kappa, share


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_share_has_the_wilson_interval(hits: int, n: int, low: float, high: float) -> None:
    found = share(hits, n)
    assert found.value == hits / n
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_share_of_nothing_is_unknown() -> None:
    assert (share(0, 0).value, share(0, 0).low, share(0, 0).high) == (None, None, None)
    assert share(7, 7).high == 1.0


def table(counts: list[list[int]]) -> list[tuple[str, str]]:
    names = "abc"
    return [(names[i], names[j]) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]


def test_kappa_of_a_worked_table() -> None:
    found = kappa(table([[20, 5], [10, 15]]))
    assert (found.n, found.agreement.value, found.value) == (50, 0.7, pytest.approx(0.4))


def _plain_kappa(p: list[list[float]]) -> float:
    k = range(len(p))
    observed = sum(p[i][i] for i in k)
    chance = sum(sum(p[i]) * sum(p[j][i] for j in k) for i in k)
    return (observed - chance) / (1 - chance)


@pytest.mark.parametrize("counts", [[[20, 5], [10, 15]], [[30, 4, 2], [3, 20, 6], [1, 5, 29]], [[50, 1], [2, 3]]])
def test_kappa_interval_is_the_delta_method_of_its_definition(counts: list[list[int]]) -> None:
    n, k, step = sum(map(sum, counts)), range(len(counts)), 1e-6
    p = [[count / n for count in row] for row in counts]
    slopes = {}
    for i in k:
        for j in k:
            up, down = ([list(row) for row in p] for _ in range(2))
            up[i][j] += step
            down[i][j] -= step
            slopes[i, j] = (_plain_kappa(up) - _plain_kappa(down)) / (2 * step)
    mean = sum(p[i][j] * slopes[i, j] for i in k for j in k)
    variance = (sum(p[i][j] * slopes[i, j] ** 2 for i in k for j in k) - mean**2) / n
    found = kappa(table(counts))
    assert found.value is not None and found.low is not None
    assert found.value - found.low == pytest.approx(Z95 * math.sqrt(variance), rel=1e-4)


def test_kappa_is_not_defined_where_all_say_the_same() -> None:
    found = kappa([("a", "a")] * 5)
    assert (found.agreement.value, found.value, found.low) == (1.0, None, None)
    assert kappa([]).n == 0


def test_kappa_stays_in_range() -> None:
    draw = random.Random(0)
    for _ in range(50):
        found = kappa([(draw.choice("ab"), draw.choice("ab")) for _ in range(6)])
        if found.value is not None and found.low is not None and found.high is not None:
            assert -1 <= found.low <= found.value <= found.high <= 1


def test_kappa_is_not_given_where_one_rater_always_says_the_same() -> None:
    found = kappa([("a", "a")] * 13 + [("a", "b")] * 4)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.agreement.hits == 13
