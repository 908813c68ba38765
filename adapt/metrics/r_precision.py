"""R-precision: is the caption that a picture was drawn from the one it fits best, among those of other products?

Protocol: Xu et al. 2018, "AttnGAN", arXiv 1711.10485, section 4.1: the true caption and 99 of other classes, ranked by
cosine, top-1. Differs from the paper: the encoder is `adapt.metrics.matcher`, which training never uses; each picture
is asked once instead of ten splits of 3,000, with Wilson's interval.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from adapt.metrics.consistency import Retrieval

GALLERY = 100


def distractors(
    products: Sequence[int], texts: Sequence[str], *, seed: int, gallery: int = GALLERY
) -> Int[Tensor, "N K"] | None:
    """For each item, other items' indices whose texts it must not be confused with.

    Args:
        products: Product of each item.
        texts: Text of each item; equal texts cannot be told apart, so they are never set against each other.
        seed: Which of the others.
        gallery: Own text and distractors together.

    Returns:
        `gallery` - 1 indices an item, fewer (for all alike) where an item has not so many others; None where one has
        none at all.
    """
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor(list(products))
    wording = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    words = torch.tensor([wording[text] for text in texts])
    chosen = []
    for row in range(len(ids)):
        others = ((ids != ids[row]) & (words != words[row])).nonzero().flatten()
        chosen.append(others[torch.randperm(len(others), generator=generator)][: gallery - 1])
    fewest = min((len(others) for others in chosen), default=0)
    return torch.stack([others[:fewest] for others in chosen]) if fewest else None


def rank_first(pictures: Float[Tensor, "N E"], texts: Float[Tensor, "N E"], others: Int[Tensor, "N K"]) -> Retrieval:
    """How often a picture's own text (same row) fits better than those at `others`; k equally good ones count 1/k.

    Raises:
        ValueError: not one text and one row of others a picture.
    """
    if pictures.shape != texts.shape or len(others) != len(pictures):
        raise ValueError(
            f"{tuple(pictures.shape)} pictures, {tuple(texts.shape)} texts and {tuple(others.shape)} others; "
            "expected one of each a row"
        )
    # Rounding makes equal codes equal although their dot products were summed in another order.
    similarity = (pictures.double() @ texts.double().T * 1e6).round()
    own = similarity.diagonal()
    rivals = similarity.gather(1, others)
    ties = 1 + (rivals == own[:, None]).sum(dim=1)
    found = (own >= rivals.amax(dim=1)) / ties
    return Retrieval(found=float(found.sum()), n=len(pictures), gallery=others.shape[1] + 1)
