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
from adapt.loss_options import CENTRED_SPACES, LossConfig, check_pairs
from adapt.ranges import COUNT, Range, check_range, check_ranges
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
    """Pictures a step, over all processes and accumulated parts."""
    margin: float = 76 / 64
    """Pictures are kept at this multiple of the model's side and cropped at random (AttnGAN's 76/64)."""
    flip: bool = True
    """Mirror half of the pictures."""
    limit: int = 0
    """Use only the first pictures; 0 uses all."""
    augment: tuple[str, ...] = ()
    """Further changes of real pictures, which the generator may draw too: affine, resize, color."""
    ahead: int = 2
    """Batches made ahead in threads while a step runs; 0 makes each when it is needed. Changes no result."""
    human_share: float = 0.0
    """Share of a batch drawn from pictures with human captions; 0 draws all pictures alike."""
    pairs: str = "any"
    """Which two captions of a picture make a pair: `any` two (Ye et al.), or two that state the `same_facts`."""

    def __post_init__(self) -> None:
        check_ranges("data", self, margin=Range(low=1, high=4), ahead=Range(high=16))


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
    warmup_steps: int = 0
    """Steps over which both rates rise to their values."""
    decay_share: float = 0.0
    """Share of the steps, at the end, over which both rates fall to a tenth along a cosine; 0 keeps them."""

    def __post_init__(self) -> None:
        check_ranges(
            "optim", self, beta1=Range(high=1, below=True), beta2=Range(high=1, below=True), warmup_steps=Range()
        )


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Length, precision and bookkeeping of a run."""

    steps: int = 1000
    """Generator steps."""
    seed: int = 0
    """Seed of everything random in the run."""
    precision: str = "auto"
    """`auto` (bf16 where the processor multiplies it natively), `bf16` or `fp32`."""
    accumulate: int = 1
    """Parts in which a process sees its share of a batch, for less memory; weights change once a batch."""
    compile: str = ""
    """`generator` compiles it: minutes at the start, for long runs on GPUs. A discriminator is never compiled."""
    collapse_patience: int = 10
    """Bad checks in a row, 100 steps apart, after which a collapsed run stops with advice; 0 never stops one."""
    augment: tuple[str, ...] = ("translation",)
    """DiffAugment on real and generated pictures: color, translation, cutout."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""
    sample_every: int = 500
    """Steps between sample grids; 0 draws none."""

    def __post_init__(self) -> None:
        if self.compile not in {"", "generator"}:
            # A compiled D has no second derivative for the penalty; and with spectral norm (measured) its two passes of
            # a step overwrite what the backward needs.
            raise ConfigError(
                f"train.compile='{self.compile}'; allowed is generator alone, since a compiled discriminator takes no "
                "gradient penalty: --set train.compile=generator"
            )
        check_ranges("train", self, sample_every=Range(), accumulate=COUNT)


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
        # Before any network is built: its own checks speak of what follows from these numbers.
        for section in ("model", "discriminator"):
            for name, value in getattr(self, section).options.items():
                check_range(f"{section}.{name}", value, example=64 if name == "image_px" else None)
        trained_here = not (self.text.encoder == "lstm" and self.text.path)
        if self.loss.reads_words and trained_here and not self.damsm.word_weight:
            raise ConfigError(
                f"loss.damsm_word_weight={self.loss.damsm_word_weight} needs a DAMSM that learned words, but "
                "damsm.word_weight=0: --set damsm.word_weight=1, or --set loss.damsm_word_weight=0"
            )
        check_pairs(self.data.pairs, self.loss)

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
        "noises_per_batch": 0,
        "pair": "captions",
        "batch_norm": "joint",
        "fake_to_fake_directions": 2,
        "fake_to_real_directions": 2,
        "mask": ["product"],
        "feature_paths": {},
        "centred": list(CENTRED_SPACES),
    },
    "data": {"augment": [], "pairs": "any"},
    "train": {"accumulate": 1, "compile": ""},
    "optim": {"warmup_steps": 0, "decay_share": 0.0},
    "damsm": {"image_encoder": "efficientnet_lite0", "image_path": ""},
}
"""Fields that came after the first runs, with the value that does what those runs did."""


