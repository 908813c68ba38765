"""Config section `[loss]`: terms, weights and temperatures, checked before anything is loaded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapt.errors import ConfigError
from adapt.ranges import Range, check_ranges

FEATURE_SPACES = ("efficientnet_lite0", "palette", "damsm", "inception_v3", "open_clip")
"""Where pictures can be compared."""
SPACES_WITH_PATHS = ("efficientnet_lite0", "inception_v3", "open_clip")
"""Networks whose weights can be given by path."""
CENTRED_SPACES = ("efficientnet_lite0", "palette", "inception_v3", "open_clip")
"""Where the mean of real pictures is subtracted unless a run says otherwise."""
HELD_OUT_JUDGE = "efficientnet_lite1"
"""Judges finished runs (`adapt evaluate`), so that no loss may look through it."""
IDENTITIES = ("image", "product", "class")
"""Why two pictures of a batch may be no negatives of each other."""
PAIRS = ("any", "same_facts")
"""Which two captions of a picture make a pair."""
INCEPTION_LEAST_PX = 75


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights and temperatures; a weight of 0 leaves the term and its cost out."""

    adversarial: str = "hinge"
    """`hinge` (SSA-GAN) or `bce`, binary cross-entropy of logits (AttnGAN)."""
    head_reduction: str = "mean"
    """How the heads of a discriminator join: their `mean`, or their `sum` (AttnGAN's stages)."""
    mismatch_weight: float = 0.5
    """Weight of real pictures with another picture's caption, in [0, 1); generated pairs get the rest (paper: ½)."""
    counterfactual_share: float = 0.0
    """Share of mismatched captions that are the picture's own with one colour changed."""
    fake_to_fake_weight: float = 0.2
    """λ of NT-Xent between pictures of two captions (Ye et al.: 0.2)."""
    fake_to_fake_temperature: float = 0.5
    """Its τ."""
    fake_to_fake_directions: int = 2
    """Anchors: the pictures of both captions (2, as published) or of the first alone (1)."""
    fake_to_real_weight: float = 0.2
    """λ of InfoNCE between generated and real pictures."""
    fake_to_real_temperature: float = 0.5
    """Its τ."""
    fake_to_real_directions: int = 2
    """Anchors: generated and real pictures (2, as published) or generated ones alone (1)."""
    mask: tuple[str, ...] = ("product",)
    """Pictures with the same `image` (group), `product` or `class` (category) are no negatives in either loss; empty
    for none of it (Ye et al.)."""
    damsm_weight: float = 0.0
    """λ of matching generated pictures with their captions by a frozen DAMSM (SSA-GAN: 0.05)."""
    damsm_word_weight: float = 0.0
    """Weight of the two word losses beside the two sentence losses, both under λ (papers: 1); 0 reads no words."""
    kl_weight: float = 1.0
    """Weight of the conditioning term that a generator brings itself (AttnGAN's KL divergence)."""
    branches: int = 0
    """Pictures drawn and judged for each photo: 1, 2, or 0 for as many as the losses need. 2 with a fake-to-fake weight
    of 0 is the control that tells the loss from its data."""
    noises_per_batch: int = 0
    """Noise vectors that the pictures of a batch share in turn; 0 gives each its own, as published. With a noise of its
    own a picture is told from the others by that noise, so that fake-to-fake is satisfied without reading the text;
    with 1 only the text tells them apart."""
    pair: str = "captions"
    """What two branches differ in: two `captions` with one noise, or two `noises` with one caption."""
    batch_norm: str = "joint"
    """Whether both branches pass a network `joint` or, as published, `separate`: batch norm treats them apart then."""
    features: tuple[str, ...] = ("efficientnet_lite0", "palette")
    """Feature spaces of both losses (damsm: Ye et al.); each is normalised, all count the same."""
    feature_px: int = 64
    """Side at which a feature network sees the pictures; open_clip has its own."""
    feature_paths: Mapping[str, str] = field(default_factory=dict)
    """Weights of feature networks by space: `inception_v3` ships in no package, `open_clip` neither."""
    centred: tuple[str, ...] = CENTRED_SPACES
    """Spaces from which the mean of real pictures is subtracted, where `features` names them; without it every cosine
    there is near 1. DAMSM's code is compared as it is, as published: training has spread it over the sphere."""
    penalty_weight: float = 0.0
    """k of the matching-aware gradient penalty (SSA-GAN: 2); 0 leaves it out."""
    penalty_power: float = 6.0
    """p of the penalty."""
    layout_weight: float = 0.0
    """Weight of drawing a photo again from its caption and its layout code as noise; 0 leaves the term out."""
    layout_share: float = 0.5
    """Share of a batch that draws with layout codes instead of random noise."""
    layout_dims: int = 16
    """Length of a layout code; it takes the place of the first numbers of the noise."""
    adversarial_branches: int = 2
    """Judge the pictures of both captions (2, as published) or of the first alone (1, cheaper)."""

    def __post_init__(self) -> None:
        for name, allowed in _LOSS_CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                known = ", ".join(map(str, allowed))
                raise ConfigError(f"loss.{name}={value}; allowed are {known}: --set loss.{name}={allowed[0]}")
        if not 0 <= self.mismatch_weight < 1:
            raise ConfigError(
                f"loss.mismatch_weight={self.mismatch_weight}; it lies in [0, 1), since generated pairs get the rest: "
                "--set loss.mismatch_weight=0.5"
            )
        for name in ("damsm_word_weight", "kl_weight"):
            if getattr(self, name) < 0:
                raise ConfigError(f"loss.{name}={getattr(self, name)}; it is at least 0: --set loss.{name}=1")
        if self.branches == 1 and self.fake_to_fake_weight:
            raise ConfigError(
                f"loss.branches=1, but loss.fake_to_fake_weight={self.fake_to_fake_weight} compares two pictures: "
                "--set loss.branches=2, or --set loss.fake_to_fake_weight=0"
            )
        check_comparisons(self)
        check_ranges("loss", self, feature_px=Range(low=32), penalty_power=Range(low=1))

    @property
    def drawn_branches(self) -> int:
        """Pictures drawn for each photo in a step."""
        return self.branches or (2 if self.fake_to_fake_weight else 1)

    @property
    def reads_words(self) -> bool:
        """Whether a loss needs word features."""
        return bool(self.damsm_weight and self.damsm_word_weight)


