"""A mapping as the text of a `mapping.toml` that a person can edit, with the evidence as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from catalog.mapping import PLACEHOLDER, ChildSpec, EntitySpec, FieldSpec, MappingSpec, TableSpec
from catalog.phrases import joined, mapped, say

_WIDTH = 118
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def mapping_text(
    mapping: MappingSpec,
    notes: Mapping[tuple[str, str], str] | None = None,
    remarks: Mapping[str, Sequence[str]] | None = None,
    heading: Sequence[str] = (),
) -> str:
    """Return a mapping as TOML that reads back as the same mapping.

    Args:
        mapping: What to write.
        notes: (table, column) → what it holds and how sure that is, written beside it.
        remarks: Table → more about it, written below it.
        heading: Lines for the top.
    """
    writer = _Writer(notes or {}, remarks or {})
    return joined("\n", [*(say("# {line}", line=_flat(line)) for line in heading), *writer.lines(mapping), ""])


class _Writer:
    def __init__(self, notes: Mapping[tuple[str, str], str], remarks: Mapping[str, Sequence[str]]) -> None:
        self.notes = notes
        self.remarks = remarks
        self.main = ""

    def lines(self, mapping: MappingSpec) -> Iterator[str]:
        if mapping.reader is not None:
            yield f"reader = {_quoted(mapping.reader)}"
            return
        if mapping.encoding is not None:
            yield f"encoding = {_quoted(mapping.encoding)}"
        self.main = mapping.products[0].table if mapping.products else ""
        yield "[tables]"
        for name, table in mapping.tables.items():
            yield f"{_key(name)} = {_table(table)}"
            yield from (say("# {remark:.320}", remark=_flat(remark)) for remark in self.remarks.get(name, ()))
        if mapping.joins:
            yield "[join]"
        for start, end in mapping.joins.items():
            yield f"{_quoted('.'.join(start))} = {_quoted('.'.join(end))}"
        yield from self._entities("product", mapping.products)
        yield from self._entities("variant", mapping.variants)
        for child in mapping.children:
            yield f"[[{child.kind}]]"
            yield from self._child(child)

    def _entities(self, kind: str, specs: Sequence[EntitySpec]) -> Iterator[str]:
        for spec in specs:
            yield f"[[{kind}]]" if len(specs) > 1 else f"[{kind}]"
            if spec.table != (kind if kind == "product" or spec.product is not None else self.main):
                yield f"table = {_quoted(spec.table)}"
            yield from self._entity(spec)

    def _entity(self, spec: EntitySpec) -> Iterator[str]:
        for name in ("product", "key", "name", "category"):
            field: FieldSpec | None = getattr(spec, name)
            if field is not None:
                yield self._noted(f"{name} = {_one_of(field)}", spec.table, [field, *field.others])
        for name, several in (("text", spec.text), ("images", spec.images)):
            if several:
                yield self._noted(f"{name} = {_list([_field(field) for field in several])}", spec.table, several)
        if spec.attributes:
            items = [_attribute(label, field) for label, field in spec.attributes]
            fields = [field for _, field in spec.attributes]
            yield self._noted(f"attributes = {_list(items)}", spec.table, fields)
        if spec.continued:
            yield "continued = true"
        if spec.files:
            yield f"files = {_list([_quoted(name) for name in spec.files])}"

    def _child(self, spec: ChildSpec) -> Iterator[str]:
        yield f"table = {_quoted(spec.table)}"
        path = "path" if spec.kind == "images" else "value"
        for name, field in (("product", spec.product), ("variant", spec.variant), ("name", spec.name)):
            if field is not None:
                yield self._noted(f"{name} = {_one_of(field)}", spec.table, [field])
        yield self._noted(f"{path} = {_one_of(spec.value)}", spec.table, [spec.value])

    def _noted(self, line: str, table: str, fields: Sequence[FieldSpec]) -> str:
        by_note: dict[str, list[str]] = {}
        for field in fields:
            for column in (*field.columns, *([field.names] if field.names else ())):
                if note := self.notes.get((table, column)):
                    by_note.setdefault(note, []).append(column)
        if not by_note:
            return line
        if len(fields) == 1 and len(by_note) == 1:
            comment = next(iter(by_note))
        elif len(by_note) == 1:
            comment = say("each {note}", note=next(iter(by_note)))
        else:
            comment = joined(
                "; ",
                [say("{columns}: {note}", columns=", ".join(columns), note=note) for note, columns in by_note.items()],
            )
        return say("{line}  # {comment:.160}", line=line, comment=_flat(comment))


def _table(spec: TableSpec) -> str:
    files = _quoted(spec.files[0]) if len(spec.files) == 1 else _list([_quoted(file) for file in spec.files])
    settings = [f"file = {files}"]
    if spec.sheets:
        sheets = [_quoted(name) for name in spec.sheets]
        settings.append(f"sheet = {sheets[0] if len(sheets) == 1 else _list(sheets)}")
    for name in ("rows", "split", "separator", "row_end", "comment", "encoding"):
        if value := getattr(spec, name):
            settings.append(f"{name} = {_quoted(value)}")
    if spec.flat:
        settings.append("flat = true")
    if not spec.quotes:
        settings.append("quotes = false")
    if spec.skip:
        settings.append(f"skip = {spec.skip}")
    if spec.header:
        settings.append(f"header = [{', '.join(map(_quoted, spec.header))}]")
    if spec.where:
        wanted = [f"{_key(column)} = [{', '.join(map(_quoted, values))}]" for column, values in spec.where.items()]
        settings.append(f"where = {{ {', '.join(wanted)} }}")
    return files if len(settings) == 1 else f"{{ {', '.join(settings)} }}"


def _attribute(label: str, field: FieldSpec) -> str:
    return f"{{ {_key(label)} = {_one_of(field)} }}" if label else _field(field)


def _one_of(field: FieldSpec) -> str:
    if not field.others:
        return _field(field)
    return f"[{', '.join(_field(part) for part in (field, *field.others))}]"


def _field(field: FieldSpec) -> str:
    if not field.columns:
        settings = [f"value = {_quoted(field.text)}"]
    elif field.columns == (tuple(PLACEHOLDER.findall(field.text)) or (field.text,)):
        settings = [f"from = {_quoted(field.text)}"]
    else:
        settings = [f"column = {_quoted(field.text)}"]
    for name in ("separator", "names", "blanks"):
        if value := getattr(field, name):
            settings.append(f"{name} = {_quoted(value)}")
    if field.match is not None:
        settings.append(f"match = {_quoted(field.match.pattern)}")
    if field.packed is not None:
        settings.append(f"packed = {_quoted(field.packed) if field.packed else 'true'}")
    if field.values:
        pairs = ", ".join(f"{_quoted(written)} = {_quoted(meant)}" for written, meant in field.values)
        settings.append(f"values = {{ {pairs} }}")
    if field.file:
        settings.append("file = true")
    if len(settings) == 1 and settings[0].startswith("from = "):
        return _quoted(field.text)
    return f"{{ {', '.join(settings)} }}"


def _list(items: Sequence[str]) -> str:
    if len(items) == 1:
        return items[0]
    line = f"[{', '.join(items)}]"
    if len(line) <= _WIDTH:
        return line
    rows, row = [], ""
    for item in items:
        if row and len(row) + len(item) + 4 > _WIDTH:
            rows.append(row)
            row = ""
        row += f"{item}, "
    return "\n".join(["[", *(f"  {line.rstrip()}" for line in [*rows, row]), "]"])


def _key(name: str) -> str:
    return name if name and set(name) <= _BARE else _quoted(name)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for the delete character, which TOML wants escaped as well.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _flat(text: str) -> str:
    return mapped(text, lambda part: "".join(char if char.isprintable() else " " for char in part))
