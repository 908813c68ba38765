"""Rates rise over the warm-up, stay, and fall to a tenth along a cosine."""

from itertools import pairwise

import pytest
import torch

from adapt.config import OptimConfig
from adapt.training.schedule import rate_factor, set_rates


def factors(steps: int, **options: float) -> list[float]:
    return [rate_factor(step, steps, **{"warmup_steps": 0, "decay_share": 0.0, **options}) for step in range(steps)]  # type: ignore[arg-type]


def test_rates_stay_where_nothing_is_asked() -> None:
    assert factors(7) == [1.0] * 7


def test_rates_warm_up_in_equal_steps() -> None:
    assert factors(6, warmup_steps=4) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_rates_fall_to_a_tenth_at_the_end() -> None:
    falling = factors(1000, decay_share=0.5)
    assert falling[:500] == [1.0] * 500
    assert falling[750] == pytest.approx(0.55)
    assert falling[-1] == pytest.approx(0.1, abs=1e-4)
    assert all(a >= b for a, b in pairwise(falling))


def test_each_optimiser_has_its_own_rate() -> None:
    optimizers = [torch.optim.Adam([torch.zeros(1, requires_grad=True)]) for _ in range(2)]
    set_rates({optimizers[0]: 1e-4, optimizers[1]: 4e-4}, OptimConfig(warmup_steps=2), step=0, steps=10)
    assert [group["lr"] for optimizer in optimizers for group in optimizer.param_groups] == [5e-5, 2e-4]
