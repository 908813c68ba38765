"""`mapping.toml`: what a person says about a dump that cannot be read by evidence alone.

A mapping names the tables of a dump, the columns that refer to other tables, and which columns make
products, variants, facts, texts and pictures. `catalog/README.md` explains it with examples.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import IngestRefused

FILE_NAME = "mapping.toml"
MAX_BYTES = 1 << 20
_SECTIONS = ("encoding", "tables", "join", "product", "variant", "attributes", "images", "texts")
_TABLE_KEYS = ("file", "rows", "where", "split", "header", "separator", "encoding")
_FIELD_KEYS = ("from", "separator", "match", "packed")
_PRODUCT_KEYS = ("table", "key", "name", "category", "text", "attributes", "images")
_VARIANT_KEYS = ("table", "product", "key", "name", "attributes", "images")
_CHILD_KEYS = {
    "attributes": ("table", "product", "variant", "name", "value"),
    "images": ("table", "product", "variant", "path"),
    "texts": ("table", "product", "name", "value"),
}
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """Where the records of a table come from."""

    files: tuple[str, ...]
    """Paths in the dump, or globs; what they name is read as one table."""
    rows: str = ""
    """Way to the records inside JSON or XML, such as `catalog.items` or `shop/product`; `*` for `{key: value}`."""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns and the values of which a record must have one."""
    split: str | None = None
    """Column by whose values the records fall into tables of these names; of `shop.product` the last part counts."""
    header: tuple[str, ...] = ()
    """Column names of a file without header row."""
    separator: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, kw_only=True)
class FieldSpec:
    """How a value is made from a record: a column, or a text with `{column}` in it."""

    text: str
    columns: tuple[str, ...]
    separator: str | None = None
    """Splits one cell into several values."""
    match: re.Pattern[str] | None = None
    """Keeps the first group, or the whole match, of each value; values without a match are left out."""
    packed: str | None = None
    """Sign between name and value of facts packed into one cell."""

    def fill(self, values: Sequence[str]) -> str:
        """Return the text with one value for each of `columns`."""
        if self.text == self.columns[0]:
            return values[0]
        given = iter(values)
        return _PLACEHOLDER.sub(lambda _: next(given), self.text)


