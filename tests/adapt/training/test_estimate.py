"""What a dry run says of parameters, memory and time."""

import torch
from torch import nn

from adapt.training.estimate import (
    ParameterCount,
    SavedForBackward,
    StepCost,
    carried_on,
    measure,
    memory_bytes,
)


def cost(size: int, seconds: float, activations: int) -> StepCost:
    return StepCost(batch_size=size, seconds=seconds, activation_bytes=activations)


def test_parameters_are_counted_once_and_by_what_learns() -> None:
    shared, frozen = nn.Linear(3, 4), nn.Linear(4, 2, bias=False).requires_grad_(False)
    assert ParameterCount.of(nn.Sequential(shared, frozen), shared, None) == ParameterCount(trainable=16, frozen=8)


def test_memory_is_that_of_float32_adam_and_the_average() -> None:
    counts = [ParameterCount(trainable=learn, frozen=fixed) for learn, fixed in ((10, 2), (5, 1), (0, 7))]
    assert memory_bytes(*counts) == {"weights": 100, "gradients": 60, "adam": 120, "moving_average": 48}


def test_saved_tensors_are_counted_while_the_graph_lives() -> None:
    first, second = nn.Linear(8, 16, bias=False), nn.Linear(16, 1, bias=False)
    images = torch.randn(32, 8)
    with SavedForBackward() as saved:
        result = second(first(images).tanh())
        # The input of the first layer and the output of tanh, which both tanh and the second layer keep; no weights.
        assert saved.live == 4 * 32 * (8 + 16)
        result.sum().backward()
        del result
        assert saved.live == 0
    assert saved.peak >= 4 * 32 * (8 + 16)


def test_saved_tensors_of_a_second_derivative_count_too() -> None:
    layer, images = nn.Linear(4, 4), torch.randn(5, 4, requires_grad=True)
    with SavedForBackward() as saved:
        (slope,) = torch.autograd.grad(layer(images).tanh().sum(), images, create_graph=True)
        once = saved.peak
        slope.pow(2).sum().backward()
        assert saved.peak > once > 0


def test_cost_is_carried_on_along_a_line() -> None:
    costs = [cost(2, 1.0, 100), cost(4, 1.5, 180)]
    assert carried_on(costs, 16) == cost(16, 4.5, 660)
    assert carried_on(costs[1:], 4) == costs[1]


def test_cost_that_did_not_grow_is_carried_on_in_proportion() -> None:
    assert carried_on([cost(2, 1.0, 100), cost(4, 0.8, 100)], 8) == cost(8, 1.6, 200)


def test_steps_are_measured_at_each_size() -> None:
    layer, ran = nn.Linear(64, 64), []

    def step(size: int) -> None:
        ran.append(size)
        layer(torch.randn(size, 64)).tanh().sum().backward()

    told: list[tuple[str, int, int]] = []
    small, large = measure(step, [2, 4], torch.device("cpu"), progress=lambda *update: told.append(update))
    assert ran == [2, 2, 4, 4] and small.seconds > 0
    assert told == [(f"measuring steps of {size} pictures", done, 2) for size in (2, 4) for done in (0, 1, 2)]
    assert large.activation_bytes == 2 * small.activation_bytes > 0
