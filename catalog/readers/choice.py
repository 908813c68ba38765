"""Which table of a dump lists the products, where several look like it: by what it is called and what pictures say."""

from __future__ import annotations

from catalog.paths import IMAGE_SUFFIXES, Dump
from catalog.readers import headers
from catalog.readers.beside import folded, keys_shown
from catalog.readers.columns import Columns
from catalog.readers.tabular import Table

PROVING_SHARE = 0.8
_OF_PRODUCTS = frozenset(
    {"product", "products", "item", "items", "article", "articles", "goods", "catalog", "catalogue"}
)
_OF_OTHERS = frozenset(
    {
        *("category", "categories", "brand", "brands", "supplier", "suppliers", "vendor", "vendors", "manufacturer"),
        *("manufacturers", "customer", "customers", "order", "orders", "collection", "collections", "store", "stores"),
        *("tag", "tags", "attribute", "attributes", "user", "users", "review", "reviews", "warehouse", "warehouses"),
    }
)


class Choice:
    """Weighs tables against each other; the names of the pictures are looked at once."""

    def __init__(self, dump: Dump) -> None:
        """Bind the dump whose tables are weighed."""
        self._dump = dump
        self._pictures: list[frozenset[str]] | None = None

    def is_proved(self, table: Table, columns: Columns) -> bool:
        """Whether pictures are named after the keys of a table's rows, so that even without names they are products."""
        if columns.key is None:
            return False
        keys = _keys(table, columns.key)
        named = {name for names in self._names() for name in names if name in keys}
        return bool(keys) and len(named) >= PROVING_SHARE * len(table.rows)

    def weight(self, table: Table, columns: Columns) -> float:
        """Return how much a table looks like the one of the products: its score, and what speaks beside its columns."""
        return columns.score + _kind(table, columns) + self._shown(table, columns)

    def _shown(self, table: Table, columns: Columns) -> float:
        """Return up to 3 for the share of the dump's pictures that are named after keys, as for a column of them."""
        if columns.images or columns.key is None or not self._names():
            return 0.0
        keys = _keys(table, columns.key)
        return 3 * sum(not keys.isdisjoint(names) for names in self._names()) / len(self._names())

    def _names(self) -> list[frozenset[str]]:
        if self._pictures is None:
            self._pictures = [keys_shown(file) for file in self._dump.with_suffix(IMAGE_SUFFIXES)]
        return self._pictures


def _keys(table: Table, index: int) -> set[str]:
    return {folded(cell) for cell in table.column(index)} - {""}


def _kind(table: Table, columns: Columns) -> int:
    """Return what the names of a table's file and of its key say: 2 for products, -2 for something else."""
    stem = set(headers.words(table.file.stem)) | set(headers.words(table.sheet))
    if stem & _OF_PRODUCTS or "商品" in table.file.stem:
        return 2
    key = set() if columns.key is None else set(headers.words(table.header[columns.key]))
    return -2 if (stem | key) & _OF_OTHERS else 0
