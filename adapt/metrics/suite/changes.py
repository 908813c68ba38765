"""Does the picture change when the text says something else? Consistency must not be bought by ignoring attributes.

Colours: one colour word of a held-out caption is changed with the noise kept (`adapt.metrics.recolour`). Hard
negatives: captions that contradict each other in one fact (`catalog.pairs`), drawn with one noise; a dataset without
facts, such as CUB, has the colour changes instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from jaxtyping import Float
from torch import Tensor

from adapt.data.colour_words import colours_in
from adapt.metrics.perceptual import distance_ratio
from adapt.metrics.recolour import ColourPrompt, agreement, colour_prompts, main_colour_rank, recolour
from adapt.metrics.report import Metric
from adapt.metrics.suite.judges import Judges
from adapt.metrics.suite.paraphrase import mean_distance
from adapt.metrics.suite.sheets import Sheet, sheet
from adapt.metrics.suite.studio import Studio
from catalog.pairs import pairs
from catalog.records import ManifestEntry

_PAIRS_READ = 20_000
"""Contradicting pairs looked through: their number grows with the square of a catalogue."""
_SHEET_ROWS = 12


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Pictures before and after one thing in the text changed, drawn with the same noise."""

    what: str
    before_texts: Sequence[str]
    after_texts: Sequence[str]
    before: Float[Tensor, "N 3 H W"]
    after: Float[Tensor, "N 3 H W"]


def draw_colours(
    studio: Studio, entries: Sequence[ManifestEntry], count: int
) -> tuple[list[ColourPrompt], Changes | None]:
    """Draw the colour prompts of held-out captions; None below two."""
    prompts = colour_prompts(entries, count=count, seed=studio.seed)
    if len(prompts) < 2:
        return prompts, None
    noise = studio.noise(len(prompts), 3)
    texts, changed = [prompt.text for prompt in prompts], [prompt.changed for prompt in prompts]
    return prompts, Changes(
        what="one colour changed",
        before_texts=texts,
        after_texts=changed,
        before=studio.draw(texts, noise, "drawing colours"),
        after=studio.draw(changed, noise, "drawing changed colours"),
    )


def colours(
    studio: Studio,
    entries: Sequence[ManifestEntry],
    prompts: Sequence[ColourPrompt],
    drawn: Changes | None,
    *,
    count: int,
) -> dict[str, Metric]:
    """Whether colours follow the text; beside it, how well the measure reads real pictures."""
    metrics = {} if drawn is None else recolour(drawn.before, drawn.after, prompts, seed=studio.seed)
    named = [
        (entry, next(c.text for c in entry.captions if main_colour_rank(c.text) == 0))
        for entry in entries
        if any(main_colour_rank(caption.text) == 0 for caption in entry.captions)
    ][:count]
    if len(named) >= 2:
        words = [colours_in(text)[0] for _, text in named]
        metrics["colour_agreement_real"] = replace(
            agreement(studio.read([entry for entry, _ in named]), words, seed=studio.seed),
            note="real pictures: what the measure can reach",
        )
    return metrics


def draw_contradictions(studio: Studio, entries: Sequence[ManifestEntry], count: int) -> Changes | None:
    """Draw captions that differ in one fact, with one noise for all; None when the captions state no facts."""
    found = list(islice(pairs(entries, "hard_negative"), _PAIRS_READ))
    order = np.random.default_rng([studio.seed, 5]).permutation(len(found))
    # Of one template only the fact differs; of two, the wording too, and that moves the picture by itself.
    chosen = sorted((found[i] for i in order), key=lambda pair: pair.first.template != pair.second.template)
    texts = list(dict.fromkeys((pair.first.text, pair.second.text) for pair in chosen))[:count]
    if len(texts) < 2:
        return None
    noise = studio.noise(1, 2).expand(len(texts), -1)
    before, after = [first for first, _ in texts], [second for _, second in texts]
    return Changes(
        what="one fact changed",
        before_texts=before,
        after_texts=after,
        before=studio.draw(before, noise, "drawing facts"),
        after=studio.draw(after, noise, "drawing changed facts"),
    )


def hard_negatives(
    studio: Studio, drawn: Changes, judges: Judges, wording: Float[Tensor, " N"] | None
) -> dict[str, Metric]:
    """How far a change of one fact moves the picture, beside how far another wording does.

    Args:
        studio: Gives the seed.
        drawn: Pictures before and after.
        judges: Without a distance among them there is nothing to say.
        wording: Distances under another wording of the same facts, where they were measured.
    """
    if judges.distance is None:
        return {}
    (moved,) = judges.distance(drawn.before, drawn.after)
    name, seed = judges.distance.name, studio.seed
    metrics = {"hard_negative_distance": mean_distance(moved, extractor=name, seed=seed, note=drawn.what)}
    if wording is not None:
        metrics["hard_negative_ratio"] = distance_ratio(
            moved, wording, extractor=name, seed=seed, note="hard_negative_distance over distance_paraphrase"
        )
    return metrics


def change_sheet(drawn: Changes) -> Sheet:
    """Pictures before and after a change."""
    rows = slice(_SHEET_ROWS)
    return sheet(
        f"{drawn.what.capitalize()}, the noise kept",
        "A caption and another that contradicts it in one thing. Pairs are drawn by the seed, not chosen.",
        (drawn.before[rows], drawn.before_texts[rows]),
        (drawn.after[rows], drawn.after_texts[rows]),
    )
