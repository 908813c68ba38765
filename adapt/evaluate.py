"""Stage 7 of 9. Reads a run and a dataset. Writes metrics.json in the run folder. Next: review."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from adapt.data.colour_words import colours_in
from adapt.data.pictures import centre_crop, load_pictures, to_model, to_pixels
from adapt.errors import AdaptError
from adapt.metrics.consistency import consistency, retrieval_metric, retrieve
from adapt.metrics.copy import copies, copy_threshold, nearest
from adapt.metrics.features import DEFAULT_JUDGE, TRAINING_FEATURES, Extractor, extract, label, load_extractor
from adapt.metrics.interval import wilson
from adapt.metrics.kernel import kid_interval
from adapt.metrics.recolour import agreement, colour_prompts, main_colour_rank, recolour
from adapt.metrics.report import Metric
from adapt.registry import canonical
from catalog.records import ManifestEntry

Generate = Callable[[Sequence[str], Float[Tensor, "B Z"]], Float[Tensor, "B 3 H W"]]
"""Draws one picture in [-1, 1] for each text and noise vector."""
Progress = Callable[[str, float, float | None], None]

_DRAW_IMAGES = 32
_LOOK_IMAGES = 64


@dataclass(frozen=True, kw_only=True)
class EvaluationSize:
    """How much to draw; a figure with less behind it says so in its n and interval."""

    pictures: int = 512
    """Real and generated pictures compared by KID, at most."""
    paraphrase_items: int = 256
    """Pictures whose caption pairs are drawn, at most."""
    colour_prompts: int = 200
    training_pictures: int = 1000
    """Training pictures searched for copies, at most."""

    @classmethod
    def at_most(cls, pictures: int) -> "EvaluationSize":
        """The usual sizes, none above `pictures` (twice that for the training pictures)."""
        usual = cls()
        return cls(
            pictures=pictures,
            paraphrase_items=min(usual.paraphrase_items, pictures),
            colour_prompts=min(usual.colour_prompts, pictures),
            training_pictures=min(usual.training_pictures, 2 * pictures),
        )


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The networks that look at pictures."""

    held_out: Extractor
    """The judge: no loss, discriminator or selection used it."""
    training: Extractor | None = None
    """Features that training used; its figures stand beside the judge's, marked."""


def load_judges(name: str = DEFAULT_JUDGE, *, path: Path | None = None, training: bool = True) -> Judges:
    """Load the judge by name, from `path` if given, and the features of training beside it unless they are the same.

    Raises:
        AdaptError: unknown name, or no weights.
    """
    beside = training and canonical(name) != TRAINING_FEATURES
    return Judges(
        held_out=load_extractor(name, path=path), training=load_extractor(TRAINING_FEATURES) if beside else None
    )


