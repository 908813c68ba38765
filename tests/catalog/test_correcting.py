"""Rejected rows are found again, corrected, and take the place of the rows they are for."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from catalog import messages
from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.correcting import originals, unused_corrections
from catalog.readers.draft import DraftCatalogue
from catalog.rejects import read_corrections, write_rejects

Edit = Callable[[str], str]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    root = tmp_path / "dump"
    root.mkdir()
    for name in ("a", "b", "c"):
        Image.new("RGB", (32, 32), "white").save(root / f"{name}.png")
    return root


def corrected(dump: Path, edit: Edit, change: Callable[[], None] = lambda: None) -> tuple[DraftCatalogue, Dump]:
    """Read a dump, edit its rejects.csv, change the dump, and read it with the correction."""
    mapping = dump.parent / "own.toml" if (dump.parent / "own.toml").exists() else None
    first = Dump(dump)
    found = read_dump(first, mapping=mapping)
    rejects = write_rejects(found.issues, originals(found.issues, None, first, found.headers), messages.load("en"))
    assert rejects is not None
    path = dump.parent / "fixed.csv"
    path.write_text(edit(rejects.decode("utf-8-sig")), "utf-8")
    change()
    again = Dump(dump, corrections=read_corrections(path))
    return read_dump(again, mapping=mapping), again


def workbook(dump: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for sheet, rows in {
        "Mugs": [("sku", "name", "image"), ("M-1", "Red mug", "a.png"), ("M-2", "Blue mug", "b.png")],
        "Bowls": [("sku", "name", "image"), ("B-1", "Deep bowl", "c.png"), (None, "Flat bowl", "c.png")],
    }.items():
        page = book.create_sheet(sheet)
        for row in rows:
            page.append(row)
    book.save(dump / "items.xlsx")


def test_correction_of_one_sheet_leaves_the_others_alone(dump: Path) -> None:
    workbook(dump)
    catalogue, _ = corrected(dump, lambda text: text.replace(",,Flat bowl", ",B-2,Flat bowl"))
    assert [product.sku for product in catalogue.products] == ["M-1", "M-2", "B-1", "B-2"]
    assert catalogue.issues == [] and catalogue.rows.accepted == 4


def test_rejected_row_of_a_sheet_comes_with_its_own_cells(dump: Path) -> None:
    workbook(dump)
    listed = Dump(dump)
    found = read_dump(listed)
    (issue,) = found.issues
    assert (issue.place, issue.line) == ("items.xlsx#Bowls", 3)
    assert originals(found.issues, None, listed, {}) == {
        ("items.xlsx#Bowls", 3): {"sku": "", "name": "Flat bowl", "image": "c.png"}
    }


def test_correction_finds_its_row_after_rows_above_it_are_gone(dump: Path) -> None:
    table = dump / "items.csv"
    table.write_text("sku,name,image\n1,Mug,a.png\n2,Cup,b.png\n3,Bowl,none.png\n")
    catalogue, listed = corrected(
        dump,
        lambda text: text.replace("none.png", "c.png", 2).replace(",none.png", ",c.png"),
        lambda: table.write_text("sku,name,image\n2,Cup,b.png\n3,Bowl,none.png\n") and None,
    )
    assert {product.sku: len(product.pictures) for product in catalogue.products} == {"2": 1, "3": 1}
    assert unused_corrections(listed) == []


def test_correction_of_a_row_that_changed_is_left_out_and_said(dump: Path) -> None:
    table = dump / "items.csv"
    table.write_text("sku,name,image\n1,Mug,a.png\n3,Bowl,none.png\n")
    catalogue, listed = corrected(
        dump,
        lambda text: text.replace(",none.png", ",c.png"),
        lambda: table.write_text("sku,name,image\n1,Mug,a.png\n3,Big bowl,none.png\n") and None,
    )
    assert [product.name for product in catalogue.products] == ["Mug", "Big bowl"]
    assert [(issue.reason, issue.line) for issue in unused_corrections(listed)] == [("ROW_CHANGED_SINCE", 3)]


def test_row_that_was_wider_than_its_header_is_corrected(dump: Path) -> None:
    (dump / "items.csv").write_text("sku,name,image\n1,Mug,a.png\n2,Cup, blue,b.png,x\n")
    catalogue, _ = corrected(dump, lambda text: text.replace(",2,Cup,blue,b.png | x", ',2,"Cup, blue",b.png,'))
    assert [(product.sku, product.name) for product in catalogue.products] == [("1", "Mug"), ("2", "Cup, blue")]
    assert catalogue.issues == []


def test_rows_of_a_file_without_header_are_corrected_by_the_names_of_the_mapping(dump: Path) -> None:
    (dump / "ITEMS.TXT").write_text("1;Mug;a.png\n2;;b.png\n")
    (dump.parent / "own.toml").write_text(
        '[tables]\nproduct = { file = "ITEMS.TXT", separator = ";", header = ["no", "title", "photo"] }\n'
        '[product]\nkey = "no"\nname = "title"\nimages = "photo"\n'
    )
    catalogue, _ = corrected(dump, lambda text: text.replace(",2,,b.png", ",2,Cup,b.png"))
    assert [(product.sku, product.name) for product in catalogue.products] == [("1", "Mug"), ("2", "Cup")]


def test_rejected_records_of_xml_come_without_cells(dump: Path) -> None:
    (dump / "items.xml").write_text("<all><item><no>1</no><n>Mug</n></item><item><no>2</no></item></all>")
    (dump.parent / "own.toml").write_text(
        '[tables]\nproduct = { file = "items.xml", rows = "all/item" }\n[product]\nkey = "no"\nname = "n"\n'
        'images = { value = "a.png" }\n'
    )
    listed = Dump(dump)
    found = read_dump(listed, mapping=dump.parent / "own.toml")
    assert found.issues and originals(found.issues, None, listed, found.headers) == {}
