"""Read and check a `mapping.toml`; what is wrong is said with its place and what may be written there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.errors import IngestRefused
from catalog.mapping import PICTURES, TEXTS, ChildSpec, EntitySpec, MappingSpec, TableSpec
from catalog.mapping_values import ValueParser
from catalog.phrases import say, told

MAX_BYTES = 1 << 20
_SECTIONS = ("encoding", "tables", "join", "product", "variant", "attributes", "images", "texts", "reader")
_TABLE_KEYS = (
    *("file", "sheet", "rows", "flat", "where", "split", "header", "separator", "row_end", "quotes", "skip", "comment"),
    "encoding",
)
_PRODUCT_KEYS = ("table", "key", "name", "category", "text", "attributes", "images", "continued", "files")
_VARIANT_KEYS = ("table", "product", "key", "name", "attributes", "images")
_CHILD_KEYS = {
    "attributes": ("table", "product", "variant", "name", "value"),
    "images": ("table", "product", "variant", "path"),
    "texts": ("table", "product", "name", "value"),
}


def load_mapping(path: Path) -> MappingSpec:
    """Read a mapping file.

    Raises:
        IngestRefused: It cannot be read, is no TOML, or says something that is not understood.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IngestRefused(
            say(
                "cannot read the mapping {path} ({error}); give the path of a TOML file",
                path=path,
                error=told(error),
            )
        ) from error
    if len(data) > MAX_BYTES:
        raise IngestRefused(
            say(
                "the mapping {path} is larger than {limit} MiB; give a TOML file of some lines",
                path=path,
                limit=MAX_BYTES >> 20,
            )
        )
    try:
        value = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise IngestRefused(
            say("{path} is no TOML: {error}; correct it or remove it", path=path, error=str(error).splitlines()[0])
        ) from error
    return parse_mapping(value, path.name)


def parse_mapping(value: Mapping[str, Any], origin: str) -> MappingSpec:
    """Check a mapping that was read from TOML; raises IngestRefused with the place that is wrong."""
    parser = _Parser(origin)
    parser.known(value, _SECTIONS, "")
    if (reader := parser.text(value, "reader", "")) is not None:
        if len(value) > 1:
            raise parser.refused(
                "reader", say("says all there is to say"), say("leave it alone in the file, or remove it")
            )
        return MappingSpec(origin=origin, reader=reader)
    tables = {
        name: parser.table(spec, f"tables.{name}") for name, spec in parser.section(value, "tables", dict).items()
    }
    if not tables:
        raise parser.refused("tables", say("no table is named"), say('write [tables] and product = "products.csv"'))
    products = tuple(parser.entities(value.get("product", {}), "product", _PRODUCT_KEYS))
    variants = parser.entities(value["variant"], "variant", _VARIANT_KEYS) if "variant" in value else ()
    return MappingSpec(
        origin=origin,
        encoding=parser.text(value, "encoding", ""),
        tables=tables,
        joins=parser.joins(parser.section(value, "join", dict)),
        products=products,
        variants=tuple(spec if spec.table else replace(spec, table=products[0].table) for spec in variants),
        children=tuple(
            parser.child(kind, spec, number, "variant" in value)
            for kind in _CHILD_KEYS
            for number, spec in enumerate(parser.section(value, kind, list), start=1)
        ),
    )


