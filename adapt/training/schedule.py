"""Learning rates over a run: a linear warm-up, then constant, at the end a cosine down to a tenth."""

import math

from torch.optim import Optimizer

from adapt.config import OptimConfig

FLOOR = 0.1
"""What is left of a rate at the last step."""


def rate_factor(step: int, steps: int, *, warmup_steps: int, decay_share: float) -> float:
    """What a learning rate is multiplied by in a step, in (0, 1].

    Args:
        step: the step to be done, from 0.
        steps: of the whole run.
        warmup_steps: over which the rate rises from nothing to its value.
        decay_share: share of the steps, at the end, over which it falls.
    """
    warm = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    done = step / steps
    if done < 1 - decay_share or not decay_share:
        return warm
    fallen = 0.5 - 0.5 * math.cos(math.pi * (done - 1 + decay_share) / decay_share)
    return warm * (1 - (1 - FLOOR) * fallen)


def set_rates(rates: dict[Optimizer, float], optim: OptimConfig, *, step: int, steps: int) -> None:
    """Give every optimiser its rate for `step`; nothing is kept, so that a resumed run sees the same rates."""
    factor = rate_factor(step, steps, warmup_steps=optim.warmup_steps, decay_share=optim.decay_share)
    for optimizer, rate in rates.items():
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
