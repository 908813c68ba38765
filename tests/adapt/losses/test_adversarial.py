"""Adversarial losses and the matching-aware penalty against hand-worked values."""

import math

import pytest
import torch
from torch import nn

from adapt.losses.adversarial import (
    ADVERSARIAL,
    bce_fake,
    bce_real,
    discriminator_shares,
    hinge_fake,
    hinge_generator,
    hinge_real,
)
from adapt.losses.gradient_penalty import matching_aware_penalty


def test_hinge_counts_every_head_alike() -> None:
    small, large = torch.tensor([[0.0]]), torch.full((1, 9), 2.0)
    assert hinge_real([small, large]).item() == 0.5  # heads 1 and 0, whatever their patches
    assert hinge_fake([small, large]).item() == 2.0  # (1 + 3) / 2
    assert hinge_generator([small, large]).item() == -1.0


def test_heads_are_summed_where_asked() -> None:
    small, large = torch.tensor([[0.0]]), torch.full((1, 9), 2.0)
    assert hinge_real([small, large], reduction="sum").item() == 1.0
    assert hinge_fake([small, large], reduction="sum").item() == 4.0
    assert hinge_generator([small, large], reduction="sum").item() == -2.0
    three = [torch.zeros(2, 1)] * 3
    assert bce_real(three, reduction="sum").item() == pytest.approx(3 * math.log(2))


def test_cross_entropy_is_that_of_the_sigmoid() -> None:
    logits = torch.tensor([-2.0, 0.5])
    probability = logits.sigmoid()
    assert torch.isclose(bce_real([logits]), -probability.log().mean())
    assert torch.isclose(bce_fake([logits]), -(1 - probability).log().mean())
    assert ADVERSARIAL["bce"].generator is bce_real  # non-saturating: G wants its pictures taken for real
    assert bce_fake([torch.tensor([200.0])]).item() == 200.0  # no overflow


@pytest.mark.parametrize(
    ("terms", "mismatch", "expected"),
    [
        # SSA-GAN and DF-GAN: 1, ½, ½.
        (("d_real", "d_fake", "d_mismatch"), 0.5, (1, 1 / 2, 1 / 2)),
        # AttnGAN: halves of the real side, thirds of the other.
        (
            ("d_real", "d_real_unconditional", "d_fake", "d_mismatch", "d_fake_unconditional"),
            0.5,
            (1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3),
        ),
        (("d_real", "d_fake"), 0.5, (1, 1)),  # a batch of one has no mismatch
        (("d_real", "d_fake"), 0.0, (1, 1)),
        (("d_real", "d_fake", "d_mismatch"), 0.25, (1, 3 / 4, 1 / 4)),
    ],
)
def test_discriminator_weighs_pairs_as_published(
    terms: tuple[str, ...], mismatch: float, expected: tuple[float, ...]
) -> None:
    assert discriminator_shares(terms, mismatch=mismatch) == pytest.approx(dict(zip(terms, expected, strict=True)))


def test_penalty_takes_the_norm_over_all_judged_stages() -> None:
    small, large = torch.randn(2, 3, 1, 1, requires_grad=True), torch.randn(2, 3, 2, 2, requires_grad=True)
    sentences, unseen = torch.randn(2, 5, requires_grad=True), torch.randn(2, 3, 4, 4, requires_grad=True)
    logits = 2 * small.flatten(1).sum(1) + large.flatten(1).sum(1) + sentences.sum(1)
    value = matching_aware_penalty(logits, [unseen, small, large], sentences, weight=1.0, power=2.0)
    assert torch.isclose(value, torch.tensor(4.0 * 3 + 12 + 5))


def test_penalty_matches_the_formula_for_a_linear_discriminator() -> None:
    # D = 3·sum(x) + 4·sum(s): the joint gradient has norm √(9·|x| + 16·|s|) whatever the input.
    images = torch.randn(2, 3, 2, 2, requires_grad=True)
    sentences = torch.randn(2, 5, requires_grad=True)
    logits = 3 * images.flatten(1).sum(1) + 4 * sentences.sum(1)
    value = matching_aware_penalty(logits, [images], sentences, weight=2.0, power=6.0)
    assert torch.isclose(value, torch.tensor(2 * (9.0 * 12 + 16.0 * 5) ** 3))


def test_penalty_reaches_the_weights_of_the_discriminator() -> None:
    layer = nn.Linear(12 + 5, 1)
    images = torch.randn(4, 3, 2, 2, requires_grad=True)
    sentences = torch.randn(4, 5, requires_grad=True)
    logits = layer(torch.cat([images.flatten(1), sentences], dim=1)).tanh().squeeze(1)
    (logits.mean() + matching_aware_penalty(logits, [images], sentences)).backward()
    assert layer.weight.grad is not None and layer.weight.grad.abs().sum() > 0
