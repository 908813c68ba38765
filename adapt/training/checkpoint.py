"""Checkpoints and run folders: everything a run needs to go on, and the one file that drawing pictures needs.

    <run>/config.json            resolved config, command, versions
          checkpoint.safetensors networks, moving average, optimisers, step; replaced atomically
          generator.safetensors  the moving average alone, with its config: what generate, evaluate and finetune load
          metrics.jsonl, samples/, events/, summary.json (once the run is finished)

Noise, batches and augmentation are drawn from (seed, step), so no random state has to be saved.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from adapt.errors import CheckpointError
from adapt.weights import WeightsError, first_not_finite, refuse_pickle
from catalog.atomic import replacing


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write a safetensors file, whole or not at all.

    Raises:
        CheckpointError: the disk refused; the file that was there is as it was.
    """
    dense = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        with replacing(path) as part:
            save_file(dense, part, metadata={"adapt": json.dumps(metadata)})
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"cannot write {path}: {_disk_answer(error)}; what was saved before is kept, make room or choose another "
            "workspace with -w, and run the same command again"
        ) from error


def _disk_answer(error: Exception) -> str:
    """What the system said; safetensors passes its number on only inside a text."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    found = re.search(r"I/O error: (.*?)(?: \(os error \d+\))?$", str(error))
    return found.group(1) if found else str(error)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and metadata of a file of ours.

    Raises:
        CheckpointError: missing, damaged or foreign.
    """
    if not path.is_file():
        raise CheckpointError(f"no {path.name} in {path.parent}; name a run folder, or start one: adapt pretrain …")
    try:
        refuse_pickle(path)
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})["adapt"])
            if not isinstance(metadata, dict):
                raise TypeError(f"its metadata is {metadata!r}")
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except WeightsError as error:
        raise CheckpointError(str(error)) from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged ({_one_line(error)}); {_way_out(path)}") from error
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} was not written by adapt (it lacks our metadata); {_way_out(path)}") from error


def _way_out(path: Path) -> str:
    """What to do about an unusable file, by what it is for."""
    if path.name.startswith("checkpoint"):
        return "delete it and run the same command again: the run then starts from step 0"
    if path.name.startswith(("generator", "discriminator")):
        return "name another run or base, or train this one again with --new"
    return "delete it and run the same command again"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], *, what: str) -> None:
    """Load exactly the module's own weights (frozen backbones aside).

    Raises:
        CheckpointError: names the first key that is missing, left over, of another shape or not finite.
    """
    own = network_tensors(module)
    for name in own:
        if name not in tensors:
            raise CheckpointError(f"{what}: '{name}' is missing; the file belongs to another architecture, use its own")
        if tensors[name].shape != own[name].shape:
            raise CheckpointError(
                f"{what}: '{name}' is {tuple(tensors[name].shape)}, the model has {tuple(own[name].shape)}; "
                "the file belongs to another architecture: set the model's sizes to those of the file, or use its own"
            )
    left = sorted(set(tensors) - set(own))
    if left:
        raise CheckpointError(f"{what}: '{left[0]}' is not part of the model; the file belongs to another architecture")
    broken = first_not_finite(tensors)
    if broken is not None:
        raise CheckpointError(
            f"{what}: '{broken}' holds NaN or infinity, so nothing it draws can be right; "
            "name another run or base, or train this one again with --new"
        )
    module.load_state_dict(dict(tensors), strict=False)


def network_tensors(module: nn.Module) -> dict[str, Tensor]:
    """State of a network without the frozen backbone it may carry."""
    frozen = getattr(module, "frozen_prefix", None)
    return {name: value for name, value in module.state_dict().items() if not (frozen and name.startswith(frozen))}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {f"{index}.{name}": value for index, values in state.items() for name, value in values.items()}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], *, what: str) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, field = name.partition(".")
        parameter = parameters[int(index)] if index.isdecimal() and int(index) < len(parameters) else None
        if parameter is None or (value.dim() and value.shape != parameter.shape):
            raise CheckpointError(
                f"{what}: '{name}' is {tuple(value.shape)}, which fits no parameter that learns; the file belongs to "
                "another training: start afresh with --new"
            )
        state.setdefault(int(index), {})[field] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """What a checkpoint holds; the objects are updated in place when it is read."""

    networks: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]

    def save(self, path: Path, *, step: int, images_seen: int, extra: Mapping[str, Any]) -> None:
        """Write everything to one file."""
        tensors: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            tensors |= {f"network/{name}/{key}": value for key, value in network_tensors(network).items()}
        for name, optimizer in self.optimizers.items():
            tensors |= {f"optimizer/{name}/{key}": value for key, value in _optimizer_tensors(optimizer).items()}
        write_tensors(path, tensors, {"step": step, "images_seen": images_seen, **extra})

    def load(self, path: Path) -> dict[str, Any]:
        """Read everything back; the metadata is returned (step, images_seen, …).

        Raises:
            CheckpointError: damaged, or of another training; names what does not fit.
        """
        tensors, metadata = read_tensors(path)
        if not all(isinstance(metadata.get(name), int) for name in ("step", "images_seen")):
            raise CheckpointError(f"{path} does not say how far the run was; {_way_out(path)}")
        for name, network in self.networks.items():
            load_weights(network, _below(tensors, f"network/{name}/"), what=f"{path.name}, {name}")
        for name, optimizer in self.optimizers.items():
            _load_optimizer(optimizer, _below(tensors, f"optimizer/{name}/"), what=f"{path.name}, {name}")
        return metadata


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


DISCRIMINATOR_FILE = "discriminator.safetensors"


def read_discriminator(folder: Path) -> dict[str, Tensor]:
    """The discriminator of a run's checkpoint, or of a base that was shipped without its optimisers.

    Raises:
        CheckpointError: the folder has neither file, or it is damaged.
    """
    if (folder / DISCRIMINATOR_FILE).is_file():
        return read_tensors(folder / DISCRIMINATOR_FILE)[0]
    if (folder / "checkpoint.safetensors").is_file():
        return _below(read_tensors(folder / "checkpoint.safetensors")[0], "network/discriminator/")
    raise CheckpointError(f"{folder.name} has no discriminator to go on with; name a pretrained run or the base")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a run folder.

    Raises:
        CheckpointError: missing or damaged.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); name another run or start one with --new") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no object; name another run or start one with --new")
    return value


def read_run_settings(run: Path) -> dict[str, Any]:
    """config.json of a run; empty for a shipped base, which has none.

    Raises:
        CheckpointError: damaged, or no config of a run.
    """
    path = run / "config.json"
    if not path.is_file():
        return {}
    settings = read_json(path)
    for name, kind in {"config": dict, "shots": list, "held_out": list}.items():
        if not isinstance(settings.get(name, kind()), kind):
            raise CheckpointError(f"{path}: '{name}' is {settings[name]!r}; name another run or start one with --new")
    return settings


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object, whole or not at all."""
    with replacing(path) as part:
        part.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
