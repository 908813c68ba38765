"""Ranges of config fields: one rule for a name or an ending, so that a new field is checked before anyone thinks of it.

A field with no rule of its own takes the rule of its ending (`_weight`, `_lr`, `_share`, …), else any number from 0 on.
NaN and infinity are never allowed.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapt.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers a field takes."""

    low: float = 0.0
    high: float = math.inf
    above: bool = False
    """`low` itself is not allowed."""
    below: bool = False
    """`high` itself is not allowed."""
    power_of_two: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` is allowed."""
        if not math.isfinite(value):
            return False
        inside = (value > self.low if self.above else value >= self.low) and (
            value < self.high if self.below else value <= self.high
        )
        return inside and (not self.power_of_two or math.log2(value).is_integer())

    def __str__(self) -> str:
        """What is allowed, to follow "it is"."""
        if self.power_of_two:
            return f"a power of two from {self.low:g} to {self.high:g}"
        low = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        if math.isinf(self.high):
            return low
        return f"{low} and {'below' if self.below else 'at most'} {self.high:g}"


POSITIVE = Range(above=True)
COUNT = Range(low=1)
SHARE = Range(high=1)
SIDE_PX = Range(low=8, high=1024, power_of_two=True)
_BY_ENDING: Mapping[str, Range] = {
    "image_px": SIDE_PX,
    "_px": COUNT,
    "_dim": COUNT,
    "_dims": COUNT,
    "_width": COUNT,
    "widths": COUNT,
    "_lr": POSITIVE,
    "_temperature": POSITIVE,
    "_share": SHARE,
    "_every": COUNT,
    "_half_life_images": POSITIVE,
    "batch_size": COUNT,
    "steps": COUNT,
    "seed": Range(high=2**32 - 1),
}


def check_range(name: str, value: Any, limits: Range | None = None, *, example: Any = None) -> None:
    """Check one number, or each number of a list; anything else passes.

    Args:
        name: full name as it is typed after `--set`.
        value: what came.
        limits: the field's own rule; None takes that of its ending.
        example: a value to suggest; left out where it is not allowed itself.

    Raises:
        ConfigError: names the field, what is allowed and what to type.
    """
    if limits is None:
        limits = next((rule for ending, rule in _BY_ENDING.items() if name.endswith(ending)), Range())
    for number in value if isinstance(value, list | tuple) else [value]:
        if isinstance(number, bool) or not isinstance(number, int | float) or limits.holds(number):
            continue
        usable = isinstance(example, int | float) and not isinstance(example, bool) and limits.holds(example)
        shown = f"{example:g}" if usable else "…"
        raise ConfigError(f"{name}={value}; it is {limits}: --set {name}={shown}")


def check_ranges(section: str, config: Any, **own: Range) -> None:
    """Check every number of a dataclass, suggesting its default.

    Args:
        section: prefix of the fields, as it is typed after `--set`.
        config: the dataclass, filled.
        own: rules of single fields that differ from the rule of their ending.

    Raises:
        ConfigError: names the first field out of range.
    """
    for field in dataclasses.fields(config):
        check_range(f"{section}.{field.name}", getattr(config, field.name), own.get(field.name), example=field.default)
