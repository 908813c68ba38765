"""What `adapt pretrain --dry-run` tells: the run a command would start, and what it would take. Writes nothing."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from safetensors import SafetensorError, safe_open

from adapt.config import to_dict
from adapt.data.sources import read_dataset
from adapt.errors import TrainingError
from adapt.pretrain import PretrainRequest, build_networks, resolve_config, run_folder
from adapt.training.assembly import check_comparison
from adapt.training.estimate import ParameterCount, Progress, carried_on, measure, memory_bytes
from adapt.training.rehearsal import rehearse

REHEARSED = (2, 4)
"""Batch sizes of the measured steps."""


def plan(request: PretrainRequest, *, progress: Progress | None = None) -> dict[str, Any]:
    """The run that `adapt.pretrain.pretrain` would start or go on with.

    Args:
        request: what the run would be asked for.
        progress: told of each measured step.

    Returns:
        run, run_folder, state (`new`, `unfinished` or `finished`), dataset, pictures, training_pictures, captions,
        steps, steps_left, batch_size, generator_parameters, discriminator_parameters (trainable), parameters,
        memory_bytes, seconds_per_step, seconds, device, how, config.

    Raises:
        AdaptError: what the run itself would be refused for.
    """
    config = resolve_config(request)
    folder = run_folder(request, config)
    entries = read_dataset(request.dataset, request.data_dir)
    training = [entry for entry in entries if entry.split == "train"][: config.data.limit or None]
    if len(training) < 2:
        raise TrainingError(f"{len(training)} training pictures; two are the least: ingest more or choose another")
    check_comparison(config.loss, training)
    networks = build_networks(config, request.grow)
    generator, discriminator = (ParameterCount.of(net) for net in (networks.generator, networks.discriminator))
    fabric = Fabric(devices=1, accelerator="auto")
    device = fabric.device
    rehearsal = rehearse(config, networks, training[: max(REHEARSED)], fabric=fabric)
    judges = ParameterCount.of(*rehearsal.judges)
    sizes = sorted({min(size, config.data.batch_size, len(training)) for size in REHEARSED})
    costs = measure(rehearsal.step, sizes, device, progress=progress)
    cost = carried_on(costs, min(config.data.batch_size, len(training)))
    memory = memory_bytes(generator, discriminator, judges) | {"activations": cost.activation_bytes}
    state, done = _progress(folder)
    left = config.train.steps - done
    return {
        "run": folder.name,
        "run_folder": str(folder),
        "state": state,
        "dataset": request.dataset,
        "pictures": len(entries),
        "training_pictures": len(training),
        "captions": sum(len(entry.captions) for entry in training),
        "steps": config.train.steps,
        "steps_left": left,
        "batch_size": cost.batch_size,
        "generator_parameters": generator.trainable,
        "discriminator_parameters": discriminator.trainable,
        "parameters": {
            "generator": asdict(generator),
            "discriminator": asdict(discriminator),
            "judges": asdict(judges),
        },
        "memory_bytes": memory | {"total": sum(memory.values())},
        "seconds_per_step": round(cost.seconds, 4),
        "seconds": round(cost.seconds * left, 1),
        "device": str(device),
        "how": f"steps of {' and '.join(map(str, sizes))} pictures measured on {device}, carried on to "
        f"{cost.batch_size}; without decoding, reading captions, DAMSM training and sample grids",
        "config": to_dict(config)
        | {
            "model": {"name": config.model.name, "options": to_dict(networks.generator.config)},
            "discriminator": {"name": config.discriminator.name, "options": to_dict(networks.discriminator.config)},
        },
        "dry_run": True,
    }


def _progress(folder: Path) -> tuple[str, int]:
    """State of a run folder and the steps it has done."""
    if (folder / "summary.json").is_file():
        return "finished", int(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["steps"])
    checkpoint = folder / "checkpoint.safetensors"
    if not checkpoint.is_file():
        return "new", 0
    try:
        with safe_open(checkpoint, framework="pt") as file:
            return "unfinished", int(json.loads((file.metadata() or {})["adapt"])["step"])
    except (SafetensorError, KeyError, ValueError):
        return "damaged", 0


def plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """The plan for people; settings come last, each as `--set` takes it."""
    size = {name: f"{value / 2**20:,.0f} MB" for name, value in plan["memory_bytes"].items()}
    parts = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in size.items() if name != "total")
    lines = [
        f"run: {plan['run_folder']} ({plan['state']})",
        f"pictures: {plan['pictures']} in {plan['dataset']}, {plan['training_pictures']} to train on, "
        f"{plan['captions']} captions",
    ]
    for name, count in plan["parameters"].items():
        lines.append(f"{name}: {count['trainable']:,} parameters learn, {count['frozen']:,} are frozen")
    lines += [
        f"memory: {size['total']} ({parts})",
        f"time: {plan['seconds_per_step']} s a step of {plan['batch_size']} pictures, "
        f"{_duration(plan['seconds'])} for {plan['steps_left']} of {plan['steps']} steps",
        f"estimated from {plan['how']}",
    ]
    return lines + [f"  {line}" for line in _settings(plan["config"])]


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _settings(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    lines = []
    for name, value in values.items():
        nested = isinstance(value, Mapping)
        inner = "" if name == "options" else f"{name}."  # a network's options are set beside its name
        lines += _settings(value, prefix + inner) if nested else [f"{prefix}{name}={json.dumps(value)}"]
    return lines
