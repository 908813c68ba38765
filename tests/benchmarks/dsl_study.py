"""Do the two distribution-sensitive losses help? Five arms of each generator on CUB, the same steps, several seeds.

    uv run python tests/benchmarks/dsl_study.py --data-dir CUB            every missing run of the 32 px study
    uv run python tests/benchmarks/dsl_study.py --table                   the table from what is there

Each seed trains both networks without either loss first; all its arms start from there, so that what the losses do is
not buried under how a network happens to learn its first shapes. Arms differ in the weights of the losses and in the
captions drawn of a picture, in nothing else: order of pictures and noise are alike, and arms are compared seed by seed.
A run that was stopped goes on, a run whose figures are in the results file is not repeated. Figures are of held-out
pictures, judged by a network that no loss and no discriminator uses, and are means over several evaluation seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from bench import HERE, processor, write_readme
from dsl_table import FIGURES, Result, tables

from adapt.data.sources import read_dataset
from adapt.evaluate import EvaluationSize, Judges, evaluate
from adapt.metrics.consistency import consistency
from adapt.metrics.features import DEFAULT_JUDGE, Extractor, load_extractor
from adapt.metrics.suite.paraphrase import caption_pairs
from adapt.metrics.suite.studio import Studio
from adapt.pretrain import PretrainRequest, pretrain
from adapt.training.inference import LoadedGenerator, load_generator
from catalog.atomic import replacing
from catalog.records import ManifestEntry

ARMS = {
    "none": (1, False, False),
    "two captions": (2, False, False),
    "ff": (2, True, False),
    "fr": (1, False, True),
    "ff+fr": (2, True, True),
}
"""Captions drawn of a picture; fake-to-fake; fake-to-real."""
MODELS = ("ssa_gan", "attn_gan_style")
START_STEPS = {32: 1500, 64: 6000}
"""Steps without either loss that come before the arms, by side."""
EVALUATION_SEEDS = range(2)
CONSISTENCY_SEEDS = range(10)
"""Each seed draws all items with one noise, and the gap differs more from noise to noise than from arm to arm."""
SIZE = EvaluationSize(pictures=256, paraphrase_items=256, colour_prompts=128, training_pictures=256)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of the study."""

    model: str
    arm: str
    seed: int
    side: int
    variant: tuple[str, ...] = ()
    """Settings in which a run of the search for causes differs from its arm."""

    def settings(self) -> list[str]:
        """Overrides of the preset."""
        return [*self._losses(self.arm), *self.variant]

    def start_settings(self) -> list[str]:
        """Overrides of the preset for the run that all arms of a seed start from."""
        return [*self._losses("none"), f"train.steps={START_STEPS[self.side]}"]

    def _losses(self, arm: str) -> list[str]:
        captions, fake_to_fake, fake_to_real = ARMS[arm]
        off = [
            f"loss.{name}_weight=0.0"
            for name, on in (("fake_to_fake", fake_to_fake), ("fake_to_real", fake_to_real))
            if not on
        ]
        return [f"train.seed={self.seed}", f"loss.branches={captions}", *off]

    @property
    def preset(self) -> str:
        """File of the numbers that all arms share."""
        return str(HERE / "study" / f"{self.model}_{self.side}.toml")


def cells(options: argparse.Namespace) -> Iterator[Cell]:
    """The runs asked for: seed by seed, so that a partial study has whole seeds."""
    for seed in options.seeds:
        for model in options.models:
            for arm in options.arms:
                yield Cell(model=model, arm=arm, seed=seed, side=options.side, variant=tuple(options.set))


def run(cell: Cell, *, data_dir: Path, folder: Path) -> Result:
    """Train one cell, or go on with it, and measure it."""
    first = PretrainRequest(
        dataset="cub",
        data_dir=data_dir,
        runs=folder / "runs",
        preset=cell.preset,
        settings=cell.start_settings(),
        cache=folder / "cache",
    )
    start = folder / "runs" / pretrain(first)["run"]
    begun = time.perf_counter()
    trained = pretrain(replace(first, settings=cell.settings(), grow=start))
    seconds = time.perf_counter() - begun
    figures = measure(folder / "runs" / trained["run"], data_dir=data_dir, cache=folder / "cache")
    return Result(
        model=cell.model,
        arm=cell.arm,
        seed=cell.seed,
        side=cell.side,
        variant=cell.variant,
        steps=trained["steps"],
        images=trained["images_seen"],
        seconds=round(trained["seconds"] if trained["already_finished"] else seconds),
        figures=figures,
    )