@dataclass(frozen=True, kw_only=True)
class EntitySpec:
    """Products or variants: a table and what its columns hold."""

    table: str
    key: FieldSpec
    name: FieldSpec | None = None
    product: FieldSpec | None = None
    """Of a variant: what names its product."""
    category: FieldSpec | None = None
    text: tuple[FieldSpec, ...] = ()
    attributes: tuple[tuple[str, FieldSpec], ...] = ()
    """(name of the fact, value); an empty name is taken from the column."""
    images: tuple[FieldSpec, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """Facts, pictures or texts that stand in a table of their own, one a record."""

    kind: str
    """`attributes`, `images` or `texts`."""
    table: str
    value: FieldSpec
    name: FieldSpec | None = None
    product: FieldSpec | None = None
    variant: FieldSpec | None = None


@dataclass(frozen=True, kw_only=True)
class MappingSpec:
    """A whole mapping file."""

    origin: str
    """Where it was read, for messages."""
    tables: Mapping[str, TableSpec]
    joins: Mapping[tuple[str, str], tuple[str, str]]
    """(table, column) → the (table, column) its values are from."""
    products: tuple[EntitySpec, ...]
    variants: tuple[EntitySpec, ...] = ()
    children: tuple[ChildSpec, ...] = ()
    encoding: str | None = None


def load_mapping(path: Path) -> MappingSpec:
    """Read a mapping file.

    Raises:
        IngestRefused: It cannot be read, is no TOML, or says something that is not understood.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IngestRefused(
            f"cannot read the mapping {path} ({error.strerror}); give the path of a TOML file"
        ) from error
    if len(data) > MAX_BYTES:
        raise IngestRefused(f"the mapping {path} is larger than {MAX_BYTES >> 20} MiB; give a TOML file of some lines")
    try:
        value = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise IngestRefused(f"{path} is no TOML: {str(error).splitlines()[0]}; correct it or remove it") from error
    return parse_mapping(value, path.name)


def parse_mapping(value: Mapping[str, Any], origin: str) -> MappingSpec:
    """Check a mapping that was read from TOML; raises IngestRefused with the place that is wrong."""
    parser = _Parser(origin)
    parser.known(value, _SECTIONS, "")
    tables = {
        name: parser.table(spec, f"tables.{name}") for name, spec in parser.section(value, "tables", dict).items()
    }
    if not tables:
        raise parser.refused("tables", "no table is named", 'write [tables.product] and file = "products.csv"')
    return MappingSpec(
        origin=origin,
        encoding=parser.text(value, "encoding", ""),
        tables=tables,
        joins=parser.joins(parser.section(value, "join", dict)),
        products=tuple(parser.entities(value.get("product", {}), "product", _PRODUCT_KEYS)),
        variants=tuple(parser.entities(value["variant"], "variant", _VARIANT_KEYS)) if "variant" in value else (),
        children=tuple(
            parser.child(kind, spec, number, "variant" in value)
            for kind in _CHILD_KEYS
            for number, spec in enumerate(parser.section(value, kind, list), start=1)
        ),
    )


def near(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean ...?` for the closest known name, or the first names there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    ending = [other for other in names if other.casefold().endswith(f".{name.casefold()}")]
    if close or ending:
        return f"; did you mean {' or '.join(dict.fromkeys(close + ending[:2]))}?"
    return f"; there are {', '.join(names[:8])}{' and more' if len(names) > 8 else ''}"


class _Parser:
    def __init__(self, origin: str) -> None:
        self.origin = origin

    def refused(self, place: str, came: str, allowed: str) -> IngestRefused:
        return IngestRefused(f"{self.origin}: {place}: {came}; {allowed}")

    def known(self, value: Mapping[str, Any], keys: Sequence[str], place: str) -> None:
        for key in value:
            if key not in keys:
                raise self.refused(place or "top level", f"{key!r} is not known", f"write {', '.join(keys)}")

    def section(self, value: Mapping[str, Any], key: str, kind: type) -> Any:
        found = value.get(key, kind())
        if not isinstance(found, kind):
            raise self.refused(key, "not of the right form", f"write [{key}]" if kind is dict else f"write [[{key}]]")
        return found

    def text(self, value: Mapping[str, Any], key: str, place: str) -> str | None:
        found = value.get(key)
        if found is not None and not isinstance(found, str):
            raise self.refused(f"{place}.{key}".strip("."), f"{found!r} is no text", "put it in quotes")
        return found

    def table(self, value: Any, place: str) -> TableSpec:
        if isinstance(value, str):
            value = {"file": value}
        if not isinstance(value, dict):
            raise self.refused(place, "not of the right form", 'write { file = "products.csv" }')
        self.known(value, _TABLE_KEYS, place)
        files = value.get("file")
        files = files if isinstance(files, list) else [files]
        if not all(isinstance(file, str) and file for file in files) or not files:
            raise self.refused(place, "no file", 'write file = "products.csv", or a list of files')
        where = value.get("where", {})
        header = value.get("header", [])
        if not isinstance(where, dict):
            raise self.refused(f"{place}.where", f"{where!r} is no table", 'write where = { column = "value" }')
        if not isinstance(header, list) or not all(isinstance(name, str) for name in header):
            raise self.refused(f"{place}.header", "no list of names", 'write header = ["sku", "name"]')
        return TableSpec(
            files=tuple(files),
            rows=self.text(value, "rows", place) or "",
            where={
                column: tuple(str(item) for item in (wanted if isinstance(wanted, list) else [wanted]))
                for column, wanted in where.items()
            },
            split=self.text(value, "split", place),
            header=tuple(header),
            separator=self.text(value, "separator", place),
            encoding=self.text(value, "encoding", place),
        )

    def joins(self, value: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
        joins = {}
        for written, target in value.items():
            if not isinstance(target, str):
                raise self.refused(f"join.{written}", "not of the right form", 'write "table.column" = "table.column"')
            joins[self._end(written)] = self._end(target)
        return joins

    def _end(self, written: str) -> tuple[str, str]:
        table, _, column = written.partition(".")
        if not table or not column:
            raise self.refused(f"join {written!r}", "names no column of a table", 'write "table.column"')
        return table, column

    def entities(self, value: Any, place: str, keys: Sequence[str]) -> Iterable[EntitySpec]:
        """Read `[product]`, or each `[[product]]` where products stand in tables with different columns."""
        return [self.entity(item, place, keys) for item in (value if isinstance(value, list) else [value])]

    def entity(self, value: Any, place: str, keys: Sequence[str]) -> EntitySpec:
        if not isinstance(value, dict):
            raise self.refused(place, "is missing", f"write [{place}] with table, key and name")
        self.known(value, keys, place)
        needed = ("key", "name") if place == "product" else ("key", "product")
        for key in needed:
            if key not in value:
                raise self.refused(place, f"no {key}", f'write {key} = "column"')
        category = value.get("category")
        return EntitySpec(
            table=self.text(value, "table", place) or place,
            key=self.field(value["key"], f"{place}.key"),
            name=self.field(value["name"], f"{place}.name") if "name" in value else None,
            product=self.field(value["product"], f"{place}.product") if "product" in value else None,
            category=None if category is None else self.field(category, f"{place}.category"),
            text=tuple(self.fields(value.get("text", []), f"{place}.text")),
            attributes=tuple(self._attributes(value.get("attributes", []), f"{place}.attributes")),
            images=tuple(self.fields(value.get("images", []), f"{place}.images")),
        )

    def child(self, kind: str, value: Any, number: int, variants: bool) -> ChildSpec:
        place = f"{kind} {number}"
        if not isinstance(value, dict):
            raise self.refused(place, "not of the right form", f"write [[{kind}]]")
        self.known(value, _CHILD_KEYS[kind], place)
        owners = [key for key in ("product", "variant") if key in value]
        if len(owners) != 1 or (owners == ["variant"] and not variants):
            raise self.refused(
                place, f"{len(owners)} owners", 'write product = "column", or variant where [variant] is'
            )
        what = "path" if kind == "images" else "value"
        if what not in value or (kind == "attributes" and "name" not in value):
            raise self.refused(place, f"no {what}" if what not in value else "no name", f'write {what} = "column"')
        if not (table := self.text(value, "table", place)):
            raise self.refused(place, "no table", 'write table = "name"')
        parsed = {key: self.field(value[key], f"{place}.{key}") for key in value if key != "table"}
        return ChildSpec(
            kind=kind,
            table=table,
            value=parsed[what],
            name=parsed.get("name"),
            product=parsed.get("product"),
            variant=parsed.get("variant"),
        )

    def fields(self, value: Any, place: str) -> list[FieldSpec]:
        return [self.field(item, place) for item in (value if isinstance(value, list) else [value])]

    def field(self, value: Any, place: str) -> FieldSpec:
        spec = value if isinstance(value, dict) else {"from": value}
        self.known(spec, _FIELD_KEYS, place)
        text = self.text(spec, "from", place)
        if not text:
            raise self.refused(
                place, f"{value!r} names no column", 'write "column" or { from = "column", separator = "," }'
            )
        match = self.text(spec, "match", place)
        try:
            pattern = re.compile(match) if match is not None else None
        except re.error as error:
            raise self.refused(
                f"{place}.match", f"{match!r} is no pattern ({error})", "write a regular expression"
            ) from error
        return FieldSpec(
            text=text,
            columns=tuple(_PLACEHOLDER.findall(text)) or (text,),
            separator=self.text(spec, "separator", place),
            match=pattern,
            packed=self.text(spec, "packed", place),
        )

    def _attributes(self, value: Any, place: str) -> Iterable[tuple[str, FieldSpec]]:
        if isinstance(value, dict) and not set(value) <= set(_FIELD_KEYS):
            return [(name, self.field(spec, f"{place}.{name}")) for name, spec in value.items()]
        return [("", spec) for spec in self.fields(value, place)]
