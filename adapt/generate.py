"""Stage 6 of 9. Reads a run and captions. Writes pictures and their scores. Next: evaluate, review."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from adapt.data.pictures import to_pixels
from adapt.errors import AdaptError
from adapt.scoring import CandidateScorer
from adapt.training.inference import LoadedGenerator
from catalog.atomic import replacing
from catalog.records import Candidate

Progress = Callable[[str, int, int], None]
BATCH = 32
_FIELDS = frozenset({"prompt", "seed", "scores", "nearest_sha256", "nearest_similarity"})


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A caption to draw."""

    product_id: int
    caption_id: int | None
    text: str


def noise_seed(seed: int, number: int) -> int:
    """Seed of the `number`-th picture of a caption.

    All captions share these noises: pictures differ by what the text says, not by luck, and the same specification
    gives the same picture however it is worded.
    """
    return seed * 1_000 + number


def generate(
    generator: LoadedGenerator,
    prompts: Sequence[Prompt],
    folder: Path,
    *,
    per_caption: int = 4,
    seed: int = 0,
    scorer: CandidateScorer | None = None,
    progress: Progress | None = None,
) -> list[Candidate]:
    """Draw `per_caption` pictures of each prompt as PNG files.

    A picture that is there already with its record is not drawn again.

    Raises:
        AdaptError: nothing to draw.
    """
    if not prompts:
        raise AdaptError("no captions to draw; ingest a catalogue first: adapt ingest DUMP")
    if per_caption < 1:
        raise AdaptError(f"--per-caption {per_caption}: one is the least; try --per-caption 4")
    jobs = [(prompt, noise_seed(seed, number)) for prompt in prompts for number in range(per_caption)]
    return draw(generator, jobs, folder, scorer=scorer, progress=progress)


def draw(
    generator: LoadedGenerator,
    jobs: Sequence[tuple[Prompt, int]],
    folder: Path,
    *,
    scorer: CandidateScorer | None = None,
    progress: Progress | None = None,
) -> list[Candidate]:
    """Draw a picture for each prompt and seed of its noise; one that is there already is not drawn again."""
    folder.mkdir(parents=True, exist_ok=True)
    candidates: list[Candidate] = []
    for start in range(0, len(jobs), BATCH):
        candidates += _batch(generator, jobs[start : start + BATCH], folder, scorer)
        if progress is not None:
            progress("drawing", min(start + BATCH, len(jobs)), len(jobs))
    return candidates


def _batch(
    generator: LoadedGenerator, jobs: Sequence[tuple[Prompt, int]], folder: Path, scorer: CandidateScorer | None
) -> list[Candidate]:
    names = [f"{prompt.product_id:06d}-{prompt.caption_id or 0:07d}-{seed:07d}" for prompt, seed in jobs]
    if all(_is_drawn(folder, name, prompt) for name, (prompt, _) in zip(names, jobs, strict=True)):
        return [_read(folder, name, prompt) for name, (prompt, _) in zip(names, jobs, strict=True)]
    noise = torch.cat([generator.noise(1, seed=seed) for _, seed in jobs])
    images = generator.generate([prompt.text for prompt, _ in jobs], noise)
    scores = (
        scorer(images, [prompt.text for prompt, _ in jobs], [prompt.product_id for prompt, _ in jobs])
        if scorer is not None
        else [None] * len(jobs)
    )
    for name, (prompt, seed), pixels, score in zip(names, jobs, to_pixels(images), scores, strict=True):
        Image.fromarray(pixels).save(folder / f"{name}.png")
        record = {
            "prompt": prompt.text,
            "seed": seed,
            "scores": {"text_match": round(score.text_match, 4)} if score and score.text_match is not None else {},
            "nearest_sha256": score.nearest_sha256 if score else None,
            "nearest_similarity": round(score.nearest_similarity, 4) if score else None,
        }
        # The record comes last: a picture without one is drawn again.
        with replacing(folder / f"{name}.json") as part:
            part.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return [_read(folder, name, prompt) for name, (prompt, _) in zip(names, jobs, strict=True)]


def _is_drawn(folder: Path, name: str, prompt: Prompt) -> bool:
    """Whether picture and record are there for this text, both whole.

    A deleted caption's number may have gone to another text, and a full disk may have cut the picture.
    """
    record, picture = _record(folder / f"{name}.json"), folder / f"{name}.png"
    if record is None or record["prompt"] != prompt.text:
        return False
    try:
        with Image.open(picture) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def _record(path: Path) -> dict[str, Any] | None:
    """A candidate's record; None where there is none or it is damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and set(record) >= _FIELDS else None


def _read(folder: Path, name: str, prompt: Prompt) -> Candidate:
    record = _record(folder / f"{name}.json")
    if record is None:
        raise AdaptError(f"{folder / name}.json was changed while it was read; run the same command again")
    return Candidate(
        image=folder / f"{name}.png",
        product_id=prompt.product_id,
        caption_id=prompt.caption_id,
        prompt=record["prompt"],
        seed=record["seed"],
        scores=record["scores"],
        nearest_sha256=record["nearest_sha256"],
        nearest_similarity=record["nearest_similarity"],
    )