_LOSS_CHOICES: Mapping[str, Sequence[Any]] = {
    "adversarial": ("hinge", "bce"),
    "head_reduction": ("mean", "sum"),
    "pair": ("captions", "noises"),
    "batch_norm": ("joint", "separate"),
    "branches": (0, 1, 2),
    "adversarial_branches": (2, 1),
    "fake_to_fake_directions": (2, 1),
    "fake_to_real_directions": (2, 1),
}


def check_spaces(names: Sequence[str]) -> None:
    """Refuse feature spaces that there are not, and the one that is kept for judging.

    Raises:
        ConfigError: one line that names the allowed ones.
    """
    if HELD_OUT_JUDGE in names:
        others = [name for name in names if name in FEATURE_SPACES] or ["efficientnet_lite0"]
        raise ConfigError(
            f"loss.features names '{HELD_OUT_JUDGE}', which judges finished runs: figures by a network that a loss "
            f"looked through prove nothing; choose from {', '.join(FEATURE_SPACES)}: {_setting('features', others)}"
        )
    _check_names("features", names, FEATURE_SPACES)


def check_comparisons(loss: LossConfig) -> None:
    """Check every field of the two losses.

    Raises:
        ConfigError: a value that is not allowed, or two that contradict each other.
    """
    for term in ("fake_to_fake", "fake_to_real"):
        values = {name: getattr(loss, f"{term}_{name}") for name in ("weight", "temperature")}
        if not values["weight"] >= 0:
            raise ConfigError(f"loss.{term}_weight={values['weight']}; it is 0 or more: --set loss.{term}_weight=0.2")
        if not values["temperature"] > 0:
            raise ConfigError(
                f"loss.{term}_temperature={values['temperature']}; it is above 0: --set loss.{term}_temperature=0.5"
            )
    if loss.features or loss.fake_to_fake_weight or loss.fake_to_real_weight:
        check_spaces(loss.features)
    _check_names("mask", loss.mask, IDENTITIES, may_be_empty=True)
    _check_names("centred", loss.centred, FEATURE_SPACES, may_be_empty=True)
    _check_paths(loss.feature_paths, loss.features)
    if "inception_v3" in loss.features and loss.feature_px < INCEPTION_LEAST_PX:
        raise ConfigError(
            f"loss.feature_px={loss.feature_px}, but inception_v3 in loss.features takes {INCEPTION_LEAST_PX} or more: "
            f"--set loss.feature_px={INCEPTION_LEAST_PX}"
        )


def check_pairs(pairs: str, loss: LossConfig) -> None:
    """Refuse a kind of pairs that there is not, or that the losses would never look at.

    Raises:
        ConfigError: names the allowed ones, or the setting that contradicts it.
    """
    if pairs not in PAIRS:
        raise ConfigError(f"data.pairs='{pairs}'; allowed are {', '.join(PAIRS)}: --set data.pairs=any")
    if pairs == "any":
        return
    if loss.pair == "noises":
        raise ConfigError(
            f"data.pairs={pairs} chooses a second caption, but loss.pair=noises draws one caption twice: "
            "--set data.pairs=any, or --set loss.pair=captions"
        )
    if loss.drawn_branches == 1:
        raise ConfigError(
            f"data.pairs={pairs} chooses a second caption, but only the first is drawn while "
            "loss.fake_to_fake_weight=0: --set data.pairs=any, or --set loss.branches=2"
        )


def _check_paths(paths: Mapping[str, str], features: Sequence[str]) -> None:
    for name, path in paths.items():
        if name not in SPACES_WITH_PATHS:
            raise ConfigError(
                f"loss.feature_paths names '{name}'; weights can be given for {', '.join(SPACES_WITH_PATHS)}: "
                f"--set loss.feature_paths.{SPACES_WITH_PATHS[1]}=FILE"
            )
        if not isinstance(path, str) or not path:
            raise ConfigError(f"loss.feature_paths.{name}={path!r} is no path: --set loss.feature_paths.{name}=FILE")
        if name not in features:
            raise ConfigError(
                f"loss.feature_paths gives weights for '{name}', which loss.features does not name: "
                f"{_setting('features', [*features, name])}"
            )


def _check_names(name: str, names: Sequence[str], allowed: Sequence[str], *, may_be_empty: bool = False) -> None:
    unknown = [each for each in names if each not in allowed]
    if unknown or len(set(names)) < len(names) or not (names or may_be_empty):
        fault = f"'{unknown[0]}' is unknown" if unknown else "a name stands twice" if names else "one is needed"
        raise ConfigError(
            f"loss.{name}={json.dumps(list(names))}: {fault}; choose from {', '.join(allowed)}: "
            f"{_setting(name, allowed[:1])}"
        )


def _setting(name: str, names: Sequence[str]) -> str:
    return f"--set 'loss.{name}={json.dumps(list(names))}'"
