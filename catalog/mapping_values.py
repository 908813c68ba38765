"""The values that a mapping's settings hold: texts, signs, and how a field is made from columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalog.errors import IngestRefused
from catalog.mapping import PLACEHOLDER, FieldSpec
from catalog.phrases import say

_FIELD_KEYS = (*("from", "column", "value", "separator", "match", "packed", "names", "blanks", "values", "file"),)


class ValueParser:
    """Reads single settings; what is wrong is refused with its place and what may be written there."""

    def __init__(self, origin: str) -> None:
        """Name the mapping for messages."""
        self.origin = origin

    def refused(self, place: str, came: str, allowed: str) -> IngestRefused:
        """Return the one line that says what is wrong."""
        return IngestRefused(
            say("{origin}: {place}: {came}; {allowed}", origin=self.origin, place=place, came=came, allowed=allowed)
        )

    def known(self, value: Mapping[str, Any], keys: Sequence[str], place: str) -> None:
        """Refuse settings of other names."""
        for key in value:
            if key not in keys:
                raise self.refused(
                    place or say("top level"),
                    say("{key!r} is not known", key=key),
                    say("write {keys}", keys=", ".join(keys)),
                )

    def section(self, value: Mapping[str, Any], key: str, kind: type) -> Any:
        """Return a table or list of the file, empty if it is not there."""
        found = value.get(key, kind())
        if not isinstance(found, kind):
            raise self.refused(
                key,
                say("not of the right form"),
                say("write [{key}]", key=key) if kind is dict else say("write [[{key}]]", key=key),
            )
        return found

    def text(self, value: Mapping[str, Any], key: str, place: str) -> str | None:
        """Return a text, or None if it is not there."""
        found = value.get(key)
        if found is not None and not isinstance(found, str):
            raise self.refused(
                f"{place}.{key}".strip("."), say("{found!r} is no text", found=found), say("put it in quotes")
            )
        return found

    def sign(self, value: Mapping[str, Any], key: str, place: str) -> str | None:
        """Return a text of one character or more."""
        if (found := self.text(value, key, place)) == "":
            raise self.refused(
                f"{place}.{key}", say("is empty"), say("write the characters themselves, or leave it out")
            )
        return found

    def truth(self, value: Mapping[str, Any], key: str, place: str, default: bool = False) -> bool:
        """Return true or false."""
        found = value.get(key, default)
        if not isinstance(found, bool):
            raise self.refused(
                f"{place}.{key}",
                say("{found!r} is neither true nor false", found=found),
                say("write it without quotes"),
            )
        return found

    # --- fields ------------------------------------------------------------------------------------

    def optional(self, value: Mapping[str, Any], key: str, place: str) -> FieldSpec | None:
        """Read the field of a setting that may be left out."""
        return self.one_of(value[key], f"{place}.{key}") if key in value else None

    def one_of(self, value: Any, place: str) -> FieldSpec:
        """Read one field, or a list of which the first that is filled counts."""
        first, *others = self.fields(value, place) or [self.field("", place)]
        return replace(first, others=tuple(others))

    def fields(self, value: Any, place: str) -> list[FieldSpec]:
        """Read one field, or a list of which all count."""
        return [self.field(item, place) for item in (value if isinstance(value, list) else [value])]

    def field(self, value: Any, place: str) -> FieldSpec:
        """Read one field."""
        spec = value if isinstance(value, dict) else {"from": value}
        self.known(spec, _FIELD_KEYS, place)
        given = [key for key in ("from", "column", "value") if key in spec]
        text = self.text(spec, given[0], place) if len(given) == 1 else None
        if not text:
            raise self.refused(
                place,
                say("{value!r} names no column", value=value),
                say('write "column" or { from = "column", separator = "," }'),
            )
        # `column` is a name as it stands there, braces and all.
        columns = {"from": tuple(PLACEHOLDER.findall(text)) or (text,), "column": (text,), "value": ()}[given[0]]
        return FieldSpec(
            text=text,
            columns=columns,
            separator=self.sign(spec, "separator", place),
            match=self._pattern(spec, place),
            packed=self._packed(spec, place),
            names=self.text(spec, "names", place),
            blanks=self.text(spec, "blanks", place) or "",
            values=self._values(spec.get("values", {}), f"{place}.values"),
            file=self.truth(spec, "file", place),
        )

    def _pattern(self, spec: Mapping[str, Any], place: str) -> re.Pattern[str] | None:
        match = self.text(spec, "match", place)
        try:
            return re.compile(match) if match is not None else None
        except re.error as error:
            raise self.refused(
                f"{place}.match",
                say("{match!r} is no pattern ({error})", match=match, error=str(error)),
                say("write a regular expression"),
            ) from error

    def _packed(self, spec: Mapping[str, Any], place: str) -> str | None:
        # `true` takes `:` or `=`, whichever stands first.
        return "" if spec.get("packed") is True else self.sign(spec, "packed", place)

    def _values(self, value: Any, place: str) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise self.refused(
                place, say("{value!r} is no table of texts", value=value), say('write values = { "1" = "red" }')
            )
        return tuple(value.items())

    def attributes(self, value: Any, place: str) -> Iterable[tuple[str, FieldSpec]]:
        """Read facts: fields, or names with their fields; an empty name is the column's own."""
        if isinstance(value, dict) and not set(value) & {"from", "column", "value"}:
            return [(name, self.one_of(spec, f"{place}.{name}")) for name, spec in value.items()]
        found: list[tuple[str, FieldSpec]] = []
        for item in value if isinstance(value, list) else [value]:
            named = isinstance(item, dict) and not set(item) & {"from", "column", "value"}
            found += self.attributes(item, place) if named else [("", self.field(item, place))]
        return found
