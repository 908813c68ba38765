"""Controls that tell consistency from its imitations.

A generator can be consistent because its text encoder gives two wordings one vector: the consistency that remains when
the similarity of the texts is accounted for says how much is its own. And pictures can be like each other without being
like the product: `fake_real` compares them with the photo that the caption describes.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from adapt.metrics.interval import bootstrap_mean, percentiles
from adapt.metrics.report import Metric


def likeness(
    first: Float[Tensor, "N D"], second: Float[Tensor, "N D"], *, extractor: str, seed: int, note: str = ""
) -> Metric:
    """Mean cosine of rows that belong together, less the mean over all shufflings: zero when it does not matter which.

    Raises:
        ValueError: shapes differ or there are fewer than two rows.
    """
    similarity = cosines(first, second)
    n = len(similarity)
    own = similarity.diagonal()
    shuffled = (similarity.sum(0) + similarity.sum(1) - 2 * own) / (2 * (n - 1))
    low, high = bootstrap_mean(own - shuffled, seed=seed)
    value = float((own - shuffled).mean())
    return Metric(value=value, n=n, extractor=extractor, seed=seed, low=low, high=high, chance=0.0, note=note)


def beyond_text(
    pictures: Float[Tensor, "N N"], texts: Float[Tensor, "N N"], *, extractor: str, seed: int, rounds: int = 200
) -> Metric:
    """Consistency that the similarity of the texts does not explain.

    A line is fitted through the pairs of *different* items, cosine of the pictures against cosine of the texts. The
    figure is how far pairs of one item lie above it on average. Paraphrases are more alike than most pairs of different
    items, so the line is extended beyond most of its data: read it beside the gap, not instead.

    Args:
        pictures: Cosine of the picture of caption 1 of item i and that of caption 2 of item j.
        texts: Cosine of the same captions as the generator reads them.
        extractor: Judge of the pictures.
        seed: Of the bootstrap over items; the line is fitted anew each round.
        rounds: Of the bootstrap.

    Raises:
        ValueError: not two equal square matrices of three rows or more.
    """
    n = len(pictures)
    if pictures.shape != texts.shape or pictures.shape != (n, n) or n < 3:
        raise ValueError(
            f"cosines of shape {tuple(pictures.shape)} and {tuple(texts.shape)}; expected square, 3 rows or more"
        )
    x, y = texts.double(), pictures.double()
    items = torch.arange(n)
    value = _above_line(x, y, items)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(n, (rounds, n), generator=generator)
    low, high = percentiles(torch.tensor([_above_line(x, y, rows) for rows in drawn]))
    return Metric(
        value=value,
        n=n,
        extractor=extractor,
        seed=seed,
        low=low,
        high=high,
        chance=0.0,
        note="gap that a line over the texts' cosine leaves",
    )


def cosines(first: Float[Tensor, "N D"], second: Float[Tensor, "N D"]) -> Float[Tensor, "N N"]:
    """Cosine of each row of the first with each of the second.

    Raises:
        ValueError: shapes differ or there are fewer than two rows.
    """
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(f"features of shape {tuple(first.shape)} and {tuple(second.shape)}; expected equal, 2 or more")
    return F.normalize(first.double(), dim=1) @ F.normalize(second.double(), dim=1).T


def _above_line(texts: Tensor, pictures: Tensor, rows: Int[Tensor, " N"]) -> float:
    x, y = texts[rows][:, rows], pictures[rows][:, rows]
    different = rows[:, None] != rows[None, :]  # an item drawn twice is not a pair of different items
    pairs_x, pairs_y = x[different], y[different]
    offset = pairs_x - pairs_x.mean()
    slope = (offset * pairs_y).sum() / offset.square().sum().clamp_min(1e-12)
    return float((y.diagonal() - pairs_y.mean() - slope * (x.diagonal() - pairs_x.mean())).mean())
