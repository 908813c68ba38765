"""Captions that do not describe the picture they stand beside: what the discriminator learns to refuse.

Reed et al., arXiv 1605.05396, take any other picture's caption, SSA-GAN that of the neighbour in the batch.

Differs from the papers: a neighbour of the same product, or one whose caption is among the picture's own, is passed
over: its caption is true, and D would be told that a true pair is false (measured on 10 photos of 3 products, 8
a batch: 27 % of the neighbours' captions). A share can be the picture's own caption with one colour changed instead.
"""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

_LOG = logging.getLogger(__name__)


class Mismatches:
    """Chooses a false caption for every picture of a batch; captions are rows of one table of texts."""

    def __init__(
        self,
        products: Sequence[int],
        captions: Sequence[Int[Tensor, " K"]],
        changed: Sequence[Sequence[int]],
        *,
        counterfactual_share: float,
    ) -> None:
        """Find out whether every picture has a false caption.

        Args:
            products: of each picture of the dataset.
            captions: rows of each picture's own captions.
            changed: rows of its captions with one colour changed; those that are true of it all the same are left out.
            counterfactual_share: how often a changed caption is taken where there is one.
        """
        self._products, self._share = products, counterfactual_share
        self._captions = [rows.tolist() for rows in captions]
        self._own = [frozenset(rows) for rows in self._captions]
        self._changed = [[row for row in rows if row not in own] for rows, own in zip(changed, self._own, strict=True)]
        self._foreign = all(self._has_foreign(i) for i in range(len(products)))
        if not self._foreign and not all(self._changed):
            _LOG.warning(
                "no caption of another product is false for every picture, so that D sees no mismatched captions; it "
                "takes pictures of two products whose captions differ"
            )

    def __call__(
        self, chosen: Sequence[int], told: Int[Tensor, " B"], rng: np.random.Generator
    ) -> Int[Tensor, " B"] | None:
        """Rows of false captions; None where a picture of the dataset has none.

        Args:
            chosen: the pictures of the batch.
            told: rows of the captions that they are shown with.
            rng: of the batch.
        """
        if not self._foreign and not all(self._changed):
            return None
        found, rows = [], told.tolist()
        for place, picture in enumerate(chosen):
            changed = self._changed[picture]
            if changed and (rng.random() < self._share or not self._foreign):
                found.append(changed[int(rng.integers(len(changed)))])
            else:
                found.append(self._neighbour(place, chosen, rows, rng))
        return torch.tensor(found, dtype=torch.long)

    def _neighbour(self, place: int, chosen: Sequence[int], told: Sequence[int], rng: np.random.Generator) -> int:
        """The caption of the nearest picture before this one, round the batch, for which it is false."""
        picture = chosen[place]
        for back in range(1, len(chosen)):
            other = chosen[place - back]
            if self._products[other] != self._products[picture] and told[place - back] not in self._own[picture]:
                return told[place - back]
        for other in rng.permutation(len(self._products)):  # the batch has none, the dataset has
            if self._is_foreign(int(other), picture):
                rows = [row for row in self._captions[other] if row not in self._own[picture]]
                return rows[int(rng.integers(len(rows)))]
        raise AssertionError("a picture without a false caption")

    def _has_foreign(self, picture: int) -> bool:
        return any(self._is_foreign(other, picture) for other in range(len(self._products)))

    def _is_foreign(self, other: int, picture: int) -> bool:
        """Whether a caption of `other` is false for `picture`."""
        return self._products[other] != self._products[picture] and not self._own[other] <= self._own[picture]
