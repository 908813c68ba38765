"""Adversarial losses of the matching-aware discriminator: hinge, and binary cross-entropy of logits.

Papers: Lim & Ye, "Geometric GAN", arXiv 1705.02894 (hinge); Goodfellow et al., arXiv 1406.2661 (cross-entropy, with the
non-saturating loss of the generator); Reed et al., arXiv 1605.05396 (mismatched captions).

SSA-GAN, arXiv 2104.00567, and DF-GAN weigh the pairs of one head so:
L_D = E[max(0, 1 − D(x, s))] + ½ E[max(0, 1 + D(x̂, s))] + ½ E[max(0, 1 + D(x, s'))].
AttnGAN, arXiv 1711.10485, adds a head that ignores the text (unconditional) and sums over its stages:
L_D = Σ ½ [real, unconditional + real] + ⅓ [fake, unconditional + fake + mismatched], L_G = Σ [unconditional + fake].
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

REDUCTIONS = ("mean", "sum")
Heads = Sequence[Tensor]
"""Logits of any shape, one tensor a head; within a head every logit counts the same."""
Loss = Callable[..., Float[Tensor, ""]]


def over_heads(values: Sequence[Tensor], reduction: str) -> Tensor:
    """Join one tensor of the same shape a head: their `mean`, or their `sum` as AttnGAN's stages."""
    stacked = torch.stack(list(values))
    return stacked.sum(dim=0) if reduction == "sum" else stacked.mean(dim=0)


def hinge_real(logits: Heads, *, reduction: str = "mean") -> Float[Tensor, ""]:
    """Loss of logits that should be above 1."""
    return over_heads([F.relu(1 - head.float()).mean() for head in logits], reduction)


def hinge_fake(logits: Heads, *, reduction: str = "mean") -> Float[Tensor, ""]:
    """Loss of logits that should be below −1; for generated and for mismatched pairs."""
    return over_heads([F.relu(1 + head.float()).mean() for head in logits], reduction)


def hinge_generator(logits: Heads, *, reduction: str = "mean") -> Float[Tensor, ""]:
    """The generator's loss: the negative mean logit of its pictures."""
    return over_heads([-head.float().mean() for head in logits], reduction)


def bce_real(logits: Heads, *, reduction: str = "mean") -> Float[Tensor, ""]:
    """−log σ(logit): cross-entropy of logits whose label is 1."""
    return over_heads([F.softplus(-head.float()).mean() for head in logits], reduction)


def bce_fake(logits: Heads, *, reduction: str = "mean") -> Float[Tensor, ""]:
    """−log(1 − σ(logit)): cross-entropy of logits whose label is 0; for generated and for mismatched pairs."""
    return over_heads([F.softplus(head.float()).mean() for head in logits], reduction)


@dataclass(frozen=True, kw_only=True)
class AdversarialLosses:
    """The three losses of one kind; each takes logits and `reduction`."""

    real: Loss
    fake: Loss
    generator: Loss


ADVERSARIAL: Mapping[str, AdversarialLosses] = {
    "hinge": AdversarialLosses(real=hinge_real, fake=hinge_fake, generator=hinge_generator),
    # The non-saturating generator wants its pictures labelled 1.
    "bce": AdversarialLosses(real=bce_real, fake=bce_fake, generator=bce_real),
}


def discriminator_shares(terms: Collection[str], *, mismatch: float, rejected: float = 0.0) -> dict[str, float]:
    """Weight of each adversarial term of D; real pairs sum to 1, generated and mismatched pairs together to 1.

    Args:
        terms: names that are there, of d_real, d_fake, d_mismatch, d_rejected, and all but d_mismatch with
            _unconditional.
        mismatch: weight of mismatched beside 1 − `mismatch` of generated pairs, in [0, 1). ½ gives the published
            weights: ½ and ½ without an unconditional head (SSA-GAN), ⅓ each with one (AttnGAN).
        rejected: weight of rejected beside 1 − `rejected` of freshly generated pictures, in [0, 1).
    """
    fresh, old = (1 - mismatch) * (1 - rejected), (1 - mismatch) * rejected
    sides = (
        {"d_real": 1.0, "d_real_unconditional": 1.0},
        {
            "d_fake": fresh,
            "d_rejected": old,
            "d_mismatch": mismatch,
            "d_fake_unconditional": fresh,
            "d_rejected_unconditional": old,
        },
    )
    shares: dict[str, float] = {}
    for side in sides:
        present = {name: weight for name, weight in side.items() if name in terms}
        shares |= {name: weight / sum(present.values()) for name, weight in present.items()}
    return shares