def measure(folder: Path, *, data_dir: Path, cache: Path) -> dict[str, float]:
    """The figures of a run on held-out pictures: means over evaluation seeds."""
    generator = load_generator(folder)
    entries = read_dataset("cub", data_dir)
    judges = Judges(held_out=load_extractor(DEFAULT_JUDGE))
    rounds = [
        evaluate(
            generator.generate,
            [entry for entry in entries if entry.split == "test"],
            training_entries=[entry for entry in entries if entry.split == "train"],
            cache=cache,
            noise_dim=generator.noise_dim,
            image_px=generator.image_px,
            judges=judges,
            seed=seed,
            size=SIZE,
        )
        for seed in EVALUATION_SEEDS
    ]
    means = {name: statistics.fmean(one[name].value for one in rounds) for name in FIGURES if name in rounds[0]}
    held_out = [entry for entry in entries if entry.split == "test" and entry.captions]
    means |= consistency_over_noises(generator, held_out, judges.held_out)
    means["wording_ratio"] = (1 - means["consistency_within"]) / (1 - means["consistency_between"])
    return {name: round(value, 5) for name, value in means.items()}


def consistency_over_noises(
    generator: LoadedGenerator, entries: Sequence[ManifestEntry], judge: Extractor
) -> dict[str, float]:
    """Means of the consistency figures over `CONSISTENCY_SEEDS`."""
    rounds = []
    for seed in CONSISTENCY_SEEDS:
        studio = Studio(
            generate=generator.generate,
            noise_dim=generator.noise_dim,
            image_px=generator.image_px,
            margin=76 / 64,
            seed=seed,
        )
        pairs = caption_pairs(entries, seed)[: SIZE.paraphrase_items]
        shared = studio.noise(1, 2).expand(len(pairs), -1)
        first = studio.look(judge, studio.draw([pair.first for pair in pairs], shared, ""))
        second = studio.look(judge, studio.draw([pair.second for pair in pairs], shared, ""))
        rounds.append(consistency(*first.beside(second), extractor=first.extractor, seed=seed))
    return {name: statistics.fmean(one[name].value for one in rounds) for name in rounds[0]}


def results_file(side: int) -> Path:
    """Where the figures of a study are kept; the file is part of the project."""
    return HERE / "study" / f"results_{side}.json"


def read_results(side: int) -> list[Result]:
    """What was measured so far."""
    path = results_file(side)
    rows = json.loads(path.read_text(encoding="utf-8"))["results"] if path.is_file() else []
    return [Result(**(row | {"variant": tuple(row["variant"])})) for row in rows]


def write_results(side: int, results: list[Result]) -> None:
    """Replace the results file."""
    machine = {"torch": torch.__version__, "processor": processor()}
    content: dict[str, Any] = {"machine": machine, "results": [vars(result) for result in results]}
    with replacing(results_file(side)) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("../shared/data/cub"), help="CUB in its official layout")
    parser.add_argument("--side", type=int, choices=(32, 64), default=32, help="32 px on a CPU, 64 px on a GPU")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--set", nargs="+", default=[], help="overrides of all runs: a row of the search for causes")
    parser.add_argument("--folder", type=Path, default=Path("adapt-workspace/dsl-study"), help="runs and caches")
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    for cell in [] if options.table else cells(options):
        # Read anew each time: two processes may share the work.
        known = {result.key for result in read_results(options.side)}
        if (cell.model, cell.arm, cell.seed, cell.variant) in known:
            continue
        print(f"{cell.model}, {cell.arm}, seed {cell.seed} {' '.join(cell.variant)}", flush=True)
        result = run(cell, data_dir=options.data_dir, folder=options.folder)
        print(f"  {result.seconds} s, " + ", ".join(f"{k} {v:.4f}" for k, v in result.figures.items()), flush=True)
        write_results(options.side, [*read_results(options.side), result])
    text = tables(read_results(options.side))
    print(text)
    if options.write:
        write_readme(f"dsl_study_{options.side}", text)


if __name__ == "__main__":
    main()
