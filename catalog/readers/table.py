"""One or more tables of products with side lists, text files and pictures joined to them, all by evidence.

What is concluded is a mapping, and the dump is read by that mapping: what is printed is what was done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce

from catalog.mapping_text import mapping_text
from catalog.paths import IMAGE_SUFFIXES, Dump
from catalog.phrases import both, say
from catalog.readers import headers
from catalog.readers.choice import Choice
from catalog.readers.columns import FULL_SCORE, Columns, is_continuation, understand
from catalog.readers.draft import DraftCatalogue
from catalog.readers.mapped import read_mapped
from catalog.readers.proposal import column_names, propose
from catalog.readers.side_list import Join, find_join, picture_column
from catalog.readers.table_set import TableSet
from catalog.readers.tabular import Table
from catalog.records import Issue

NAME = "table"
DOUBT = say("doubt: ")
"""Begins a line of evidence that a person should read before trusting the rest."""
MIN_SCORE = 4
MIN_CONFIDENCE = 0.6
_REPEATED_SHARE = 0.1
_CLEAR_LEAD = 0.5
_OTHER_MANIFESTS = {
    ".xml": say('XML of no known feed; say in mapping.toml where its records are, such as rows = "catalog/product"'),
    ".parquet": say("not a format that is read; save its products as CSV beside the pictures"),
}


def read(tables: TableSet) -> DraftCatalogue:
    """Read a dump that has a table of products; without products, but with issues, when its tables cannot be used."""
    dump, encoding, issues = tables.dump, tables.encoding, tables.issues
    chosen = _product_tables(tables, dump)
    if not chosen.groups:
        return DraftCatalogue(reader=NAME, issues=_unusable(dump, tables, issues))
    products = {table.place for group, _ in chosen.groups for table in group}
    others = [table for table in tables if table.place not in products]
    joins = _side_lists(others, dump, chosen.groups)
    proposal = propose(chosen.groups, joins)
    parsed: dict[str, list[Table]] = {}
    for table in tables:
        parsed.setdefault(table.file.path, []).append(table)
    catalogue = read_mapped(dump, proposal.mapping, encoding, reader=NAME, parsed=parsed)
    columns = [columns for _, columns in chosen.groups]
    confidence = [*_confidence(catalogue, columns), *chosen.doubts]
    found = [line for meaning in columns for line in meaning.evidence] + [join.evidence for join in joins]
    catalogue.evidence = confidence + found + catalogue.evidence
    catalogue.issues = [issue for issue in issues if issue.source not in catalogue.documents] + catalogue.issues
    heading = [say("found by evidence; change it and give it back with --mapping"), *confidence]
    catalogue.mapping = mapping_text(proposal.mapping, proposal.notes, proposal.remarks, heading)
    return catalogue


def _confidence(catalogue: DraftCatalogue, columns: Sequence[Columns]) -> list[str]:
    """Return how sure the whole reading is, as a line and, where it is not, a second one that says what is missing."""
    products = catalogue.products
    shown = sum(bool(product.pictures) for product in products) / max(1, len(products))
    points = {
        say("a key"): 2.0 * (columns[0].key is not None or columns[0].parent is not None),
        say("a name"): 2.0 * (columns[0].name is not None),
        say("pictures"): 3.0 * shown,
        say("texts"): 1.0 * any(product.description for product in products),
        say("a category"): 1.0 * any(product.category for product in products),
    }
    sure = sum(points.values()) / FULL_SCORE
    lines: list[str] = [
        say(
            "confidence {sure:.2f}: pictures for {shown:.0%} of {count} products",
            sure=sure,
            shown=shown,
            count=len(products),
        )
    ]
    if sure < MIN_CONFIDENCE:
        missing = reduce(both, [name for name, value in points.items() if value < 1])
        lines.append(
            say(
                "{doubt}little speaks for this reading: no {missing} found; check the mapping",
                doubt=DOUBT,
                missing=missing,
            )
        )
    return lines


def _unusable(dump: Dump, tables: Iterable[Table], issues: Sequence[Issue]) -> list[Issue]:
    """Say for each table why it holds no products; only a damaged or empty one is an error."""
    found = list(issues)
    for file in dump.with_suffix(_OTHER_MANIFESTS):
        found.append(Issue(source=file.path, reason="FILE_FORMAT", detail=_OTHER_MANIFESTS[file.suffix]))
    for table in tables:
        headed = table.with_header()
        if not headed.rows:
            refused = headed.issues or [
                Issue(source=table.file.path, reason="TABLE_EMPTY", detail=say("a header and no rows"))
            ]
            found += refused
        else:
            detail = (
                _of_many_kinds(headed)
                or _without_header(table)
                or say("no columns for key, name and pictures among {header!r}", header=", ".join(headed.header[:5]))
            )
            found.append(Issue(source=table.file.path, reason="TABLE_UNUSED", detail=detail, severity="warning"))
    return found


def _without_header(table: Table) -> str:
    """Return how to name the columns of a table that begins with a row of values; empty for one that names them."""
    first = [cell.strip() for cell in table.rows[0].cells] if not table.header and table.rows else []
    if not any(cell.replace(",", ".").replace(".", "", 1).isdecimal() for cell in first):
        return ""
    return say(
        "its first line is no header: {first!r}; name its {count} columns in mapping.toml with "
        '{{ file = "{path}", header = ["id", "name", …] }}',
        first=", ".join(first[:4]),
        count=len(first),
        path=table.file.path,
    )


def _of_many_kinds(table: Table) -> str:
    """Return what a relational fixture is, whose records are of many models; empty for another table."""
    if not {"model", "pk"} <= set(table.header):
        return ""
    models = Counter(table.column(table.header.index("model")))
    names = ", ".join(name for name, _ in models.most_common(4))
    return say(
        "{count} records of {models} models ({names} …), which only a mapping can join: write "
        'mapping.toml with {{ file = "{path}", split = "model" }}, see catalog/README.md',
        count=len(table.rows),
        models=len(models),
        names=names,
        path=table.file.path,
    )


@dataclass(kw_only=True)
class _Chosen:
    groups: list[tuple[list[Table], Columns]] = field(default_factory=list)
    """Tables of products, those with the very same columns together, the best first."""
    doubts: list[str] = field(default_factory=list)


def _product_tables(tables: Iterable[Table], dump: Dump) -> _Chosen:
    """Return the best table of products, and further ones: files with the very same columns, and with other keys."""
    choice = Choice(dump)
    found: list[tuple[float, int, Table, Columns]] = []
    for table in tables:
        if not table.header and picture_column(table, dump) is not None and not _has_header(table):
            continue
        headed = table.with_header()
        if not headed.rows or not headed.header or _of_many_kinds(headed):
            continue
        columns = understand(headed, dump)
        named = columns.name is not None or bool(columns.images)
        if columns.score >= MIN_SCORE if named else choice.is_proved(headed, columns):
            found.append((choice.weight(headed, columns), len(headed.rows), headed, columns))
    if not found:
        return _Chosen()
    weight, _, best, best_columns = max(found, key=lambda item: (item[0], item[1], item[2].file.path))
    others = [(table, columns) for _, _, table, columns in found if table is not best]
    same = [table for table, _ in others if table.header == best.header]
    chosen = _Chosen(groups=[([best, *same], best_columns)])
    for table, columns in _further(best, best_columns, others):
        group = next((group for group, _ in chosen.groups if group[0].header == table.header), None)
        if group is not None:
            group.append(table)
        else:
            chosen.groups.append(([table], columns))
    used = [table for group, _ in chosen.groups for table in group]
    for near, _, rival, _ in found:
        if near > weight - _CLEAR_LEAD and not any(rival is table for table in used):
            chosen.doubts.append(
                say(
                    "{doubt}{path} looks as much like the table of products as {chosen} ({score:.2f}), which was "
                    "taken; a mapping can join both",
                    doubt=DOUBT,
                    path=rival.file.path,
                    chosen=best.file.path,
                    score=best_columns.score / FULL_SCORE,
                )
            )
    return chosen


def _further(
    best: Table, best_columns: Columns, others: Sequence[tuple[Table, Columns]]
) -> list[tuple[Table, Columns]]:
    """Return tables with other columns that hold further products: key and name as in the best one, other keys."""
    if best_columns.key is None or best_columns.name is None:
        return []
    wanted = [headers.normalise(best.header[index]) for index in (best_columns.key, best_columns.name)]
    known = {cell.strip() for cell in best.column(best_columns.key)}
    further = []
    for table, columns in others:
        if table.header == best.header or columns.key is None or columns.name is None:
            continue
        keys = {cell.strip() for cell in table.column(columns.key)}
        named = [headers.normalise(table.header[index]) for index in (columns.key, columns.name)]
        # A table that repeats known keys says more about the same products, which is for a mapping to join.
        if named == wanted and len(keys & known) < _REPEATED_SHARE * len(keys):
            known |= keys
            further.append((table, columns))
    return further


def _has_header(table: Table) -> bool:
    first = table.rows[0].cells
    named = sum(headers.role_of(cell.strip()) is not None for cell in first)
    return named > 0 and not any(cell.strip().lower().endswith(tuple(IMAGE_SUFFIXES)) for cell in first)


def _side_lists(others: Sequence[Table], dump: Dump, groups: Sequence[tuple[list[Table], Columns]]) -> list[Join]:
    """Return how lists of pictures join to the products."""
    if not others:
        return []
    keys, product_key = _join_keys(groups)
    joins = []
    for table in others:
        body = table.with_header() if table.header or _has_header(table) else table
        join = find_join(body, dump, keys, product_key) if body.rows else None
        if join is not None:
            joins.append(join)
    return joins


def _join_keys(groups: Sequence[tuple[list[Table], Columns]]) -> tuple[dict[str, set[str]], str]:
    """Return the columns that tell products apart with their values, and which of them is the key."""
    keys: dict[str, set[str]] = {}
    tables, columns = groups[0]
    header = column_names(tables[0].header)
    own = columns.parent if columns.grouped and columns.parent is not None else columns.key
    own = next(index for index in (own, columns.parent, columns.name) if index is not None)
    rows = [row for table in tables for row in table.rows if not is_continuation(row, columns)]
    products = {row.cells[own].strip() for row in rows} - {""}
    files = {*columns.text_files, *(column.index for column in columns.images)}
    for index in (index for index in range(len(header)) if index not in files):
        values = {row.cells[index].strip() for row in rows} - {""}
        # Of several product tables with different columns only the keys are known to go together.
        if len(values) == len(products) and (index == own or len(groups) == 1):
            keys[header[index]] = values
    for others, meaning in groups[1:]:
        for table in others:
            assert meaning.key is not None
            keys[header[own]] |= {cell.strip() for cell in table.column(meaning.key)}
    return keys, header[own]
