"""Do the pictures look like photographs, and are they no copies? One caption and one noise a held-out picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from adapt.metrics.copy import copies, copy_threshold, nearest
from adapt.metrics.features import Seen
from adapt.metrics.frechet import frechet_interval, rank_warning
from adapt.metrics.interval import bootstrap_mean, wilson
from adapt.metrics.kernel import kid_interval
from adapt.metrics.neighbours import NEIGHBOURS, cover
from adapt.metrics.report import Metric
from adapt.metrics.suite.judges import Judges, in_turn
from adapt.metrics.suite.sheets import Sheet, sheet
from adapt.metrics.suite.studio import Studio
from catalog.records import ManifestEntry

_PERFECT = "training pictures in place of generated ones: what a perfect one scores"
_SHEET_ROWS = 12


@dataclass(frozen=True, kw_only=True)
class Exhibition:
    """The pictures that several measurements look at, as the held-out judge sees them."""

    entries: Sequence[ManifestEntry]
    texts: Sequence[str]
    """The caption each picture was drawn from."""
    fake: Float[Tensor, "N 3 H W"]
    real: Float[Tensor, "N 3 H W"]
    train: Sequence[ManifestEntry]
    train_pictures: Float[Tensor, "M 3 H W"]
    real_seen: Seen
    fake_seen: Seen
    train_seen: Seen
    train_total: int
    """Training pictures there are; `train` may be a sample of them."""


def exhibit(
    studio: Studio,
    entries: Sequence[ManifestEntry],
    train: Sequence[ManifestEntry],
    judges: Judges,
    *,
    train_total: int,
) -> Exhibition:
    """Draw one picture for each held-out one, and look at all.

    Args:
        studio: draws and reads.
        entries: held-out pictures.
        train: training pictures, or a sample of them.
        judges: who looks.
        train_total: how many training pictures `train` was taken from.
    """
    rng = np.random.default_rng([studio.seed, 1])
    texts = [entry.captions[rng.integers(len(entry.captions))].text for entry in entries]
    real, train_pictures = studio.read(entries), studio.read(train)
    fake = studio.draw(texts, studio.noise(len(texts), 1), "drawing for KID")
    return Exhibition(
        entries=entries,
        texts=texts,
        fake=fake,
        real=real,
        train=train,
        train_pictures=train_pictures,
        real_seen=studio.look(judges.held_out, real),
        fake_seen=studio.look(judges.held_out, fake),
        train_seen=studio.look(judges.held_out, train_pictures),
        train_total=train_total,
    )


def realism(studio: Studio, shown: Exhibition, judges: Judges) -> dict[str, Metric]:
    """KID, FID, the neighbourhood figures and the copy rate, with training pictures as control."""
    metrics = {"kid": _kid(studio, shown.real_seen, shown.fake_seen)}
    has_train = len(shown.train) >= 2
    if has_train:
        metrics["kid_real"] = replace(_kid(studio, shown.real_seen, shown.train_seen), note=_PERFECT)
        metrics |= _copies(studio, shown)
    for extractor, suffix in in_turn(judges)[1:]:
        real, fake = studio.look(extractor, shown.real), studio.look(extractor, shown.fake)
        metrics[f"kid{suffix}"] = _kid(studio, real, fake)
    metrics["fid"] = _fid(studio, shown.real_seen, shown.fake_seen)
    metrics |= _neighbourhoods(studio, shown.real_seen, shown.fake_seen, "")
    # FID, coverage and the like depend on n: as many training pictures as generated ones, or the control is none.
    peers = replace(shown.train_seen, values=shown.train_seen.values[: len(shown.fake_seen)])
    if has_train and len(peers) == len(shown.fake_seen):
        floor = _fid(studio, shown.real_seen, peers)
        metrics["fid_real"] = replace(floor, note="; ".join(filter(None, (_PERFECT, floor.note))))
        metrics |= _neighbourhoods(studio, shown.real_seen, peers, "_real", note=_PERFECT)
    return metrics


def nearest_sheet(shown: Exhibition) -> Sheet | None:
    """The generated pictures that come closest to a training picture, each beside it."""
    if len(shown.train) < 2:
        return None
    found = nearest(*shown.fake_seen.beside(shown.train_seen))
    closest = found.similarity.argsort(descending=True)[:_SHEET_ROWS]
    photos = found.index[closest]
    return sheet(
        "Nearest training pictures",
        "The generated pictures most like a training picture by the judge's features, each with that picture.",
        (shown.fake[closest], [shown.texts[i] for i in closest.tolist()]),
        (shown.train_pictures[photos], [f"training, cosine {found.similarity[i]:.3f}" for i in closest.tolist()]),
    )


def _copies(studio: Studio, shown: Exhibition) -> dict[str, Metric]:
    fake, train = shown.fake_seen.beside(shown.train_seen)
    threshold = copy_threshold(train, torch.tensor([entry.product_id for entry in shown.train]))
    if threshold is None:
        return {}
    count = copies(nearest(fake, train), threshold)
    low, high = wilson(count, len(fake))
    searched = (
        f"{len(train)}" if len(train) == shown.train_total else f"a sample of {len(train)} of {shown.train_total}"
    )
    note = f"similarity above {threshold:.3f} to one of {searched} training pictures"
    rate = Metric(
        value=count / len(fake),
        n=len(fake),
        extractor=shown.fake_seen.extractor,
        seed=studio.seed,
        low=low,
        high=high,
        note=note,
    )
    return {"copy_rate": rate}


def _kid(studio: Studio, real: Seen, other: Seen) -> Metric:
    return _distance(studio, real, other, kid_interval(*real.beside(other), seed=studio.seed), f"{len(real)} real")


def _fid(studio: Studio, real: Seen, other: Seen) -> Metric:
    note = rank_warning(min(len(real), len(other)), real.values.shape[1])
    return _distance(studio, real, other, frechet_interval(*real.beside(other), seed=studio.seed), note)


def _distance(studio: Studio, real: Seen, other: Seen, found: tuple[float, float, float], note: str) -> Metric:
    """A distance with its interval (value, low, high) between two sets of pictures."""
    value, low, high = found
    return Metric(
        value=value,
        n=len(other),
        extractor=real.extractor,
        seed=studio.seed,
        low=low,
        high=high,
        note=note,
        reference=_reference(studio, real),
    )


def _neighbourhoods(studio: Studio, real: Seen, other: Seen, suffix: str, *, note: str = "") -> dict[str, Metric]:
    if min(len(real), len(other)) <= NEIGHBOURS:
        return {}
    covered = cover(*real.beside(other))
    metrics = {}
    for name, values in vars(covered).items():
        low, high = bootstrap_mean(values, seed=studio.seed)
        if name != "density":  # a share: the bootstrap of a share of 0 or 1 has no width
            low, high = wilson(int(values.sum()), len(values))
        metrics[name + suffix] = Metric(
            value=float(values.mean()),
            n=len(values),
            extractor=real.extractor,
            seed=studio.seed,
            low=low,
            high=high,
            note="; ".join(filter(None, (f"k {NEIGHBOURS}", note))),
            reference=_reference(studio, real),
        )
    return metrics


def _reference(studio: Studio, real: Seen) -> str:
    return f"{len(real)} held-out photos, centre at {studio.image_px} px"
