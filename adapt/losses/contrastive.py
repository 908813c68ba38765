"""The two distribution-sensitive losses, as pure functions of features.

Ahmed et al., arXiv 2312.10854, name both losses; their equations could not be had: this is our reconstruction. With
cos the cosine of two features, τ the temperature, f and f' the features of what was drawn from both captions of an item
and r those of its real picture:

- Fake-to-fake is the NT-Xent of Ye et al., arXiv 2107.02423 (τ 0.5, weight 0.2; both captions with one noise). Among
  the 2B drawn pictures u, with j the other picture of i's item:
  L_ff = 1/2B Σᵢ −log [exp(cos(uᵢ, uⱼ)/τ) / Σ_{k ≠ i} exp(cos(uᵢ, uₖ)/τ)].
- Fake-to-real is a symmetric InfoNCE between drawn and real pictures, after Zhang et al., "XMC-GAN", arXiv 2101.04702:
  L_fr = 1/2B Σᵢ −log [exp(cos(fᵢ, rᵢ)/τ) / Σₖ exp(cos(fᵢ, rₖ)/τ)] and the same from rᵢ to fₖ.

Differs from the papers: items that share an id of any kind (picture, product, class) are never negatives of each other;
InfoNCE is the mean of its directions, where XMC-GAN adds them up.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor


def masked_cross_entropy(
    logits: Float[Tensor, "A K"], positives: Int[Tensor, " A"], excluded: Tensor
) -> Float[Tensor, ""]:
    """Mean of −log softmax at `positives`, over the columns that `excluded` (A, K) leaves in."""
    return F.cross_entropy(logits.masked_fill(excluded, float("-inf")), positives)


def shared_ids(ids: Int[Tensor, "B ..."]) -> Bool[Tensor, "B B"]:
    """Which items share an id.

    Args:
        ids: one id an item (B,), or one of each of K kinds (B, K); one in common is enough, and with K = 0 nothing is.
    """
    columns = ids[:, None] if ids.ndim == 1 else ids
    return (columns[:, None] == columns[None, :]).any(dim=2)


def fake_to_fake(
    first: Float[Tensor, "B D"],
    second: Float[Tensor, "B D"],
    ids: Int[Tensor, "B ..."],
    *,
    temperature: float = 0.5,
    directions: int = 2,
) -> Float[Tensor, ""]:
    """NT-Xent over the 2B pictures drawn from two captions of each item.

    Args:
        first: features of the pictures of the first captions.
        second: features of the pictures of the second captions.
        ids: items that share an id are no negatives of each other (see `shared_ids`).
        temperature: τ > 0.
        directions: 2 for all 2B pictures as anchors, 1 for those of the first captions alone.

    Returns:
        The mean over the anchors; ln(2B − 1) when all similarities are equal, 0 when B is 1.
    """
    batch = first.shape[0]
    features = _unit(torch.cat([first, second]))  # (2B, D)
    anchors = directions * batch
    logits = features[:anchors] @ features.T / temperature  # (anchors, 2B)
    rows = torch.arange(anchors, device=logits.device)
    positives = (rows + batch) % (2 * batch)
    excluded = shared_ids(ids).repeat(2, 2)[:anchors]
    excluded[rows, rows] = True  # no picture is its own negative
    excluded[rows, positives] = False
    return masked_cross_entropy(logits, positives, excluded)


def fake_to_real(
    fake: Float[Tensor, "B D"],
    real: Float[Tensor, "B D"],
    ids: Int[Tensor, "B ..."],
    *,
    temperature: float = 0.5,
    directions: int = 2,
) -> Float[Tensor, ""]:
    """InfoNCE between drawn pictures and the real ones of their captions.

    Args:
        fake: features of drawn pictures.
        real: features of the real pictures; no gradient flows into them.
        ids: items that share an id are no negatives of each other (see `shared_ids`).
        temperature: τ > 0.
        directions: 2 for the mean of both directions, 1 for drawn pictures that look for their real one alone.

    Returns:
        The mean over the anchors; ln B when all similarities are equal.
    """
    logits = _unit(fake) @ _unit(real.detach()).T / temperature  # (B, B)
    positives = torch.arange(fake.shape[0], device=logits.device)
    excluded = shared_ids(ids).fill_diagonal_(False)
    to_real = masked_cross_entropy(logits, positives, excluded)
    if directions == 1:
        return to_real
    return 0.5 * (to_real + masked_cross_entropy(logits.T, positives, excluded.T))


def _unit(features: Tensor) -> Tensor:
    """Features of length 1; half precision is widened, double is kept."""
    return F.normalize(features.to(torch.promote_types(features.dtype, torch.float32)), dim=1)
