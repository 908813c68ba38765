"""Delivery for Google Merchant Center: `images/`, and a feed of `id`, `image_link` and `additional_image_link`.

It is a supplemental feed: rows are matched to products by `id`. The same rows come as `merchant.csv` and `.tsv`.
Merchant Center asks that generated pictures keep their mark, which the files here carry.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog.exporters.delivery import Row
from catalog.exporters.feed import FeedExporter, address
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.tables import TableFile, cell

TABLES = {"merchant.csv": ",", "merchant.tsv": "\t"}
COLUMNS = ("id", "image_link", "additional_image_link")
_ID_MAX_CHARS = 50


class MerchantExporter(FeedExporter):
    """The `merchant` format."""

    name = "merchant"
    pictures_per_product = 11
    """One main picture and up to ten more."""
    asks_for_px = 500
    """Asked of all from 2027-01-31; less than 100, or 250 for clothes, is refused already."""

    def product_name(self, sku: str, variant: str) -> str | None:
        """Return the number of variant or product; None for what Google or a spreadsheet would not take as it is."""
        name = variant or sku
        return name if 0 < len(name) <= _ID_MAX_CHARS and cell(name) == name else None

    def write_tables(self, part: PartFolder, rows: Callable[[], Iterator[Row]], base_url: str) -> list[str]:
        """Write the feed in both forms."""
        for name, delimiter in TABLES.items():
            with part.writing(name) as file:
                table = TableFile(file, COLUMNS, delimiter=delimiter)
                for product, pictures in self.named(rows()):
                    main, *more = (address(base_url, row["file_name"]) for row in pictures)
                    table.add((product, main, ",".join(more)))
        return list(TABLES)

    def listed(self, folder: Path, base_url: str) -> Iterator[str]:
        """Yield the files the feed points to; raises ValueError when the two forms differ."""
        with (
            (folder / "merchant.csv").open(encoding="utf-8", newline="") as first,
            (folder / "merchant.tsv").open(encoding="utf-8", newline="") as second,
        ):
            readers = csv.reader(first, strict=True), csv.reader(second, strict=True, delimiter="\t")
            for number, (row, same) in enumerate(itertools.zip_longest(*readers)):
                if row != same or len(row) != len(COLUMNS):
                    raise ValueError("merchant.csv and merchant.tsv differ")
                if number:
                    for url in (row[1], *filter(None, row[2].split(","))):
                        yield self.file_of(url, base_url)
