"""One training step: the discriminator's, then the generator's, then the moving average.

With `accumulate` parts a step sees its batch part by part and changes weights once, as if it had seen it whole. Means
over pictures are then the same (adversarial terms, penalty, reconstruction); what looks at several pictures at once is
not: batch norm's statistics, a discriminator's minibatch deviation, and the negatives of contrastive and DAMSM terms
are those of a part. Each part is drawn twice, since keeping every part's graph for the generator's turn would take the
memory that parts are there to save.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from adapt.config import OptimConfig, TrainConfig
from adapt.data.batches import Batch
from adapt.models.interfaces import Drawing
from adapt.training.adversary import Terms
from adapt.training.distributed import forbid_calls_past_forward, mean_over_processes, synchronise_batch_norms
from adapt.training.ema import MovingAverage
from adapt.training.objective import ExtraTerms, Objective, weighted_sum
from adapt.training.schedule import set_rates
from adapt.training.watch import spread


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The two players and which of their parameters learn."""

    generator: nn.Module
    discriminator: nn.Module
    noise_dim: int
    freeze_norms: bool = False
    """Keep the generator's batch norms at their statistics, as adaptation to a few pictures must."""


def step_generator(seed: int, step: int, stream: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Random numbers of one step; streams keep noise, augmentation and others apart."""
    return torch.Generator(device).manual_seed((seed * 1_000_003 + step) * 16 + stream)


class TrainingStep:
    """Both players, their optimisers and the average; a call is one optimiser step of each."""

    def __init__(
        self,
        fabric: Fabric,
        networks: Networks,
        objective: Objective,
        *,
        train: TrainConfig,
        optim: OptimConfig,
        extra_terms: ExtraTerms | None = None,
        choose_noise: Callable[[Batch, Tensor], Tensor] | None = None,
    ) -> None:
        """Hand both networks to `fabric`."""
        self.fabric, self.networks, self.objective, self._train = fabric, networks, objective, train
        self._extra_terms, self._choose_noise = extra_terms, choose_noise
        self.average = MovingAverage(networks.generator, half_life_images=optim.ema_half_life_images)
        if fabric.world_size > 1 and not train.compile:
            for network in (networks.generator, networks.discriminator):
                forbid_calls_past_forward(network)
        if not networks.freeze_norms:
            synchronise_batch_norms(fabric, networks.generator)
        if train.compile:
            networks.generator.compile()
        betas = (optim.beta1, optim.beta2)
        self._generator, self.generator_optimizer = fabric.setup(
            networks.generator, _adam(networks.generator, optim.generator_lr, betas)
        )
        self._discriminator, self.discriminator_optimizer = fabric.setup(
            networks.discriminator, _adam(networks.discriminator, optim.discriminator_lr, betas)
        )
        self._optim = optim
        self._rates: dict[torch.optim.Optimizer, float] = {
            self.generator_optimizer.optimizer: optim.generator_lr,
            self.discriminator_optimizer.optimizer: optim.discriminator_lr,
        }
        self._seen: dict[str, Tensor] = {}
        self._learning = {
            "generator": [p for p in networks.generator.parameters() if p.requires_grad],
            "discriminator": [p for p in networks.discriminator.parameters() if p.requires_grad],
        }

    def __call__(self, batch: Batch, step: int, *, images_seen: int) -> dict[str, float]:
        """Train on this process's share of batch number `step`; `images_seen` counts that whole batch too.

        Returns:
            The terms of both players, means over parts and processes.
        """
        set_rates(self._rates, self._optim, step=step, steps=self._train.steps)
        parts = self._parts(batch, step)
        self._generator.train()
        if self.networks.freeze_norms:
            freeze_batch_norms(self.networks.generator)
        terms = self._discriminator_turn(parts) | self._generator_turn(parts)
        self.average.update(self.networks.generator, batch_images=batch.whole, images_seen=images_seen)
        return mean_over_processes(self.fabric, terms)

    def spreads(self) -> dict[str, float]:
        """How much the last generated and the last real pictures of a part differ (`fake`, `real`), over processes."""
        return mean_over_processes(self.fabric, {name: spread(images) for name, images in self._seen.items()})

    def _parts(self, batch: Batch, step: int) -> "list[_Part]":
        """Equal parts of the batch with their noise; noise and random changes are drawn for the whole batch."""
        count = self.objective.noises
        noise = torch.randn(
            batch.whole * count, self.networks.noise_dim, generator=step_generator(self._train.seed, step, 0)
        )
        parts = []
        for number, rows in enumerate(torch.arange(len(batch.ids)).chunk(self._train.accumulate)):
            own = batch if self._train.accumulate == 1 else batch.part(rows)
            places = own.places.cpu()
            # Remainders of the places in the whole batch: as many noises, whatever the number of parts and processes.
            drawn = places % self.objective.loss.noises_per_batch if self.objective.loss.noises_per_batch else places
            chosen = noise[torch.cat([drawn + i * batch.whole for i in range(count)])].to(self.fabric.device)
            if self._choose_noise is not None:
                first = self._choose_noise(own, chosen[: len(places)])
                chosen = torch.cat([first, chosen[len(places) :]])
            parts.append(_Part(batch=own, noise=chosen, rng=step_generator(self._train.seed, step, 1), number=number))
        return parts

    def _discriminator_turn(self, parts: "Sequence[_Part]") -> Terms:
        """Adversarial terms and penalty in one backward a part."""
        alone, values = len(parts) == 1, _Means(len(parts))
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        for number, part in enumerate(parts, start=1):
            _only(self._learning, "generator")
            if alone:
                # One drawing for both players: the discriminator's step leaves the generator as it is.
                part.drawing = drawing = self._draw(part)
            else:
                with torch.no_grad(), unmoved_statistics(self.networks.generator):
                    drawing = self._draw(part)
            _only(self._learning, "discriminator")
            fakes = [stage[: len(part.batch.ids)] for stage in drawing.stages]
            with self.fabric.no_backward_sync(self._discriminator, enabled=number < len(parts)):
                terms = self.objective.discriminator_terms(self._discriminator, part.batch, fakes, part.rng)
                weights = self.objective.discriminator_weights(terms)
                self.fabric.backward(weighted_sum(terms, weights) / len(parts))
            values.add(terms)
        self.discriminator_optimizer.step()
        return values.total

    def _draw(self, part: "_Part") -> Drawing:
        # A network may draw random numbers of its own (dropout): both drawings of a part and a resumed run need the
        # same ones. They alone depend on the number of processes and parts.
        own = self.fabric.global_rank * self._train.accumulate + part.number
        torch.manual_seed(part.rng.initial_seed() + (1 + own) * 2**40)
        return self.objective.draw(self._generator, part.batch, part.noise)

    def _generator_turn(self, parts: "Sequence[_Part]") -> Terms:
        values = _Means(len(parts))
        _only(self._learning, "generator")
        self.generator_optimizer.zero_grad(set_to_none=True)
        for number, part in enumerate(parts, start=1):
            size = len(part.batch.ids)
            with self.fabric.no_backward_sync(self._generator, enabled=number < len(parts)):
                drawing = part.drawing or self._draw(part)
                # The judge's plain module: its distributed wrapper would wait for gradients that never come.
                terms = self.objective.generator_terms(drawing, self.networks.discriminator, part.batch, part.rng)
                if self._extra_terms is not None:
                    fakes = drawing.images[:size]
                    terms |= self._extra_terms(self._generator, part.batch, part.noise[:size], fakes, part.rng)
                self.fabric.backward(weighted_sum(terms, self.objective.generator_weights()) / len(parts))
            part.drawing = None
            self._seen = {"fake": drawing.images[:size].detach(), "real": part.batch.images}
            values.add(terms)
        self.generator_optimizer.step()
        return values.total


@dataclass(kw_only=True)
class _Part:
    """What one backward of each player sees."""

    batch: Batch
    noise: Tensor
    rng: torch.Generator
    """Every part has one that starts alike: random numbers are drawn for the whole batch, a part takes its own."""
    number: int
    """Of the step's parts."""
    drawing: Drawing | None = None


class _Means:
    """Means of named terms over `count` parts; they stay on the device, where nobody has to wait for them."""

    def __init__(self, count: int) -> None:
        self.total: Terms = {}
        self._count = count

    def add(self, terms: Mapping[str, Tensor]) -> None:
        for name, term in terms.items():
            value = term.detach().float() / self._count
            self.total[name] = self.total[name] + value if name in self.total else value


def freeze_batch_norms(module: nn.Module) -> None:
    """Put every batch norm in evaluation mode: normalise by the source's statistics and leave them alone."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()


@contextmanager
def unmoved_statistics(module: nn.Module) -> Iterator[None]:
    """Normalise by the batch as in training, but let it move no running statistics: the batch will be drawn again."""
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def _adam(module: nn.Module, lr: float, betas: tuple[float, float]) -> torch.optim.Adam:
    return torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=lr, betas=betas)


def _only(learning: Mapping[str, Sequence[nn.Parameter]], player: str) -> None:
    """Let one player's parameters learn; toggling a stored list never unfreezes what was frozen on purpose."""
    for name, parameters in learning.items():
        for parameter in parameters:
            parameter.requires_grad_(name == player)
