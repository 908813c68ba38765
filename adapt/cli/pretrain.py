"""`adapt pretrain`: train a text-to-image GAN on CUB, COCO or a frozen dataset."""

from pathlib import Path
from typing import Annotated

import typer

from adapt.cli._output import emit, progress
from adapt.cli._session import MAX_SEED, Session


def pretrain(
    ctx: typer.Context,
    data_dir: Annotated[Path, typer.Option(help="Folder in the official layout, or a frozen dataset.")],
    dataset: Annotated[str, typer.Option(help="cub, coco or folder.")] = "cub",
    model: Annotated[
        str | None, typer.Option(help="Generator: ssa-gan or attn-gan.", show_default="the preset's")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Preset name or a TOML file.", show_default="projected_64, or attn_gan_64")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.FIELD=VALUE", help="Override a config field.")
    ] = None,
    grow: Annotated[str | None, typer.Option(help="Run to start from: a smaller or earlier one.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of everything random.")] = 0,
    new: Annotated[bool, typer.Option("--new", help="Start another run of the same config.")] = False,
    devices: Annotated[int, typer.Option(min=1, help="Processes or GPUs on this machine.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print config, sizes, memory and time; train nothing.")
    ] = False,
) -> None:
    """Train a text-to-image GAN with the distribution-sensitive losses; the same command resumes an unfinished run."""
    from adapt.cli._runs import find_run
    from adapt.presets import choose_preset
    from adapt.pretrain import PretrainRequest
    from adapt.pretrain import pretrain as train
    from adapt.registry import canonical

    session: Session = ctx.obj
    request = PretrainRequest(
        dataset=canonical(dataset),
        data_dir=data_dir,
        runs=session.runs,
        preset=choose_preset("pretrain", preset, model),
        settings=[*([f"model.name={canonical(model)}"] if model else []), f"train.seed={seed}", *(settings or [])],
        cache=session.workspace / "cache",
        grow=find_run(session, grow) if grow else None,
        new=new,
        devices=devices,
        nodes=nodes,
    )
    if dry_run:
        from adapt.plan import plan, plan_lines

        with progress() as update:
            planned = plan(request, progress=update)
        emit(session, planned, plan_lines(planned))
        return
    with progress() as update:
        result = train(request, progress=update)
    if result["already_finished"]:
        lines = [f"{result['run']} is finished ({result['steps']} steps); --new starts another."]
    else:
        lines = [
            f"{result['run']}: {result['steps']} steps, {result['images_seen']} pictures seen, "
            f"{result['images_per_second']} pictures/s in {result['seconds']} s",
            f"look at {session.runs / result['run'] / 'samples'}",
        ]
    emit(session, result, lines)
