"""Networks that judge pictures, by name, and the pass over a set of pictures.

A network used by any loss, discriminator or selection is not the judge: its figures are marked. The default judge is
EfficientNet-Lite1. It is deeper than the Lite0 that training uses and has its own weights, but it is of the same family
and learned from the same ImageNet photographs: held out, not independent in every respect. Values of KID compare
only within one extractor; none of these compares with published Inception figures except `inception_v3`, and that one
only with papers that use torchvision's weights, and `inception_v3_tf`, with those that use the 2015 network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from adapt.models.image_encoder import EfficientNetLite
from adapt.registry import Registry

DEFAULT_JUDGE = "efficientnet_lite1"
TRAINING_FEATURES = "efficientnet_lite0"
BATCH_IMAGES = 8
"""At 128 px and above a larger batch is slower on a CPU: it falls out of the cache."""


class Extractor(Protocol):
    """Turns pictures in [-1, 1] of any size into one vector each."""

    name: str
    dim: int
    seen_in_training: bool

    def __call__(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Features of a batch; each row depends on its own picture only."""
        ...


EXTRACTORS: Registry[Callable[[Path | None], Extractor]] = Registry("feature extractor")


class LiteFeatures:
    """Pooled features of an EfficientNet-Lite, pictures resized to 128 px and scaled as (byte - 127) / 128."""

    def __init__(self, name: str, *, seen_in_training: bool, path: Path | None) -> None:
        self.name, self.seen_in_training = name, seen_in_training
        self._network = EfficientNetLite(name, input_px=128, path=path)
        self.dim = self._network.dim

    def __call__(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Features of a batch."""
        return self._network.to(images.device)(images).pooled

    @property
    def network(self) -> EfficientNetLite:
        """The network itself, whose early stages judge how far apart two pictures look."""
        return self._network


class InceptionFeatures:
    """Pooled 2048 features of torchvision's Inception-v3 at 299 px; its weights come by path or from the cache."""

    name = "inception_v3_torchvision"
    seen_in_training = False

    def __init__(self, path: Path | None) -> None:
        # Importing it costs a second that only this choice needs.
        from adapt.models.inception import InceptionV3

        self._network = InceptionV3(path=path)
        self.dim = self._network.dim

    def __call__(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Features of a batch."""
        return self._network.to(images.device)(images).pooled


@EXTRACTORS.register("efficientnet_lite0")
def _lite0(path: Path | None) -> Extractor:
    return LiteFeatures("efficientnet_lite0", seen_in_training=True, path=path)


@EXTRACTORS.register("efficientnet_lite1")
def _lite1(path: Path | None) -> Extractor:
    return LiteFeatures("efficientnet_lite1", seen_in_training=False, path=path)


@EXTRACTORS.register("inception_v3")
def _inception(path: Path | None) -> Extractor:
    return InceptionFeatures(path)


@EXTRACTORS.register("inception_v3_tf")
def _inception_tf(path: Path | None) -> Extractor:
    from adapt.metrics.inception_tf import TensorFlowInception

    return TensorFlowInception(path)


def load_extractor(name: str, *, path: Path | None = None) -> Extractor:
    """Build an extractor with its weights, from `path` if given.

    Raises:
        AdaptError: unknown name, or its weights are nowhere to be found.
    """
    return EXTRACTORS.get(name)(path)


def label(extractor: Extractor) -> str:
    """The extractor's name as reports print it."""
    return f"{extractor.name} (seen in training)" if extractor.seen_in_training else extractor.name


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Features that remember whose they are: those of two networks may be of one width and mean nothing together."""

    extractor: str
    """As reports print it."""
    values: Float[Tensor, "N D"]

    def __len__(self) -> int:
        return len(self.values)

    def beside(self, other: "Seen") -> tuple[Float[Tensor, "N D"], Float[Tensor, "M D"]]:
        """Both sets, to be compared.

        Raises:
            ValueError: they are of different extractors.
        """
        if self.extractor != other.extractor:
            raise ValueError(f"features of {self.extractor} and {other.extractor}; compare those of one extractor only")
        return self.values, other.values


@torch.inference_mode()
def extract(
    extractor: Extractor, images: Float[Tensor, "N 3 H W"], *, batch_images: int = BATCH_IMAGES
) -> Float[Tensor, "N D"]:
    """Features of all pictures, on the CPU; the batch size changes speed and memory, not the result."""
    if len(images) == 0:
        return torch.zeros(0, extractor.dim)
    return torch.cat([extractor(part).float().cpu() for part in images.split(batch_images)])
