"""What a run will take, before it is started: numbers of parameters, memory and time, from a few real steps.

Time is measured: two steps at each of two small batch sizes, of which the second counts, and a straight line through
both sizes carried on to the run's batch. Memory of weights, gradients, Adam and the moving average is counted; that of
activations is what autograd holds at its fullest in those steps, which leaves out what a single operation needs while
it runs (on a GPU the allocator's own peak is taken, which does not).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

BYTES_A_NUMBER = 4


@dataclass(frozen=True, kw_only=True)
class ParameterCount:
    """Numbers of parameters of one network."""

    trainable: int
    frozen: int

    @classmethod
    def of(cls, *modules: nn.Module | None) -> "ParameterCount":
        """Count modules together; a parameter that two of them share counts once, None counts nothing."""
        distinct = {id(p): p for module in modules if module is not None for p in module.parameters()}
        trainable = sum(p.numel() for p in distinct.values() if p.requires_grad)
        return cls(trainable=trainable, frozen=sum(p.numel() for p in distinct.values()) - trainable)


@dataclass(frozen=True, kw_only=True)
class StepCost:
    """What one training step took."""

    batch_size: int
    seconds: float
    activation_bytes: int


class SavedForBackward:
    """Counts the bytes that autograd holds for backward passes, and their peak; a storage counts once.

    Use it in a `with` statement around the work.
    """

    def __init__(self) -> None:
        self.live = self.peak = 0
        self._holders: dict[int, int] = {}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(lambda tensor: _Held(self, tensor), _Held.give_back)

    def __enter__(self) -> "SavedForBackward":
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._hooks.__exit__(*error)

    def hold(self, storage: torch.UntypedStorage) -> int:
        """Count a storage that a graph starts to hold; return the key to release it by."""
        key = storage.data_ptr()
        self._holders[key] = self._holders.get(key, 0) + 1
        if self._holders[key] == 1:
            self.live += storage.nbytes()
            self.peak = max(self.peak, self.live)
        return key

    def release(self, key: int, nbytes: int) -> None:
        """Take back one `hold`."""
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self.live -= nbytes


class _Held:
    """A tensor in a graph; its storage is released with the graph. Weights are left out: they are there anyway."""

    def __init__(self, count: SavedForBackward, tensor: Tensor) -> None:
        self._tensor, self._count, self._key = tensor, count, -1
        if not isinstance(tensor if tensor._base is None else tensor._base, nn.Parameter):
            storage = tensor.untyped_storage()
            self._nbytes, self._key = storage.nbytes(), count.hold(storage)

    def give_back(self) -> Tensor:
        return self._tensor

    def __del__(self) -> None:
        if self._key != -1:
            self._count.release(self._key, self._nbytes)


Step = Callable[[int], None]
"""(batch size) → one training step."""
Progress = Callable[[str, int, int], None]
"""(description, done, total) → shown or kept."""


def measure(
    step: Step, sizes: Sequence[int], device: torch.device, *, progress: Progress | None = None
) -> list[StepCost]:
    """Time and memory of `step` at each batch size; a first step at each warms up, and its time is not counted."""
    costs = []

    def tell(done: int, size: int) -> None:
        if progress:
            progress(f"measuring steps of {size} pictures", done, 2)

    for size in sizes:
        tell(0, size)
        # Autograd holds the same in every step, so the warm-up serves: at 256 px on a CPU a step takes minutes.
        with SavedForBackward() as saved:
            step(size)
        tell(1, size)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
            torch.cuda.reset_peak_memory_stats(device)
            before = torch.cuda.memory_allocated(device)
        begun = time.perf_counter()
        step(size)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds = time.perf_counter() - begun
        peak = torch.cuda.max_memory_allocated(device) - before if device.type == "cuda" else saved.peak
        tell(2, size)
        costs.append(StepCost(batch_size=size, seconds=seconds, activation_bytes=peak))
    return costs


def carried_on(costs: Sequence[StepCost], batch_size: int) -> StepCost:
    """The cost at `batch_size`, on the straight line through the first and the last measurement.

    A cost that does not grow between them (a busy machine) is carried on in proportion to the last one instead.
    """

    def line(values: Sequence[float]) -> float:
        small, large = costs[0].batch_size, costs[-1].batch_size
        slope = (values[-1] - values[0]) / (large - small) if large > small else 0.0
        if slope <= 0:
            return values[-1] * max(batch_size / large, 1.0)
        return values[-1] + slope * (batch_size - large)

    return StepCost(
        batch_size=batch_size,
        seconds=line([cost.seconds for cost in costs]),
        activation_bytes=round(line([cost.activation_bytes for cost in costs])),
    )


def memory_bytes(generator: ParameterCount, discriminator: ParameterCount, judges: ParameterCount) -> dict[str, int]:
    """Bytes of what a run holds beside its activations, in float32: Adam keeps two numbers a trainable parameter."""
    trainable = generator.trainable + discriminator.trainable
    everything = sum(count.trainable + count.frozen for count in (generator, discriminator, judges))
    return {
        "weights": everything * BYTES_A_NUMBER,
        "gradients": trainable * BYTES_A_NUMBER,
        "adam": 2 * trainable * BYTES_A_NUMBER,
        "moving_average": (generator.trainable + generator.frozen) * BYTES_A_NUMBER,
    }
