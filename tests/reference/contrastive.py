"""The two contrastive losses one anchor at a time, in float64, written from the equations in paper order.

NT-Xent: Ye et al., arXiv 2107.02423. InfoNCE between drawn and real pictures: Zhang et al., arXiv 2101.04702.
`same[i][k]` says that items i and k must not be negatives of each other.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def cosine(a: Matrix, b: Matrix) -> float:
    """Cosine of two vectors."""
    return float(np.dot(a, b) / (math.sqrt(np.dot(a, a)) * math.sqrt(np.dot(b, b))))


def negative_log_share(anchor: Matrix, positive: Matrix, negatives: Sequence[Matrix], temperature: float) -> float:
    """−log of the positive's share among itself and the negatives."""
    wanted = math.exp(cosine(anchor, positive) / temperature)
    others = sum(math.exp(cosine(anchor, negative) / temperature) for negative in negatives)
    return -math.log(wanted / (wanted + others))


def slow_nt_xent(
    first: Matrix, second: Matrix, same: Sequence[Sequence[bool]], temperature: float, directions: int = 2
) -> float:
    """Mean over the anchors: the first pictures of all items and, in both directions, the second ones too."""
    count, losses = len(first), []
    for mine, others in ((first, second), (second, first))[:directions]:
        for i in range(count):
            kept = [k for k in range(count) if k != i and not same[i][k]]
            negatives = [mine[k] for k in kept] + [others[k] for k in kept]
            losses.append(negative_log_share(mine[i], others[i], negatives, temperature))
    return sum(losses) / len(losses)


def slow_info_nce(
    fake: Matrix, real: Matrix, same: Sequence[Sequence[bool]], temperature: float, directions: int = 2
) -> float:
    """Mean over the anchors: drawn pictures among the real ones and, in both directions, the other way round."""
    count, losses = len(fake), []
    for anchors, candidates in ((fake, real), (real, fake))[:directions]:
        for i in range(count):
            negatives = [candidates[k] for k in range(count) if k != i and not same[i][k]]
            losses.append(negative_log_share(anchors[i], candidates[i], negatives, temperature))
    return sum(losses) / len(losses)
