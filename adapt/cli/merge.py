"""`adapt merge`: fold an adapter into its base, as a generator that needs neither."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from adapt.cli._output import emit
from adapt.cli._session import Session


def merge(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Option(help="Fine-tuned run, or a folder with adapter/; default: newest.")] = None,
    base: Annotated[str | None, typer.Option(help="Base it was made from; default: the one its config names.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; default: runs/merged-<run>.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check that both fit; write nothing.")] = False,
) -> None:
    """Fold an adapter into its base and write one generator, for use where only the adapter was passed on."""
    from adapt.cli._runs import default_run, find_run
    from adapt.errors import CheckpointError
    from adapt.fewshot.lora import load_adapter
    from adapt.training.checkpoint import read_json
    from adapt.training.inference import GENERATOR_FILE, load_generator, save_generator

    session: Session = ctx.obj
    tuned = find_run(session, run) if run else default_run(session)
    if not (tuned / "adapter").is_dir():
        raise CheckpointError(
            f"{tuned.name} has no adapter; choose a LoRA run with --run NAME (adapt status lists runs)"
        )
    made_from = read_json(tuned / "config.json") if (tuned / "config.json").is_file() else {}
    named = base or made_from.get("base")
    if named is None:
        raise CheckpointError(f"{tuned.name} does not say which base it was made from; name it with --base NAME")
    source = find_run(session, named)
    digest = hashlib.sha256((source / GENERATOR_FILE).read_bytes()).hexdigest()
    if made_from.get("base_sha256", digest) != digest:
        raise CheckpointError(f"{tuned.name} was made from another {source.name}; give the right one with --base DIR")
    loaded = load_generator(source)
    network = load_adapter(loaded.network, tuned / "adapter")
    folder = out or session.runs / f"merged-{tuned.name}"
    if not dry_run:
        if (folder / GENERATOR_FILE).exists():
            raise CheckpointError(f"{folder / GENERATOR_FILE} is there already; choose another folder with --out DIR")
        folder.mkdir(parents=True, exist_ok=True)
        kept = {key: value for key, value in loaded.metadata.items() if key != "config"}
        facts = {"base": source.name, "base_sha256": digest, "adapter": tuned.name}
        save_generator(folder / GENERATOR_FILE, network, loaded.config, **(kept | facts))
    result = {"run": folder.name, "path": folder, "base": source.name, "adapter": tuned.name, "dry_run": dry_run}
    state = "fits; nothing was written" if dry_run else f"merged into {folder}"
    emit(session, result, [f"{tuned.name} on {source.name}: {state}"])
