"""Hinge losses of the matching-aware discriminator.

Papers: Lim & Ye, "Geometric GAN", arXiv 1705.02894 (hinge); Reed et al., arXiv 1605.05396 (mismatched captions);
weights as in SSA-GAN, arXiv 2104.00567:
L_D = E[max(0, 1 − D(x, s))] + ½ E[max(0, 1 + D(x̂, s))] + ½ E[max(0, 1 + D(x, s'))].
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def _mean_over_heads(losses: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(losses)).mean()


def hinge_real(logits: Sequence[Tensor]) -> Tensor:
    """Loss of logits that should be above 1; a tensor of any shape a head, every head counts the same."""
    return _mean_over_heads([F.relu(1 - head.float()).mean() for head in logits])


def hinge_fake(logits: Sequence[Tensor]) -> Tensor:
    """Loss of logits that should be below −1; for generated and for mismatched pairs."""
    return _mean_over_heads([F.relu(1 + head.float()).mean() for head in logits])


def hinge_generator(logits: Sequence[Tensor]) -> Tensor:
    """The generator's loss: the negative mean logit of its pictures, every head counts the same."""
    return _mean_over_heads([-head.float().mean() for head in logits])
