"""Which terms the two networks minimise, with which weights. Terms are named and unweighted; summing happens once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adapt.config import LossConfig
from adapt.data.batches import Batch
from adapt.errors import ConfigError
from adapt.models.damsm import Damsm
from adapt.models.interfaces import Drawing, TextFeatures
from adapt.training.adversary import Adversary, Stages, Terms
from adapt.training.comparison import Comparison
from adapt.training.diffaugment import Augmentation, Places
from adapt.training.distributed import world_size
from adapt.training.features import ComparisonFeatures
from adapt.training.precision import autocast


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ weight · term; a term without a weight is an error, not a silent 1."""
    return torch.stack([weights[name] * term.float() for name, term in terms.items()]).sum()


def texts_for(generator_net: nn.Module, texts: TextFeatures) -> TextFeatures:
    """What a generator may see of `texts`: the words only where it uses them."""
    return texts if generator_net.uses_words else texts.without_words()


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Adversarial, matching and penalty terms, the generator's own and the two distribution-sensitive losses."""

    loss: LossConfig
    augmentation: Augmentation
    features: ComparisonFeatures | None
    bf16: bool
    damsm: Damsm | None = None
    """Frozen judge of how generated pictures match their captions; needed where `loss.damsm_weight` is above 0."""
    extra_weights: Mapping[str, float] = field(default_factory=dict)
    """Weights of terms that a caller adds, such as cross-domain consistency."""
    rejected_share: float = 0.0
    """Of what D sees as generated, the share that is extra fakes of the batches."""

    def __post_init__(self) -> None:
        """Check that what the weights ask for is here."""
        if self.loss.damsm_weight and self.damsm is None:
            raise ConfigError(
                f"loss.damsm_weight={self.loss.damsm_weight} needs a DAMSM model, which only adapt pretrain trains; "
                "leave it out: --set loss.damsm_weight=0"
            )

    @cached_property
    def _adversary(self) -> Adversary:
        return Adversary(
            loss=self.loss, augmentation=self.augmentation, bf16=self.bf16, rejected_share=self.rejected_share
        )

    @cached_property
    def _comparison(self) -> Comparison:
        return Comparison(loss=self.loss, features=self.features, damsm=self.damsm, bf16=self.bf16)

    def discriminator_weights(self, terms: Collection[str]) -> dict[str, float]:
        """Weight of each discriminator term that is there."""
        return self._adversary.discriminator_weights(terms)

    def generator_weights(self) -> dict[str, float]:
        """Weight of each generator term."""
        return {
            "g_adversarial": 1.0,
            "g_unconditional": 1.0,
            "g_conditioning": self.loss.kl_weight,
            "g_fake_to_fake": self.loss.fake_to_fake_weight,
            "g_fake_to_real": self.loss.fake_to_real_weight,
            "g_damsm": self.loss.damsm_weight,
            "g_damsm_words": self.loss.damsm_weight * self.loss.damsm_word_weight,
            **self.extra_weights,
        }

    @property
    def branches(self) -> int:
        """Pictures drawn for each item in a step."""
        return self.loss.drawn_branches

    @property
    def noises(self) -> int:
        """Noise vectors an item needs in a step."""
        return self.branches if self.loss.pair == "noises" else 1

    def skipped(self, batch_size: int) -> str:
        """What a batch of this size cannot train, in one line; empty when nothing is lost."""
        loss = self.loss
        lost = {
            "loss.mismatch_weight": loss.mismatch_weight,
            "loss.fake_to_fake_weight": loss.fake_to_fake_weight,
            "loss.fake_to_real_weight": loss.fake_to_real_weight,
            "loss.damsm_weight": loss.damsm_weight,
        }
        names = [name for name, weight in lost.items() if weight]
        if batch_size > 1 or not names:
            return ""
        return f"a batch of one picture has nothing to compare it with: {', '.join(names)} count nothing in this run"

    def autocast(self, device_type: str) -> AbstractContextManager[object]:
        """bf16 where the run uses it."""
        return autocast(device_type, bf16=self.bf16)

    def discriminator_terms(self, discriminator: nn.Module, batch: Batch, fakes: Stages, rng: torch.Generator) -> Terms:
        """Terms of D for real (matching, mismatched) and generated pictures, `fakes` of the first captions."""
        return self._adversary.discriminator_terms(discriminator, batch, fakes, rng)

    def draw(self, generator_net: nn.Module, batch: Batch, noise: Float[Tensor, "N Z"]) -> Drawing:
        """The step's pictures, branches · B: of every item's first caption and noise, then of every one's second.

        Both branches go through one pass, where batch norm treats them alike, unless `loss.batch_norm` says otherwise.
        D judges these very pictures without their gradient, so one pass of G serves both players.

        Args:
            generator_net: the generator.
            batch: gives the captions.
            noise: `noises` · B vectors.
        """
        texts = texts_for(generator_net, self.texts(batch))
        noise = noise.repeat(self.branches // self.noises, 1)
        size = len(texts.sentence) // self._passes
        with self.autocast(noise.device.type):
            parts: list[Drawing] = [
                generator_net(noise[start : start + size], texts.rows(slice(start, start + size)))
                for start in range(0, len(noise), size)
            ]
        return _joined(parts)

    def generator_terms(self, drawing: Drawing, discriminator: nn.Module, batch: Batch, rng: torch.Generator) -> Terms:
        """Terms of G for what `draw` gave."""
        size, texts = len(batch.ids), self.texts(batch)
        judged = min(self.branches, self.loss.adversarial_branches)
        rows = torch.cat([batch.places.cpu() + branch * batch.whole for branch in range(judged)])
        terms = self._adversary.generator_terms(
            discriminator,
            [stage[: size * judged] for stage in drawing.stages],
            texts.sentence[: size * judged],
            rng,
            places=Places(rows, batch.whole * judged),
            passes=min(judged, self._passes),
        )
        terms |= drawing.terms
        if size * world_size() > 1:
            terms |= self._comparison.terms(drawing.images, texts, batch)
        return terms

    def texts(self, batch: Batch) -> TextFeatures:
        """Captions (branches · B) in the order of `draw`."""
        if self.branches == 1:
            return batch.first
        if self.loss.pair == "noises":
            return batch.texts.rows(torch.arange(len(batch.ids)).repeat(2))
        return batch.texts

    @property
    def _passes(self) -> int:
        return self.branches if self.loss.batch_norm == "separate" else 1


def _joined(parts: Sequence[Drawing]) -> Drawing:
    """Drawings of several passes as one in float32; their own terms are means, as over one batch."""
    stages = zip(*(part.stages for part in parts), strict=True)
    return Drawing(
        stages=tuple((torch.cat(stage) if len(stage) > 1 else stage[0]).float() for stage in stages),
        terms={name: torch.stack([part.terms[name] for part in parts]).mean() for name in parts[0].terms},
    )


ExtraTerms = Callable[[nn.Module, Batch, Tensor, Tensor, torch.Generator], Terms]
"""(generator, batch, noise, pictures of the first captions, random numbers) → further generator terms."""
