"""The pretrained base that an adaptation starts from and is held to."""

import copy
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from adapt.config import RunConfig
from adapt.data.pictures import to_model
from adapt.models.factory import build_discriminator
from adapt.models.image_encoder import EfficientNetLite
from adapt.models.interfaces import TextFeatures
from adapt.models.text_cache import TextFeatureCache
from adapt.training.checkpoint import load_weights, read_discriminator
from adapt.training.inference import GENERATOR_FILE, LoadedGenerator, load_generator


@dataclass(frozen=True)
class Source:
    """A base with everything adaptation needs of it; its own networks are never trained."""

    loaded: LoadedGenerator
    discriminator: nn.Module
    sha256: str
    """Digest of the generator file."""

    @property
    def name(self) -> str:
        """Name of the run or base."""
        return self.loaded.folder.name

    @property
    def config(self) -> RunConfig:
        """The config the base was trained with."""
        return self.loaded.config

    @property
    def encoder(self) -> TextFeatureCache:
        """The frozen text encoder."""
        return self.loaded.encoder

    @property
    def image_px(self) -> int:
        """Side of the pictures."""
        return self.loaded.image_px

    @property
    def noise_dim(self) -> int:
        """Length of the noise."""
        return self.loaded.noise_dim

    @property
    def generator(self) -> nn.Module:
        """The frozen source."""
        return self.loaded.network

    @property
    def prompts(self) -> list[str]:
        """Prompts of the base's own domain, for replay; empty when it brought none."""
        return [str(prompt) for prompt in self.loaded.metadata.get("prompts", [])]

    @cached_property
    def prompt_texts(self) -> TextFeatures:
        """Features of the replayed prompts."""
        return self.encoder.encode(self.prompts, self.loaded.device)

    def fresh_generator(self) -> nn.Module:
        """A trainable copy of the generator."""
        return copy.deepcopy(self.loaded.network).requires_grad_(True)

    def fresh_discriminator(self) -> nn.Module:
        """A copy of the discriminator in which learns what its pretraining left to learn: no backbone, no mixing."""
        return copy.deepcopy(self.discriminator)


def load_source(folder: Path, device: torch.device | str = "cpu") -> Source:
    """Read a base: its moving average and its discriminator.

    Raises:
        CheckpointError: no usable generator or discriminator in the folder.
    """
    loaded = load_generator(folder, device)
    discriminator = build_discriminator(loaded.config.discriminator)
    tensors = read_discriminator(folder)
    full = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    load_weights(discriminator, full, what=f"{folder.name}, discriminator")
    discriminator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    digest = hashlib.sha256((folder / GENERATOR_FILE).read_bytes()).hexdigest()
    return Source(loaded=loaded, discriminator=discriminator, sha256=digest)


def source_distance(source: Source, pictures: NDArray[np.uint8], *, count: int = 64) -> float:
    """How far the shots are from what the base draws: 1 − cosine of the mean ImageNet features, in [0, 2]."""
    network = EfficientNetLite("efficientnet_lite0", input_px=64)
    prompts = source.prompts or ["a photo of a product"]
    texts = [prompts[i % len(prompts)] for i in range(count)]
    drawn = source.loaded.generate(texts, source.loaded.noise(count, seed=0))
    with torch.no_grad():
        means = [network(images).pooled.mean(dim=0) for images in (drawn, to_model(pictures[:count]))]
    return float(1 - F.cosine_similarity(means[0], means[1], dim=0))
