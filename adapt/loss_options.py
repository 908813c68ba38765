"""What the fields of the distribution-sensitive losses may hold, checked before anything is loaded."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from adapt.errors import ConfigError

if TYPE_CHECKING:
    from adapt.config import DataConfig, LossConfig

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


def check_comparisons(loss: "LossConfig") -> None:
    """Check every field of the two losses.

    Raises:
        ConfigError: a value that is not allowed, or two that contradict each other.
    """
    for term in ("fake_to_fake", "fake_to_real"):
        values = {name: getattr(loss, f"{term}_{name}") for name in ("weight", "temperature")}
        if values["weight"] < 0:
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


def check_pairs(data: "DataConfig", loss: "LossConfig") -> None:
    """Refuse a kind of pairs that there is not, or that the losses would never look at.

    Raises:
        ConfigError: names the allowed ones, or the setting that contradicts it.
    """
    if data.pairs not in PAIRS:
        raise ConfigError(f"data.pairs='{data.pairs}'; allowed are {', '.join(PAIRS)}: --set data.pairs=any")
    if data.pairs == "any":
        return
    if loss.pair == "noises":
        raise ConfigError(
            f"data.pairs={data.pairs} chooses a second caption, but loss.pair=noises draws one caption twice: "
            "--set data.pairs=any, or --set loss.pair=captions"
        )
    if loss.drawn_branches == 1:
        raise ConfigError(
            f"data.pairs={data.pairs} chooses a second caption, but only the first is drawn while "
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


def _check_names(field: str, names: Sequence[str], allowed: Sequence[str], *, may_be_empty: bool = False) -> None:
    unknown = [name for name in names if name not in allowed]
    if unknown or len(set(names)) < len(names) or not (names or may_be_empty):
        fault = f"'{unknown[0]}' is unknown" if unknown else "a name stands twice" if names else "one is needed"
        raise ConfigError(
            f"loss.{field}={json.dumps(list(names))}: {fault}; choose from {', '.join(allowed)}: "
            f"{_setting(field, allowed[:1])}"
        )


def _setting(field: str, names: Sequence[str]) -> str:
    return f"--set 'loss.{field}={json.dumps(list(names))}'"
