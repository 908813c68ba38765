"""Does one product stay one product however it is worded?

Two captions of each picture are drawn with *one* noise for all items. With a noise an item the noise alone identifies
the pair and every generator scores near one, text or no text. C_within is the mean cosine between the two pictures of
an item, C_between that between pictures of different items; a collapsed generator raises both, so the gap counts.
Retrieval asks whether the first picture finds the second among those of a gallery.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from adapt.metrics.interval import bootstrap_mean, wilson
from adapt.metrics.report import Metric

GALLERY = 128


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """How often an item found its counterpart."""

    found: float
    """Queries won; a tie among k best counts 1/k, so that identical pictures score chance."""
    n: int
    gallery: int

    @property
    def top1(self) -> float:
        """Share of queries won."""
        return self.found / self.n


def retrieve(
    queries: Float[Tensor, "N D"], answers: Float[Tensor, "N D"], *, gallery: int = GALLERY, seed: int = 0
) -> Retrieval:
    """Top-1 retrieval by cosine within random disjoint galleries.

    Args:
        queries: One row an item.
        answers: The counterpart of each row.
        gallery: Items a gallery; all galleries are equally large, so up to gallery - 1 items are left out. Fewer items
            than this make one smaller gallery.
        seed: Which items share a gallery.

    Raises:
        ValueError: fewer than two items, or the shapes differ.
    """
    if queries.shape != answers.shape or len(queries) < 2:
        raise ValueError(
            f"{tuple(queries.shape)} queries and {tuple(answers.shape)} answers; expected equal, 2 rows or more"
        )
    size = min(gallery, len(queries))
    order = torch.randperm(len(queries), generator=torch.Generator().manual_seed(seed))
    found, n = 0.0, 0
    for members in order[: len(order) // size * size].split(size):
        similarity = _unit(queries[members]) @ _unit(answers[members]).T
        # Rounding makes equal pictures equal although their dot products were summed in another order.
        similarity = (similarity * 1e9).round()
        own = similarity.diagonal()
        best = similarity.amax(dim=1)
        ties = (similarity == best[:, None]).sum(dim=1)
        found += float(((own == best) / ties).sum())
        n += size
    return Retrieval(found=found, n=n, gallery=size)


def consistency(
    first: Float[Tensor, "N D"], second: Float[Tensor, "N D"], *, extractor: str, seed: int, gallery: int = GALLERY
) -> dict[str, Metric]:
    """Figures for features of two pictures an item, drawn from two of its captions with one noise for all.

    Returns:
        `consistency_within`, `consistency_between`, `consistency_gap` (bootstrap intervals over items) and
        `consistency_top1` (Wilson interval).
    """
    n = len(first)
    similarity = _unit(first) @ _unit(second).T
    within = similarity.diagonal()
    # Mean over each item's row and column without itself: one value an item to resample.
    between = (similarity.sum(0) + similarity.sum(1) - 2 * within) / (2 * (n - 1))
    metrics = {}
    for name, values in (("within", within), ("between", between), ("gap", within - between)):
        low, high = bootstrap_mean(values, seed=seed)
        metrics[f"consistency_{name}"] = Metric(
            value=float(values.mean()), n=n, extractor=extractor, seed=seed, low=low, high=high
        )
    metrics["consistency_top1"] = retrieval_metric(
        retrieve(first, second, gallery=gallery, seed=seed), extractor=extractor, seed=seed
    )
    return metrics


def retrieval_metric(result: Retrieval, *, extractor: str, seed: int) -> Metric:
    """A retrieval result as a figure with Wilson's interval; fractions of ties are rounded down."""
    low, high = wilson(int(result.found), result.n)
    return Metric(
        value=result.top1,
        n=result.n,
        extractor=extractor,
        seed=seed,
        low=low,
        high=high,
        chance=1 / result.gallery,
        note=f"gallery of {result.gallery}",
    )


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features.double(), dim=1)
