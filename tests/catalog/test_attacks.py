"""Dumps that once ended an ingest, took all memory or led to a wrong row: each has its code now."""

import csv
import io
import json
import tarfile
from pathlib import Path

import openpyxl
import pytest
from hostile.building import motif, saved

from catalog import glossary
from catalog.errors import IngestRefused
from catalog.ingest import ingest
from catalog.messages import load
from catalog.path_rules import shown_path
from catalog.paths import Dump
from catalog.product_names import clean_name
from catalog.readers import json_text, read_dump, tabular
from catalog.records import IngestReport
from catalog.report import write_report
from catalog.runs import counts_of
from catalog.store import Catalog

_HEAD = "sku,name,material,image\n"
_DEEP = "[" * 600 + "]" * 600
_MAPPED = """
[tables]
product = { file = "items.json", rows = "items" }
[product]
key = "sku"
name = "name"
images = "image"
"""


def _dump(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.png").write_bytes(saved(motif(), "PNG"))
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def _ingest(tmp_path: Path, dump: Path, **options: Path) -> IngestReport:
    with Catalog.open(tmp_path / "workspace") as catalog:
        report = ingest(catalog, dump, workers=1, **options)  # type: ignore[arg-type]
        write_report(catalog.workspace, report, load("en"), counts_of(report))
    return report


def test_a_table_without_any_readable_row_does_not_end_the_ingest_of_another(tmp_path: Path) -> None:
    long_line = b"x" * (tabular.MAX_LINE_BYTES + 1)
    report = _ingest(tmp_path, _dump(tmp_path / "dump", items__csv=_HEAD + "A,Vase,glass,a.png\n", bad__csv=long_line))
    assert report.products_added == 1
    assert [issue.reason for issue in report.issues] == ["ROW_CELL_TOO_LONG"]


@pytest.mark.parametrize("name", ["items.jsonl", "items.json"])
def test_json_too_deep_to_be_walked_is_reported(tmp_path: Path, name: str) -> None:
    rows = [f'{{"sku": "A", "name": "Vase", "image": "a.png", "x": {_DEEP}}}', '{"sku": "B", "image": "a.png"}']
    if name == "items.jsonl":
        catalogue = read_dump(Dump(_dump(tmp_path, items__jsonl="\n".join(rows))))
        assert [product.sku for product in catalogue.products] == ["B"]
        assert [(issue.reason, issue.line) for issue in catalogue.issues if issue.severity == "error"] == [
            ("ROW_UNREADABLE", 1)
        ]
    else:
        with pytest.raises(IngestRefused, match="nested deeper than 100"):
            read_dump(Dump(_dump(tmp_path, items__json=f"[{','.join(rows)}]")))


def test_mapped_json_too_deep_to_be_walked_is_refused(tmp_path: Path) -> None:
    items = f'{{"items": [{{"sku": "A", "name": "Vase", "image": "a.png", "x": {_DEEP}}}]}}'
    with pytest.raises(IngestRefused, match="nested deeper than 100"):
        read_dump(Dump(_dump(tmp_path, items__json=items, mapping__toml=_MAPPED)))


def test_lone_surrogates_reach_no_database(tmp_path: Path) -> None:
    item = r'{"sku": "A\ud800", "name": "Va\udc00se", "image": "a.png", "\ud801": NaN}'
    mapped = _dump(
        tmp_path / "mapped", items__json=f'{{"items": [{item}]}}', mapping__toml=_MAPPED + 'attributes = "*"\n'
    )
    assert _ingest(tmp_path, mapped).products_added == 1
    page = f'<html><script type="application/ld+json">{{"@type": "Product", {item[1:]}</script></html>'
    assert _ingest(tmp_path, _dump(tmp_path / "pages", p__html=page)).products_added == 1


def test_json_of_endless_values_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_VALUES", 50)
    with pytest.raises(ValueError, match="more than 50 values"):
        json_text.parse_json(json.dumps([[]] * 60))
    assert json_text.parse_json('["' + "," * 20 + "x" * 60 + '"]')


def test_a_table_of_endless_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "MAX_LINES", 100)
    with pytest.raises(IngestRefused, match="more than 100 lines"):
        read_dump(Dump(_dump(tmp_path, items__csv=_HEAD + "A,Vase,glass,a.png\n" + "\n" * 200)))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_tar_header_of_gigabytes_is_not_read(tmp_path: Path, kind: bytes) -> None:
    dump = _dump(tmp_path, items__csv=_HEAD + "A,Vase,glass,a.png\n")
    header = tarfile.TarInfo("long")
    header.type, header.size = kind, 5 << 30
    with (dump / "more.tar").open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate((5 << 30) + 1024)
    assert [issue.reason for issue in Dump(dump).issues] == ["ZIP_LIMIT"]