_WITHOUT_RESULT: Mapping[str, Sequence[str]] = {"data": ("ahead",), "train": ("collapse_patience",)}
"""Fields that change how fast a run is or when it is given up, but nothing that it computes."""


def without_later_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """A config's values as an older version would have written them, so that its runs keep their names."""
    result = {}
    for section, part in values.items():
        later, silent = _LATER_FIELDS.get(section, {}), _WITHOUT_RESULT.get(section, ())
        result[section] = (
            {key: item for key, item in part.items() if (key, item) not in later.items() and key not in silent}
            if later or silent
            else part
        )
    return result


def to_dict(config: Any) -> dict[str, Any]:
    """A dataclass as plain JSON types."""
    return typing.cast(dict[str, Any], json.loads(json.dumps(dataclasses.asdict(config))))


def from_dict(
    kind: type[D], values: Mapping[str, Any], *, where: str = "", root: type | None = None, owner: str = ""
) -> D:
    """Fill the dataclass `kind`.

    Args:
        kind: what to fill.
        values: its fields, nested ones as mappings.
        where: prefix of its fields in messages, such as `train.`.
        root: the whole config that `kind` is a section of; an unknown key is looked for in its other sections.
        owner: whose options these are, for the message.

    Raises:
        ConfigError: an unknown key or a value of the wrong type; the message names the field.
    """
    if not isinstance(values, Mapping):
        if not where:
            raise ConfigError(f"a config is {values!r}; it is a table of sections such as [train] and [data]")
        section = where.rstrip(".")
        raise ConfigError(f"{section}={values!r} is a value, not a section: --set {section}.FIELD=VALUE")
    hints = typing.get_type_hints(kind)
    unknown = set(values) - set(hints)
    if unknown:
        name = sorted(unknown)[0]
        raise ConfigError(
            f"unknown key '{where}{name}'{f' of {owner}' * bool(owner)}: allowed are {', '.join(sorted(hints))}; "
            f"try --set {_meant(name, values[name], hints, where, root or kind)}=…"
        )
    fields = {key: _convert(value, hints[key], f"{where}{key}", root or kind) for key, value in values.items()}
    try:
        return kind(**fields)
    except TypeError as error:
        raise ConfigError(f"{where or 'config'}: {error}") from error


def _meant(name: str, value: Any, hints: Mapping[str, Any], where: str, root: type) -> str:
    """The setting that someone who wrote the unknown key `where` + `name` most likely meant."""
    near = difflib.get_close_matches(name, hints, n=1)
    if near and _is_section(hints[near[0]]):
        field_name = next(iter(value)) if isinstance(value, Mapping) and value else "FIELD"
        return f"{where}{near[0]}.{field_name}"
    if near:
        return f"{where}{near[0]}"
    sections = {key: hint for key, hint in typing.get_type_hints(root).items() if _is_section(hint)}
    elsewhere = [f"{key}.{name}" for key, hint in sections.items() if name in typing.get_type_hints(hint)]
    if elsewhere:
        return "=… or --set ".join(elsewhere)
    first = sorted(hints)[0]
    return f"{where}{first}" + ".FIELD" * _is_section(hints[first])


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def _convert(value: Any, hint: Any, name: str, root: type) -> Any:
    if _is_section(hint):
        if hint is NetworkConfig:
            if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
                raise ConfigError(f"{name}={value!r} names no network: --set {name}.name=ssa_gan")
            options = {key: item for key, item in value.items() if key not in {"name", "options"}}
            return NetworkConfig(name=canonical(value["name"]), options={**value.get("options", {}), **options})
        return from_dict(hint, value, where=f"{name}.", root=root)
    origin = typing.get_origin(hint)
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ConfigError(f"{name}={value!r} is one value, not a list: --set '{name}={json.dumps([value])}'")
        return tuple(_convert(item, typing.get_args(hint)[0], name, root) for item in value)
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
