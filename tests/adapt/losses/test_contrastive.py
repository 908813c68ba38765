"""Distribution-sensitive losses: closed forms, a slow reference, masking."""

import math

import pytest
import torch
import torch.nn.functional as F

from adapt.losses.contrastive import fake_to_fake, fake_to_real


def slow_nt_xent(first: torch.Tensor, second: torch.Tensor, ids: list[int], temperature: float) -> float:
    """Ye et al., one anchor at a time, without the negatives that share an id."""
    features = [F.normalize(row, dim=0) for row in torch.cat([first, second])]
    both, count = ids * 2, len(ids)
    total = 0.0
    for i, anchor in enumerate(features):
        positive = (i + count) % (2 * count)
        kept = [k for k in range(2 * count) if k == positive or (k != i and both[k] != both[i])]
        scores = [math.exp(float(anchor @ features[k]) / temperature) for k in kept]
        total -= math.log(math.exp(float(anchor @ features[positive]) / temperature) / sum(scores))
    return total / (2 * count)


@pytest.mark.parametrize(("batch", "expected"), [(10, 2.9444), (20, 3.6636), (24, 3.8501)])
def test_fake_to_fake_of_equal_features_is_log_of_the_others(batch: int, expected: float) -> None:
    same = torch.ones(batch, 4)
    assert fake_to_fake(same, same, torch.arange(batch)).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("batch", "expected"), [(10, 1.2343), (20, 1.8153), (24, 1.9776)])
def test_fake_to_fake_of_perfect_pairs_matches_the_closed_form(batch: int, expected: float) -> None:
    features = torch.eye(batch)
    value = fake_to_fake(features, features, torch.arange(batch), temperature=0.5)
    assert value.item() == pytest.approx(expected, abs=1e-4)


def test_fake_to_fake_matches_the_slow_reference_with_shared_ids() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 6, 5, generator=generator)
    ids = [0, 1, 1, 2, 3, 0]
    value = fake_to_fake(first, second, torch.tensor(ids), temperature=0.5)
    assert value.item() == pytest.approx(slow_nt_xent(first, second, ids, 0.5), abs=1e-5)


def test_fake_to_fake_is_symmetric() -> None:
    first, second = torch.randn(2, 4, 5)
    ids = torch.arange(4)
    assert torch.isclose(fake_to_fake(first, second, ids), fake_to_fake(second, first, ids))


def test_fake_to_real_of_equal_features_is_log_batch() -> None:
    same = torch.ones(7, 3)
    assert fake_to_real(same, same, torch.arange(7)).item() == pytest.approx(math.log(7), abs=1e-5)


def test_fake_to_real_sends_no_gradient_into_real_pictures() -> None:
    fake, real = torch.randn(3, 4, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    fake_to_real(fake, real, torch.arange(3)).backward()
    assert real.grad is None and fake.grad is not None and fake.grad.abs().sum() > 0


def test_losses_of_one_product_only_are_zero() -> None:
    # Every negative is masked, so each anchor's positive is certain.
    ids = torch.zeros(3, dtype=torch.long)
    assert fake_to_real(torch.randn(3, 4), torch.randn(3, 4), ids).item() == pytest.approx(0, abs=1e-6)
    assert fake_to_fake(torch.randn(3, 4), torch.randn(3, 4), ids).item() == pytest.approx(0, abs=1e-6)
