"""Adversarial terms of both players: D on real, generated and mismatched pairs, G on its pictures."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from adapt.config import LossConfig
from adapt.data.batches import Batch
from adapt.losses.adversarial import ADVERSARIAL, AdversarialLosses, discriminator_shares, over_heads
from adapt.losses.gradient_penalty import matching_aware_penalty
from adapt.models.interfaces import Judgement
from adapt.training.diffaugment import Augmentation, Places
from adapt.training.precision import autocast

Terms = dict[str, Tensor]
Stages = Sequence[Float[Tensor, "B 3 h w"]]


def pyramid(images: Float[Tensor, "B 3 H W"], sides_px: Sequence[int]) -> list[Float[Tensor, "B 3 h w"]]:
    """Real pictures at the side of every stage; each pixel is the mean of what it covers."""
    return [
        images if side == images.shape[-1] else F.interpolate(images, size=(side, side), mode="area")
        for side in sides_px
    ]


def joined_judgements(parts: Sequence[Judgement]) -> Judgement:
    """The judgements of several passes as one of all their pictures."""
    if len(parts) == 1:
        return parts[0]
    return Judgement(
        matching=tuple(torch.cat(head) for head in zip(*(part.matching for part in parts), strict=True)),
        realism=tuple(torch.cat(head) for head in zip(*(part.realism for part in parts), strict=True)),
    )


@dataclass(frozen=True, kw_only=True)
class Adversary:
    """Adversarial terms of one run; the same random changes meet real and generated pictures at every stage."""

    loss: LossConfig
    augmentation: Augmentation
    bf16: bool
    rejected_share: float = 0.0
    """Of what D sees as generated, the share that is the batch's extra fakes; they weigh as much."""

    @property
    def _losses(self) -> AdversarialLosses:
        return ADVERSARIAL[self.loss.adversarial]

    def discriminator_weights(self, terms: Collection[str]) -> dict[str, float]:
        """Weight of each discriminator term that is there."""
        shares = discriminator_shares(terms, mismatch=self.loss.mismatch_weight, rejected=self.rejected_share)
        return shares | {"d_penalty": 1.0}

    def discriminator_terms(self, discriminator: nn.Module, batch: Batch, fakes: Stages, rng: torch.Generator) -> Terms:
        """Terms of D for real (matching, mismatched) and generated pictures, `fakes` of the first captions."""
        places = Places(batch.places.cpu(), batch.whole)
        stages = pyramid(batch.images, [stage.shape[-1] for stage in fakes])
        real = [self.augmentation(stage, rng, places=places) for stage in stages]
        fake = tuple(self.augmentation(stage.detach(), rng, places=places) for stage in fakes)
        own = first = batch.first.sentence
        penalised = self.loss.penalty_weight > 0
        if penalised:
            real = [stage.detach().requires_grad_(True) for stage in real]
            own = first.clone().requires_grad_(True)
        # One picture has no other's caption, pictures of one product no false one.
        mismatched = batch.mismatched if self.loss.mismatch_weight and batch.whole > 1 else None
        texts = torch.stack([own] if mismatched is None else [own, mismatched], dim=1)
        with autocast(first.device.type, bf16=self.bf16):
            on_real: Judgement = discriminator(tuple(real), texts)
            on_fake: Judgement = discriminator(fake, first[:, None])
        matching = [head[:, :1] for head in on_real.matching]
        self.augmentation.observe(matching)
        terms = self._pair_terms("", matching, on_fake.matching)
        if mismatched is not None:
            unmatched = [head[:, 1:] for head in on_real.matching]
            terms["d_mismatch"] = self._losses.fake(unmatched, reduction=self.loss.head_reduction)
        if on_real.realism:
            terms |= self._pair_terms("_unconditional", on_real.realism, on_fake.realism)
        if batch.extra_fakes is not None:
            terms |= self._rejected_terms(discriminator, batch, on_fake, [stage.shape[-1] for stage in fakes], rng)
        if penalised:
            logits = over_heads([head.float().mean(dim=(1, 2)) for head in matching], self.loss.head_reduction)
            terms["d_penalty"] = matching_aware_penalty(
                logits, real, own, weight=self.loss.penalty_weight, power=self.loss.penalty_power
            )
        return terms

    def _rejected_terms(
        self, discriminator: nn.Module, batch: Batch, on_fake: Judgement, sides_px: Sequence[int], rng: torch.Generator
    ) -> Terms:
        """Terms of D for the batch's extra fakes, under the heads that judged the generated ones."""
        extra = batch.extra_fakes
        assert extra is not None
        names = ["d_rejected", *(["d_rejected_unconditional"] if on_fake.realism else [])]
        if not len(extra.images):  # they go with another part of the batch
            return dict.fromkeys(names, batch.images.new_zeros(()))
        places = Places(extra.places, extra.whole)
        stages = tuple(self.augmentation(stage, rng, places=places) for stage in pyramid(extra.images, sides_px))
        with autocast(extra.images.device.type, bf16=self.bf16):
            judged: Judgement = discriminator(stages, extra.sentences[:, None])
        # A part may have any number of them: means over parts are to be the mean over all of the batch.
        share = len(extra.images) / extra.whole * batch.whole / len(batch.ids)
        heads = [judged.matching, judged.realism][: len(names)]
        losses = [self._losses.fake(logits, reduction=self.loss.head_reduction) for logits in heads]
        return {name: loss * share for name, loss in zip(names, losses, strict=True)}

    def _pair_terms(self, suffix: str, real: Sequence[Tensor], fake: Sequence[Tensor]) -> Terms:
        reduction = self.loss.head_reduction
        return {
            f"d_real{suffix}": self._losses.real(real, reduction=reduction),
            f"d_fake{suffix}": self._losses.fake(fake, reduction=reduction),
        }

    def generator_terms(
        self,
        discriminator: nn.Module,
        fakes: Stages,
        sentences: Float[Tensor, "B D"],
        rng: torch.Generator,
        *,
        places: Places | None = None,
        passes: int = 1,
    ) -> Terms:
        """Terms of G for its pictures and their own captions.

        Args:
            discriminator: the judge.
            fakes: every stage, all branches.
            sentences: of the pictures' captions.
            rng: of the random changes.
            places: of the pictures among those that all processes and parts judge.
            passes: D sees the pictures in so many equal parts.
        """
        changed = [self.augmentation(stage, rng, places=places) for stage in fakes]
        size = len(sentences) // passes
        parts = [slice(start, start + size) for start in range(0, len(sentences), size)]
        with autocast(sentences.device.type, bf16=self.bf16):
            judgement = joined_judgements(
                [discriminator(tuple(stage[part] for stage in changed), sentences[part, None]) for part in parts]
            )
        reduction = self.loss.head_reduction
        terms = {"g_adversarial": self._losses.generator(judgement.matching, reduction=reduction)}
        if judgement.realism:
            terms["g_unconditional"] = self._losses.generator(judgement.realism, reduction=reduction)
        return terms
