"""Does one product stay one product however it is worded, without being always the same picture?

Two captions of each held-out picture are drawn with *one* noise for all items (see `adapt.metrics.consistency`), and
the first once more with a noise of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from adapt.metrics.consistency import consistency, retrieval_metric, retrieve
from adapt.metrics.controls import beyond_text, cosines, likeness
from adapt.metrics.features import Seen
from adapt.metrics.interval import bootstrap_mean
from adapt.metrics.perceptual import distance_ratio
from adapt.metrics.report import Metric
from adapt.metrics.suite.judges import Judges, in_turn
from adapt.metrics.suite.sheets import Sheet, sheet
from adapt.metrics.suite.studio import Encode, Studio
from catalog.records import ManifestEntry

TEXT_JUDGE = "the generator's own text encoder (seen in training)"
_SHEET_ROWS = 12


@dataclass(frozen=True, kw_only=True)
class CaptionPair:
    """Two wordings of what one photo shows."""

    entry: ManifestEntry
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Wordings:
    """Pictures drawn from caption pairs."""

    pairs: Sequence[CaptionPair]
    first: Float[Tensor, "N 3 H W"]
    second: Float[Tensor, "N 3 H W"]
    """Second captions, the same noise."""
    other_noise: Float[Tensor, "N 3 H W"]
    """First captions, each with a noise of its own."""
    photos: Float[Tensor, "N 3 H W"]
    first_seen: Seen
    """The first pictures as the held-out judge sees them."""


def caption_pairs(entries: Sequence[ManifestEntry], seed: int) -> list[CaptionPair]:
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
        pairs.append(CaptionPair(entry=entry, first=first, second=second))
    return pairs


def draw_wordings(studio: Studio, pairs: Sequence[CaptionPair], judges: Judges) -> Wordings:
    """Draw what the figures of this file compare."""
    shared = studio.noise(1, 2).expand(len(pairs), -1)
    texts = [pair.first for pair in pairs]
    first = studio.draw(texts, shared, "drawing captions")
    return Wordings(
        pairs=pairs,
        first=first,
        first_seen=studio.look(judges.held_out, first),
        second=studio.draw([pair.second for pair in pairs], shared, "drawing paraphrases"),
        other_noise=studio.draw(texts, studio.noise(len(pairs), 4), "drawing with other noise"),
        photos=studio.read([pair.entry for pair in pairs]),
    )


def paraphrase(studio: Studio, drawn: Wordings, judges: Judges, encode: Encode | None = None) -> dict[str, Metric]:
    """Consistency and its controls, likeness to the photo, and diversity."""
    metrics: dict[str, Metric] = {}
    for extractor, suffix in in_turn(judges):
        one = studio.look(extractor, drawn.first) if suffix else drawn.first_seen
        other, photo = studio.look(extractor, drawn.second), studio.look(extractor, drawn.photos)
        name, seed = one.extractor, studio.seed
        figures = consistency(*one.beside(other), extractor=name, seed=seed)
        figures["real_top1"] = retrieval_metric(retrieve(*one.beside(photo), seed=seed), extractor=name, seed=seed)
        figures["fake_real"] = likeness(*one.beside(photo), extractor=name, seed=seed)
        if not suffix:
            figures |= _ceilings(studio, drawn, photo)
            figures |= _diversity(studio, one, studio.look(extractor, drawn.other_noise))
            if encode is not None and len(drawn.pairs) > 2:
                figures |= _text_control(studio, drawn, one, other, encode)
        metrics |= {f"{key}{suffix}": metric for key, metric in figures.items()}
    return metrics


def paraphrase_sheet(drawn: Wordings) -> Sheet:
    """Both captions' pictures beside the photo they describe."""
    rows = slice(_SHEET_ROWS)
    pairs = drawn.pairs[rows]
    return sheet(
        "Two captions, one noise",
        "Two captions of one held-out photo drawn with the same noise for all, then the photo. Items are not chosen.",
        (drawn.first[rows], [pair.first for pair in pairs]),
        (drawn.second[rows], [pair.second for pair in pairs]),
        (drawn.photos[rows], ["held-out photo"] * len(pairs)),
    )


