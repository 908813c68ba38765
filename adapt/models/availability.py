"""Which encoders and judges can be used here without a network, and how to get the others. Imports no network."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapt import weights
from adapt.weights import WeightsError


@dataclass(frozen=True, kw_only=True)
class Availability:
    """One encoder or judge."""

    name: str
    uses: tuple[str, ...]
    """What a user types to choose it."""
    offline: bool
    """Whether it can be used here without a network."""
    detail: str
    """Where its weights are, or how to get them."""
    by_default: bool
    """Whether the usual road needs it."""


_TEXT, _IMAGE, _JUDGE, _LOSS = "text.encoder", "damsm.image_encoder", "--judge", "loss.features"
_USES: Mapping[str, tuple[str, ...]] = {
    "minilm": (f"{_TEXT}=transformers",),
    "lstm": (f"{_TEXT}=lstm",),
    "open_clip": (f"{_TEXT}=open_clip", f"{_IMAGE}=open_clip", _LOSS),
    "efficientnet_lite0": (f"{_IMAGE}=efficientnet_lite0", _LOSS),
    "efficientnet_lite1": (f"{_JUDGE} efficientnet_lite1", f"{_IMAGE}=efficientnet_lite1"),
    "inception_v3": (f"{_IMAGE}=inception_v3", f"{_JUDGE} inception_v3", _LOSS),
}
_BY_DEFAULT = frozenset({"minilm", "efficientnet_lite0", "efficientnet_lite1"})


def encoders_here() -> list[Availability]:
    """Look for the weights of every encoder and judge; nothing is loaded or downloaded."""
    return [_look(name, uses) for name, uses in _USES.items()]


def _look(name: str, uses: tuple[str, ...]) -> Availability:
    if name == "lstm":
        offline, detail = True, "needs no weights: adapt pretrain trains it with DAMSM first"
    else:
        try:
            offline, detail = True, str(weights.find(_weights_name(name), allow_download=False))
        except WeightsError as error:
            offline, detail = False, str(error)
    return Availability(name=name, uses=uses, offline=offline, detail=detail, by_default=name in _BY_DEFAULT)


def _weights_name(name: str) -> str:
    return weights.DEFAULT_CLIP if name == "open_clip" else name
