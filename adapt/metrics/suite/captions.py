"""Does the picture fit its caption better than other captions? Asked of a matcher that no training has seen."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from adapt.metrics.consistency import retrieval_metric
from adapt.metrics.features import Extractor, Seen, label
from adapt.metrics.matcher import Matcher, MatcherConfig, keep_matcher, matcher_file, read_matcher, train_matcher
from adapt.metrics.r_precision import distractors, rank_first
from adapt.metrics.report import Metric
from adapt.metrics.suite.paraphrase import Wordings
from adapt.metrics.suite.realism import Exhibition
from adapt.metrics.suite.studio import Studio
from catalog.records import ManifestEntry

MATCHER_PICTURES = 2500
"""Training pictures a matcher learns from, at most: what CUB has with human captions."""
FEWEST_PICTURES = 16


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A matcher and the extractor whose features it learned to read."""

    matcher: Matcher
    judge: str
    """The extractor as reports print it: one that training used is marked, and so is what stands on it."""

    @property
    def name(self) -> str:
        """Name in reports."""
        return f"n-gram matcher on {self.judge}"

    def codes(self, pictures: Seen) -> Float[Tensor, "N E"]:
        """Codes of pictures.

        Raises:
            ValueError: the features are of another extractor.
        """
        if pictures.extractor != self.judge:
            raise ValueError(f"features of {pictures.extractor}; this matcher reads those of {self.judge} only")
        return self.matcher.pictures(pictures.values)


def find_reader(
    studio: Studio, entries: Sequence[ManifestEntry], extractor: Extractor, cache: Path | None
) -> Reader | None:
    """The matcher of some training pictures: kept in `cache` by what it learned from, else trained.

    The seed of the evaluation has no part in it: all seeds and all runs on a dataset are judged by one matcher.

    Returns:
        None below sixteen captioned pictures or two products, which teach nothing.
    """
    chosen = _lessons(entries)
    if len(chosen) < FEWEST_PICTURES or len({entry.product_id for entry in chosen}) < 2:
        return None
    config = MatcherConfig()
    if cache is None:
        return Reader(matcher=_train(studio, chosen, extractor, config), judge=label(extractor))
    file = matcher_file(cache, judge=extractor.name, digest=_digest(studio, chosen, extractor), config=config)
    matcher = read_matcher(file, extractor.dim, config)
    if matcher is None:
        matcher = _train(studio, chosen, extractor, config)
        keep_matcher(file, matcher)
    return Reader(matcher=matcher, judge=label(extractor))


def r_precision(studio: Studio, shown: Exhibition, reader: Reader) -> dict[str, Metric]:
    """Each picture against the caption it was drawn from and 99 of other products; the same of the real pictures."""
    others = distractors([entry.product_id for entry in shown.entries], shown.texts, seed=studio.seed)
    if others is None:
        return {}
    texts = reader.matcher.texts(shown.texts)
    results = [rank_first(reader.codes(seen), texts, others) for seen in (shown.fake_seen, shown.real_seen)]
    fake, real = (retrieval_metric(result, extractor=reader.name, seed=studio.seed) for result in results)
    return {
        "r_precision": fake,
        "r_precision_real": replace(real, note=f"{real.note}; real pictures: what the matcher can reach"),
    }


def cross_caption(studio: Studio, drawn: Wordings, reader: Reader) -> dict[str, Metric]:
    """The picture of caption 1 must fit caption 2 of the same photo, which it was not drawn from, best."""
    seconds = [pair.second for pair in drawn.pairs]
    others = distractors([pair.entry.product_id for pair in drawn.pairs], seconds, seed=studio.seed)
    if others is None:
        return {}
    result = rank_first(reader.codes(drawn.first_seen), reader.matcher.texts(seconds), others)
    return {"cross_caption": retrieval_metric(result, extractor=reader.name, seed=studio.seed)}


def _lessons(entries: Sequence[ManifestEntry]) -> list[ManifestEntry]:
    """Captioned pictures in an order that no seed decides; those people wrote about, where there are enough."""
    captioned = sorted((entry for entry in entries if entry.captions), key=lambda entry: entry.sha256)
    human = [entry for entry in captioned if entry.captions[0].origin == "human"]
    return (human if len(human) >= FEWEST_PICTURES else captioned)[:MATCHER_PICTURES]


def _train(studio: Studio, entries: Sequence[ManifestEntry], extractor: Extractor, config: MatcherConfig) -> Matcher:
    features: Float[Tensor, "N D"] = studio.look(extractor, studio.read(entries)).values
    captions = [[caption.text for caption in entry.captions] for entry in entries]
    if studio.progress is not None:
        studio.progress("training the matcher", 0, None)
    return train_matcher(features, captions, torch.tensor([entry.product_id for entry in entries]), config)


def _digest(studio: Studio, entries: Sequence[ManifestEntry], extractor: Extractor) -> str:
    """Of everything that decides what the matcher learns."""
    digest = hashlib.sha256(json.dumps([studio.image_px, studio.margin]).encode())
    # An extractor's weights may be given by path: what it sees in one picture tells them apart.
    seen = studio.look(extractor, studio.read(entries[:1])).values[0]
    digest.update(json.dumps([round(value, 2) for value in seen.tolist()]).encode())
    for entry in entries:
        texts = [caption.text for caption in entry.captions]
        digest.update(json.dumps([entry.sha256, entry.box, entry.product_id, texts]).encode())
    return digest.hexdigest()
