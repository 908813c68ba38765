"""Controls of consistency: likeness against shuffling, and what the texts do not explain."""

import pytest
import torch
import torch.nn.functional as F

from adapt.metrics.controls import beyond_text, cosines, likeness


def _random(rows: int, dim: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_likeness_matches_a_slow_reference() -> None:
    a, b = _random(5, 4, 0), _random(5, 4, 1)
    cos = lambda i, j: float(F.cosine_similarity(a[i], b[j], dim=0))  # noqa: E731
    own = sum(cos(i, i) for i in range(5)) / 5
    shuffled = sum(cos(i, j) for i in range(5) for j in range(5) if i != j) / 20
    assert likeness(a, b, extractor="x", seed=0).value == pytest.approx(own - shuffled)


def test_likeness_is_zero_when_it_does_not_matter_which() -> None:
    same = torch.ones(6, 3)
    assert likeness(same, same, extractor="x", seed=0).value == pytest.approx(0, abs=1e-12)


def test_beyond_text_is_zero_when_pictures_follow_the_texts_alone() -> None:
    texts = cosines(_random(40, 6, 0), _random(40, 6, 0) + 0.3 * _random(40, 6, 1))
    metric = beyond_text(0.2 + 0.5 * texts, texts, extractor="x", seed=0)
    assert metric.value == pytest.approx(0, abs=1e-9)


def test_beyond_text_finds_what_the_pictures_add() -> None:
    texts = cosines(_random(40, 6, 0), _random(40, 6, 0) + 0.3 * _random(40, 6, 1))
    metric = beyond_text(0.2 + 0.5 * texts + 0.1 * torch.eye(40, dtype=torch.float64), texts, extractor="x", seed=0)
    assert metric.value == pytest.approx(0.1, abs=1e-9)
    assert metric.low is not None and metric.low > 0.05


def test_beyond_text_of_one_text_vector_is_the_gap() -> None:
    """A text encoder that tells nothing apart explains nothing."""
    pictures = cosines(_random(20, 5, 0), _random(20, 5, 0))
    gap = float(pictures.diagonal().mean() - (pictures.sum() - pictures.trace()) / 380)
    assert beyond_text(pictures, torch.ones(20, 20), extractor="x", seed=0).value == pytest.approx(gap)


def test_controls_refuse_shapes_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match="expected equal"):
        likeness(torch.ones(3, 2), torch.ones(2, 2), extractor="x", seed=0)
    with pytest.raises(ValueError, match="expected square"):
        beyond_text(torch.ones(3, 3), torch.ones(2, 2), extractor="x", seed=0)
