"""Side lists: files without product data whose rows say `picture, product`.

The picture column is proved by the files; the product column is the one whose values are keys of
the product table, and of several such columns the one that covers most products.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from catalog.paths import IMAGE_SUFFIXES, Dump
from catalog.phrases import say
from catalog.readers.columns import RESOLVING_SHARE, SAMPLE_ROWS, resolving_share
from catalog.readers.tabular import Table


@dataclass(frozen=True, kw_only=True)
class Join:
    """How a side list joins pictures to products."""

    table: Table
    picture_column: int
    product_column: int
    keys: str
    """Name of the product table's column that its values are from."""
    by_product_key: bool
    """Whether that column is the products' key."""
    evidence: str


def picture_column(table: Table, dump: Dump) -> int | None:
    """Return the column of a table without header whose cells are picture files, or None."""
    sample = table.rows[:SAMPLE_ROWS]
    width = max((len(row.cells) for row in sample), default=0)
    for index in range(width):
        values = [row.cells[index].strip() for row in sample if index < len(row.cells)]
        if (
            values
            and "." in values[0]
            and resolving_share(values, dump, table.file.folder, IMAGE_SUFFIXES) >= RESOLVING_SHARE
        ):
            return index
    return None


def find_join(table: Table, dump: Dump, keys: Mapping[str, Collection[str]], product_key: str) -> Join | None:
    """Return how `table` joins pictures to products, or None when it does not.

    Args:
        table: Rows; a header, if it has one, is already taken off.
        dump: The dump's files.
        keys: Column name of the product table → its values, unique in it, one a product.
        product_key: Which of these is the products' key.
    """
    pictures = picture_column(table, dump)
    if pictures is None:
        return None
    best: tuple[float, int, int, str] | None = None
    width = max(len(row.cells) for row in table.rows)
    for name, known_values in keys.items():
        known = set(known_values)
        for index in (column for column in range(width) if column != pictures):
            values = [row.cells[index].strip() for row in table.rows if index < len(row.cells)]
            inside = sum(value in known for value in values)
            if not values or inside < RESOLVING_SHARE * len(values):
                continue
            # Group numbers are often product numbers too: the real key reaches more products.
            found = (len(set(values) & known) / len(known), -index, index, name)
            best = max(best, found) if best else found
    if best is None:
        return None
    coverage, _, index, name = best
    evidence = say(
        "{path}: a list of {count} pictures; column {index} holds '{name}' of {coverage:.0%} of the products",
        path=table.file.path,
        count=len(table.rows),
        index=index + 1,
        name=name,
        coverage=coverage,
    )
    return Join(
        table=table,
        picture_column=pictures,
        product_column=index,
        keys=name,
        by_product_key=name == product_key,
        evidence=evidence,
    )
