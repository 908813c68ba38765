"""Workbooks become tables of text cells, one a sheet, with their pictures."""

import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.drawing.image import Image as SheetImage
from openpyxl.workbook import Workbook
from PIL import Image

from catalog.paths import Dump
from catalog.readers import read_dump
from catalog.readers.tabular import Table
from catalog.readers.workbook import read_workbook
from catalog.records import Issue


def picture(colour: str) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (12, 12), colour).save(out, "PNG")
    out.seek(0)
    return out


def saved(root: Path, build: Callable[[Workbook], None], name: str = "book.xlsx") -> Path:
    book = openpyxl.Workbook()
    build(book)
    root.mkdir(parents=True, exist_ok=True)
    book.save(root / name)
    (root / "a.jpg").write_bytes(b"1")
    return root


def tables_of(root: Path, name: str = "book.xlsx") -> tuple[list[Table], list[Issue]]:
    dump = Dump(root)
    tables, issues = read_workbook(dump.files[name], dump)
    return [table.with_header() for table in tables], issues


def grid(table: Table) -> list[tuple[str, ...]]:
    return [table.header, *(row.cells for row in table.rows)]


def rows(*cells: tuple[object, ...]) -> Callable[[Workbook], None]:
    def build(book: Workbook) -> None:
        for row in cells:
            book.active.append(row)

    return build


def test_cells_become_the_text_a_person_reads(tmp_path: Path) -> None:
    cells = (
        "0012",
        4901234567894,
        1.5,
        True,
        datetime.date(2026, 1, 2),
        datetime.datetime(2026, 1, 2, 3, 4),
        "1-2",
        None,
    )
    header = ("品番", "JAN", "重量", "公開", "発売日", "更新", "型番", "備考")
    tables, issues = tables_of(saved(tmp_path, rows(header, cells)))
    assert grid(tables[0])[1] == (
        *("0012", "4901234567894", "1.5", "yes", "2026-01-02", "2026-01-02 03:04:00", "1-2", ""),
    )
    assert not issues