@pytest.mark.parametrize("text", ["x", "1,", "(", "\\", "red vase "])
def test_a_description_in_the_name_column_costs_no_time_and_no_run(tmp_path: Path, text: str) -> None:
    name = text * (200_000 // len(text))
    rows = json.dumps([{"sku": "A", "name": name, "image": "a.png"}, {"sku": "B", "name": "Bowl", "image": "a.png"}])
    report = _ingest(tmp_path, _dump(tmp_path / "dump", items__json=rows))
    assert report.products_added == 2
    assert report.seconds < 20


def test_clean_name_says_no_name_that_leaves_no_room_in_a_caption() -> None:
    shipped = glossary.load()
    assert clean_name("x" * 121, "", shipped) == ""
    assert clean_name("x" * 120, "", shipped) == "x" * 120


@pytest.mark.parametrize("name", ["..", ".", "あ" * 90])
def test_a_source_whose_folder_would_be_another_one_is_refused(tmp_path: Path, name: str) -> None:
    dump = _dump(tmp_path / "dump", items__csv=_HEAD + "A,Vase,glass,a.png\n")
    with Catalog.open(tmp_path / "workspace") as catalog, pytest.raises(IngestRefused, match="--source NAME"):
        ingest(catalog, dump, source=name, workers=1)


def test_the_workspace_is_no_dump(tmp_path: Path) -> None:
    _ingest(tmp_path, _dump(tmp_path / "dump", items__csv=_HEAD + "A,Vase,glass,a.png\n"))
    with Catalog.open(tmp_path / "workspace") as catalog:
        for folder in (catalog.workspace, catalog.workspace / "blobs"):
            with pytest.raises(IngestRefused, match="is the workspace itself"):
                ingest(catalog, folder, workers=1)


def test_a_dump_whose_name_is_no_text_gets_one(tmp_path: Path) -> None:
    folder = tmp_path / "花瓶".encode("cp932").decode("utf-8", "surrogateescape")
    report = _ingest(tmp_path, _dump(folder, items__csv=_HEAD + "A,Vase,glass,a.png\n"))
    assert report.source == "花瓶"


def test_shown_path_reads_utf8_that_the_locale_did_not() -> None:
    assert shown_path("花瓶.png".encode().decode("ascii", "surrogateescape")) == "花瓶.png"


# --- corrections -----------------------------------------------------------------------------------


def _rejects(tmp_path: Path, source: str = "dump") -> list[list[str]]:
    text = (tmp_path / "workspace" / "ingest" / source / "rejects.csv").read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def _given_back(tmp_path: Path, rows: list[list[str]]) -> Path:
    path = tmp_path / "corrected.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_row_with_several_cells_too_many_can_be_corrected(tmp_path: Path) -> None:
    dump = _dump(tmp_path / "dump", items__csv=_HEAD + "A,Vase,glass,a.png\nB,Bowl,clay,a.png,one,two\n")
    assert _ingest(tmp_path, dump).quarantined == 1
    report = _ingest(tmp_path, dump, corrections=_given_back(tmp_path, _rejects(tmp_path)))
    assert (report.products_added, report.issues) == (1, ())


def test_a_row_of_a_table_with_two_columns_of_one_name_can_be_corrected(tmp_path: Path) -> None:
    table = "sku,name,image,image\nA,Vase,a.png,\nB,Bowl,x.png,a.png\n"
    dump = _dump(tmp_path / "dump", items__csv=table)
    assert _ingest(tmp_path, dump).quarantined == 1
    rows = [[cell.replace("x.png", "a.png") for cell in row] for row in _rejects(tmp_path)]
    report = _ingest(tmp_path, dump, corrections=_given_back(tmp_path, rows))
    assert (report.products_updated + report.products_unchanged, report.issues) == (2, ())


def test_a_correction_of_a_line_that_is_gone_adds_no_product(tmp_path: Path) -> None:
    dump = _dump(tmp_path / "dump", items__csv=_HEAD + "A,Vase,glass,a.png\nB,Bowl,clay,x.png\n")
    _ingest(tmp_path, dump)
    rows = [[cell.replace("x.png", "a.png") for cell in row] for row in _rejects(tmp_path)]
    (dump / "items.csv").write_text(_HEAD + "A,Vase,glass,a.png\n")
    report = _ingest(tmp_path, dump, corrections=_given_back(tmp_path, rows))
    assert (report.rows.read, report.products_missing) == (1, 1)
    assert [(issue.reason, issue.line) for issue in report.issues] == [("ROW_CHANGED_SINCE", 3)]


@pytest.mark.parametrize("line", ["9" * 5000, "9" * 20])
def test_a_line_number_beyond_all_tables_is_refused(tmp_path: Path, line: str) -> None:
    dump = _dump(tmp_path / "dump", items__csv=_HEAD + "A,Vase,glass,a.png\nB,Bowl,clay,x.png\n")
    _ingest(tmp_path, dump)
    head, row = _rejects(tmp_path)
    row[head.index("_line")] = line
    with pytest.raises(IngestRefused, match="is no line number"):
        _ingest(tmp_path, dump, corrections=_given_back(tmp_path, [head, row]))


def test_a_rejected_row_of_one_sheet_is_not_shown_as_that_of_another(tmp_path: Path) -> None:
    dump = _dump(tmp_path / "dump")
    book = openpyxl.Workbook()
    for sheet, rows in ((book.active, ("A", "B")), (book.create_sheet("two"), ("C", "D"))):
        sheet.append(["sku", "name", "image"])
        for key in rows:
            sheet.append([key, f"Vase {key}", "none.png" if key == "D" else "a.png"])
    book.save(dump / "items.xlsx")
    _ingest(tmp_path, dump)
    head, row = _rejects(tmp_path)
    assert row[: head.index("_code") + 1] == ["items.xlsx#two", "3", row[head.index("_row")], "FILE_MISSING"]
    assert "D" in row and "B" not in row


def test_thousands_of_links_that_leave_a_dump_are_each_reported_once(tmp_path: Path) -> None:
    dump = _dump(tmp_path)
    for number in range(3000):
        (dump / f"l{number}.jpg").symlink_to(f"/outside/{number}.jpg")
    rows = "".join(f"K{number},Vase,glass,l{number}.jpg\n" for number in range(0, 3000, 2))
    (dump / "items.csv").write_text(_HEAD + "A,Vase,glass,a.png\n" + rows)
    reasons = [issue.reason for issue in read_dump(Dump(dump)).issues]
    assert reasons == ["FILE_ESCAPES_ROOT"] * 3000
