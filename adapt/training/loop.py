"""The only training loop: pretraining and few-shot adaptation differ in what they hand to it."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from adapt.config import OptimConfig, TrainConfig
from adapt.data.batches import Batch
from adapt.data.pictures import to_pixels
from adapt.data.prefetch import Batches
from adapt.errors import TrainingError
from adapt.models.interfaces import TextFeatures
from adapt.training.checkpoint import TrainingState, network_tensors
from adapt.training.ema import MovingAverage
from adapt.training.logbook import Logbook
from adapt.training.objective import ExtraTerms, Objective, texts_for
from adapt.training.step import Networks, TrainingStep
from adapt.training.watch import CollapseWatch
from adapt.weights import first_not_finite

Progress = Callable[[str, int, int], None]
_LOG = logging.getLogger(__name__)
_CALMER = "lower the rates (--set optim.generator_lr=1e-4) or --set train.precision=fp32"


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Fixed captions for the sample grids."""

    captions: Sequence[str]
    texts: TextFeatures
    noise: Tensor


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """What a finished (or stopped) run did."""

    average: MovingAverage
    steps: int
    images_seen: int
    seconds: float
    """Wall time of this call."""
    images_per_second: float
    terms: Mapping[str, float]

    def summary(self, run: str) -> dict[str, Any]:
        """What a finished run reports of itself, under the keys that scripts read."""
        return {
            "run": run,
            "steps": self.steps,
            "images_seen": self.images_seen,
            "seconds": round(self.seconds, 1),
            "images_per_second": round(self.images_per_second, 2),
            "metrics": {name: round(value, 4) for name, value in self.terms.items()},
        }


Watcher = Callable[[int, MovingAverage], bool]
"""(step, average) → whether to go on; called at every checkpoint."""


def fit(
    fabric: Fabric,
    networks: Networks,
    objective: Objective,
    batches: Batches[Batch],
    *,
    train: TrainConfig,
    optim: OptimConfig,
    folder: Path,
    samples: Samples | None = None,
    extra_terms: ExtraTerms | None = None,
    choose_noise: Callable[[Batch, Tensor], Tensor] | None = None,
    watcher: Watcher | None = None,
    save_average: Callable[[MovingAverage, int, int], None] | None = None,
    progress: Progress | None = None,
) -> FitResult:
    """Train until `train.steps`, going on from the folder's checkpoint when there is one.

    Raises:
        TrainingError: a loss or a weight is not finite, or the run has collapsed.
        KeyboardInterrupt: passed on after the last step was saved.
    """
    batch_size = batches.batch_size
    players = TrainingStep(
        fabric,
        networks,
        objective,
        train=train,
        optim=optim,
        extra_terms=extra_terms,
        choose_noise=choose_noise,
    )
    average = players.average
    state = TrainingState(
        networks={"generator": networks.generator, "average": average.module, "discriminator": networks.discriminator},
        optimizers={
            "generator": players.generator_optimizer.optimizer,
            "discriminator": players.discriminator_optimizer.optimizer,
        },
    )
    path = folder / "checkpoint.safetensors"
    start, images_seen = 0, 0
    if path.is_file():
        position = state.load(path)
        start, images_seen = int(position["step"]), int(position["images_seen"])
        objective.augmentation.probability = float(position["augment_probability"])
    log = Logbook(folder, resume_step=start) if fabric.is_global_zero else None
    if log is not None and (skipped := objective.skipped(batch_size)):
        _LOG.warning(skipped)
    watch = CollapseWatch(patience=train.collapse_patience)
    begun, step, done_before = time.perf_counter(), start, images_seen
    values: dict[str, float] = {}

    def save() -> None:
        _check_weights(state.networks, step)
        if not fabric.is_global_zero:
            return
        extra = {"augment_probability": objective.augmentation.probability}
        state.save(path, step=step, images_seen=images_seen, extra=extra)
        if save_average is not None:
            save_average(average, step, images_seen)

    with deferred_interrupt() as interrupted:
        while step < train.steps:
            batch = batches.batch(step, device=fabric.device)
            images_seen += batch_size
            step += 1
            values = players(batch, step - 1, images_seen=images_seen)
            _check_finite(values, step)
            if watch.due(step):
                watch.check(step, values, **players.spreads())
            # log
            rate = (images_seen - done_before) / max(time.perf_counter() - begun, 1e-9)
            if log is not None and (step % 10 == 0 or step == train.steps):
                log.write(step, values | {"images_per_second": rate})
            if progress is not None:
                progress("training", step, train.steps)
            due = train.sample_every and (step % train.sample_every == 0 or step == train.steps)
            if log is not None and samples is not None and due:
                log.grid(step, draw_samples(average.module, samples, objective), samples.captions)
            # checkpoint
            if step % train.checkpoint_every == 0 or step == train.steps or interrupted():
                save()
                if interrupted():
                    raise KeyboardInterrupt
                if watcher is not None and not watcher(step, average):
                    break
    if log is not None:
        log.close()
    seconds = time.perf_counter() - begun
    rate = (images_seen - done_before) / max(seconds, 1e-9)
    return FitResult(
        average=average, steps=step, images_seen=images_seen, seconds=seconds, images_per_second=rate, terms=values
    )


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back until the step is whole: between the two players' steps nothing could be resumed exactly.

    Yields:
        A function that says whether Ctrl-C came. Outside the main thread Ctrl-C is left as it is.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, before)


def draw_samples(generator: nn.Module, samples: Samples, objective: Objective) -> Any:
    """The fixed captions with the fixed noise, uint8 (N, H, W, 3)."""
    device = next(generator.parameters()).device
    with torch.no_grad(), objective.autocast(device.type):
        texts = texts_for(generator, samples.texts.to(device))
        return to_pixels(generator(samples.noise.to(device), texts).images)


def _check_finite(values: Mapping[str, float], step: int) -> None:
    for name, value in values.items():
        if value != value or value in (float("inf"), float("-inf")):
            raise TrainingError(f"{name} became {value} at step {step}; the last checkpoint is kept: {_CALMER}")


def _check_weights(networks: Mapping[str, nn.Module], step: int) -> None:
    """Never save what could not be loaded: a step's terms are of the weights before it."""
    for name, network in networks.items():
        broken = first_not_finite(network_tensors(network))
        if broken is not None:
            raise TrainingError(
                f"{name}: '{broken}' became NaN or infinity in step {step}; the last checkpoint is kept: {_CALMER}"
            )
