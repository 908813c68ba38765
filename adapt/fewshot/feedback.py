"""What an adaptation learns from people's decisions: approved pictures join the shots, rejected ones the fakes.

Approved pictures are the generator's own, so that learning from them without measure would collapse it onto itself:
they are taken only when they were compared with real photos and are no copies, and are a minority of every batch.
Rejected ones tell the discriminator what people refuse: they are shown to it as generated ones, which they are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import UInt8

from adapt.data.batches import Batch, ExtraFakes, PictureBatches, walk
from adapt.data.pictures import to_model
from adapt.errors import TrainingError
from adapt.models.text_cache import TextFeatureCache
from catalog.feedback_folder import Feedback, FeedbackEntry
from catalog.pairs import relation
from catalog.records import Caption, ManifestEntry

APPROVED_SHARE = 0.3
"""Most of any batch that approved pictures may be."""
REJECTED_SHARE = 0.5
"""Rejected pictures a step, at most, as a share of the freshly generated ones.

Each counts in D's loss as one generated picture does, so that at most a third of what D learns to refuse as generated
is old. More would teach it these few pictures by heart: the fresh ones are new in every step, and they alone tell it
what the generator draws by now.
"""


@dataclass(frozen=True, kw_only=True)
class FeedbackPictures:
    """The pictures of frozen feedback that an adaptation to one dataset can learn from."""

    feedback: Feedback
    approved: tuple[ManifestEntry, ...]
    """With the captions of their prompt: it and its paraphrases."""
    rejected: tuple[ManifestEntry, ...]
    """With their prompt as the only caption."""
    left_out: Mapping[str, int]
    """Why decided pictures are not used → how many."""

    def extra_fakes(self, batch_size: int) -> int:
        """Rejected pictures that a step shows to D."""
        return min(len(self.rejected), int(REJECTED_SHARE * batch_size))

    def rejected_share(self, batch_size: int) -> float:
        """Share of what D sees as generated that is rejected ones, in [0, 1/3]."""
        extra = self.extra_fakes(batch_size)
        return extra / (batch_size + extra)


def choose_feedback(feedback: Feedback, photos: Sequence[ManifestEntry], *, batch_size: int) -> FeedbackPictures:
    """Take approved pictures and rejected ones of products that `photos` show.

    Raises:
        TrainingError: nothing is left to learn from, or a batch is too small for what is.
    """
    by_product: dict[str, list[ManifestEntry]] = {}
    for photo in photos:
        by_product.setdefault(photo.product, []).append(photo)
    left_out: Counter[str] = Counter()
    uses: dict[str, dict[str, ManifestEntry]] = {"approved": {}, "rejected": {}}
    for entry in feedback.entries:
        use = _use_of(entry) if entry.product in by_product else "other_product"
        if use in uses:
            uses[use].setdefault(entry.sha256, _as_photo(entry, by_product[entry.product], approved=use == "approved"))
        else:
            left_out[use] += 1
    # One picture may have been drawn by two runs and judged differently.
    for sha256 in uses["approved"].keys() & uses["rejected"].keys():
        left_out["contradictory"] += 1
        del uses["approved"][sha256], uses["rejected"][sha256]
    chosen = FeedbackPictures(
        feedback=feedback,
        approved=tuple(uses["approved"].values()),
        rejected=tuple(uses["rejected"].values()),
        left_out=dict(sorted(left_out.items())),
    )
    _require_use(chosen, batch_size)
    return chosen


def _use_of(entry: FeedbackEntry) -> str:
    """`approved`, `rejected`, or why the picture is not used."""
    if entry.approved:
        if entry.copy_checked:
            return "approved"
        return "copy_risk" if entry.copy_risk else "not_compared"
    if not entry.rejected:
        return "undecided"
    # A copy is refused for what it copies and looks like a photograph, which D must not learn to call a fake.
    return "copy_reason" if "copy" in entry.reasons else "rejected"


def _as_photo(entry: FeedbackEntry, photos: Sequence[ManifestEntry], *, approved: bool) -> ManifestEntry:
    """The picture as an entry of its product, which is never its own negative."""
    told = {caption.text: caption for photo in photos for caption in photo.captions}
    prompt = told.get(entry.prompt, Caption(None, entry.prompt, "en", "", {}))
    wordings = [other for other in told.values() if other != prompt and relation(prompt, other) == "paraphrase"]
    return replace(
        photos[0],
        image=entry.image,
        sha256=entry.sha256,
        split="train",
        captions=(prompt, *(wordings if approved else ())),
        box=None,
        variants=(),
    )


def _require_use(chosen: FeedbackPictures, batch_size: int) -> None:
    if not chosen.approved and not chosen.rejected:
        why = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in chosen.left_out.items())
        raise TrainingError(
            f"feedback {chosen.feedback.folder.name} has nothing to learn from ({why}); it takes approved pictures "
            "that are no copies, or rejected ones, of this catalogue's products: adapt review"
        )
    guests = int(APPROVED_SHARE * batch_size + 1e-9) if chosen.approved else 0
    if not guests and not chosen.extra_fakes(batch_size):
        raise TrainingError(
            f"a batch of {batch_size} has no room for feedback, which may be {APPROVED_SHARE:.0%} of it: "
            "--set data.batch_size=8"
        )


class BatchesWithRejected:
    """Batches of photographs, each with some of the rejected pictures beside it."""

    def __init__(
        self,
        batches: PictureBatches,
        pictures: UInt8[np.ndarray, "N S S 3"],
        prompts: Sequence[str],
        texts: TextFeatureCache,
        *,
        count: int,
        seed: int,
    ) -> None:
        """Encode the prompts once.

        Args:
            batches: what a run without rejected pictures would see.
            pictures: the rejected ones, at the side of the batch's pictures.
            prompts: what each was drawn of.
            texts: encodes the prompts.
            count: rejected pictures a batch.
            seed: of their order.
        """
        self.batch_size = batches.batch_size
        self._batches, self._count, self._seed = batches, count, seed
        self._images = to_model(pictures)
        self._sentences = texts.sentences(texts.rows(prompts))

    def batch(self, step: int, *, device: torch.device | str = "cpu") -> Batch:
        """Batch number `step`: the rejected pictures are walked in shuffled passes, so all are used alike."""
        batch = self._batches.batch(step, device=device)
        everything = np.arange(len(self._images))
        chosen = torch.from_numpy(walk(everything, self._count * step, self._count, seed=[self._seed, 5]))
        places = torch.arange(self._count)
        extra = ExtraFakes(
            images=self._images[chosen].to(device),
            sentences=self._sentences[chosen].to(device),
            beside=(places * self.batch_size // self._count).to(device),  # spread evenly
            places=places,
            whole=self._count,
        )
        return replace(batch, extra_fakes=extra)
