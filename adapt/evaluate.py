"""Stage 7 of 9. Reads a run and a dataset. Writes metrics.json and report.html in the run folder. Next: review."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from adapt.errors import AdaptError
from adapt.metrics.noise import Truncation
from adapt.metrics.report import Metric
from adapt.metrics.suite.captions import cross_caption, find_reader, r_precision
from adapt.metrics.suite.changes import change_sheet, colours, draw_colours, draw_contradictions, hard_negatives
from adapt.metrics.suite.judges import Judges, load_judges
from adapt.metrics.suite.paraphrase import caption_pairs, distances, draw_wordings, paraphrase, paraphrase_sheet
from adapt.metrics.suite.realism import exhibit, nearest_sheet, realism
from adapt.metrics.suite.sheets import Sheet
from adapt.metrics.suite.studio import Encode, Generate, Progress, Studio
from catalog.records import ManifestEntry

__all__ = ["Encode", "EvaluationSize", "Generate", "Judges", "Progress", "evaluate", "load_judges"]


@dataclass(frozen=True, kw_only=True)
class EvaluationSize:
    """How much to draw; a figure with less behind it says so in its n and interval."""

    pictures: int = 512
    """Real and generated pictures compared by KID, at most."""
    paraphrase_items: int = 256
    """Pictures whose caption pairs are drawn, at most."""
    colour_prompts: int = 200
    """Colour changes drawn, and changes of one fact, at most."""
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
    truncation: Truncation | None = None,
    encode: Encode | None = None,
    cache: Path | None = None,
    album: list[Sheet] | None = None,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """Measure a generator on pictures it was not trained on.

    Args:
        generate: Draws pictures from texts and noise; knows nothing of this module.
        entries: Held-out pictures with captions.
        noise_dim: Length of the noise vector.
        image_px: Side of the generated pictures; real ones are brought to it the way training does.
        training_entries: Pictures it was trained on; without them nothing is said about copies, nor whether pictures
            fit their captions, since the matcher that says so learns from them.
        judges: Extractors; loaded by default.
        seed: Decides captions, noise, prompts, galleries and resampling.
        size: How much to draw.
        margin: Side at which real pictures are read, over `image_px`; the middle is used.
        truncation: Of the noise; kept with every figure.
        encode: Sentence features as the generator reads them; without it consistency is not set against the texts'.
        cache: Folder for the matcher that R-precision is judged by; None trains it anew.
        album: Takes the sheets of pictures that a report shows.
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
    studio = Studio(
        generate=generate,
        noise_dim=noise_dim,
        image_px=image_px,
        margin=margin,
        seed=seed,
        truncation=truncation,
        progress=progress,
    )
    judges = judges or load_judges()
    learnable = [entry for entry in training_entries if entry.captions]
    train = _sample(learnable, size.training_pictures, seed)
    shown = exhibit(studio, _sample(usable, size.pictures, seed), train, judges, train_total=len(learnable))
    metrics = realism(studio, shown, judges)
    sheets = [nearest_sheet(shown)]
    reader = find_reader(studio, training_entries, judges.held_out, cache)
    if reader is not None:
        metrics |= r_precision(studio, shown, reader)
    pairs = caption_pairs(usable, seed)[: size.paraphrase_items]
    by_wording = None
    if len(pairs) >= 2:
        drawn = draw_wordings(studio, pairs, judges)
        metrics |= paraphrase(studio, drawn, judges, encode)
        if reader is not None:
            metrics |= cross_caption(studio, drawn, reader)
        moved, by_wording = distances(studio, drawn, judges)
        metrics |= moved
        sheets.append(paraphrase_sheet(drawn))
    prompts, recoloured = draw_colours(studio, usable, size.colour_prompts)
    metrics |= colours(studio, usable, prompts, recoloured, count=size.colour_prompts)
    contradicted = draw_contradictions(studio, usable, size.colour_prompts)
    hardest = contradicted or recoloured
    if hardest is not None:
        metrics |= hard_negatives(studio, hardest, judges, by_wording)
    sheets += [change_sheet(drawn) for drawn in (contradicted, recoloured) if drawn is not None]
    if album is not None:
        album += [sheet for sheet in sheets if sheet is not None]
    return {name: replace(metric, truncation=str(truncation or "")) for name, metric in metrics.items()}


def _sample(entries: Sequence[ManifestEntry], count: int, seed: int) -> list[ManifestEntry]:
    order = np.random.default_rng([seed, 0]).permutation(len(entries))[:count]
    return [entries[index] for index in order]
