"""Matching-aware gradient penalty (MA-GP) of Tao et al., "DF-GAN", arXiv 2008.05865, equation 2.

Differs from the paper: where a discriminator judges several stages of a picture, the norm is taken over all of them.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def matching_aware_penalty(
    logits: Float[Tensor, " B"],
    stages: Sequence[Float[Tensor, "B C h w"]],
    sentences: Float[Tensor, "B ..."],
    *,
    weight: float = 2.0,
    power: float = 6.0,
) -> Float[Tensor, ""]:
    """K · E[(‖∇ₓD, ∇ₛD‖)^p] on real pictures with their own captions.

    The graph is kept, so that one backward serves the adversarial loss and the penalty; a backward of its own leaves
    distributed gradients unsynchronised without an error.

    Args:
        logits: D of the pairs, in float32. D itself may have run in bfloat16: its gradients come back in float32, where
            norm and power are taken. float16 would not do, since the power of a norm above 6 overflows it.
        stages: real pictures at every side, requiring grad; those that D does not judge count nothing.
        sentences: their sentence features, requiring grad.
        weight: k.
        power: p.
    """
    gradients = torch.autograd.grad(
        logits.sum(), (*stages, sentences), create_graph=True, retain_graph=True, allow_unused=True
    )
    joint = torch.cat([part.flatten(1) for part in gradients if part is not None], dim=1)  # (B, Σ C·h·w + D)
    return weight * joint.norm(dim=1).pow(power).mean()
