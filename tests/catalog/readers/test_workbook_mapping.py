"""Workbooks read by a mapping: sheets by their names, and the printed mapping that reads them the same."""

from pathlib import Path

import openpyxl
import pytest

from catalog.errors import IngestRefused
from catalog.paths import Dump
from catalog.readers import read_dump, table
from catalog.readers.table_set import TableSet

SHEETS = {
    "Mugs": [("sku", "name", "image"), ("0012", "Mug", "a.jpg"), ("0013", "Cup", "b.jpg")],
    "More mugs": [("sku", "name", "image"), ("0014", "Jar", "a.jpg")],
    "Lamps": [("sku", "name", "Height", "image"), ("1", "Lamp", "9 cm", "b.jpg"), ("2", "Torch", "7 cm", "a.jpg")],
    "Notes": [("who", "when"), ("x", "y")],
}


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for name, rows in SHEETS.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    root = tmp_path / "dump"
    root.mkdir()
    book.save(root / "shop.xlsx")
    (root / "a.jpg").write_text("")
    (root / "b.jpg").write_text("")
    return root


def test_sheets_are_told_apart_in_the_printed_mapping(dump: Path, tmp_path: Path) -> None:
    found = table.read(TableSet(Dump(dump)))
    assert {product.sku for product in found.products} == {"0012", "0013", "0014", "1", "2"}
    assert found.rows.read == found.rows.accepted == 5
    (tmp_path / "printed.toml").write_text(found.mapping)
    again = read_dump(Dump(dump), mapping=tmp_path / "printed.toml")
    assert again.products == found.products and again.rows == found.rows
    assert 'sheet = "Lamps"' in found.mapping or 'sheet = ["Mugs", "More mugs"]' in found.mapping


def test_a_sheet_is_named_by_a_mapping(dump: Path, tmp_path: Path) -> None:
    mapping = '[tables]\nproduct = { file = "shop.xlsx", sheet = "Lamps" }\n[product]\nkey = "sku"\nname = "name"\n'
    (tmp_path / "own.toml").write_text(mapping)
    catalogue = read_dump(Dump(dump), mapping=tmp_path / "own.toml")
    assert [product.name for product in catalogue.products] == ["Lamp", "Torch"]
    (tmp_path / "own.toml").write_text(mapping.replace("Lamps", "Lamp"))
    with pytest.raises(IngestRefused, match="no sheet 'Lamp'; did you mean Lamps"):
        read_dump(Dump(dump), mapping=tmp_path / "own.toml")
