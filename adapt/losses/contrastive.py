"""The two distribution-sensitive losses, as pure functions of features.

Fake-to-fake is the NT-Xent of Ye et al., arXiv 2107.02423 (τ 0.5, weight 0.2: two captions of one picture drawn with
one noise are positives); fake-to-real is a symmetric InfoNCE between a generated picture and the real one of its
caption, after Zhang et al., "XMC-GAN", arXiv 2101.04702. Ahmed et al., arXiv 2312.10854, name both losses; their
equations could not be had: this is our reconstruction.

Differs from the papers: pairs that share an id (same product or picture) are never negatives.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def masked_cross_entropy(
    logits: Float[Tensor, "A K"], positives: Int[Tensor, " A"], excluded: Tensor
) -> Float[Tensor, ""]:
    """Mean of −log softmax at `positives`, over the columns that `excluded` (A, K) leaves in."""
    return F.cross_entropy(logits.masked_fill(excluded, float("-inf")), positives)


def fake_to_fake(
    first: Float[Tensor, "B D"],
    second: Float[Tensor, "B D"],
    ids: Int[Tensor, " B"],
    *,
    temperature: float = 0.5,
) -> Float[Tensor, ""]:
    """NT-Xent over the 2B pictures drawn from two captions of each item.

    Args:
        first: features of the pictures of the first captions.
        second: features of the pictures of the second captions, same noise.
        ids: items with equal ids are no negatives of each other.
        temperature: τ > 0.

    Returns:
        The mean over 2B anchors; ln(2B − 1) when all similarities are equal.
    """
    batch = first.shape[0]
    features = F.normalize(torch.cat([first, second]).float(), dim=1)  # (2B, D)
    logits = features @ features.T / temperature
    positives = torch.arange(2 * batch, device=logits.device).roll(batch)
    both = ids.repeat(2)
    excluded = both[:, None] == both[None, :]
    excluded[torch.arange(2 * batch), positives] = False
    return masked_cross_entropy(logits, positives, excluded)


def fake_to_real(
    fake: Float[Tensor, "B D"],
    real: Float[Tensor, "B D"],
    ids: Int[Tensor, " B"],
    *,
    temperature: float = 0.5,
) -> Float[Tensor, ""]:
    """Mean of both directions of InfoNCE between generated pictures and the real ones of their captions.

    Args:
        fake: features of generated pictures.
        real: features of the real pictures; no gradient flows into them.
        ids: items with equal ids are no negatives of each other.
        temperature: τ > 0.

    Returns:
        ln B when all similarities are equal.
    """
    logits = F.normalize(fake.float(), dim=1) @ F.normalize(real.detach().float(), dim=1).T / temperature
    positives = torch.arange(fake.shape[0], device=logits.device)
    excluded = ids[:, None] == ids[None, :]
    excluded.fill_diagonal_(False)
    return 0.5 * (
        masked_cross_entropy(logits, positives, excluded) + masked_cross_entropy(logits.T, positives, excluded.T)
    )
