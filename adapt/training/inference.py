"""A trained generator ready to draw: its file, its text encoder and nothing of the training.

A text encoder that a run trained lies beside its generator in damsm/, and every folder that a generator is saved into
gets a copy: the file names it relative to itself, so that a folder can be moved or passed on whole.
"""

import filecmp
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from adapt.config import RunConfig, from_dict, to_dict
from adapt.errors import CheckpointError, ConfigError
from adapt.models.factory import build_generator, build_text_encoder
from adapt.models.interfaces import TextEncoder
from adapt.models.text_cache import TextFeatureCache
from adapt.training.checkpoint import load_weights, network_tensors, read_tensors, write_tensors
from catalog.atomic import replacing

GENERATOR_FILE = "generator.safetensors"
TEXT_FOLDER = "damsm"
"""Folder beside a generator that holds the text encoder trained for it, and its DAMSM model."""
TRAINED_ENCODERS = frozenset({"lstm", "damsm"})
"""Text encoders that come from a training of ours, not from a package."""
_TEXT_FILES = ("text_encoder.safetensors", "text_encoder.json", "tokenizer.json", "heads.safetensors", "damsm.json")


def copy_text_encoder(source: Path, target: Path) -> None:
    """Copy what DAMSM pretraining wrote; files that are the same already are left alone."""
    if source.resolve() == target.resolve():
        return
    for name in _TEXT_FILES:
        file = target / name
        if (source / name).is_file() and not (file.is_file() and filecmp.cmp(source / name, file)):
            with replacing(file) as part:
                shutil.copy2(source / name, part)


def save_generator(path: Path, generator: nn.Module, config: RunConfig, *, half: bool = False, **metadata: Any) -> None:
    """Write the weights with the config that rebuilds them; float16 halves the file for shipping.

    A text encoder that was trained for the generator is copied beside the file.
    """
    if config.text.encoder in TRAINED_ENCODERS and config.text.path:
        copy_text_encoder(Path(config.text.path), path.parent / TEXT_FOLDER)
        config = replace(config, text=replace(config.text, path=TEXT_FOLDER))
    tensors = network_tensors(generator)
    if half:
        tensors = {key: value.half() if value.is_floating_point() else value for key, value in tensors.items()}
    write_tensors(path, tensors, {"config": to_dict(config), **metadata})


@dataclass(frozen=True, kw_only=True)
class LoadedGenerator:
    """Draws pictures from texts and noise."""

    folder: Path
    network: nn.Module
    config: RunConfig
    encoder: TextFeatureCache
    metadata: Mapping[str, Any]
    device: torch.device

    @property
    def noise_dim(self) -> int:
        """Length of the noise vector."""
        return int(self.network.config.noise_dim)  # type: ignore[union-attr, arg-type]

    @property
    def image_px(self) -> int:
        """Side of the pictures."""
        return int(self.network.config.image_px)  # type: ignore[union-attr, arg-type]

    def noise(self, count: int, *, seed: int) -> Tensor:
        """Standard normal noise (count, Z); the same seed gives the same noise."""
        return torch.randn(count, self.noise_dim, generator=torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def generate(self, texts: Sequence[str], noise: Tensor, *, batch_size: int = 64) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] on the CPU, one for each text and noise vector (B, Z)."""
        parts = []
        for start in range(0, len(texts), batch_size):
            part = slice(start, start + batch_size)
            features = self.encoder.encode(texts[part], self.device)
            parts.append(self.network(noise[part].to(self.device), features).images.float().cpu())
        return torch.cat(parts) if parts else torch.empty(0, 3, self.image_px, self.image_px)


def read_run_config(metadata: Mapping[str, Any]) -> RunConfig:
    """The config inside a generator file.

    Raises:
        CheckpointError: there is none, or one that this version cannot read.
    """
    try:
        return from_dict(RunConfig, metadata["config"])
    except (KeyError, ConfigError) as error:
        reason = str(error) if isinstance(error, ConfigError) else "no config in it"
        raise CheckpointError(
            f"the generator file is not usable by this version ({reason}); name another with --run or --base"
        ) from error


def load_generator(
    folder: Path, device: torch.device | str = "cpu", *, encoder: TextEncoder | None = None
) -> LoadedGenerator:
    """Read the moving average of a run or of a shipped base.

    Args:
        folder: run folder holding generator.safetensors.
        device: where to draw.
        encoder: text encoder to share, when the caller has one already.

    Raises:
        CheckpointError: the folder has no usable generator.
    """
    tensors, metadata = read_tensors(folder / GENERATOR_FILE)
    config = read_run_config(metadata)
    if config.text.encoder in TRAINED_ENCODERS and config.text.path:
        config = replace(config, text=replace(config.text, path=str(folder.absolute() / config.text.path)))
    network = build_generator(config.model)
    load_weights(
        network,
        {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()},
        what=f"{folder.name}/{GENERATOR_FILE}",
    )
    network = network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
    cache = TextFeatureCache(encoder or build_text_encoder(config.text), keep_words=bool(network.uses_words))
    return LoadedGenerator(
        folder=folder, network=network, config=config, encoder=cache, metadata=metadata, device=torch.device(device)
    )
