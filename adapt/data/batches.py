"""Batches for training: pictures, two captions each, and captions that do not fit.

Everything random is drawn from (seed, step), so a run that resumes at step n sees what an uninterrupted one would.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from adapt.data.augment import CropAndFlip
from adapt.data.caption_pairs import PAIRINGS, check_pairable
from adapt.data.colour_words import with_other_colour
from adapt.data.identities import identities
from adapt.data.mismatch import Mismatches
from adapt.data.pictures import to_model
from adapt.errors import AdaptError
from adapt.loss_options import IDENTITIES
from adapt.models.interfaces import TextFeatures
from adapt.models.text_cache import TextFeatureCache
from catalog.records import ManifestEntry


@dataclass(frozen=True, kw_only=True)
class ExtraFakes:
    """Pictures that D is shown as generated ones, though the generator did not draw them in this step."""

    images: Float[Tensor, "R 3 H W"]
    sentences: Float[Tensor, "R D"]
    """What each was drawn of."""
    beside: Int[Tensor, " R"]
    """Place in the whole batch of the picture that each goes with when the batch is seen part by part."""
    places: Int[Tensor, " R"]
    """Where each stands among those of the whole batch; on the CPU."""
    whole: int
    """Extra fakes of the whole batch."""

    def part(self, pictures: Int[Tensor, " P"]) -> "ExtraFakes":
        """Those that go with the pictures at these places of the whole batch."""
        kept = torch.isin(self.beside, pictures)
        return ExtraFakes(
            images=self.images[kept],
            sentences=self.sentences[kept],
            beside=self.beside[kept],
            places=self.places[kept.cpu()],
            whole=self.whole,
        )


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One step's worth of data, two captions a picture."""

    images: Float[Tensor, "B 3 H W"]
    texts: TextFeatures
    """2 · B captions: the first of every picture, then the second of every picture; words where the run reads them."""
    mismatched: Float[Tensor, "B D"] | None
    """A caption that does not describe the picture; None where a picture of the dataset has none."""
    ids: Int[Tensor, " B"]
    """Product of each picture; equal ids are never negatives of each other."""
    image_ids: Int[Tensor, " B"] | None = None
    """Group of each picture: one photograph, or products that share one; None where no loss masks by it."""
    class_ids: Int[Tensor, " B"] | None = None
    """Category of each picture; None where no loss masks by it."""
    places: Int[Tensor, " B"] = None  # type: ignore[assignment]
    """Where each picture stands in the whole batch of its step, of which a process or an accumulated part has some;
    left out where this is the whole batch."""
    whole: int = 0
    """Pictures in the whole batch; left out where this is it."""
    extra_fakes: ExtraFakes | None = None
    """Further pictures for D to refuse; None in a run without feedback."""

    def __post_init__(self) -> None:
        if self.places is None:
            object.__setattr__(self, "places", torch.arange(len(self.ids), device=self.ids.device))
            object.__setattr__(self, "whole", len(self.ids))

    def part(self, rows: Int[Tensor, " P"]) -> "Batch":
        """Some of the pictures with all that belongs to them."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {name: value[rows] for name, value in values.items() if isinstance(value, Tensor)}
        values["texts"] = self.texts.rows(torch.cat([rows, len(self.ids) + rows]))
        if self.extra_fakes is not None:
            values["extra_fakes"] = self.extra_fakes.part(self.places[rows])
        return Batch(**values)

    def identities(self, mask: Sequence[str]) -> Int[Tensor, "B K"]:
        """Ids of the K kinds that `mask` names (`image`, `product`, `class`), side by side.

        Raises:
            ValueError: the batch was made without one of them.
        """
        known = {"image": self.image_ids, "product": self.ids, "class": self.class_ids}
        columns = [ids for kind in mask if (ids := known[kind]) is not None]
        if len(columns) < len(mask):
            raise ValueError(f"the batch lacks ids that mask {list(mask)} needs")
        return torch.stack(columns, dim=1) if columns else self.ids.new_empty(len(self.ids), 0)

    @property
    def first(self) -> TextFeatures:
        """The first caption of every picture."""
        return self.texts.rows(slice(0, len(self.ids)))

    @property
    def sentences(self) -> Float[Tensor, "B 2 D"]:
        """Sentence features of both captions, side by side."""
        return self.texts.sentence.unflatten(0, (2, -1)).transpose(0, 1)


class PictureBatches:
    """Draws batch number `step` of a dataset; knows nothing but its seed and the step."""

    def __init__(
        self,
        entries: Sequence[ManifestEntry],
        pictures: UInt8[np.ndarray, "N S S 3"],
        texts: TextFeatureCache,
        *,
        image_px: int,
        batch_size: int,
        flip: bool,
        human_share: float,
        counterfactual_share: float,
        seed: int,
        pairs: str = "any",
        augment: Sequence[str] = (),
        share: tuple[int, int] = (0, 1),
        guests: int = 0,
        guest_share: float = 0.0,
    ) -> None:
        """Encode every caption once and plan the order.

        Args:
            entries: one a picture.
            pictures: larger than `image_px`.
            texts: encodes the captions.
            image_px: side of the pictures in a batch.
            batch_size: pictures in a whole batch.
            flip: mirror half of the pictures.
            human_share: of a batch, from pictures with human captions.
            counterfactual_share: of the mismatched captions, own ones with a colour changed.
            seed: of everything random.
            pairs: which two captions of a picture make a pair.
            augment: further changes of the pictures.
            share: (i, n) hands out the i-th of n equal parts of every batch, drawn and mismatched as a whole.
            guests: the last so many entries are no photographs. Each is seen as often as a photograph, as long as they
                stay within `guest_share`.
            guest_share: most of any batch that guests may be.

        Raises:
            AdaptError: no picture has a caption, or none has a pair of the kind `pairs`.
        """
        if not entries or not all(entry.captions for entry in entries):
            raise AdaptError("training needs at least one caption for each picture; run: adapt captions rebuild")
        self._pictures, self._texts = pictures, texts
        self._transform = CropAndFlip(image_px, flip=flip, augment=augment)
        self.batch_size, self._seed = batch_size, seed
        size = batch_size // share[1]
        self._share = range(share[0] * size, (share[0] + 1) * size)
        self._ids = {kind: identities(entries, kind) for kind in IDENTITIES}
        if pairs == "same_facts":
            check_pairable(entries)
        self._told, self._pair = [entry.captions for entry in entries], PAIRINGS[pairs]
        rng = np.random.default_rng([seed, 0])
        captions = [[caption.text for caption in entry.captions] for entry in entries]
        # Two changed wordings a picture are plenty, and keep the encoder's work in bounds.
        changed = [
            [other for text in rng.permutation(own)[:2] if (other := with_other_colour(str(text), rng=rng))]
            if counterfactual_share
            else []
            for own in captions
        ]
        texts.add([text for group in (*captions, *changed) for text in group])
        self._captions = [texts.rows(group) for group in captions]
        self._mismatches = Mismatches(
            [entry.product_id for entry in entries],
            self._captions,
            [texts.rows(group).tolist() if group else [] for group in changed],
            counterfactual_share=counterfactual_share,
        )
        human = np.array([entry.captions[0].origin == "human" for entry in entries])
        self._guests = np.arange(len(entries))[len(entries) - guests :]
        human, everything = human[: len(entries) - guests], np.arange(len(entries) - guests)
        most = int(guest_share * batch_size + 1e-9)
        # Guests a step, as a fraction: whole numbers alone would leave a few of them out or show them too often.
        self._guest_rate = min((batch_size * guests, len(entries)), (most, 1), key=lambda rate: rate[0] / rate[1])
        mixed = 0 < human_share < 1 and 0 < human.sum() < len(human)
        self._streams = [(everything[human], human_share), (everything[~human], 1 - human_share)]
        if not mixed:
            self._streams = [(everything, 1.0)]

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._told)

    def indices(self, step: int) -> np.ndarray:
        """The pictures of a step: each stream is walked in shuffled passes, so all are used alike."""
        counts = [round(self.batch_size * share) for _, share in self._streams]
        counts[-1] = self.batch_size - sum(counts[:-1])
        starts = [count * step for count in counts]
        members = [stream for stream, _ in self._streams]
        if len(self._guests):
            before, after = self._guests_before(step), self._guests_before(step + 1)
            starts[-1], counts[-1] = starts[-1] - before, counts[-1] - (after - before)
            members, starts, counts = [*members, self._guests], [*starts, before], [*counts, after - before]
        return np.concatenate(
            [
                walk(stream, start, count, seed=[self._seed, 1, number])
                for number, (stream, start, count) in enumerate(zip(members, starts, counts, strict=True))
            ]
        )

    def _guests_before(self, step: int) -> int:
        """Guests in all batches before this one."""
        return step * self._guest_rate[0] // self._guest_rate[1]

    def batch(self, step: int, *, device: torch.device | str = "cpu") -> Batch:
        """Batch number `step`, on `device`, or this process's share of it."""
        chosen = self.indices(step)
        rng = np.random.default_rng([self._seed, 2, step])
        seed, share = int(rng.integers(2**32)), slice(self._share.start, self._share.stop)
        images = to_model(self._transform(self._pictures[chosen[share]], seed=seed, places=self._share))
        rows = torch.stack([self._captions[i][list(self._pair(self._told[i], rng))] for i in chosen])  # (B, 2)
        mismatched = self._mismatches(chosen.tolist(), rows[:, 0], rng)
        ids = {kind: numbers[torch.from_numpy(chosen[share])].to(device) for kind, numbers in self._ids.items()}
        return Batch(
            images=images.to(device),
            texts=self._texts.gather(rows[share].T.flatten(), device),
            mismatched=None if mismatched is None else self._texts.sentences(mismatched[share], device),
            ids=ids["product"],
            image_ids=ids["image"],
            class_ids=ids["class"],
            places=torch.tensor(self._share, device=device),
            whole=self.batch_size,
        )


def walk(members: np.ndarray, start: int, count: int, *, seed: list[int]) -> np.ndarray:
    """`count` members from position `start` of an endless sequence of shuffled passes."""
    size = len(members)
    passes = (
        {
            number: np.random.default_rng([*seed, number]).permutation(members)
            for number in range(start // size, (start + count - 1) // size + 1)
        }
        if count
        else {}
    )
    return np.array([passes[p // size][p % size] for p in range(start, start + count)], dtype=np.int64)
