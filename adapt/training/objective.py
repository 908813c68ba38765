"""Which terms the two networks minimise, with which weights. Terms are named and unweighted; summing happens once."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from adapt.config import LossConfig
from adapt.data.batches import Batch
from adapt.errors import ConfigError
from adapt.losses.adversarial import hinge_fake, hinge_generator, hinge_real
from adapt.losses.contrastive import fake_to_fake, fake_to_real
from adapt.losses.damsm import matching_losses, sentence_scores
from adapt.losses.gradient_penalty import matching_aware_penalty
from adapt.models.damsm import Damsm
from adapt.training.diffaugment import Augmentation
from adapt.training.features import ComparisonFeatures

Terms = dict[str, Tensor]


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ weight · term; a term without a weight is an error, not a silent 1."""
    return torch.stack([weights[name] * term.float() for name, term in terms.items()]).sum()


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Hinge, matching, penalty and the two distribution-sensitive losses of one run."""

    loss: LossConfig
    augmentation: Augmentation
    features: ComparisonFeatures | None
    bf16: bool
    damsm: Damsm | None = None
    """Frozen judge of how generated pictures match their captions; needed where `loss.damsm_weight` is above 0."""
    extra_weights: Mapping[str, float] = field(default_factory=dict)
    """Weights of terms that a caller adds, such as cross-domain consistency."""

    def __post_init__(self) -> None:
        """Check that what the weights ask for is here."""
        if self.loss.damsm_weight and self.damsm is None:
            raise ConfigError(
                f"loss.damsm_weight={self.loss.damsm_weight} needs a DAMSM model, which only adapt pretrain trains; "
                "leave it out: --set loss.damsm_weight=0"
            )

    def discriminator_weights(self) -> dict[str, float]:
        """Weight of each discriminator term; the generated and the mismatched side share one unit (SSA-GAN)."""
        mismatch = self.loss.mismatch_weight
        return {"d_real": 1.0, "d_fake": 1.0 - 0.5 * min(mismatch, 1.0), "d_mismatch": mismatch, "d_penalty": 1.0}

    def generator_weights(self) -> dict[str, float]:
        """Weight of each generator term."""
        return {
            "g_adversarial": 1.0,
            "g_fake_to_fake": self.loss.fake_to_fake_weight,
            "g_fake_to_real": self.loss.fake_to_real_weight,
            "g_damsm": self.loss.damsm_weight,
            **self.extra_weights,
        }

    @property
    def branches(self) -> int:
        """Captions drawn from each item in the generator's step."""
        return 2 if self.loss.fake_to_fake_weight else 1

    def autocast(self, device_type: str) -> AbstractContextManager[object]:
        """bf16 where the run uses it."""
        return torch.autocast(device_type, dtype=torch.bfloat16) if self.bf16 else nullcontext()

    def discriminator_terms(
        self, discriminator: nn.Module, batch: Batch, fake: Tensor, generator: torch.Generator
    ) -> Terms:
        """Terms of D for real (matching, mismatched) and generated pictures (B, 3, H, W)."""
        real = self.augmentation(batch.images, generator)
        fake = self.augmentation(fake.detach(), generator)
        first = batch.sentences[:, 0]
        penalised = self.loss.penalty_weight > 0
        if penalised:
            real.requires_grad_(True)
            first = first.clone().requires_grad_(True)
        matched = bool(self.loss.mismatch_weight) and len(real) > 1  # one picture has no other's caption
        texts = torch.stack([first, batch.mismatched] if matched else [first], dim=1)
        # The penalty's power overflows in half precision, so a penalised pass stays in float32.
        with nullcontext() if penalised else self.autocast(real.device.type):
            on_real = discriminator(real, texts)
        with self.autocast(real.device.type):
            on_fake = discriminator(fake, batch.sentences[:, :1])
        self.augmentation.observe([head[:, :1] for head in on_real])
        terms = {"d_real": hinge_real([head[:, :1] for head in on_real]), "d_fake": hinge_fake(on_fake)}
        if matched:
            terms["d_mismatch"] = hinge_fake([head[:, 1:] for head in on_real])
        if penalised:
            logits = torch.stack([head[:, 0].float().mean(dim=1) for head in on_real]).mean(dim=0)
            terms["d_penalty"] = matching_aware_penalty(
                logits, real, first, weight=self.loss.penalty_weight, power=self.loss.penalty_power
            )
        return terms

    def draw(self, generator_net: nn.Module, batch: Batch, noise: Tensor) -> Tensor:
        """The step's pictures (branches · B, 3, H, W): of every first caption, then of every second one.

        Both captions of an item see the same noise, in one pass: batch norm treats them alike. D judges these very
        pictures without their gradient, so one pass of G serves both players.
        """
        with self.autocast(noise.device.type):
            drawn: Tensor = generator_net(noise.repeat(self.branches, 1), self._texts(batch))
        return drawn.float()

    def generator_terms(self, fakes: Tensor, discriminator: nn.Module, batch: Batch, rng: torch.Generator) -> Terms:
        """Terms of G for the pictures (branches · B, 3, H, W) that `draw` gave."""
        size, texts = len(batch.ids), self._texts(batch)
        judged = size * min(self.branches, self.loss.adversarial_branches)
        with self.autocast(fakes.device.type):
            logits = discriminator(self.augmentation(fakes[:judged], rng), texts[:judged, None])
        terms = {"g_adversarial": hinge_generator(logits)}
        if size > 1:
            terms |= self._comparison_terms(fakes, texts, batch)
        return terms

    def _texts(self, batch: Batch) -> Tensor:
        """Sentences (branches · B, D) in the order of `draw`."""
        return batch.sentences[:, : self.branches].transpose(0, 1).flatten(0, 1)

    def _comparison_terms(self, fakes: Tensor, texts: Tensor, batch: Batch) -> Terms:
        """Terms that compare the pictures of a batch (branches · B, 3, H, W) with each other, photos and captions."""
        size, terms = len(batch.ids), Terms()
        with self.autocast(fakes.device.type):
            code = self.damsm(fakes).pooled if self.damsm is not None and self.loss.damsm_weight else None
        if code is not None:
            terms["g_damsm"] = self._matching(code, texts, batch.ids)
        if self.features is None:
            return terms
        with self.autocast(fakes.device.type):
            features = self.features(fakes, code)
            if self.loss.fake_to_real_weight:
                with torch.no_grad():
                    real = self.features(batch.images)
        parts = features.float().split(size)
        if self.branches == 2:
            terms["g_fake_to_fake"] = fake_to_fake(
                parts[0], parts[1], batch.ids, temperature=self.loss.fake_to_fake_temperature
            )
        if self.loss.fake_to_real_weight:
            tau = self.loss.fake_to_real_temperature
            per_branch = [fake_to_real(part, real, batch.ids, temperature=tau) for part in parts]
            terms["g_fake_to_real"] = torch.stack(per_branch).mean()
        return terms

    def _matching(self, code: Tensor, texts: Tensor, ids: Tensor) -> Tensor:
        """Sentence matching in both directions, summed; a mean over branches, as the other terms are.

        The papers add the two word losses; a run keeps no word features.
        """
        assert self.damsm is not None
        with torch.no_grad():
            captions = self.damsm.heads.sentence(texts)
        branches = zip(captions.split(len(ids)), code.split(len(ids)), strict=True)
        losses = [torch.stack(matching_losses(sentence_scores(text, own), ids)).sum() for text, own in branches]
        return torch.stack(losses).mean()


ExtraTerms = Callable[[nn.Module, Batch, Tensor, Tensor, torch.Generator], Terms]
"""(generator, batch, noise, pictures of the first captions, random numbers) → further generator terms."""