def test_zero_padded_number_formats_keep_their_zeros(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(("品番", "商品名", "数"), (42, "Mug", 7))(book)
        book.active["A2"].number_format = "00000"

    tables, _ = tables_of(saved(tmp_path, build))
    assert grid(tables[0])[1] == ("00042", "Mug", "7")


def test_the_header_is_found_below_titles_and_lines_are_those_of_excel(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(
            ("商品一覧 2026年版",),
            (),
            ("作成", "営業部"),
            ("品番", "商品名", "色"),
            ("1", "Mug", "赤"),
            (),
            ("2", "Cup", "青"),
        )(book)
        book.active.merge_cells("A1:C1")

    tables, issues = tables_of(saved(tmp_path, build))
    assert tables[0].header == ("品番", "商品名", "色") and [row.line for row in tables[0].rows] == [5, 7]
    assert [(issue.reason, issue.severity) for issue in issues] == [("TABLE_PREAMBLE", "warning")]
    assert "商品一覧" in issues[0].detail


def test_each_visible_sheet_is_a_table_and_hidden_ones_are_named(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        book.active.title = "椅子"
        rows(("品番", "商品名"), ("1", "Chair"))(book)
        book.create_sheet("机").append(("品番", "商品名"))
        book["机"].append(("2", "Desk"))
        book.create_sheet("旧").append(("品番", "商品名"))
        book["旧"].sheet_state = "hidden"
        book.create_sheet("空")

    tables, issues = tables_of(saved(tmp_path, build))
    assert [table.rows[0].cells[1] for table in tables] == ["Chair", "Desk"]
    assert "'椅子'" in tables[0].layout
    assert [(issue.reason, "旧" in issue.detail) for issue in issues] == [("TABLE_HIDDEN", True)]


def test_merged_cells_repeat_their_value_and_two_level_headers_are_joined(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(
            ("カテゴリ", "品番", "商品名", "サイズ", None),
            (None, None, None, "幅", "高さ"),
            ("家具", "1", "Chair", 40, 80),
            (None, "2", "Desk", 120, 70),
        )(book)
        for cells in ("A1:A2", "B1:B2", "C1:C2", "D1:E1", "A3:A4"):
            book.active.merge_cells(cells)

    tables, _ = tables_of(saved(tmp_path, build))
    assert grid(tables[0]) == [
        ("カテゴリ", "品番", "商品名", "サイズ 幅", "サイズ 高さ"),
        ("家具", "1", "Chair", "40", "80"),
        ("家具", "2", "Desk", "120", "70"),
    ]


def test_rows_below_a_merged_key_are_variants_of_one_product(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        header = ("品番", "商品名", "素材", "色", "画像")
        rows(
            header,
            ("A", "Chair", "木", "赤", "a.jpg"),
            (None, None, None, "青", None),
            ("B", "Desk", "木", "白", "a.jpg"),
        )(book)
        for cells in ("A2:A3", "B2:B3", "C2:C3"):
            book.active.merge_cells(cells)

    tables, _ = tables_of(saved(tmp_path, build))
    assert grid(tables[0])[2] == ("", "", "木", "青", "")


def test_error_cells_are_empty_and_named(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(("品番", "商品名", "色"), ("1", "Mug", "#N/A"), ("2", "Cup", "赤"))(book)

    tables, issues = tables_of(saved(tmp_path, build))
    assert grid(tables[0])[1] == ("1", "Mug", "")
    assert [(issue.reason, issue.line) for issue in issues] == [("ROW_CELL_ERROR", 2)] and "C2" in issues[0].detail


def test_sheets_of_labels_and_values_are_one_product_each(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(("製品仕様書",), ("品番", "A-1"), ("商品名", "Mug"), ("素材", "磁器"), ("高さ", 95))(book)
        book.active.add_image(SheetImage(picture("red")), "D2")
        second = book.create_sheet("2")
        for row in (("品番", "A-2"), ("商品名", "Cup"), ("容量", "200ml")):
            second.append(row)

    root = saved(tmp_path, build)
    tables, _ = tables_of(root)
    assert grid(tables[0])[1:] == [
        ("A-1", "Mug", "磁器", "95", "/book.xlsx/xl/media/image1.png", ""),
        ("A-2", "Cup", "", "", "", "200ml"),
    ]


def test_pictures_on_rows_belong_to_the_products_of_those_rows(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(("品番", "商品名", "色"), ("1", "Mug", "赤"), ("2", "Cup", "青"), ("3", "Jar", "白"))(book)
        for colour, cell in (("red", "D2"), ("blue", "D3"), ("navy", "E3")):
            book.active.add_image(SheetImage(picture(colour)), cell)

    root = saved(tmp_path / "in", build)
    (root / "a.jpg").unlink()
    catalogue = read_dump(Dump(root))
    pictures = {product.sku: [shown.path for shown in product.pictures] for product in catalogue.products}
    assert pictures == {
        "1": ["book.xlsx/xl/media/image1.png"],
        "2": ["book.xlsx/xl/media/image2.png", "book.xlsx/xl/media/image3.png"],
        "3": [],
    }
    with Image.open(io.BytesIO(Dump(root).files[pictures["1"][0]].read(1 << 20))) as opened:
        assert opened.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_workbook_in_a_zip_is_read_with_its_pictures(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(("品番", "商品名", "色"), ("1", "Mug", "赤"))(book)
        book.active.add_image(SheetImage(picture("red")), "D2")

    saved(tmp_path / "in", build)
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.write(tmp_path / "in" / "book.xlsx", "book.xlsx")
    product = read_dump(Dump(tmp_path / "d.zip")).products[0]
    assert [shown.path for shown in product.pictures] == ["book.xlsx/xl/media/image1.png"]


def test_a_picture_placed_inside_a_cell_is_found(tmp_path: Path) -> None:
    saved(tmp_path, rows(("品番", "商品名", "写真"), ("1", "Mug", "x"), ("2", "Cup", "y")))
    relation = '<Relationship Id="rId1" Type="t/image" Target="../media/image9.png"/>'
    added = {
        "xl/media/image9.png": picture("red").read(),
        "xl/richData/_rels/richValueRel.xml.rels": f"<Relationships>{relation}</Relationships>".encode(),
        "xl/richData/richValueRel.xml": b'<richValueRels xmlns:r="o"><rel r:id="rId1"/></richValueRels>',
        "xl/richData/rdrichvalue.xml": b'<rvData><rv s="0"><v>0</v><v>5</v></rv></rvData>',
        "xl/metadata.xml": b'<metadata><futureMetadata><bk><rvb i="0"/></bk></futureMetadata>'
        b'<valueMetadata><bk><rc t="1" v="0"/></bk></valueMetadata></metadata>',
    }
    with zipfile.ZipFile(tmp_path / "book.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    old = '<c r="C3" t="inlineStr"><is><t>y</t></is></c>'
    assert old in sheet
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(old, '<c r="C3" t="e" vm="1"><v>#VALUE!</v></c>').encode()
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as archive:
        for name, data in {**parts, **added}.items():
            archive.writestr(name, data)
    tables, issues = tables_of(tmp_path)
    assert grid(tables[0])[1:] == [("1", "Mug", "x", ""), ("2", "Cup", "", "/book.xlsx/xl/media/image9.png")]
    assert not issues


def test_an_opendocument_sheet_is_read(tmp_path: Path) -> None:
    def row(*cells: str) -> str:
        inside = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in cells
        )
        return f"<table:table-row>{inside}</table:table-row>"

    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    body = row("品番", "商品名") + row("001", "Mug")
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="S">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    with zipfile.ZipFile(tmp_path / "book.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    tables, issues = tables_of(tmp_path, "book.ods")
    assert grid(tables[0]) == [("品番", "商品名"), ("001", "Mug")] and not issues


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FILE_UNREADABLE"),
        (b"<html>404</html>", "FILE_UNREADABLE"),
        (b"PK\x03\x04 cut short", "ZIP_DAMAGED"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "FILE_UNREADABLE"),
    ],
)
def test_a_broken_workbook_is_one_issue(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "book.xlsx").write_bytes(data)
    tables, issues = tables_of(tmp_path)
    assert not tables and [issue.reason for issue in issues] == [code]
    assert "\n" not in issues[0].detail


def test_a_cell_too_far_away_costs_its_sheet_and_no_memory(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        rows(("品番", "商品名"), ("1", "Mug"))(book)
        far = book.create_sheet("far")
        far["XFD1048576"] = "x"

    tables, issues = tables_of(saved(tmp_path, build))
    assert [table.rows[0].cells for table in tables] == [("1", "Mug")]
    assert [(issue.reason, "'far'" in issue.detail) for issue in issues] == [("ZIP_LIMIT", True)]


def test_a_list_of_pictures_on_another_sheet_joins_the_products(tmp_path: Path) -> None:
    def build(book: Workbook) -> None:
        header = ("品番", "商品名", "色", "商品説明", "カテゴリ")
        rows(header, ("A-1", "Mug", "赤", "丈夫です", "食器"), ("A-2", "Cup", "青", "軽いです", "食器"))(book)
        listed = book.create_sheet("画像")
        for row in (("画像", "品番"), ("m1.jpg", "A-1"), ("m2.jpg", "A-1"), ("c.jpg", "A-2")):
            listed.append(row)

    root = saved(tmp_path, build)
    for name in ("m1.jpg", "m2.jpg", "c.jpg"):
        (root / name).write_bytes(b"1")
    products = {product.sku: product for product in read_dump(Dump(root)).products}
    assert [shown.path for shown in products["A-1"].pictures] == ["m1.jpg", "m2.jpg"]
    assert [shown.path for shown in products["A-2"].pictures] == ["c.jpg"]


def test_an_empty_workbook_is_an_issue(tmp_path: Path) -> None:
    tables, issues = tables_of(saved(tmp_path, lambda book: None))
    assert not tables and [issue.reason for issue in issues] == ["TABLE_EMPTY"]
