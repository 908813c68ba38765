"""Stops a run that cannot recover: a generator that ignores its input, or a discriminator that has nothing to learn.

Both are judged by what a step has drawn anyway, at a check every so many steps, and only a row of bad checks stops the
run: an untrained generator's pictures are alike too, for a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from adapt.errors import TrainingError

CHECK_EVERY = 100
"""Steps between two checks."""
LEAST_SHARE = 0.05
"""Generated pictures that differ less than this share of what real ones do have collapsed."""
LEAST_LOSS = 1e-3
"""A discriminator whose losses sum to less gives no direction: the hinge is flat and BCE saturated."""


@torch.no_grad()
def spread(images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, ""]:
    """Mean absolute difference of two pictures of a batch, seen at 16 px; 0 for one picture."""
    small = F.adaptive_avg_pool2d(images.float(), 16).flatten(1)
    if len(small) < 2:
        return small.new_zeros(())
    return F.pdist(small, p=1.0).mean() / small.shape[1]


@dataclass(kw_only=True)
class CollapseWatch:
    """Counts bad checks in a row."""

    patience: int
    """Bad checks in a row that stop a run; 0 watches nothing."""
    every: int = field(default_factory=lambda: CHECK_EVERY)
    _alike: list[tuple[int, float]] = field(default_factory=list)
    _pinned: list[tuple[int, float]] = field(default_factory=list)

    def due(self, step: int) -> bool:
        """Whether `check` wants to be called after `step`."""
        return bool(self.patience) and step % self.every == 0

    def check(self, step: int, values: Mapping[str, float], *, fake: float, real: float) -> None:
        """Judge a step.

        Args:
            step: its number.
            values: the terms of both players.
            fake: `spread` of the generated pictures, of different captions and noises.
            real: `spread` of the real ones beside them; 0 where there is nothing to compare.

        Raises:
            TrainingError: the last `patience` checks were bad; says what was seen, at which steps, and what to try.
        """
        if real > 0 and fake < LEAST_SHARE * real:
            self._alike.append((step, fake / real))
        else:
            self._alike.clear()
        loss = sum(value for name, value in values.items() if name.startswith("d_") and name != "d_penalty")
        if loss < LEAST_LOSS:
            self._pinned.append((step, loss))
        else:
            self._pinned.clear()
        anyway = "--set train.collapse_patience=0 goes on anyway; the last checkpoint is kept"
        if len(self._alike) >= self.patience:
            (first, _), (last, share) = self._alike[0], self._alike[-1]
            raise TrainingError(
                f"collapse: from step {first} to {last} generated pictures of different captions and noises differed "
                f"by less than {LEAST_SHARE:.0%} of what real ones do ({share:.2%} at the last); try --set "
                "model.gate_init=1, --set optim.discriminator_lr=1e-4, or start from a trained run with --grow; "
                f"{anyway}"
            )
        if len(self._pinned) >= self.patience:
            (first, _), (last, loss) = self._pinned[0], self._pinned[-1]
            raise TrainingError(
                f"collapse: from step {first} to {last} the discriminator's losses were 0 ({loss:.1e} at the last), so "
                "it tells real from generated without effort and teaches nothing; try --set "
                "optim.discriminator_lr=1e-4, --set loss.penalty_weight=2, or --set "
                f'\'train.augment=["translation","cutout"]\'; {anyway}'
            )