class _Parser(ValueParser):
    """Reads the sections of a mapping."""

    # --- tables and joins --------------------------------------------------------------------------

    def table(self, value: Any, place: str) -> TableSpec:
        if isinstance(value, (str, list)):
            value = {"file": value}
        if not isinstance(value, dict):
            raise self.refused(place, say("not of the right form"), say('write { file = "products.csv" }'))
        self.known(value, _TABLE_KEYS, place)
        if not (files := self._names(value, "file", place)):
            raise self.refused(place, say("no file"), say('write file = "products.csv", or a list of files'))
        header = value.get("header", [])
        if not isinstance(header, list) or not all(isinstance(name, str) for name in header):
            raise self.refused(f"{place}.header", say("no list of names"), say('write header = ["sku", "name"]'))
        separator, row_end = self.sign(value, "separator", place), self.sign(value, "row_end", place)
        quotes = self.truth(value, "quotes", place, True)
        if separator is None and (row_end is not None or not quotes):
            raise self.refused(place, say("no separator"), say("write one beside row_end or quotes = false"))
        skip = value.get("skip", 0)
        if not isinstance(skip, int) or isinstance(skip, bool) or skip < 0:
            raise self.refused(f"{place}.skip", say("{skip!r} is no number of lines", skip=skip), say("write skip = 2"))
        return TableSpec(
            files=files,
            sheets=self._names(value, "sheet", place),
            rows=self.text(value, "rows", place) or "",
            flat=self.truth(value, "flat", place),
            where=self._where(value.get("where", {}), f"{place}.where"),
            split=self.text(value, "split", place),
            header=tuple(header),
            separator=separator,
            row_end=row_end,
            quotes=quotes,
            skip=skip,
            comment=self.sign(value, "comment", place),
            encoding=self.text(value, "encoding", place),
        )

    def _names(self, value: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
        found = value.get(key, [])
        found = found if isinstance(found, list) else [found]
        if not all(isinstance(name, str) and name for name in found):
            raise self.refused(
                f"{place}.{key}", say("{found!r} is no name", found=found), say("put it in quotes, or a list of such")
            )
        return tuple(found)

    def _where(self, value: Any, place: str) -> dict[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            raise self.refused(
                place, say("{value!r} is no table", value=value), say('write where = { column = "value" }')
            )
        where = {}
        for column, wanted in value.items():
            items = wanted if isinstance(wanted, list) else [wanted]
            # JSON's truth values are read as yes and no.
            where[column] = tuple(
                {True: "yes", False: "no"}[item] if isinstance(item, bool) else str(item) for item in items
            )
        return where

    def joins(self, value: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
        joins = {}
        for written, target in value.items():
            if not isinstance(target, str):
                raise self.refused(
                    f"join.{written}", say("not of the right form"), say('write "table.column" = "table.column"')
                )
            joins[self._end(written)] = self._end(target)
        return joins

    def _end(self, written: str) -> tuple[str, str]:
        table, _, column = written.partition(".")
        if not table or not column:
            raise self.refused(
                say("join {written!r}", written=written),
                say("names no column of a table"),
                say('write "table.column"'),
            )
        return table, column

    # --- products, variants and what belongs to them ------------------------------------------------

    def entities(self, value: Any, place: str, keys: Sequence[str]) -> Iterable[EntitySpec]:
        """Read `[product]`, or each `[[product]]` where products stand in tables with different columns."""
        return [self.entity(item, place, keys) for item in (value if isinstance(value, list) else [value]) or [None]]

    def entity(self, value: Any, place: str, keys: Sequence[str]) -> EntitySpec:
        if not isinstance(value, dict):
            raise self.refused(place, say("is missing"), say("write [{place}] with key and name", place=place))
        self.known(value, keys, place)
        for key in ("key", "name") if place == "product" else ():
            if key not in value:
                raise self.refused(place, say("no {key}", key=key), say('write {key} = "column"', key=key))
        files = value.get("files", [])
        files = [files] if isinstance(files, str) else files
        if not isinstance(files, list) or not all(kind in (PICTURES, TEXTS) for kind in files):
            raise self.refused(
                f"{place}.files",
                say("{files!r} is not known", files=files),
                say('write ["{pictures}", "{texts}"]', pictures=PICTURES, texts=TEXTS),
            )
        return EntitySpec(
            table=self.text(value, "table", place) or ("" if self._is_inside(value, place) else place),
            key=self.optional(value, "key", place),
            name=self.optional(value, "name", place),
            product=self.optional(value, "product", place),
            category=self.optional(value, "category", place),
            text=tuple(self.fields(value.get("text", []), f"{place}.text")),
            attributes=tuple(self.attributes(value.get("attributes", []), f"{place}.attributes")),
            images=tuple(self.fields(value.get("images", []), f"{place}.images")),
            continued=self.truth(value, "continued", place),
            files=tuple(files),
        )

    @staticmethod
    def _is_inside(value: Mapping[str, Any], place: str) -> bool:
        """Whether a variant stands in the rows of its product's table."""
        return place == "variant" and "product" not in value

    def child(self, kind: str, value: Any, number: int, variants: bool) -> ChildSpec:
        place = f"{kind} {number}"
        if not isinstance(value, dict):
            raise self.refused(place, say("not of the right form"), say("write [[{kind}]]", kind=kind))
        self.known(value, _CHILD_KEYS[kind], place)
        owners = [key for key in ("product", "variant") if key in value]
        if len(owners) != 1 or (owners == ["variant"] and not variants):
            raise self.refused(
                place,
                say("{count} owners", count=len(owners)),
                say('write product = "column", or variant where [variant] is'),
            )
        what = "path" if kind == "images" else "value"
        if what not in value:
            raise self.refused(place, say("no {what}", what=what), say('write {what} = "column"', what=what))
        if not (table := self.text(value, "table", place)):
            raise self.refused(place, say("no table"), say('write table = "name"'))
        field = self.one_of(value[what], f"{place}.{what}")
        if kind == "attributes" and "name" not in value and field.packed is None:
            raise self.refused(place, say("no name"), say('write name = "column"'))
        return ChildSpec(
            kind=kind,
            table=table,
            value=field,
            name=self.optional(value, "name", place),
            product=self.optional(value, "product", place),
            variant=self.optional(value, "variant", place),
        )
