"""The generator's terms that compare the pictures of a batch with each other, with photos and with captions."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from adapt.config import LossConfig
from adapt.data.batches import Batch
from adapt.losses.contrastive import fake_to_fake, fake_to_real
from adapt.losses.damsm import matching_losses, sentence_scores, word_scores
from adapt.models.damsm import Damsm
from adapt.models.interfaces import ImageFeatures, TextFeatures
from adapt.training.distributed import gathered, widest
from adapt.training.features import ComparisonFeatures
from adapt.training.precision import autocast

Terms = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The two distribution-sensitive losses, and matching by a frozen DAMSM; all look at finished pictures alone."""

    loss: LossConfig
    features: ComparisonFeatures | None
    damsm: Damsm | None
    bf16: bool

    def terms(self, fakes: Float[Tensor, "N 3 H W"], texts: TextFeatures, batch: Batch) -> Terms:
        """Terms for the pictures of all branches and their captions, B a branch."""
        terms, code = Terms(), None
        if self.damsm is not None and self.loss.damsm_weight:
            with autocast(fakes.device.type, bf16=self.bf16):
                code = self.damsm(fakes)
            terms |= self.matching(code, texts, batch.ids)
        if self.features is None:
            return terms
        with autocast(fakes.device.type, bf16=self.bf16):
            features = self.features(fakes, None if code is None else code.pooled)
            if self.loss.fake_to_real_weight:
                with torch.no_grad():
                    real = gathered(self.features(batch.images).float())
        # Of all processes, branch by branch: what a picture is compared with does not depend on how many there are.
        parts = [gathered(part) for part in features.float().split(len(batch.ids))]
        ids = gathered(batch.identities(self.loss.mask))
        if self.loss.fake_to_fake_weight:
            tau, directions = self.loss.fake_to_fake_temperature, self.loss.fake_to_fake_directions
            terms["g_fake_to_fake"] = fake_to_fake(parts[0], parts[1], ids, temperature=tau, directions=directions)
        if self.loss.fake_to_real_weight:
            tau, directions = self.loss.fake_to_real_temperature, self.loss.fake_to_real_directions
            per_branch = [fake_to_real(part, real, ids, temperature=tau, directions=directions) for part in parts]
            terms["g_fake_to_real"] = torch.stack(per_branch).mean()
        return terms

    def matching(self, code: ImageFeatures, texts: TextFeatures, ids: Int[Tensor, " B"]) -> Terms:
        """Sentence and word matching, both directions summed; a mean over branches, as the other terms are."""
        assert self.damsm is not None
        with torch.no_grad():
            captions = self.damsm.heads.project_text(texts)
        size = len(ids)
        branches = [slice(start, start + size) for start in range(0, len(code.pooled), size)]
        ids = gathered(ids)
        by_sentence = [
            sentence_scores(gathered(captions.sentence[b]), gathered(code.pooled[b].float())) for b in branches
        ]
        terms = {"g_damsm": _both_directions(by_sentence, ids)}
        if self.loss.reads_words:
            # Processes pad their captions to different lengths.
            missing = widest(captions.mask.shape[1], ids.device) - captions.mask.shape[1]
            words, mask = F.pad(captions.words, (0, 0, 0, missing)), F.pad(captions.mask, (0, missing))
            by_words = [
                word_scores(gathered(words[b]), gathered(mask[b]), gathered(code.regions[b].float())) for b in branches
            ]
            terms["g_damsm_words"] = _both_directions(by_words, ids)
        return terms


def _both_directions(scores: list[Float[Tensor, "B B"]], ids: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    return torch.stack([torch.stack(matching_losses(own, ids)).sum() for own in scores]).mean()