def evaluate(
    generate: Generate,
    entries: Sequence[ManifestEntry],
    *,
    noise_dim: int,
    image_px: int,
    training_entries: Sequence[ManifestEntry] = (),
    judges: Judges | None = None,
    seed: int = 0,
    size: EvaluationSize | None = None,
    margin: float = 76 / 64,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """Measure a generator on pictures it was not trained on.

    Args:
        generate: Draws pictures from texts and noise; knows nothing of this module.
        entries: Held-out pictures with captions.
        noise_dim: Length of the noise vector.
        image_px: Side of the generated pictures; real ones are brought to it the way training does.
        training_entries: Pictures it was trained on; without them nothing is said about copies.
        judges: Extractors; loaded by default.
        seed: Decides captions, noise, prompts, galleries and resampling.
        size: How much to draw.
        margin: Side at which real pictures are read, over `image_px`; the middle is used.
        progress: Told what is being done.

    Returns:
        Figures by name; those the data cannot give (no second caption, no colour words) are left out.

    Raises:
        AdaptError: Fewer than two held-out pictures with captions.
    """
    size = size or EvaluationSize()
    usable = [entry for entry in entries if entry.captions]
    if len(usable) < 2:
        raise AdaptError(
            f"{len(usable)} held-out pictures with captions; evaluation needs two or more: "
            "ingest more pictures or freeze the dataset with a larger test share"
        )
    measure = _Measurement(
        generate=generate, noise_dim=noise_dim, image_px=image_px, margin=margin, seed=seed, progress=progress
    )
    judges = judges or load_judges()
    train = _sample([entry for entry in training_entries if entry.captions], size.training_pictures, seed)
    return {
        **measure.distance(_sample(usable, size.pictures, seed), train, judges),
        **measure.paraphrase(_caption_pairs(usable, seed)[: size.paraphrase_items], judges),
        **measure.colours(usable, size.colour_prompts),
    }


@dataclass(frozen=True, kw_only=True)
class _Measurement:
    """One generator under one seed; each method draws what it needs and returns its figures."""

    generate: Generate
    noise_dim: int
    image_px: int
    margin: float
    seed: int
    progress: Progress | None

    def distance(
        self, entries: Sequence[ManifestEntry], train: Sequence[ManifestEntry], judges: Judges
    ) -> dict[str, Metric]:
        """KID against held-out pictures, and nearest training pictures. One caption and one noise a picture."""
        rng = np.random.default_rng([self.seed, 1])
        texts = [entry.captions[rng.integers(len(entry.captions))].text for entry in entries]
        real, train_images = self._read(entries), self._read(train)
        fake = self._draw(texts, self._noise(len(texts), 1), "drawing for KID")
        metrics = {}
        for extractor, suffix in _in_turn(judges):
            name = label(extractor)
            real_features, fake_features = self._look(extractor, real), self._look(extractor, fake)
            metrics[f"kid{suffix}"] = self._kid(real_features, fake_features, name)
            if suffix or len(train) < 2:
                continue
            train_features = self._look(extractor, train_images)
            floor = self._kid(real_features, train_features, name)
            metrics["kid_real"] = replace(
                floor, note="training pictures in place of generated ones: what a perfect one scores"
            )
            threshold = copy_threshold(train_features, torch.tensor([entry.product_id for entry in train]))
            if threshold is not None:
                count = copies(nearest(fake_features, train_features), threshold)
                low, high = wilson(count, len(fake))
                metrics["copy_rate"] = Metric(
                    value=count / len(fake),
                    n=len(fake),
                    extractor=name,
                    seed=self.seed,
                    low=low,
                    high=high,
                    note=f"similarity above {threshold:.3f} to one of {len(train)} training pictures",
                )
        return metrics

    def paraphrase(self, pairs: Sequence[tuple[ManifestEntry, str, str]], judges: Judges) -> dict[str, Metric]:
        """Two captions of each picture, one noise for all; and whether the picture drawn is near the real one."""
        if len(pairs) < 2:
            return {}
        noise = self._noise(1, 2).expand(len(pairs), -1)
        first = self._draw([text for _, text, _ in pairs], noise, "drawing captions")
        second = self._draw([text for _, _, text in pairs], noise, "drawing paraphrases")
        real = self._read([entry for entry, _, _ in pairs])
        metrics: dict[str, Metric] = {}
        for extractor, suffix in _in_turn(judges):
            name = label(extractor)
            one, other, photo = (self._look(extractor, images) for images in (first, second, real))
            figures = consistency(one, other, extractor=name, seed=self.seed)
            figures["real_top1"] = retrieval_metric(
                retrieve(one, photo, seed=self.seed), extractor=name, seed=self.seed
            )
            metrics |= {f"{key}{suffix}": metric for key, metric in figures.items()}
        return metrics

    def colours(self, entries: Sequence[ManifestEntry], count: int) -> dict[str, Metric]:
        """One colour word changed with the noise kept; beside it, how well the measure reads real pictures."""
        metrics = {}
        prompts = colour_prompts(entries, count=count, seed=self.seed)
        if len(prompts) >= 2:
            noise = self._noise(len(prompts), 3)
            before = self._draw([prompt.text for prompt in prompts], noise, "drawing colours")
            after = self._draw([prompt.changed for prompt in prompts], noise, "drawing changed colours")
            metrics = recolour(before, after, prompts, seed=self.seed)
        named = [
            (entry, next(c.text for c in entry.captions if main_colour_rank(c.text) == 0))
            for entry in entries
            if any(main_colour_rank(caption.text) == 0 for caption in entry.captions)
        ][:count]
        if len(named) >= 2:
            words = [colours_in(text)[0] for _, text in named]
            metrics["colour_agreement_real"] = replace(
                agreement(self._read([entry for entry, _ in named]), words, seed=self.seed),
                note="real pictures: what the measure can reach",
            )
        return metrics

    def _kid(self, real: Tensor, other: Tensor, name: str) -> Metric:
        value, low, high = kid_interval(real, other, seed=self.seed)
        return Metric(
            value=value, n=len(other), extractor=name, seed=self.seed, low=low, high=high, note=f"{len(real)} real"
        )

    def _noise(self, count: int, purpose: int) -> Tensor:
        generator = torch.Generator().manual_seed(1000 * self.seed + purpose)
        return torch.randn(count, self.noise_dim, generator=generator)

    def _read(self, entries: Sequence[ManifestEntry]) -> Tensor:
        pictures = load_pictures(entries, round(self.image_px * self.margin))
        return to_model(centre_crop(pictures, self.image_px))

    @torch.no_grad()
    def _draw(self, texts: Sequence[str], noise: Tensor, what: str) -> Tensor:
        """Draw in batches and round to bytes, so that figures are those of the files a user would get."""
        parts = []
        for start in range(0, len(texts), _DRAW_IMAGES):
            chosen = slice(start, start + _DRAW_IMAGES)
            parts.append(to_model(to_pixels(self.generate(texts[chosen], noise[chosen]))))
            if self.progress is not None:
                self.progress(what, min(start + _DRAW_IMAGES, len(texts)), len(texts))
        return torch.cat(parts)

    def _look(self, extractor: Extractor, images: Tensor) -> Tensor:
        parts = []
        for part in images.split(_LOOK_IMAGES):
            parts.append(extract(extractor, part))
            if self.progress is not None:
                what = f"looking with {extractor.name}"
                self.progress(what, sum(len(seen) for seen in parts), None)
        return torch.cat(parts)


def _in_turn(judges: Judges) -> list[tuple[Extractor, str]]:
    """Each extractor with what its figures' names end in."""
    beside = [(judges.training, f"_{judges.training.name}")] if judges.training is not None else []
    return [(judges.held_out, ""), *beside]


def _sample(entries: Sequence[ManifestEntry], count: int, seed: int) -> list[ManifestEntry]:
    order = np.random.default_rng([seed, 0]).permutation(len(entries))[:count]
    return [entries[index] for index in order]


def _caption_pairs(entries: Sequence[ManifestEntry], seed: int) -> list[tuple[ManifestEntry, str, str]]:
    """Two captions of each picture, in random order; pictures that share their captions count once.

    Template captions are paraphrases only if they state the same facts, so such a pair is preferred.
    """
    rng = np.random.default_rng([seed, 2])
    pairs, seen = [], set()
    for index in rng.permutation(len(entries)):
        entry = entries[index]
        captions = [entry.captions[i] for i in rng.permutation(len(entry.captions))]
        texts = frozenset(caption.text for caption in captions)
        if len(texts) < 2 or texts in seen:
            continue
        seen.add(texts)
        candidates = [
            (dict(a.facts) != dict(b.facts), a.text, b.text)
            for number, a in enumerate(captions)
            for b in captions[number + 1 :]
            if a.text != b.text
        ]
        _, first, second = min(candidates, key=lambda pair: pair[0])
        pairs.append((entry, first, second))
    return pairs
