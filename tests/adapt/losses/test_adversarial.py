"""Hinge losses and the matching-aware penalty against hand-worked values."""

import torch
from torch import nn

from adapt.losses.adversarial import hinge_fake, hinge_generator, hinge_real
from adapt.losses.gradient_penalty import matching_aware_penalty


def test_hinge_counts_every_head_alike() -> None:
    small, large = torch.tensor([[0.0]]), torch.full((1, 9), 2.0)
    assert hinge_real([small, large]).item() == 0.5  # heads 1 and 0, whatever their patches
    assert hinge_fake([small, large]).item() == 2.0  # (1 + 3) / 2
    assert hinge_generator([small, large]).item() == -1.0


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
