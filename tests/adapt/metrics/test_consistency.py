"""Consistency: slow reference, closed forms, galleries, ties of a generator that ignores text."""

import pytest
import torch

from adapt.metrics.consistency import consistency, retrieve


def _cos(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() @ b.double()) / (a.double().norm() * b.double().norm()))


def test_consistency_matches_a_slow_reference() -> None:
    first, second = torch.randn(6, 4), torch.randn(6, 4)
    within = sum(_cos(first[i], second[i]) for i in range(6)) / 6
    between = sum(_cos(first[i], second[j]) for i in range(6) for j in range(6) if i != j) / 30
    metrics = consistency(first, second, extractor="x", seed=0)
    assert metrics["consistency_within"].value == pytest.approx(within)
    assert metrics["consistency_between"].value == pytest.approx(between)
    assert metrics["consistency_gap"].value == pytest.approx(within - between)
    wins = sum(max(range(6), key=lambda j: _cos(first[i], second[j])) == i for i in range(6))
    assert metrics["consistency_top1"].value == pytest.approx(wins / 6)


def test_retrieve_finds_equal_features() -> None:
    features = torch.eye(10)
    assert retrieve(features, features * 3, gallery=5).top1 == 1


def test_retrieve_scores_chance_when_all_pictures_are_equal() -> None:
    same = torch.ones(256, 8) * 0.3
    result = retrieve(same, same, gallery=128)
    assert (result.n, result.gallery) == (256, 128)
    assert result.top1 == pytest.approx(1 / 128)


def test_retrieve_uses_equal_galleries_and_one_small_one() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 300, 4, generator=generator).unbind()
    assert retrieve(a, b, gallery=128).n == 256
    assert (retrieve(a[:50], b[:50], gallery=128).gallery, retrieve(a[:50], b[:50], gallery=128).n) == (50, 50)


def test_retrieve_of_unrelated_features_is_near_chance() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 2560, 16, generator=generator).unbind()
    assert retrieve(a, b, gallery=128).top1 < 3 / 128


def test_top1_has_wilsons_interval_and_states_chance() -> None:
    features = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    metric = consistency(features, features, extractor="judge", seed=7)["consistency_top1"]
    assert (metric.value, metric.n, metric.chance, metric.seed, metric.extractor) == (1.0, 40, 1 / 40, 7, "judge")
    assert metric.low is not None and 0.9 < metric.low < 1
    assert metric.note == "gallery of 40"


def test_retrieve_refuses_one_item() -> None:
    with pytest.raises(ValueError, match="2 rows or more"):
        retrieve(torch.ones(1, 3), torch.ones(1, 3))
