"""Distribution-sensitive losses: closed forms, a slow reference, masking, gradients."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from reference.contrastive import slow_info_nce, slow_nt_xent
from torch import Tensor

from adapt.losses.contrastive import fake_to_fake, fake_to_real, shared_ids

LOSSES = [(fake_to_fake, slow_nt_xent), (fake_to_real, slow_info_nce)]
# Columns: picture, product, class. Items 1 and 2 share a product, 0 and 5 a class, 3 and 4 a picture.
IDS = torch.tensor([[0, 0, 7], [1, 1, 8], [2, 1, 9], [3, 3, 1], [3, 4, 2], [5, 5, 7]])


def features(batch: int, dims: int = 5, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    first, second = torch.randn(2, batch, dims, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return first, second


@pytest.mark.parametrize(("batch", "expected"), [(10, 2.9444), (20, 3.6636), (24, 3.8501)])
def test_fake_to_fake_of_equal_features_is_log_of_the_others(batch: int, expected: float) -> None:
    same = torch.ones(batch, 4)
    for directions in (1, 2):
        value = fake_to_fake(same, same, torch.arange(batch), directions=directions).item()
        assert value == pytest.approx(expected, abs=1e-4)
        assert value == pytest.approx(math.log(2 * batch - 1), abs=1e-5)


@pytest.mark.parametrize(
    ("batch", "temperature", "expected"), [(10, 0.5, 1.2343), (20, 0.5, 1.8153), (24, 0.5, 1.9776), (24, 0.1, 0.0021)]
)
def test_fake_to_fake_of_perfect_pairs_matches_the_closed_form(batch: int, temperature: float, expected: float) -> None:
    perfect = torch.eye(batch)
    value = fake_to_fake(perfect, perfect, torch.arange(batch), temperature=temperature)
    assert value.item() == pytest.approx(expected, abs=1e-4)
    assert value.item() == pytest.approx(math.log(1 + (2 * batch - 2) * math.exp(-1 / temperature)), abs=1e-5)


@pytest.mark.parametrize("batch", [2, 7, 24])
def test_fake_to_real_of_equal_features_is_log_batch(batch: int) -> None:
    same = torch.ones(batch, 3)
    for directions in (1, 2):
        value = fake_to_real(same, same, torch.arange(batch), directions=directions).item()
        assert value == pytest.approx(math.log(batch), abs=1e-5)


@pytest.mark.parametrize("columns", [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("loss", "slow"), LOSSES)
def test_losses_match_the_slow_reference_under_every_mask(
    loss: Callable[..., Tensor], slow: Callable[..., float], directions: int, columns: list[int]
) -> None:
    first, second = features(6)
    ids = IDS[:, columns]
    same = [[any(a == b for a, b in zip(i, k, strict=True)) for k in ids.tolist()] for i in ids.tolist()]
    for temperature in (0.5, 0.1):
        value = loss(first, second, ids, temperature=temperature, directions=directions)
        expected = slow(first.numpy(), second.numpy(), same, temperature, directions)
        assert value.item() == pytest.approx(expected, abs=1e-10)


def test_each_mask_changes_the_value() -> None:
    first, second = features(6)
    for loss in (fake_to_fake, fake_to_real):
        values = {loss(first, second, IDS[:, columns]).item() for columns in ([], [0], [1], [2], [0, 1, 2])}
        assert len(values) == 5


def test_shared_ids_need_one_kind_in_common() -> None:
    pairs = {tuple(pair) for pair in shared_ids(IDS).triu(1).nonzero().tolist()}
    assert pairs == {(0, 5), (1, 2), (3, 4)}
    assert torch.equal(shared_ids(IDS[:, 1]), shared_ids(IDS[:, 1:2]))
    assert not shared_ids(IDS[:, :0]).any()


def test_losses_without_masks_still_keep_an_anchor_from_itself() -> None:
    # Were the anchor its own negative, perfect pairs would cost at least ln 2.
    perfect = torch.eye(3)
    none = torch.zeros(3, 0, dtype=torch.long)
    assert fake_to_fake(perfect, perfect, none, temperature=0.05).item() == pytest.approx(0, abs=1e-6)
    assert fake_to_real(perfect, perfect, none, temperature=0.05).item() == pytest.approx(0, abs=1e-6)


def test_losses_are_symmetric_in_both_directions_and_not_in_one() -> None:
    first, second = features(6)
    for loss in (fake_to_fake, fake_to_real):
        assert torch.isclose(loss(first, second, IDS), loss(second, first, IDS))
        assert not torch.isclose(loss(first, second, IDS, directions=1), loss(second, first, IDS, directions=1))


def test_losses_do_not_depend_on_length_or_order() -> None:
    first, second = features(6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    for loss in (fake_to_fake, fake_to_real):
        value = loss(first, second, IDS)
        assert torch.isclose(loss(3 * first, second / 7, IDS), value)
        assert torch.isclose(loss(first[order], second[order], IDS[order]), value)


@pytest.mark.parametrize("directions", [1, 2])
def test_gradients_are_those_of_the_formula(directions: int) -> None:
    first, second = (part.requires_grad_(True) for part in features(6, dims=3))
    ids = IDS[:, :2]
    assert torch.autograd.gradcheck(lambda a, b: fake_to_fake(a, b, ids, directions=directions), (first, second))
    real = second.detach()
    assert torch.autograd.gradcheck(lambda a: fake_to_real(a, real, ids, directions=directions), (first,))


def test_fake_to_real_sends_no_gradient_into_real_pictures() -> None:
    fake, real = torch.randn(3, 4, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    fake_to_real(fake, real, torch.arange(3)).backward()
    assert real.grad is None and fake.grad is not None and fake.grad.abs().sum() > 0


def test_an_anchor_does_not_feel_the_pictures_of_a_masked_item() -> None:
    fake, real = features(3)
    fake.requires_grad_(True)
    moved = real.clone()
    moved[1] = -moved[1]
    for ids, feels in ((torch.tensor([0, 0, 1]), False), (torch.tensor([0, 1, 2]), True)):
        before, after = (
            torch.autograd.grad(fake_to_real(fake, pictures, ids, directions=1), fake)[0] for pictures in (real, moved)
        )
        assert torch.allclose(before[0], after[0]) != feels and not torch.allclose(before[2], after[2])


def test_losses_of_one_product_only_are_zero() -> None:
    # Every negative is masked, so each anchor's positive is certain.
    ids = torch.zeros(3, dtype=torch.long)
    first, second = features(3)
    assert fake_to_real(first, second, ids).item() == pytest.approx(0, abs=1e-6)
    assert fake_to_fake(first, second, ids).item() == pytest.approx(0, abs=1e-6)


def test_losses_of_one_item_are_zero_with_a_finite_gradient() -> None:
    for loss in (fake_to_fake, fake_to_real):
        for ids in (torch.zeros(1, dtype=torch.long), torch.zeros(1, 0, dtype=torch.long)):
            first = torch.randn(1, 4, requires_grad=True)
            value = loss(first, torch.randn(1, 4), ids)
            value.backward()
            assert value.item() == 0 and first.grad is not None and bool(first.grad.isfinite().all())


def test_losses_of_half_precision_features_are_computed_in_float32() -> None:
    first, second = features(6, dtype=torch.float32)
    for loss in (fake_to_fake, fake_to_real):
        value = loss(first.bfloat16(), second.bfloat16(), IDS)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(loss(first, second, IDS).item(), abs=0.02)


def test_reference_agrees_with_the_closed_forms() -> None:
    perfect, apart = np.eye(10), [[False] * 10] * 10
    assert slow_nt_xent(perfect, perfect, apart, 0.5) == pytest.approx(1.2343, abs=1e-4)
    assert slow_info_nce(np.ones((4, 2)), np.ones((4, 2)), apart, 0.5) == pytest.approx(math.log(4))
