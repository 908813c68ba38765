"""Delivery for Shopify: `images/`, and `shopify.csv`, a row a picture for the shop's product import.

Rows are matched to products by handle: the product's number where it was read from a Shopify export, else made of it.
Shopify changes products only from files with handle and title; the title is the record's name, in a first row.
The alternative text is in the language of the product record.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog.alt_text import one_line
from catalog.exporters.delivery import Row
from catalog.exporters.feed import FeedExporter, address
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.tables import TableFile
from catalog.readers.markup import html_to_text

TABLE = "shopify.csv"
COLUMNS = ("Handle", "Title", "Image Src", "Image Position", "Image Alt Text")
_MAX_CHARS = 255
"""Of a handle and of a title."""


class ShopifyExporter(FeedExporter):
    """The `shopify` format."""

    name = "shopify"
    pictures_per_product = 250

    def product_name(self, sku: str, variant: str) -> str | None:
        """Return the number where it can be a handle, else one as Shopify forms it: small letters, digits, hyphens."""
        if re.fullmatch(r"\w[\w-]*", sku) and sku == sku.lower() and len(sku) <= _MAX_CHARS:
            return sku
        small = unicodedata.normalize("NFKC", sku).lower()
        return re.sub(r"[\W_]+", "-", small).strip("-")[:_MAX_CHARS].rstrip("-") or None

    def write_tables(self, part: PartFolder, rows: Callable[[], Iterator[Row]], base_url: str) -> list[str]:
        """Write the table, with positions from 1 for each product."""
        with part.writing(TABLE) as file:
            table = TableFile(file, COLUMNS)
            for handle, pictures in self.named(rows()):
                for position, row in enumerate(pictures, start=1):
                    text = row["alt_text_ja" if row["lang"] == "ja" else "alt_text_en"]
                    title = _title(row) if position == 1 else ""
                    table.add((handle, title, address(base_url, row["file_name"]), position, text))
        return [TABLE]

    def listed(self, folder: Path, base_url: str) -> Iterator[str]:
        """Yield the files the table points to."""
        with (folder / TABLE).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                yield self.file_of(row["Image Src"] or "", base_url)


def _title(row: Row) -> str:
    return one_line(html_to_text(row["name"]))[:_MAX_CHARS] or str(row["sku"])
