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
    from collections.abc import Mapping

    from adapt.metrics.report import Metric
    from adapt.metrics.suite.sheets import Sheet
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
    truncation: Annotated[
        str | None, typer.Option(help="Of the noise: psi:F or truncnorm:F; default: none. Kept with the figures.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Decides captions, noise and prompts.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: cuda where there is one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be scored and stop.")] = False,
) -> None:
    """Score a run: realism, fit to the caption, consistency under paraphrase, diversity, copies; JSON and HTML."""
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
        "truncation": truncation or "none",
    }
    if dry_run:
        emit(session, {**plan, "dry_run": True}, [f"{name:<10} {value}" for name, value in plan.items()])
        return
    from adapt.metrics.report import lines

    start = time.monotonic()
    metrics, protocol, sheets = _measure(
        folder,
        chosen,
        judge=judge,
        judge_weights=judge_weights,
        pictures=pictures,
        truncation=truncation,
        seed=seed,
        device=device,
        cache=session.workspace / "cache",
    )
    report = folder / "metrics.json"
    page = folder / "report.html"
    if folder in shipped_bases():  # its own metrics.json belongs to its card
        report = session.workspace / "evaluations" / f"{folder.name}-{chosen.dataset}.json"
        page = report.with_suffix(".html")
    _write(report, page, metrics, {**plan, **protocol}, sheets, log=folder / "metrics.jsonl")
    result = {"run": folder.name, "metrics": {name: metric.as_dict() for name, metric in metrics.items()}}
    seconds = round(time.monotonic() - start, 1)
    told = [f"run {folder.name}, {chosen.dataset}", *lines(metrics), f"report {page}"]
    emit(session, {**result, "report": str(page), "seconds": seconds}, told)


def _write(
    report: Path,
    page: Path,
    metrics: "Mapping[str, Metric]",
    facts: "Mapping[str, Any]",
    sheets: "Sequence[Sheet]",
    *,
    log: Path,
) -> None:
    from adapt.metrics.html import write_html
    from adapt.metrics.report import write_report

    try:
        write_report(report, metrics, **facts)
        write_html(page, metrics, title=f"{facts['run']} on {facts['dataset']}", facts=facts, sheets=sheets, log=log)
    except OSError as error:
        # A run may lie where nothing can be written; its figures are on stdout all the same.
        note(f"{report} was not written ({error.strerror}); copy the run into a workspace to keep its figures there")


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
    from adapt.training.checkpoint import read_run_settings

    return read_run_settings(run)


def _measure(
    folder: Path,
    chosen: Pictures,
    *,
    judge: str,
    judge_weights: Path | None,
    pictures: int,
    truncation: str | None,
    seed: int,
    device: str | None,
    cache: Path,
) -> "tuple[Mapping[str, Metric], Mapping[str, Any], Sequence[Sheet]]":
    """Figures, how they were made, and the pictures to show with them."""
    import torch

    from adapt.evaluate import EvaluationSize, load_judges
    from adapt.evaluate import evaluate as measure
    from adapt.metrics.noise import Truncation, check_truncation
    from adapt.training.inference import load_generator

    cut = Truncation.parse(truncation) if truncation is not None else None
    judges = load_judges(judge, path=judge_weights)
    generator = load_generator(folder, device or ("cuda" if torch.cuda.is_available() else "cpu"))
    check_truncation(cut, generator.network)
    margin = chosen.margin or generator.config.data.margin
    sheets: list[Sheet] = []
    with progress() as update:
        metrics = measure(
            generator.generate,
            chosen.held_out,
            noise_dim=generator.noise_dim,
            image_px=generator.image_px,
            training_entries=chosen.training,
            judges=judges,
            seed=seed,
            size=EvaluationSize.at_most(pictures),
            margin=margin,
            truncation=cut,
            encode=lambda texts: generator.encoder.encode(texts).sentence,
            cache=cache,
            album=sheets,
            progress=update,
        )
    px = generator.image_px
    protocol = {
        "reference": f"held-out pictures of {chosen.dataset}, resized to {round(px * margin)} px, the middle {px} px",
        "pictures": f"{px} px, moving average of the weights, rounded to bytes, none left out",
    }
    return metrics, protocol, sheets
