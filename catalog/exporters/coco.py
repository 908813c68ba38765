"""Delivery as COCO captions: `images/` and `captions.json`, with the prompt and the English alternative text of each.

The file is one JSON object with one entry a line, so that it is written and checked without holding it in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from catalog import provenance
from catalog.exporters.delivery import Row, to_json
from catalog.exporters.part_folder import PartFolder
from catalog.exporters.picture_folder import PictureFolder

CAPTIONS = "captions.json"
_INFO = {"description": "Approved generated product pictures", "digital_source_type": provenance.TRAINED}
_IMAGES = b'"images": [\n'
_END = b"],\n"
_COLUMNS = ("file_name", "width", "height", "product", "sku", "alt_text_en", "alt_text_ja", "sha256")


class CocoExporter(PictureFolder):
    """The `coco` format."""

    name = "coco"

    def write_tables(self, part: PartFolder, rows: Callable[[], Iterator[Row]], base_url: str) -> list[str]:
        """Write images and annotations; the item's number is the image's id."""
        images = ({"id": row["item_id"], **{column: row[column] for column in _COLUMNS}} for row in rows())
        with part.writing(CAPTIONS) as file:
            file.write(f'{{"info": {to_json(_INFO)},\n"licenses": [],\n'.encode() + _IMAGES)
            file.writelines(_entries(images))
            file.write(_END + b'"annotations": [\n')
            file.writelines(_entries(_annotations(rows())))
            file.write(b"]}\n")
        return [CAPTIONS]

    def listed(self, folder: Path, base_url: str) -> Iterator[str]:
        """Yield the file names of the images."""
        with (folder / CAPTIONS).open("rb") as file:
            for line in file:
                if line == _IMAGES:
                    break
            for line in file:
                if line == _END:
                    return
                yield str(json.loads(line.rstrip(b",\n"))["file_name"])
        raise ValueError("the list of images does not end")


def _annotations(rows: Iterator[Row]) -> Iterator[dict[str, Any]]:
    number = 0
    for row in rows:
        # Where both say the same, it is said once.
        for text, source in {row["alt_text_en"]: "alt_text", row["prompt"]: "prompt"}.items():
            number += 1
            yield {"id": number, "image_id": row["item_id"], "caption": text, "source": source}


def _entries(values: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for number, value in enumerate(values):
        yield (b",\n" if number else b"") + to_json(value).encode()
    yield b"\n"
