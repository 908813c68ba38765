"""Delivery as a folder: `images/`, and what `manifest.jsonl` says as a table in `manifest.csv`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog.exporters.delivery import Row
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.picture_folder import PictureFolder
from catalog.exporters.tables import TableFile

TABLE = "manifest.csv"
COLUMNS = (
    "file_name", "product", "sku", "variant", "name", "category", "attributes", "alt_text_en", "alt_text_ja", "prompt",
    "width", "height", "run", "seed", "scores", "nearest_sha256", "nearest_similarity", "copy_risk", "approvals",
    "decided_at", "policy_version", "digital_source_type", "sha256", "source_sha256",
)  # fmt: skip


class FolderExporter(PictureFolder):
    """The `folder` format."""

    name = "folder"

    def write_tables(self, part: PartFolder, rows: Callable[[], Iterator[Row]], base_url: str) -> list[str]:
        """Write the manifest as a table for spreadsheets."""
        with part.writing(TABLE) as file:
            table = TableFile(file, COLUMNS, for_people=True)
            for row in rows():
                flat = {**row, "attributes": _facts(row), "scores": _scores(row)}
                table.add(flat[column] for column in COLUMNS)
        return [TABLE]

    def listed(self, folder: Path, base_url: str) -> Iterator[str]:
        """Yield the file names of the table."""
        with (folder / TABLE).open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                yield row["file_name"] or ""


def _facts(row: Row) -> str:
    return "; ".join(f"{fact['name']}: {_value(fact)}" for fact in row["attributes"])


def _value(fact: Row) -> str:
    value, unit = fact["value"], fact["unit"] or ""
    # Feeds write "80cm" or "height cm" and name the unit once more.
    said = value.lower().endswith(unit.lower()) or fact["name"].lower().split()[-1:] == [unit.lower()]
    return str(value) if said else f"{value} {unit}"


def _scores(row: Row) -> str:
    return "; ".join(f"{name}: {value:g}" for name, value in sorted(row["scores"].items()))
