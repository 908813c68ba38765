"""Feature spaces in which the distribution-sensitive losses compare pictures.

Ye et al., arXiv 2107.02423, compare DAMSM's picture code (`damsm`), XMC-GAN, arXiv 2101.04702, an ImageNet network
(`efficientnet_lite0`, or `inception_v3` whose weights come by path), Lafite, arXiv 2111.13792, CLIP (`open_clip`, by
path or cache); `palette` is ours. Anything here is "seen in training": the reported judge is another network (see
adapt/metrics) and is refused.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from adapt import weights
from adapt.errors import AdaptError, ConfigError
from adapt.loss_options import CENTRED_SPACES, SPACES_WITH_PATHS, check_spaces
from adapt.losses.palette import palette
from adapt.models.damsm import Damsm
from adapt.models.encoders import image_encoder


class ComparisonFeatures(nn.Module):
    """Pictures (B, 3, H, W) → one vector each whose dot product is the mean cosine over the chosen spaces."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        feature_px: int,
        centred: Sequence[str] = CENTRED_SPACES,
        paths: Mapping[str, str] | None = None,
        damsm: Damsm | None = None,
    ) -> None:
        """Build the networks of the chosen spaces.

        Args:
            names: of `adapt.loss_options.FEATURE_SPACES`.
            feature_px: side at which EfficientNet and Inception see the pictures.
            centred: spaces from which `centre_on` subtracts a mean.
            paths: weights by space; a space that is not there takes the packaged, cached or allowed ones.
            damsm: the model whose picture code is the space `damsm`.

        Raises:
            ConfigError: no or an unknown space, `damsm` without its model, or a network without usable weights.
        """
        super().__init__()
        check_spaces(names)
        if "damsm" in names and damsm is None:
            others = [name for name in names if name != "damsm"] or ["efficientnet_lite0"]
            raise ConfigError(
                "loss.features names 'damsm', which only adapt pretrain trains; leave it out: "
                f"--set 'loss.features={json.dumps(others)}'"
            )
        self.names = tuple(names)
        self.networks = nn.ModuleDict()
        for name in names:
            if name == "damsm" and damsm is not None:
                self.networks[name] = damsm
            elif name in SPACES_WITH_PATHS:
                self.networks[name] = _network(name, feature_px=feature_px, path=(paths or {}).get(name))
        self.centred = tuple(name for name in names if name in centred)
        for name in self.centred:
            self.register_buffer(f"{name}_mean", torch.zeros(1), persistent=False)

    @torch.no_grad()
    def centre_on(self, images: Float[Tensor, "N 3 H W"]) -> None:
        """Subtract the mean of real pictures in the centred spaces from now on.

        Args:
            images: a few hundred real pictures in [-1, 1].
        """
        for name in self.centred:
            features = torch.cat([self._features(name, part) for part in images.split(32)])
            setattr(self, f"{name}_mean", features.mean(dim=0, keepdim=True))

    def forward(
        self, images: Float[Tensor, "B 3 H W"], code: Float[Tensor, "B D"] | None = None
    ) -> Float[Tensor, "B F"]:
        """Unit-length features; gradients reach the pictures.

        Args:
            images: pictures in [-1, 1].
            code: DAMSM's code of these pictures where the caller has it already.
        """
        parts = []
        for name in self.names:
            found = code.float() if name == "damsm" and code is not None else self._features(name, images)
            if name in self.centred:
                found = found - self.get_buffer(f"{name}_mean")
            parts.append(F.normalize(found, dim=1))
        return torch.cat(parts, dim=1) / len(parts) ** 0.5

    def _features(self, name: str, images: Tensor) -> Tensor:
        """Features of one space as its network gives them, in float32."""
        found: Tensor = palette(images) if name == "palette" else self.networks[name](images).pooled
        return found.float()


def check_available(names: Sequence[str], paths: Mapping[str, str]) -> None:
    """Look for the weights of the chosen spaces, so that a run fails before its long stages and not after them.

    Raises:
        ConfigError: the weights of a space are nowhere; says where they may be put.
    """
    for name in names:
        if name in SPACES_WITH_PATHS:
            with _named(name):
                weights.find(_model(name), path=paths.get(name))


def _network(name: str, *, feature_px: int, path: str | None) -> nn.Module:
    # CLIP's tower knows the side it was trained with.
    options = {} if name == "open_clip" else {"input_px": feature_px}
    with _named(name):
        network = image_encoder(name, path=path, **options)
    assert isinstance(network, nn.Module)
    return network


def _model(name: str) -> str:
    """What `adapt.weights` knows the network by."""
    return weights.DEFAULT_CLIP if name == "open_clip" else name


@contextmanager
def _named(space: str) -> Iterator[None]:
    """Say in an error which choice asked for the weights, and how to give them."""
    try:
        yield
    except AdaptError as error:
        raise ConfigError(
            f"loss.features names '{space}': {error}; in a run the path is --set loss.feature_paths.{space}=FILE"
        ) from error
