"""`adapt evaluate`: score a run on pictures it was not trained on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapt.cli._output import emit, note, progress
from adapt.cli._session import Session

if TYPE_CHECKING:
    from catalog.records import ManifestEntry

BASES = Path(__file__).resolve().parents[1] / "bases"
"""Runs that ship with the package."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What a run is scored on."""

    dataset: str
    held_out: "Sequence[ManifestEntry]"
    training: "Sequence[ManifestEntry]"


def evaluate(
    ctx: typer.Context,
    run: Annotated[
        str | None, typer.Option(help="Run name or folder, or a shipped base; default: the newest run.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="cub, coco or folder; default: the workspace's own.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of --dataset.")] = None,
    shots_of: Annotated[
        str | None, typer.Option(help="Leave out the shots of this run, to score another run on the same pictures.")
    ] = None,
    judge: Annotated[str, typer.Option(help="Network that judges.")] = "efficientnet_lite1",
    judge_weights: Annotated[Path | None, typer.Option(help="Weights file of the judge.")] = None,
    pictures: Annotated[int, typer.Option(min=2, help="Pictures compared, at most.")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Decides captions, noise and prompts.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: cuda where there is one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be scored and stop.")] = False,
) -> None:
    """Score a run: KID, consistency under paraphrase, copies, and whether colours follow the text."""
    session: Session = ctx.obj
    folder = find_run(session.runs, run)
    other = find_run(session.runs, shots_of) if shots_of is not None else folder
    chosen = _pictures(session, folder, shots_of=other, dataset=dataset, data_dir=data_dir)
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
    try:
        write_report(report, metrics, **plan)
    except OSError as error:
        # A shipped base may lie in a read-only installation; its figures are on stdout all the same.
        note(f"{report} was not written ({error.strerror}); copy the run into a workspace to keep its figures there")
    result = {"run": folder.name, "metrics": {name: metric.as_dict() for name, metric in metrics.items()}}
    seconds = round(time.monotonic() - start, 1)
    emit(session, {**result, "seconds": seconds}, [f"run {folder.name}, {chosen.dataset}", *lines(metrics)])


def find_run(runs: Path, name: str | None) -> Path:
    """The folder of a run: by name in the workspace, by path, or a shipped base; None is the newest run.

    Raises:
        AdaptError: there is no such run; the near names are listed.
    """
    from adapt.errors import AdaptError
    from adapt.training.checkpoint import run_folders

    known = run_folders(runs)
    shipped = run_folders(BASES)
    if name is None:
        if not known:
            bases = f", or score a shipped base: --run {shipped[0].name}" if shipped else ""
            raise AdaptError(f"no run in {runs}; make one: adapt finetune --shots 50{bases}")
        return known[0]
    for folder in (runs / name, Path(name).expanduser(), BASES / name):
        if (folder / "generator.safetensors").is_file():
            return folder
    names = [folder.name for folder in (*known, *shipped)]
    near = get_close_matches(name, names, n=3, cutoff=0.3) or names[:3]
    raise AdaptError(
        f"no run '{name}' in {runs}; " + (f"there is {', '.join(near)}" if near else "make one: adapt finetune")
    )


def _pictures(session: Session, run: Path, *, shots_of: Path, dataset: str | None, data_dir: Path | None) -> Pictures:
    """Choose the dataset, and which of its pictures the run has not seen."""
    from adapt.data.sources import read_dataset
    from adapt.errors import AdaptError

    if dataset is not None and data_dir is None:
        raise AdaptError(f"--dataset {dataset} needs its folder; add --data-dir DIR")
    if data_dir is not None:
        name, folder = dataset or "folder", data_dir
    else:
        name, folder = "folder", _workspace_dataset(session, _settings(run))
    entries = read_dataset(name, folder)
    shots = set(_settings(shots_of).get("shots") or ())
    if shots:
        # Everything that is not a shot was held out from few-shot training, whatever the split says.
        held_out = [entry for entry in entries if entry.sha256 not in shots]
        training = [entry for entry in entries if entry.sha256 in shots]
    else:
        held_out = [entry for entry in entries if entry.split == "test"]
        training = [entry for entry in entries if entry.split == "train"]
    return Pictures(dataset=folder.name if name == "folder" else name, held_out=held_out, training=training)


def _workspace_dataset(session: Session, settings: dict[str, Any]) -> Path:
    """The frozen dataset a run names, else the newest one."""
    from adapt.errors import AdaptError

    named = session.datasets / Path(str(settings.get("dataset", ""))).name
    if settings.get("dataset") and (named / "dataset.json").is_file():
        return named
    found = sorted(session.datasets.glob("*/dataset.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise AdaptError(
            f"no dataset in {session.datasets}; freeze one: adapt dataset, or name one: --dataset cub --data-dir DIR"
        )
    return found[-1].parent


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
                size=EvaluationSize(pictures=pictures),
                margin=generator.config.data.margin,
                progress=update,
            )
        )
