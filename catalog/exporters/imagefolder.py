"""Delivery as a Hugging Face `imagefolder` dataset: `images/` and `metadata.jsonl` with `file_name` and `text`.

`datasets.load_dataset("imagefolder", data_dir=FOLDER)` reads it as one split, `train`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog.exporters.delivery import Row, to_json
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.picture_folder import PictureFolder

METADATA = "metadata.jsonl"
_COLUMNS = (
    "file_name", "alt_text_en", "alt_text_ja", "product", "sku", "variant", "name", "category", "run", "seed", "sha256",
    "digital_source_type",
)  # fmt: skip


class ImageFolderExporter(PictureFolder):
    """The `imagefolder` format."""

    name = "imagefolder"

    def write_tables(self, part: PartFolder, rows: Callable[[], Iterator[Row]], base_url: str) -> list[str]:
        """Write the metadata; each column has one type in all rows, which Arrow insists on."""
        with part.writing(METADATA) as file:
            for row in rows():
                facts = [
                    {key: fact[key] or "" for key in ("name", "value", "unit", "lang")} for fact in row["attributes"]
                ]
                line = {column: row[column] for column in _COLUMNS}
                file.write((to_json({**line, "text": row["prompt"], "attributes": facts}) + "\n").encode())
        return [METADATA]

    def listed(self, folder: Path, base_url: str) -> Iterator[str]:
        """Yield the file names of the metadata."""
        with (folder / METADATA).open("rb") as file:
            for line in file:
                yield str(json.loads(line)["file_name"])
