"""Matching-aware gradient penalty (MA-GP) of Tao et al., "DF-GAN", arXiv 2008.05865, equation 2."""

import torch
from jaxtyping import Float
from torch import Tensor


def matching_aware_penalty(
    logits: Float[Tensor, " B"],
    images: Float[Tensor, "B C H W"],
    sentences: Float[Tensor, "B ..."],
    *,
    weight: float = 2.0,
    power: float = 6.0,
) -> Float[Tensor, ""]:
    """K · E[(‖∇ₓD, ∇ₛD‖)^p] on real pictures with their own captions.

    The graph is kept, so that one backward serves the hinge loss and the penalty; a backward of its own leaves
    distributed gradients unsynchronised without an error.

    Args:
        logits: D of the pairs, in float32; the power overflows half precision.
        images: real pictures, requiring grad.
        sentences: their sentence features, requiring grad.
        weight: k.
        power: p.
    """
    by_image, by_sentence = torch.autograd.grad(logits.sum(), (images, sentences), create_graph=True, retain_graph=True)
    joint = torch.cat([by_image.flatten(1), by_sentence.flatten(1)], dim=1)  # (B, C·H·W + D)
    return weight * joint.norm(dim=1).pow(power).mean()
