"""A named table of things that presets and flags choose by name: models, extractors, encoders."""

import difflib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from adapt.errors import AdaptError

T = TypeVar("T")


def canonical(name: str) -> str:
    """`SSA-GAN`, `ssa-gan` and `ssa_gan` are one name."""
    return name.strip().lower().replace("-", "_")


class Registry(Generic[T]):
    """Maps names to entries of one kind; duplicates are refused, unknown names answered with near ones."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that files its target under `name`.

        Raises:
            ValueError: the name is taken.
        """
        key = canonical(name)

        def add(entry: T) -> T:
            if key in self._entries:
                raise ValueError(f"{self.kind} '{key}' is registered already")
            self._entries[key] = entry
            return entry

        return add

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def get(self, name: str) -> T:
        """The entry filed under `name`.

        Raises:
            AdaptError: nothing has that name; the message lists the nearest ones.
        """
        key = canonical(name)
        if key not in self._entries:
            near = difflib.get_close_matches(key, self._entries, n=3, cutoff=0.4) or self.names()
            raise AdaptError(f"unknown {self.kind} '{name}': known are {', '.join(self.names())}; try {near[0]}")
        return self._entries[key]
