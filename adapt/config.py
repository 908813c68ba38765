"""Run configuration: frozen dataclasses, filled from a preset (TOML) and `--set section.field=value`.

A preset is complete: every number a run uses is in the run folder's config.json, and a config read back equals the one
written. Unknown keys and wrong types are errors that name the field.
"""

import dataclasses
import difflib
import hashlib
import json
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from adapt.damsm_options import DamsmOptions
from adapt.errors import ConfigError
from adapt.loss_options import CENTRED_SPACES, check_comparisons, check_pairs
from adapt.registry import canonical

PRESET_ROOT = Path(__file__).parent / "configs"
D = TypeVar("D")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """A network by registered name; `options` are the fields of that network's own config."""

    name: str
    """Registered name."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the network's config class."""


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """The frozen text encoder."""

    encoder: str = "transformers"
    """Registered text encoder."""
    path: str = ""
    """Weights folder or file, or a model id; empty takes the encoder's packaged weights, and trains an lstm first."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How pictures and captions become batches."""

    batch_size: int = 24
    """Pictures a step and process."""
    margin: float = 76 / 64
    """Pictures are kept at this multiple of the model's side and cropped at random (AttnGAN's 76/64)."""
    flip: bool = True
    """Mirror half of the pictures."""
    limit: int = 0
    """Use only the first pictures; 0 uses all."""
    human_share: float = 0.0
    """Share of a batch drawn from pictures with human captions; 0 draws all pictures alike."""
    pairs: str = "any"
    """Which two captions of a picture make a pair: `any` two (Ye et al.), or two that state the `same_facts`."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"data.batch_size={self.batch_size}; it is at least 1: --set data.batch_size=16")
        if self.margin < 1:
            raise ConfigError(f"data.margin={self.margin}; it is at least 1: --set data.margin=1.1875")


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


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """Adam for both networks, and the moving average that is evaluated, saved and used."""

    generator_lr: float = 2e-4
    """Learning rate of G."""
    discriminator_lr: float = 2e-4
    """Learning rate of D."""
    beta1: float = 0.0
    """Adam β₁."""
    beta2: float = 0.9
    """Adam β₂."""
    ema_half_life_images: float = 5_000.0
    """Half-life of the generator's moving average, in real pictures seen."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Length, precision and bookkeeping of a run."""

    steps: int = 1000
    """Generator steps."""
    seed: int = 0
    """Seed of everything random in the run."""
    precision: str = "auto"
    """`auto` (bf16 where the processor multiplies it natively), `bf16` or `fp32`."""
    augment: tuple[str, ...] = ("translation",)
    """DiffAugment on real and generated pictures: color, translation, cutout."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""
    sample_every: int = 500
    """Steps between sample grids; 0 draws none."""

    def __post_init__(self) -> None:
        for name in ("steps", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"train.{name}={getattr(self, name)}; it is at least 1: --set train.{name}=100")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what a run computes."""

    model: NetworkConfig
    discriminator: NetworkConfig
    text: TextConfig = field(default_factory=TextConfig)
    damsm: DamsmOptions = field(default_factory=DamsmOptions)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        trained_here = not (self.text.encoder == "lstm" and self.text.path)
        if self.loss.reads_words and trained_here and not self.damsm.word_weight:
            raise ConfigError(
                f"loss.damsm_word_weight={self.loss.damsm_word_weight} needs a DAMSM that learned words, but "
                "damsm.word_weight=0: --set damsm.word_weight=1, or --set loss.damsm_word_weight=0"
            )
        check_pairs(self.data, self.loss)

    def digest(self, *extra: str) -> str:
        """Eight hex digits that name this config (and what it is trained on)."""
        values = without_later_fields(to_dict(self))
        # Left out at their defaults: runs older than these two fields keep their names, and so can be resumed.
        if self.damsm == DamsmOptions():
            del values["damsm"]
        if not self.loss.damsm_weight:
            del values["loss"]["damsm_weight"]
        text = json.dumps(values, sort_keys=True) + "\0".join(extra)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


