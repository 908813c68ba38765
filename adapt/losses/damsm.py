"""Word and sentence matching between pictures and captions (DAMSM), as pure functions of features.

Paper: Xu et al. 2018, "AttnGAN", arXiv 1711.10485, equations 7 to 13. γ₁ 5, γ₂ 5, γ₃ 10 are the paper's values.

Differs from the paper: pairs that share an id (same product or picture) are never negatives, as in the authors' code;
the word score is log Σ exp(γ₂ cos) without the exponent 1/γ₂, as in the authors' code.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from adapt.losses.contrastive import masked_cross_entropy


def word_scores(
    words: Float[Tensor, "C T D"],
    mask: Bool[Tensor, "C T"],
    regions: Float[Tensor, "B D N"],
    *,
    gamma1: float = 5.0,
    gamma2: float = 5.0,
) -> Float[Tensor, "B C"]:
    """Score every picture against every caption by its words: log Σₜ exp(γ₂ cos(contextₜ, wordₜ)).

    Args:
        words: word features of the captions.
        mask: True where a word is; each row needs one.
        regions: region features of the pictures.
        gamma1: sharpness of the attention over regions.
        gamma2: weight of the best matching words.
    """
    words, regions = words.float(), regions.float()
    similarity = torch.einsum("ctd,bdn->bctn", words, regions)
    over_words = similarity.masked_fill(~mask[None, :, :, None], float("-inf")).softmax(2)
    attention = (gamma1 * over_words).softmax(3)  # (B, C, T, N)
    # The context of a word is a mean of regions. Its product with the word and its length follow from what is there
    # already, so that the large (B, C, T, D) tensor of contexts is never made.
    product = (attention * similarity).sum(3)
    gram = regions.transpose(1, 2) @ regions  # (B, N, N)
    length = (torch.einsum("bctn,bnm->bctm", attention, gram) * attention).sum(3).clamp(min=1e-16).sqrt()
    cosine = product / (length * words.norm(dim=-1).clamp(min=1e-8))  # (B, C, T)
    return (gamma2 * cosine).masked_fill(~mask[None], float("-inf")).logsumexp(2)


def sentence_scores(sentence: Float[Tensor, "C D"], pooled: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
    """Score every picture against every caption by the cosine of their whole features, in [-1, 1]."""
    return F.normalize(pooled.float(), dim=-1) @ F.normalize(sentence.float(), dim=-1).T


def matching_losses(
    scores: Float[Tensor, "B B"], ids: Int[Tensor, " B"], *, gamma3: float = 10.0
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return −log p(own caption | picture) and −log p(own picture | caption), means over the batch.

    Args:
        scores: picture b against caption c; the diagonal holds the pairs.
        ids: items with equal ids are no negatives of each other.
        gamma3: inverse temperature.

    Returns:
        Two losses; each is ln B when all scores and no ids are equal.
    """
    excluded = ids[:, None] == ids[None, :]
    excluded = excluded & ~torch.eye(len(ids), dtype=torch.bool, device=ids.device)
    positives = torch.arange(len(ids), device=ids.device)
    logits = gamma3 * scores
    return (
        masked_cross_entropy(logits, positives, excluded),
        masked_cross_entropy(logits.T, positives, excluded.T),
    )
