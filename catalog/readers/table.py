"""One table of products with side lists, text files and pictures joined to it, all by evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from catalog.paths import IMAGE_SUFFIXES, TEXT_SUFFIXES, Dump, DumpFile
from catalog.readers import headers
from catalog.readers.columns import Columns, understand
from catalog.readers.draft import DraftCatalogue, DraftPicture, DraftProduct
from catalog.readers.rows import RowReader, TableReading
from catalog.readers.side_list import find_join, picture_column, read_join
from catalog.readers.sidecar import ABOUT_THE_DUMP, facts_of, read_text, text_attribute
from catalog.readers.table_set import TableSet
from catalog.readers.tabular import Table
from catalog.records import Issue

NAME = "table"
MIN_SCORE = 4
_REPEATED_SHARE = 0.1
_OTHER_MANIFESTS = (".xml", ".parquet")
_VIEW = re.compile(r"[ _\-.]*(\(\d+\)|\d{1,3}|front|back|side|main|top|left|right|detail)$", re.I)


def read(tables: TableSet) -> DraftCatalogue:
    """Read a dump that has a table of products; without products, but with issues, when its tables cannot be used."""
    dump, encoding, issues = tables.dump, tables.encoding, tables.issues
    best = _product_tables(tables, dump)
    if not best:
        return DraftCatalogue(reader=NAME, issues=_unusable(dump, tables, issues))
    catalogue = DraftCatalogue(reader=NAME, encoding=best[0][0].encoding)
    reading = TableReading()
    for table, columns in best:
        catalogue.evidence += columns.evidence
        RowReader(table, columns, dump, reading, encoding).read()
    products = list(reading.products.values())
    used = {table.file.path for table, _ in best}
    places = {table.place for table, _ in best}
    used |= _join_side_lists([table for table in tables if table.place not in places], dump, reading, catalogue)
    _join_by_name(products, dump, catalogue)
    _join_texts(products, dump, used, catalogue, encoding)
    shown = {picture.path for product in products for picture in product.pictures}
    spare = [file.path for file in dump.with_suffix(IMAGE_SUFFIXES) if file.path not in shown]
    if spare:
        catalogue.evidence.append(f"{len(spare)} pictures belong to no product, such as {', '.join(spare[:3])}")
    unread = sorted(table.file.path for table in tables if table.file.path not in used)
    if unread:
        catalogue.evidence.append(f"not used: {len(unread)} other tables, such as {', '.join(unread[:3])}")
    catalogue.products = products
    catalogue.issues = [issue for issue in issues if issue.source not in used] + reading.issues + catalogue.issues
    return catalogue


def _unusable(dump: Dump, tables: Iterable[Table], issues: Sequence[Issue]) -> list[Issue]:
    """Say for each table why it holds no products; only a damaged or empty one is an error."""
    found = list(issues)
    for file in dump.with_suffix(_OTHER_MANIFESTS):
        detail = "not a format that is read yet; save its products as CSV beside the pictures"
        found.append(Issue(source=file.path, reason="FILE_FORMAT", detail=detail))
    for table in tables:
        headed = table.with_header()
        if not headed.rows:
            refused = headed.issues or [
                Issue(source=table.file.path, reason="TABLE_EMPTY", detail="a header and no rows")
            ]
            found += refused
        else:
            detail = f"no columns for key, name and pictures among {', '.join(headed.header[:5])!r}"
            found.append(Issue(source=table.file.path, reason="TABLE_UNUSED", detail=detail, severity="warning"))
    return found


def _product_tables(tables: Iterable[Table], dump: Dump) -> list[tuple[Table, Columns]]:
    """Return the best table of products, and further files with the very same columns."""
    found: list[tuple[int, int, Table, Columns]] = []
    for table in tables:
        if not table.header and picture_column(table, dump) is not None and not _has_header(table):
            continue
        headed = table.with_header()
        if not headed.rows or not headed.header:
            continue
        columns = understand(headed, dump)
        if columns.score >= MIN_SCORE and (columns.name is not None or columns.images):
            found.append((columns.score, len(headed.rows), headed, columns))
    if not found:
        return []
    _, _, best, best_columns = max(found, key=lambda item: (item[0], item[1], item[2].file.path))
    others = [(table, columns) for _, _, table, columns in found if table is not best]
    same = [(table, columns) for table, columns in others if table.header == best.header]
    return [(best, best_columns), *same, *_further(best, best_columns, others)]


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


def _join_side_lists(tables: list[Table], dump: Dump, reading: TableReading, catalogue: DraftCatalogue) -> set[str]:
    used: set[str] = set()
    keys = {name: list(values) for name, values in reading.unique.items() if len(values) == len(reading.products)}
    for table in tables:
        body = table.with_header() if table.header or _has_header(table) else table
        join = find_join(body, dump, keys) if body.rows else None
        if join is None:
            continue
        used.add(table.file.path)
        catalogue.evidence.append(join.evidence)
        catalogue.issues += body.issues
        known = reading.unique[join.keys]
        seen = {name: {picture.path for picture in product.pictures} for name, product in known.items()}
        for item in read_join(join, dump, known):
            if isinstance(item, Issue):
                catalogue.issues.append(item)
            elif item.path not in seen[item.key]:
                seen[item.key].add(item.path)
                product = known[item.key]
                role = "listed" if product.pictures else "main"
                product.pictures.append(DraftPicture(path=item.path, role=role, origin=table.file.path, line=item.line))
    return used


def _join_by_name(products: list[DraftProduct], dump: Dump, catalogue: DraftCatalogue) -> None:
    """Give products without a picture those named after their key: `KEY.jpg`, `KEY_2.jpg`, `KEY/front.jpg`."""
    bare = [product for product in products if not product.pictures]
    if not bare:
        return
    taken = {picture.path for product in products for picture in product.pictures}
    by_key: dict[str, list[DumpFile]] = {}
    for file in dump.with_suffix(IMAGE_SUFFIXES):
        if file.path not in taken:
            names = {
                file.stem.casefold(),
                _VIEW.sub("", file.stem).casefold(),
                file.folder.rpartition("/")[2].casefold(),
            }
            for name in names - {""}:
                by_key.setdefault(name, []).append(file)
    joined = 0
    for product in bare:
        keys = [product.sku, *(variant.sku for variant in product.variants), product.name]
        files = next((found for key in keys if key and (found := by_key.get(key.casefold()))), [])
        joined += bool(files)
        for number, file in enumerate(files):
            product.pictures.append(DraftPicture(path=file.path, role="extra" if number else "main"))
    if joined:
        catalogue.evidence.append(f"pictures joined to {joined} products by file or folder names that are their keys")


def _join_texts(
    products: list[DraftProduct], dump: Dump, used: set[str], catalogue: DraftCatalogue, encoding: str | None
) -> None:
    """Give each text file no table names to the one product whose files lie in its folder or share its stem."""
    owners: dict[str, set[str]] = {}
    stems: dict[tuple[str, str], str] = {}
    by_sku = {product.sku: product for product in products}
    named = set(used)
    for product in products:
        sources = [fact.source for fact in product.attributes if fact.source in dump.files]
        named.update(sources)
        for path in [*sources, *(picture.path for picture in product.pictures)]:
            file = dump.files[path]
            owners.setdefault(file.folder, set()).add(product.sku)
            stems[file.folder, _base(file.stem)] = product.sku
    joined = 0
    for file in dump.with_suffix(TEXT_SUFFIXES):
        if file.path in named or file.stem.casefold() in ABOUT_THE_DUMP:
            continue
        folder_owners = owners.get(file.folder, set())
        sku = stems.get((file.folder, _base(file.stem))) or (
            next(iter(folder_owners)) if len(folder_owners) == 1 else None
        )
        if sku is None or (not file.folder and len(products) > 1 and (file.folder, _base(file.stem)) not in stems):
            continue
        text = read_text(file, encoding)
        if isinstance(text, Issue):
            catalogue.issues.append(text)
            continue
        joined += 1
        product = by_sku[sku]
        product.attributes.append(text_attribute(file, text))
        product.attributes.extend(facts_of(file, text))
        product.description = product.description or text
    if joined:
        catalogue.evidence.append(f"{joined} text files that no table names joined to the product they lie beside")


def _base(stem: str) -> str:
    """Return a file's stem without its last `_part`, which says what the file is: `Pear_Information` → `pear`."""
    head, _, _ = stem.rpartition("_")
    return (head or stem).casefold()