def _ceilings(studio: Studio, drawn: Wordings, photo: Seen) -> dict[str, Metric]:
    """What photographs score: the same one twice, and two of one product."""
    values, seed = photo.values, studio.seed
    note = "the photo itself under both captions: 1 less the likeness of different photos"
    gap = likeness(values, values, extractor=photo.extractor, seed=seed, note=note)
    ceilings = {"consistency_gap_real": replace(gap, chance=None)}
    products: dict[int, list[int]] = {}
    for index, pair in enumerate(drawn.pairs):
        products.setdefault(pair.entry.product_id, []).append(index)
    couples = [(a, b) for own in products.values() for a, b in zip(own[::2], own[1::2], strict=False)]
    if len(couples) >= 2:
        first, second = torch.tensor(couples).unbind(1)
        note = "two photos of one product or class"
        ceilings["fake_real_ceiling"] = likeness(
            values[first], values[second], extractor=photo.extractor, seed=seed, note=note
        )
    return ceilings


def _diversity(studio: Studio, one: Seen, other_noise: Seen) -> dict[str, Metric]:
    same_noise, own_noise = one.beside(other_noise)
    among = likeness(same_noise, same_noise, extractor=one.extractor, seed=studio.seed)
    across = 1 - cosines(same_noise, own_noise).diagonal()
    low, high = bootstrap_mean(across, seed=studio.seed)
    return {
        "diversity_captions": replace(among, chance=None, note="1 less cosine; different captions, one noise"),
        "diversity_noise": replace(
            among, value=float(across.mean()), low=low, high=high, chance=None, note="1 less cosine; one caption"
        ),
    }


def _text_control(studio: Studio, drawn: Wordings, one: Seen, other: Seen, encode: Encode) -> dict[str, Metric]:
    texts = cosines(encode([pair.first for pair in drawn.pairs]), encode([pair.second for pair in drawn.pairs]))
    own, n, seed = texts.diagonal(), len(drawn.pairs), studio.seed
    low, high = bootstrap_mean(own, seed=seed)
    unrelated = float((texts.sum() - own.sum()) / (n * (n - 1)))
    pictures = cosines(*one.beside(other))
    return {
        "text_cosine": Metric(
            value=float(own.mean()), n=n, extractor=TEXT_JUDGE, seed=seed, low=low, high=high, chance=unrelated
        ),
        "consistency_beyond_text": beyond_text(pictures, texts, extractor=one.extractor, seed=seed),
    }


def distances(studio: Studio, drawn: Wordings, judges: Judges) -> tuple[dict[str, Metric], Float[Tensor, " N"] | None]:
    """How far another wording and another noise move the picture, and the distances under another wording."""
    if judges.distance is None:
        return {}, None
    wording, noise = judges.distance(drawn.first, drawn.second, drawn.other_noise)
    name = judges.distance.name
    metrics = {
        "distance_paraphrase": mean_distance(
            wording, extractor=name, seed=studio.seed, note="other caption, one noise"
        ),
        "distance_noise": mean_distance(noise, extractor=name, seed=studio.seed, note="one caption, other noise"),
        "distance_ratio": distance_ratio(
            wording, noise, extractor=name, seed=studio.seed, note="distance_paraphrase over distance_noise"
        ),
    }
    return metrics, wording


def mean_distance(values: Float[Tensor, " N"], *, extractor: str, seed: int, note: str) -> Metric:
    """A mean distance with its bootstrap interval."""
    low, high = bootstrap_mean(values, seed=seed)
    value = float(values.mean())
    return Metric(value=value, n=len(values), extractor=extractor, seed=seed, low=low, high=high, note=note)