_LATER_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "loss": {
        "adversarial": "hinge",
        "head_reduction": "mean",
        "damsm_word_weight": 0.0,
        "kl_weight": 1.0,
        "branches": 0,
        "pair": "captions",
        "batch_norm": "joint",
        "fake_to_fake_directions": 2,
        "fake_to_real_directions": 2,
        "mask": ["product"],
        "feature_paths": {},
        "centred": list(CENTRED_SPACES),
    },
    "data": {"pairs": "any"},
}
"""Fields that came after the first runs, with the value that does what those runs did."""


def without_later_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """A config's values as an older version would have written them, so that its runs keep their names."""
    return {
        section: {key: item for key, item in part.items() if (key, item) not in later.items()}
        if (later := _LATER_FIELDS.get(section))
        else part
        for section, part in values.items()
    }


def to_dict(config: Any) -> dict[str, Any]:
    """A dataclass as plain JSON types."""
    return typing.cast(dict[str, Any], json.loads(json.dumps(dataclasses.asdict(config))))


def from_dict(kind: type[D], values: Mapping[str, Any], *, where: str = "") -> D:
    """Fill the dataclass `kind`.

    Raises:
        ConfigError: an unknown key or a value of the wrong type; the message names the field.
    """
    hints = typing.get_type_hints(kind)
    unknown = set(values) - set(hints)
    if unknown:
        name = sorted(unknown)[0]
        near = difflib.get_close_matches(name, hints, n=1) or sorted(hints)[:1]
        raise ConfigError(
            f"unknown key '{where}{name}': allowed are {', '.join(sorted(hints))}; try --set {where}{near[0]}=…"
        )
    fields = {key: _convert(value, hints[key], f"{where}{key}") for key, value in values.items()}
    try:
        return kind(**fields)
    except TypeError as error:
        raise ConfigError(f"{where or 'config'}: {error}") from error


def _convert(value: Any, hint: Any, name: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if hint is NetworkConfig:
            options = {key: item for key, item in value.items() if key not in {"name", "options"}}
            return NetworkConfig(name=canonical(value["name"]), options={**value.get("options", {}), **options})
        return from_dict(hint, value, where=f"{name}.")
    origin = typing.get_origin(hint)
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ConfigError(f"{name}={value!r} is one value, not a list: --set '{name}={json.dumps([value])}'")
        return tuple(_convert(item, typing.get_args(hint)[0], name) for item in value)
    if origin is Mapping and not isinstance(value, Mapping):
        raise ConfigError(f"{name}={value!r} is one value, not a table: --set {name}.NAME={value}")
    if origin in {types.UnionType, typing.Union}:
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and (not isinstance(value, hint) or (hint is int and isinstance(value, bool))):
        raise ConfigError(f"{name}={value!r} is of type {type(value).__name__}, not {hint.__name__}: --set {name}=…")
    return value


def parse_setting(text: str) -> tuple[list[str], Any]:
    """`a.b=v` → (["a", "b"], value); the value is read as TOML, else kept as text.

    Raises:
        ConfigError: there is no `=`.
    """
    path, equals, raw = text.partition("=")
    if not equals or not path.strip():
        raise ConfigError(f"--set {text}: expected section.field=value, for instance --set train.steps=500")
    try:
        value = tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        value = raw
    return path.strip().split("."), value


def apply_settings(values: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """A copy of nested `values` with every `a.b=v` of `settings` put in."""
    result: dict[str, Any] = json.loads(json.dumps(values))
    for text in settings:
        path, value = parse_setting(text)
        target = result
        for part in path[:-1]:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise ConfigError(f"--set {text}: '{part}' is a value, not a section")
        target[path[-1]] = value
    return result


def preset_names(verb: str) -> list[str]:
    """The presets that ship for `pretrain` or `finetune`."""
    return sorted(path.stem for path in (PRESET_ROOT / verb).glob("*.toml"))


def read_preset(verb: str, name: str) -> dict[str, Any]:
    """The nested values of a shipped preset, or of a TOML file given by path.

    Raises:
        ConfigError: no such preset, or not TOML.
    """
    path = Path(name) if name.endswith(".toml") else PRESET_ROOT / verb / f"{canonical(name)}.toml"
    if not path.is_file():
        known = preset_names(verb)
        near = (difflib.get_close_matches(canonical(name), known, n=1, cutoff=0.3) or known)[0]
        raise ConfigError(f"no preset '{name}' for {verb}: there are {', '.join(known)}; try --preset {near}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is not TOML: {error}") from error
