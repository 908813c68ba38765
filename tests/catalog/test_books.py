"""The books of a dump's files."""

import zipfile
from pathlib import Path

import pytest
from PIL import Image

from catalog.books import document_books, picture_books
from catalog.paths import Dump
from catalog.readers.draft import DraftCatalogue, DraftPicture, DraftProduct
from catalog.records import FileBooks, Issue


@pytest.fixture
def dump(tmp_path: Path) -> Dump:
    for name in ("a.jpg", "a_small.jpg", "b.jpg", "broken.jpg", "spare.png"):
        Image.new("RGB", (32, 32), "white").save(tmp_path / name)
    for name in ("items.csv", "notes.txt", "damaged.csv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "out.csv").symlink_to(tmp_path.parent / "elsewhere.csv")
    return Dump(tmp_path)


@pytest.fixture
def catalogue() -> DraftCatalogue:
    product = DraftProduct(sku="1", name="Mug")
    product.pictures = [DraftPicture(path=f"{name}.jpg") for name in ("a", "a_small", "b", "broken")]
    return DraftCatalogue(reader="table", products=[product], documents={"items.csv"})


def test_picture_books_account_for_every_picture(dump: Dump, catalogue: DraftCatalogue) -> None:
    stored = {"a.jpg": "large", "a_small.jpg": "small", "b.jpg": "other", "broken.jpg": None}
    books = picture_books(dump, catalogue, stored, {"small": "large"})
    assert books == FileBooks(present=5, linked=2, duplicate=1, quarantined=1, unreferenced=("spare.png",))


def test_document_books_account_for_every_other_file(dump: Dump, catalogue: DraftCatalogue) -> None:
    issues = [
        Issue(source="damaged.csv", reason="TABLE_EMPTY", detail="no rows"),
        Issue(source="notes.txt", line=3, reason="ROW_COLUMNS", detail="a row, not the file"),
    ]
    books = document_books(dump, catalogue, issues)
    assert books == FileBooks(present=4, linked=1, quarantined=2, unreferenced=("notes.txt",))


def test_document_books_account_for_archives_and_what_is_left_out(tmp_path: Path, catalogue: DraftCatalogue) -> None:
    for name, entry in (("img.zip", "a.jpg"), ("more.zip", "b.jpg")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(entry, b"1")
            archive.writestr("../evil.jpg", b"1")
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / ".DS_Store").write_bytes(b"1")
    (tmp_path / "items.csv").write_text("x")
    books = document_books(Dump(tmp_path), catalogue, [])
    assert (books.present, books.linked, books.quarantined, books.unreferenced) == (7, 3, 3, (".DS_Store",))
