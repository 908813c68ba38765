"""`adapt evaluate`: score a run on pictures it was not trained on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapt.cli._output import emit, note, progress
from adapt.cli._session import MAX_SEED, Session

if TYPE_CHECKING:
    from catalog.manifest import Manifest
    from catalog.records import ManifestEntry


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What a run is scored on."""

    dataset: str
    held_out: "Sequence[ManifestEntry]"
    training: "Sequence[ManifestEntry]"
    margin: float | None = None
    """Side at which photos are read, over the side drawn; None for the one the run was trained with."""


def evaluate(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Option(help="Run name or folder, or a shipped base; default: the newest.")] = None,
    dataset: Annotated[str | None, typer.Option(help="cub, coco or folder; default: the workspace's own.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of --dataset.")] = None,
    shots_of: Annotated[
        str | None, typer.Option(help="Leave out the shots of this run, to score another run on the same pictures.")
    ] = None,
    judge: Annotated[str, typer.Option(help="Network that judges.")] = "efficientnet_lite1",
    judge_weights: Annotated[Path | None, typer.Option(help="Weights file of the judge.")] = None,
    pictures: Annotated[int, typer.Option(min=2, help="Pictures drawn for each figure, at most.")] = 512,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Decides captions, noise and prompts.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: cuda where there is one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be scored and stop.")] = False,
) -> None:
    """Score a run: KID, consistency under paraphrase, copies, and whether colours follow the text."""
    from adapt.cli._runs import default_run, find_run, shipped_bases

    session: Session = ctx.obj
    folder = default_run(session) if run is None else find_run(session, run)
    other = folder if shots_of is None else find_run(session, shots_of)
    chosen = _pictures(session, folder, shots_of=other, dataset=dataset, data_dir=data_dir, dry_run=dry_run)
    plan = {
        "run": folder.name,
        "dataset": chosen.dataset,
        "held_out": len(chosen.held_out),
        "training": len(chosen.training),
        "judge": judge,
        "seed": seed,
    }
    if dry_run:
        emit(session, {**plan, "dry_run": True}, [f"{name:<10} {value}" for name, value in plan.items()])
        return
    from adapt.metrics.report import lines, write_report

    start = time.monotonic()
    metrics = _measure(
        folder, chosen, judge=judge, judge_weights=judge_weights, pictures=pictures, seed=seed, device=device
    )
    report = folder / "metrics.json"
    if folder in shipped_bases():  # its own metrics.json belongs to its card
        report = session.workspace / "evaluations" / f"{folder.name}-{chosen.dataset}.json"
        report.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_report(report, metrics, **plan)
    except OSError as error:
        # A shipped base may lie in a read-only installation; its figures are on stdout all the same.
        note(f"{report} was not written ({error.strerror}); copy the run into a workspace to keep its figures there")
    result = {"run": folder.name, "metrics": {name: metric.as_dict() for name, metric in metrics.items()}}
    seconds = round(time.monotonic() - start, 1)
    emit(session, {**result, "seconds": seconds}, [f"run {folder.name}, {chosen.dataset}", *lines(metrics)])


def _pictures(
    session: Session, run: Path, *, shots_of: Path, dataset: str | None, data_dir: Path | None, dry_run: bool
) -> Pictures:
    """Choose the dataset, and which of its pictures the run has not seen."""
    from adapt.data.sources import read_dataset
    from adapt.errors import AdaptError

    if dataset is not None and data_dir is None:
        raise AdaptError(f"--dataset {dataset} needs its folder; add --data-dir DIR")
    settings = _settings(shots_of)
    # A base beside the run that came of it is judged on that run's framing, or the two figures would not compare.
    margin = settings.get("config", {}).get("data", {}).get("margin")
    name = dataset or "folder"
    if data_dir is not None:
        folder, entries = data_dir, read_dataset(name, data_dir)
    else:
        content_hash = (settings or _settings(run)).get("dataset_hash")
        manifest = _workspace_dataset(session, content_hash, dry_run=dry_run)
        folder, entries = manifest.folder, list(manifest.entries)
    shots = set(settings.get("shots") or ())
    # Pictures that chose the checkpoint are neither learned from nor unseen.
    selection = set(settings.get("held_out") or ())
    if shots:
        # Everything else was held out from few-shot training, whatever the split says.
        held_out = [entry for entry in entries if entry.sha256 not in shots | selection]
        training = [entry for entry in entries if entry.sha256 in shots]
        if len(held_out) < 2:
            raise AdaptError(
                f"{shots_of.name} learned from all but {len(held_out)} of the {len(entries)} pictures, "
                "too few are left to score it; finetune with fewer --shots, or give --dataset folder --data-dir DIR"
            )
    else:
        held_out = [entry for entry in entries if entry.split == "test"]
        training = [entry for entry in entries if entry.split == "train"]
    where = folder.name if name == "folder" else name
    return Pictures(dataset=where, held_out=held_out, training=training, margin=margin)


def _workspace_dataset(session: Session, content_hash: str | None, *, dry_run: bool) -> "Manifest":
    """The frozen dataset with this content, else the workspace's catalogue as it is now."""
    from adapt.cli._datasets import workspace_dataset
    from adapt.training.checkpoint import read_json
    from catalog.manifest import read

    for about in session.datasets.glob("*/dataset.json") if content_hash else ():
        if read_json(about).get("content_hash") == content_hash:
            return read(about.parent)
    return workspace_dataset(session, dry_run=dry_run)


def _settings(run: Path) -> dict[str, Any]:
    """config.json of a run; a shipped base has none."""
    from adapt.training.checkpoint import read_json

    return read_json(run / "config.json") if (run / "config.json").is_file() else {}


def _measure(
    folder: Path,
    chosen: Pictures,
    *,
    judge: str,
    judge_weights: Path | None,
    pictures: int,
    seed: int,
    device: str | None,
) -> dict[str, Any]:
    import torch

    from adapt.evaluate import EvaluationSize, load_judges
    from adapt.evaluate import evaluate as measure
    from adapt.training.inference import load_generator

    judges = load_judges(judge, path=judge_weights)
    generator = load_generator(folder, device or ("cuda" if torch.cuda.is_available() else "cpu"))
    with progress() as update:
        return dict(
            measure(
                generator.generate,
                chosen.held_out,
                noise_dim=generator.noise_dim,
                image_px=generator.image_px,
                training_entries=chosen.training,
                judges=judges,
                seed=seed,
                size=EvaluationSize.at_most(pictures),
                margin=chosen.margin or generator.config.data.margin,
                progress=update,
            )
        )
